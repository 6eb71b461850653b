"""iBeacon, Continuity, HomeKit and Find My: rows of section 5.4, keys, helpers."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.ble.payloads.apple_findmy import OfflineFinding, address_of, public_key_of
from protocols.ble.payloads.homekit_ble import setup_hash
from protocols.ble.payloads.homekit_ble_encrypted import find_gsn
from protocols.dissect import Block, Dissection, dissect, encode
from protocols.errors import EncodeError, UsageError

BEACON = "0215b9a5d27d56cc4e3aab511f2153bcb96700010359d6"
HOMEKIT = "06310080e7146a373406009f2104023cb9eb0e"
HOMEKIT_SHORT = "062d0180e7146a3734060001000102"
NOTIFICATION = "113611223344556640037bbc81c3f20d3357711362ac4dc1"
BROADCAST_KEY = bytes(range(32))
OPENED = {"broadcast_key": BROADCAST_KEY.hex(), "candidate_gsn": 515}
FINDMY = "12190057364dc7fb77866c40c91076603cb37c1f59f923ab3a0300"


def decode(hex_: str, form: str, context: dict[str, Any] | None = None) -> Dissection:
    block = Block(kind="manufacturer_data", data=bytes.fromhex(hex_), company_id="004c")
    return dissect(block, context, form=form)


def spoilt(hex_: str, **octets: str) -> str:
    """`hex_` with octets replaced: o1="16"."""
    for place, value in octets.items():
        at = 2 * int(place[1:])
        hex_ = hex_[:at] + value + hex_[at + len(value) :]
    return hex_


FAULTS = [
    ("ibeacon", "", "frame_length", None, False),
    ("ibeacon", "10", "not_ibeacon", 0, False),
    ("ibeacon", "02", "frame_length", None, False),
    ("ibeacon", BEACON[:-2], "frame_length", None, False),
    ("ibeacon", BEACON + "00", "frame_length", None, False),
    ("ibeacon", spoilt(BEACON, o0="03", o1="16"), "not_ibeacon", 0, False),
    ("ibeacon", spoilt(BEACON, o1="16") + "00", "frame_length", None, False),
    ("ibeacon", spoilt(BEACON, o1="16"), "subtype_length", 1, True),
    ("homekit-ble", "", "frame_length", None, False),
    ("homekit-ble", "11", "frame_type", 0, False),
    ("homekit-ble", HOMEKIT[:-2], "frame_length", None, False),
    ("homekit-ble", spoilt(HOMEKIT, o1="2d")[:-2], "frame_length", None, False),
    ("homekit-ble", spoilt(HOMEKIT, o1="2d"), "subtype_length", 1, True),
    ("homekit-ble", spoilt(HOMEKIT, o1="11"), "subtype_length", 1, True),
    ("homekit-ble", spoilt(HOMEKIT_SHORT, o1="31"), "subtype_length", 1, True),
    ("homekit-ble-encrypted", "06", "frame_type", 0, False),
    ("homekit-ble-encrypted", NOTIFICATION + "00", "frame_length", None, False),
    ("homekit-ble-encrypted", spoilt(NOTIFICATION, o1="16"), "subtype_length", 1, True),
    ("apple-findmy", "", "frame_length", None, False),
    ("apple-findmy", "10" + FINDMY[2:], "frame_type", 0, False),
    ("apple-findmy", FINDMY[:-2], "frame_length", None, False),
    ("apple-findmy", spoilt(FINDMY, o1="18"), "subtype_length", 1, True),
]


@pytest.mark.parametrize(("form", "hex_", "code", "offset", "kept"), FAULTS)
def test_faults(form: str, hex_: str, code: str, offset: int | None, kept: bool) -> None:
    """Type, then total length, then the declared one; only the last leaves fields to a lenient decoder."""
    found = decode(hex_, form)
    assert found.error is not None
    assert (found.error.code, found.error.offset) == (code, offset)
    whole = {
        "ibeacon": BEACON,
        "homekit-ble": HOMEKIT if len(hex_) == 38 else HOMEKIT_SHORT,
        "homekit-ble-encrypted": NOTIFICATION,
        "apple-findmy": FINDMY,
    }[form]
    assert found.plain == (decode(whole, form).plain if kept else {})


def test_ibeacon_recorded_frame() -> None:
    """Origin: igsparser, tests (a recorded iBeacon)."""
    assert decode(BEACON, "ibeacon").plain == {
        "uuid": "b9a5d27d-56cc-4e3a-ab51-1f2153bcb967",
        "major": 1,
        "minor": 857,
        "measured_power_1m_dbm": -42,
    }


def test_ibeacon_measured_power_zero_stays_zero() -> None:
    assert decode(BEACON[:-2] + "00", "ibeacon").plain["measured_power_1m_dbm"] == 0


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"major": 65536}, "major"),
        ({"minor": -1}, "minor"),
        ({"measured_power_1m_dbm": 128}, "measured_power_1m_dbm"),
        ({"uuid": "b9a5d27d"}, "uuid"),
        ({"major": 1.5}, "major"),
    ],
)
def test_ibeacon_out_of_range(change: dict[str, Any], path: str) -> None:
    with pytest.raises(EncodeError) as caught:
        encode("ibeacon", {**decode(BEACON, "ibeacon").plain, **change})
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("hex_", "offset", "kept"),
    [
        ("10", 0, []),
        ("1005010203", 0, []),
        ("1001aa0c", 3, [16]),
        ("1001aa0c0201", 3, [16]),
        ("01" + "00" * 15, 0, []),
        ("1001aa01" + "00" * 15, 3, [16]),
        ("062301", 0, []),
        ("1001aa11360102", 3, [16]),
        ("1001aa1006aa1001bb0c", 3, [16]),
        ("1001aa1003aa1001bb", 8, [16, 16]),
    ],
)
def test_continuity_overrun_is_at_the_message(hex_: str, offset: int, kept: list[int]) -> None:
    """The messages before it stay; what seems to follow is not trusted."""
    found = decode(hex_, "apple-continuity")
    assert found.error is not None
    assert (found.error.code, found.error.offset) == ("tlv_length_overrun", offset)
    assert [message["type"] for message in found.plain["messages"]] == kept


def test_continuity_length_rules_of_the_three_kinds() -> None:
    """16 octets without a length for type 1; low five bits for 6 and 17; a whole octet for all others."""
    found = decode(
        "01" + "ab" * 16 + "0621aa" + "1142bbcc" + "21028001" + "0000", "apple-continuity"
    )
    assert found.plain["messages"] == [
        {"type": 1, "overflow_bits": "ab" * 16},
        {"type": 6, "data": "aa", "subtype": 1},
        {"type": 17, "data": "bbcc", "subtype": 2},
        {"type": 33, "data": "8001"},
        {"type": 0, "data": ""},
    ]
    assert [node.meaning for node in found.tree[0].children[0].children[:1]] == [
        "background overflow area"
    ]


def test_continuity_subtype_is_1_when_not_told() -> None:
    data = encode("apple-continuity", {"messages": [{"type": 6, "data": "aa bb"}]})
    assert data.hex() == "0622aabb"


@pytest.mark.parametrize(
    ("message", "path"),
    [
        ({"type": 1, "data": "00" * 16}, "messages[1].data"),
        ({"type": 1, "overflow_bits": "00" * 15}, "messages[1].overflow_bits"),
        ({"type": 1}, "messages[1].overflow_bits"),
        ({"type": 16, "overflow_bits": "00" * 16}, "messages[1].overflow_bits"),
        ({"type": 16, "data": "", "subtype": 1}, "messages[1].subtype"),
        ({"type": 16}, "messages[1].data"),
        ({"type": 16, "data": "0"}, "messages[1].data"),
        ({"type": 16, "data": "00" * 256}, "messages[1].data"),
        ({"type": 256, "data": ""}, "messages[1].type"),
        ({"type": 6, "data": "00" * 32}, "messages[1].data"),
        ({"type": 6, "data": "xx"}, "messages[1].data"),
        ({"type": 6, "data": "", "subtype": 8}, "messages[1].subtype"),
    ],
)
def test_continuity_what_cannot_be_sent(message: dict[str, Any], path: str) -> None:
    with pytest.raises(EncodeError) as caught:
        encode("apple-continuity", {"messages": [{"type": 16, "data": ""}, message]})
    assert caught.value.path == path


def test_homekit_odd_values_are_kept() -> None:
    """Status bits 1..7, category 0, state number 0, configuration 0 and any version are no faults."""
    found = decode("062dfe" + "80e7146a3734" + "0000" + "0000" + "00" + "07", "homekit-ble")
    assert found.error is None
    assert found.plain == {
        "type": "regular",
        "unpaired": False,
        "status_flags": 0xFE,
        "device_id": "80:e7:14:6a:37:34",
        "category": 0,
        "global_state_number": 0,
        "config_number": 0,
        "compatible_version": 7,
    }


def test_homekit_unpaired_must_agree_with_the_status_octet_when_given() -> None:
    plain = decode(HOMEKIT_SHORT, "homekit-ble").plain
    with pytest.raises(EncodeError) as caught:
        encode("homekit-ble", {**plain, "unpaired": False})
    assert caught.value.path == "unpaired"
    del plain["unpaired"]
    assert encode("homekit-ble", plain).hex() == HOMEKIT_SHORT
    with pytest.raises(EncodeError) as caught:
        encode("homekit-ble", {**plain, "status_flags": 257})
    assert caught.value.path == "status_flags"


@pytest.mark.parametrize(
    ("device_id", "expected"),
    [("E1:91:1A:70:85:AA", "c9fe1bcf"), ("c8:d8:58:c6:63:f5", "ef5d8e9b")],
)
def test_setup_hash_known_answers(device_id: str, expected: str) -> None:
    """Origin: apple/HomeKitADK, setup hash test; the device id counts in upper case."""
    assert setup_hash("7OSX", device_id) == expected


def test_notification_opens_and_its_parts_stand_where_the_ciphertext_is() -> None:
    found = decode(NOTIFICATION, "homekit-ble-encrypted", OPENED)
    assert found.plain == {
        "advertising_id": "11:22:33:44:55:66",
        "gsn": 515,
        "iid": 51,
        "value": "0100000000000000",
        "tag": "62ac4dc1",
    }
    sealed = next(node for node in found.tree if node.name == "ciphertext")
    spans = [(node.name, node.start, node.end) for node in sealed.children]
    assert spans == [("gsn", 8, 10), ("iid", 10, 12), ("value", 12, 20)]


@pytest.mark.parametrize(
    "context", [{}, {"broadcast_key": BROADCAST_KEY.hex()}, {"candidate_gsn": 515}]
)
def test_notification_without_key_or_state_number_stays_closed(context: dict[str, Any]) -> None:
    found = decode(NOTIFICATION, "homekit-ble-encrypted", context)
    assert found.error is None
    assert found.plain == {
        "advertising_id": "11:22:33:44:55:66",
        "ciphertext": "40037bbc81c3f20d33577113",
        "tag": "62ac4dc1",
    }


@pytest.mark.parametrize(
    ("hex_", "context"),
    [
        (NOTIFICATION, {**OPENED, "candidate_gsn": 514}),
        (NOTIFICATION, {**OPENED, "broadcast_key": "00" * 32}),
        (spoilt(NOTIFICATION, o2="10"), OPENED),
        (spoilt(NOTIFICATION, o19="00"), OPENED),
        (spoilt(NOTIFICATION, o23="c0"), OPENED),
    ],
)
def test_notification_that_does_not_fit_is_mic_and_gives_nothing(
    hex_: str, context: dict[str, Any]
) -> None:
    """The advertising id is authenticated too."""
    found = decode(hex_, "homekit-ble-encrypted", context)
    assert found.error is not None
    assert (found.error.code, found.error.offset) == ("mic", None)
    assert found.plain == {}


def test_notification_length_octet_comes_before_the_tag() -> None:
    wrong_both = spoilt(NOTIFICATION, o1="00", o23="c0")
    error = decode(wrong_both, "homekit-ble-encrypted", OPENED).error
    assert error is not None
    assert (error.code, error.offset) == ("subtype_length", 1)
    assert decode(wrong_both, "homekit-ble-encrypted", OPENED).plain == {}


def test_notification_is_sealed_again_when_a_value_changes() -> None:
    plain = decode(NOTIFICATION, "homekit-ble-encrypted", OPENED).plain
    data = encode("homekit-ble-encrypted", {**plain, "value": "00" * 8, "gsn": 516}, OPENED)
    assert data[20:].hex() != plain["tag"]
    assert decode(data.hex(), "homekit-ble-encrypted", OPENED).plain["gsn"] == 516
    del plain["tag"]
    key_only = {"broadcast_key": OPENED["broadcast_key"]}
    assert encode("homekit-ble-encrypted", plain, key_only).hex() == NOTIFICATION
    with pytest.raises(EncodeError) as caught:
        encode("homekit-ble-encrypted", plain)
    assert caught.value.path == "context.broadcast_key"


def test_malformed_keys_are_usage_errors() -> None:
    with pytest.raises(UsageError, match="candidate_gsn"):
        decode(NOTIFICATION, "homekit-ble-encrypted", {**OPENED, "candidate_gsn": 65536})
    with pytest.raises(UsageError, match="broadcast_key: 31 octets"):
        decode(NOTIFICATION, "homekit-ble-encrypted", {**OPENED, "broadcast_key": "00" * 31})


def test_find_gsn_tries_upward_and_wraps_to_1() -> None:
    data = bytes.fromhex(NOTIFICATION)
    assert find_gsn(data, BROADCAST_KEY, 515, 1) == 515
    assert find_gsn(data, BROADCAST_KEY, 500, 16) == 515
    assert find_gsn(data, BROADCAST_KEY, 500, 15) is None
    assert find_gsn(data, BROADCAST_KEY, 516, 50) is None
    plain = decode(NOTIFICATION, "homekit-ble-encrypted", OPENED).plain
    first = encode("homekit-ble-encrypted", {**plain, "gsn": 1}, {**OPENED, "candidate_gsn": 1})
    assert find_gsn(first, BROADCAST_KEY, 65535, 2) == 1


@pytest.mark.parametrize(
    ("status", "maintained", "battery"),
    [("00", False, 0), ("04", True, 0), ("44", True, 1), ("bb", False, 2), ("ff", True, 3)],
)
def test_findmy_status(status: str, maintained: bool, battery: int) -> None:
    plain = decode(spoilt(FINDMY, o2=status), "apple-findmy").plain
    found = plain["status"], plain["maintained"], plain["battery_state"]
    assert found == (int(status, 16), maintained, battery)


def test_findmy_upper_bits_of_the_key_octet_are_ignored_but_shown() -> None:
    found = decode(spoilt(FINDMY, o25="ff"), "apple-findmy")
    assert found.plain == decode(FINDMY, "apple-findmy").plain
    assert [n.value for n in found.tree if n.bits == (2, 6)] == [63]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"status": 256}, "status"),
        ({"maintained": True}, "maintained"),
        ({"battery_state": 1}, "battery_state"),
        ({"public_key_0_bits_6_7": 4}, "public_key_0_bits_6_7"),
        ({"public_key_6_27": "00" * 21}, "public_key_6_27"),
        ({"hint": 256}, "hint"),
    ],
)
def test_findmy_what_cannot_be_sent(change: dict[str, Any], path: str) -> None:
    plain = decode(FINDMY, "apple-findmy").plain
    if path == "status":
        plain = {k: v for k, v in plain.items() if k not in ("maintained", "battery_state")}
    with pytest.raises(EncodeError) as caught:
        encode("apple-findmy", {**plain, **change})
    assert caught.value.path == path


@pytest.mark.parametrize("first", [0x00, 0x3F, 0x40, 0x95, 0xC1, 0xFF])
def test_findmy_key_travels_in_address_and_frame(first: int) -> None:
    """Section 3.12: the address hides the top two bits of the key, the frame carries them."""
    key = bytes((first, *range(101, 128)))
    address = address_of(key)
    assert address == f"{first | 0xC0:02x}:65:66:67:68:69"
    fields = OfflineFinding(
        status=0, public_key_6_27=key[6:].hex(), public_key_0_bits_6_7=first >> 6, hint=0
    )
    assert public_key_of(fields, address) == key


def test_findmy_helpers_refuse_what_is_no_key_or_address() -> None:
    fields = decode(FINDMY, "apple-findmy").fields
    assert isinstance(fields, OfflineFinding)
    with pytest.raises(UsageError, match="28 needed"):
        address_of(bytes(27))
    for address in ("c0:01:02:03:04", "no address", ""):
        with pytest.raises(UsageError, match="six octets"):
            public_key_of(fields, address)
