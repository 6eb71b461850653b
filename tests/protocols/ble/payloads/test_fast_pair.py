"""Google Fast Pair: known answers of Google's own tests, faults at their field, the filter and its check."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.ble.payloads.fast_pair import (
    NotDiscoverable,
    account_key_filter,
    battery_field,
    matches,
)
from protocols.dissect import Block, Dissection, dissect, encode
from protocols.errors import EncodeError, UsageError

KEY_1 = "11223344556677889900aabbccddeeff"
KEY_2 = "11112222333344445555666677778888"
LEVELS = [{"charging": False, "level_pct": 64}] * 3


def decode(hex_: str, *, lenient: bool = False) -> Dissection:
    block = Block(kind="service_data", data=bytes.fromhex(hex_), service_uuid="fe2c")
    return dissect(block, lenient=lenient)


def fields_of(**plain: Any) -> dict[str, Any]:
    return {"mode": "not_discoverable", "version_flags": 0, **plain}


def strict_fields(hex_: str) -> NotDiscoverable:
    fields = decode(hex_).fields
    assert isinstance(fields, NotDiscoverable)
    return fields


# Origin: google/nearby, embedded client tests (advertisement of non-discoverable providers); the first of each
# length also stands in the Fast Pair specification, "Cryptographic test cases".
FILTERS = [
    ([KEY_1], "c7", "0a428810"),
    ([KEY_1, KEY_2], "c7", "2fba064200"),
    ([KEY_1], "c7c7", "08480c11"),
    ([KEY_1], "c7c8", "020c802a"),
    ([KEY_1, KEY_2], "c7c7", "4d08005d1c"),
]


@pytest.mark.parametrize(("keys", "salt", "expected"), FILTERS)
def test_filter_known_answers(keys: list[str], salt: str, expected: str) -> None:
    octets = [bytes.fromhex(key) for key in keys]
    assert account_key_filter(octets, bytes.fromhex(salt)).hex() == expected


@pytest.mark.parametrize(("keys", "salt", "expected"), FILTERS)
def test_encoder_makes_the_filter_of_the_keys(keys: list[str], salt: str, expected: str) -> None:
    """Frames of the same origin: UI hidden, header octet 0x42 or 0x52, salt behind the filter."""
    data = encode("fast-pair", fields_of(show_ui=False, salt=salt), {"account_keys": keys})
    assert data.hex() == f"00{len(expected) // 2}2{expected}{len(salt) // 2}1{salt}"


def test_no_account_keys_is_the_empty_filter() -> None:
    """Same origin: a provider without keys sends 00 00."""
    data = encode("fast-pair", fields_of(show_ui=True, salt="c7"), {"account_keys": []})
    assert data.hex() == "000011c7"
    assert decode("0000").plain == fields_of(account_key_filter="", show_ui=True)


def test_size_of_the_filter_grows_by_1_2_octets_per_key_and_ten_keys_are_the_most() -> None:
    keys = [bytes([number]) * 16 for number in range(12)]
    sizes = [len(account_key_filter(keys[:count], b"\x01")) for count in range(1, 13)]
    assert sizes == [4, 5, 6, 7, 9, 10, 11, 12, 13, 15, 16, 17]
    ten, eleven = ([key.hex() for key in keys[:count]] for count in (10, 11))
    assert len(encode("fast-pair", fields_of(show_ui=True, salt="01"), {"account_keys": ten})) == 19
    with pytest.raises(EncodeError, match="account_key_filter: 16 octets"):
        encode("fast-pair", fields_of(show_ui=True, salt="01"), {"account_keys": eleven})


def test_a_given_filter_stays_although_the_keys_say_otherwise() -> None:
    plain = fields_of(account_key_filter="ffffffff", show_ui=True, salt="c7")
    data = encode("fast-pair", plain, {"account_keys": [KEY_1]})
    assert data.hex() == "0040ffffffff11c7"


def test_matches_finds_exactly_the_keys_of_the_filter() -> None:
    frame = strict_fields("00522fba06420011c7")
    assert matches(frame, bytes.fromhex(KEY_1))
    assert matches(frame, bytes.fromhex(KEY_2))
    strangers = [bytes([number]) * 16 for number in range(50)]
    assert sum(matches(frame, key) for key in strangers) <= 5


def test_matches_takes_salt_and_battery_in() -> None:
    """The frame of the specification's battery test case; another level makes another filter."""
    good = "0050102256c04d11c733404040"
    assert matches(strict_fields(good), bytes.fromhex(KEY_2))
    assert not matches(strict_fields(good.replace("404040", "404041")), bytes.fromhex(KEY_2))
    assert not matches(strict_fields(good.replace("11c7", "11c8")), bytes.fromhex(KEY_2))
    assert battery_field(strict_fields(good)).hex() == "33404040"


@pytest.mark.parametrize("hex_", ["0000", "000011c7", "05", "00400a428810"])
def test_matches_says_no_without_filter_or_salt(hex_: str) -> None:
    assert not matches(strict_fields(hex_), bytes.fromhex(KEY_1))


@pytest.mark.parametrize(
    ("hex_", "code", "offset", "kept"),
    [
        ("", "frame_length", None, {}),
        ("10", "version", 0, {}),
        ("f000", "version", 0, {}),
        ("0040", "field_overrun", 1, fields_of()),
        ("00400a4288", "field_overrun", 1, fields_of()),
        ("0011c71101" + "34", "field_overrun", 5, fields_of(salt="01")),
        ("0011c720", "field_overrun", 3, fields_of(salt="c7")),
        ("00150011c7", "unknown_field", 1, fields_of(salt="c7")),
        ("000f11c7", "unknown_field", 1, fields_of(salt="c7")),
        ("002f11", "", None, {}),
        ("000111c7", "field_length", 1, fields_of(salt="c7")),
        ("0031aabbcc11c7", "field_length", 1, fields_of(salt="c7")),
        ("0023404011c7", "field_length", 1, fields_of(salt="c7")),
        ("00444040404011c7", "field_length", 1, fields_of(salt="c7")),
        ("0011c70411c8", "field_length", 3, fields_of(salt="c8")),
        ("001500f5", "unknown_field", 1, fields_of()),
    ],
)
def test_faults(hex_: str, code: str, offset: int | None, kept: dict[str, Any]) -> None:
    """Within one field: does it fit, is it known, has it the right size. All at its header octet."""
    found = decode(hex_)
    if not code:
        assert found.plain == {"mode": "discoverable", "model_id": hex_}
        return
    assert found.error is not None
    assert (found.error.code, found.error.offset) == (code, offset)
    assert found.plain == kept


def test_lenient_walk_names_every_fault_it_passed() -> None:
    found = decode("001500" + "0411c7" + "2340", lenient=True)
    assert [(d.code, d.offset) for d in found.doubts] == [
        ("unknown_field", 1),
        ("field_length", 3),
        ("field_overrun", 6),
    ]
    assert found.plain == fields_of(salt="c7")


def test_three_octets_are_a_model_id_whatever_they_are() -> None:
    assert decode("0011c7").plain == {"mode": "discoverable", "model_id": "0011c7"}
    assert decode("f00000").plain == {"mode": "discoverable", "model_id": "f00000"}
    with pytest.raises(EncodeError, match="model id"):
        encode("fast-pair", fields_of(salt="c7"))


def test_version_flags_keep_the_low_nibble() -> None:
    assert decode("0f").plain == fields_of(version_flags=15)
    with pytest.raises(EncodeError) as caught:
        encode("fast-pair", fields_of(version_flags=16))
    assert caught.value.path == "version_flags"


def test_levels_above_100_are_kept_and_127_is_unknown() -> None:
    plain = decode("00346579ff").plain
    assert [part["level_pct"] for part in plain["battery"]] == [101, 121, None]
    assert [part["charging"] for part in plain["battery"]] == [False, False, True]
    assert plain["battery_show_ui"] is False


def test_of_a_repeated_field_the_last_counts() -> None:
    assert decode("0011c711c8").plain == fields_of(salt="c8")


@pytest.mark.parametrize(
    ("plain", "path"),
    [
        ({"mode": "discoverable", "model_id": "aabb"}, "model_id"),
        (fields_of(salt=""), "salt"),
        (fields_of(salt="c7c8c9"), "salt"),
        (fields_of(salt="xx"), "salt"),
        (fields_of(account_key_filter="0a"), "show_ui"),
        (fields_of(show_ui=True), "show_ui"),
        (fields_of(account_key_filter="0", show_ui=True), "account_key_filter"),
        (fields_of(battery=LEVELS), "battery_show_ui"),
        (fields_of(battery_show_ui=True), "battery_show_ui"),
        (fields_of(battery=LEVELS[:2], battery_show_ui=True), "battery"),
        (
            fields_of(
                battery=[*LEVELS[:2], {"charging": True, "level_pct": 127}], battery_show_ui=True
            ),
            "battery[2].level_pct",
        ),
        (
            fields_of(
                battery=[*LEVELS[:1], {"charging": True, "level_pct": 128}, LEVELS[0]],
                battery_show_ui=True,
            ),
            "battery[1].level_pct",
        ),
        (fields_of(battery=[{"charging": 1, "level_pct": 1}] * 3), "battery[0].charging"),
    ],
)
def test_what_cannot_be_sent(plain: dict[str, Any], path: str) -> None:
    with pytest.raises(EncodeError) as caught:
        encode("fast-pair", plain)
    assert caught.value.path == path


def test_filter_needs_a_salt_and_whole_keys() -> None:
    with pytest.raises(EncodeError, match="salt: is missing"):
        encode("fast-pair", fields_of(show_ui=True), {"account_keys": [KEY_1]})
    with pytest.raises(UsageError, match="account_keys: 15 octets given"):
        encode("fast-pair", fields_of(show_ui=True, salt="c7"), {"account_keys": [KEY_1[2:]]})
