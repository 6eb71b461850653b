"""AD runs, encrypted advertising data and whole advertisements: section by section of the strictness rules."""

from __future__ import annotations

import json
from typing import Any

import pytest

from protocols.ble.advertising import flag_words
from protocols.ble.payloads import FORMATS
from protocols.data.ad_types import AD_TYPES
from protocols.dissect import Block, dissect, encode
from protocols.errors import EncodeError, UsageError

SESSION = {"session_key": "57a9da12d12e6e131e20612ad10a6a19", "iv": "9e7a00efb17ae746"}
# Core Specification Supplement v11 Part A 2.3.1
SAMPLE_1 = "18e157cade74e4dcafdc51c7282810c2217f0e4cef4343181fba0069cc"
# the FeasyBeacon capture of the vector file
ALSO: dict[str, Any] = {
    "local_name": "FSC-BP105N",
    "service_data": {"feaa": "20000be680000339ffa229bbce8a", "fff0": "36021892dc0d3015aeb164"},
}
SIZES: dict[int, int] = {
    **dict.fromkeys((0x0A, 0x11, 0x1C), 1),
    0x0D: 3,
    0x12: 4,
    **dict.fromkeys((0x0E, 0x0F, 0x1D, 0x1E, 0x22, 0x23, 0x2D), 16),
    0x19: 2,
    0x1A: 2,
    0x1B: 7,
    0x2E: 6,
    0x32: 8,
}
UUID_TYPES = {0x02: 2, 0x03: 2, 0x14: 2, 0x04: 4, 0x05: 4, 0x1F: 4, 0x06: 16, 0x07: 16, 0x15: 16}


def ad(hex_text, *, pdu=None, lenient=False) -> Any:
    return dissect(Block(kind="ad", data=bytes.fromhex(hex_text), pdu=pdu), lenient=lenient)


def fault(found):
    assert found.error is not None
    return found.error.code, found.error.offset


def structure(ad_type, size, fill="00"):
    return f"{size + 1:02x}{ad_type:02x}" + fill * size


# --- faults of a run, their place and what a lenient reader keeps ----------------------------------


@pytest.mark.parametrize(
    ("octets", "code", "offset", "kept"),
    [
        ("0201060509abcd", "ad_length_overrun", 3, {"flags": 6}),
        ("02010602", "ad_length_overrun", 3, {"flags": 6}),
        ("01", "ad_length_overrun", 0, {}),
        ("0201060000020a04", "early_termination_nonzero", 3, {"flags": 6, "tx_power_dbm": 4}),
        # what follows the zero octets overruns: the walk ends there
        ("02010600ff09", "early_termination_nonzero", 3, {"flags": 6}),
        ("0403aafe01020a04", "uuid_list_length", 0, {"service_uuids": ["feaa"], "tx_power_dbm": 4}),
        ("0216aa020106", "service_data_short", 0, {"flags": 6}),
        ("0420aabbcc020106", "service_data_short", 0, {"flags": 6}),
        ("1021" + "11" * 15 + "020106", "service_data_short", 0, {"flags": 6}),
        ("02ff4c020106", "manufacturer_data_short", 0, {"flags": 6}),
        ("0101020a04", "field_length", 0, {"tx_power_dbm": 4}),
        ("020106" + "08" + "17" + "11" * 7, "field_length", 3, {"flags": 6}),
    ],
)  # fmt: skip
def test_fault_has_code_place_and_lenient_result(octets, code, offset, kept):
    found = ad(octets)
    assert fault(found) == (code, offset)
    plain = found.plain
    del plain["structures"]
    assert plain == kept


def test_first_fault_from_the_front_is_the_one_reported():
    """A bad value in an early record comes before a truncated later one, and the other way round."""
    assert fault(ad("020a" + "04" + "030a0505" + "0509")) == ("field_length", 3)
    assert fault(ad("020a04" + "0909" + "030a0505")) == ("ad_length_overrun", 3)
    assert fault(ad("030a0505" + "0216aa")) == ("field_length", 0)
    assert fault(ad("0216aa" + "030a0505")) == ("service_data_short", 0)


def test_lenient_reader_names_every_doubt_in_order():
    found = ad("0403aafe01" + "030a0505" + "02010600" + "0709", lenient=True)
    assert [(doubt.code, doubt.offset) for doubt in found.doubts] == [
        ("uuid_list_length", 0),
        ("field_length", 5),
        ("early_termination_nonzero", 12),
        ("ad_length_overrun", 13),
    ]
    assert found.plain["flags"] == 6
    # the structure that is skipped is not in the list, the UUID list is, as sent
    assert [one["type"] for one in found.plain["structures"]] == [3, 1]


@pytest.mark.parametrize(("ad_type", "size"), SIZES.items())
def test_fixed_size_is_exact(ad_type, size):
    assert ad(structure(ad_type, size)).error is None
    for wrong in {0, size - 1, size + 1} - {size}:
        assert fault(ad("020106" + structure(ad_type, wrong))) == ("field_length", 3)


@pytest.mark.parametrize("ad_type", [0x17, 0x18])
def test_target_addresses_are_whole(ad_type):
    for size in range(14):
        found = ad(structure(ad_type, size))
        assert (found.error is None) == (size % 6 == 0)


@pytest.mark.parametrize(("ad_type", "step"), UUID_TYPES.items())
def test_uuid_lists_are_whole_and_may_be_empty(ad_type, step):
    for size in range(2 * step + 1):
        found = ad(structure(ad_type, size, "5a"))
        name = "service_uuids" if ad_type < 0x10 else "solicitation_uuids"
        assert len(found.plain[name]) == size // step
        assert (found.error is None) == (size % step == 0)


def test_types_without_size_rule_take_any_size():
    ruled = {0x01, 0xFF, 0x16, 0x20, 0x21, 0x17, 0x18, *SIZES, *UUID_TYPES}
    for ad_type in set(range(256)) - ruled:
        for size in (0, 1, 5, 20):
            assert ad(structure(ad_type, size, "41")).error is None, hex(ad_type)


def test_legacy_limit_counts_all_octets_first():
    run = "0201061cff4c00" + "00" * 25
    for pdu in ("legacy", "legacy_scan_rsp"):
        found = ad(run, pdu=pdu)
        assert fault(found) == ("payload_too_long", None)
        assert found.plain["manufacturer_data"] == {"004c": "00" * 25}
        assert ad("00" * 31, pdu=pdu).error is None
        assert fault(ad("00" * 32, pdu=pdu)) == ("payload_too_long", None)
    assert ad(run, pdu="adv").error is None
    assert fault(ad("05" + "00" * 31, pdu="legacy"))[0] == "payload_too_long"


def test_padding_and_empty_run():
    assert ad("").plain == {"structures": []}
    assert ad("00").plain == {"structures": []}
    assert ad("020106" + "00" * 28).plain == {"flags": 6, "structures": [{"type": 1, "data": "06"}]}


# --- values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "fields"),
    [
        ("03010601", {"flags": 0x0106}),
        ("0201e0", {"flags": 0xE0}),
        ("020106020105", {"flags": 5}),
        ("0512ffff5000", {"conn_interval_min_ms": None, "conn_interval_max_ms": 100.0}),
        ("05120600800c", {"conn_interval_min_ms": 7.5, "conn_interval_max_ms": 4000.0}),
        ("031aa000", {"adv_interval_ms": 100.0}),
        ("042f000001", {"adv_interval_ms": 40960.0}),
        ("052f00000001", {"adv_interval_ms": 10485760.0}),
        ("032fa000", {}),
        ("020a81", {"tx_power_dbm": -127}),
        ("040d0c025a", {"class_of_device": 0x5A020C}),
        ("081b06050403020101", {"le_address": "01:02:03:04:05:06", "le_address_type": "random"}),
        ("081b060504030201fe", {"le_address": "01:02:03:04:05:06", "le_address_type": "public"}),
        ("021c02", {"le_role": 2}),
        ("0430c3a962", {"broadcast_name": "éb"}),
        ("0319c103", {"appearance": 0x03C1}),
        ("0316aafe", {"service_data": {"feaa": ""}}),
        ("03ff4c00", {"manufacturer_data": {"004c": ""}}),
        ("0416aafe010416aafe02", {"service_data": {"feaa": "02"}}),
        ("0314aafe", {"solicitation_uuids": ["feaa"]}),
        ("0409464fff", {"local_name": "FO\ufffd", "local_name_type": "complete"}),
        ("0309414203084344", {"local_name": "AB", "local_name_type": "complete"}),
        ("0308434403084142", {"local_name": "AB", "local_name_type": "shortened"}),
        ("0109", {"local_name": "", "local_name_type": "complete"}),
        ("030b0102", {}),
    ],
)  # fmt: skip
def test_values_by_name(octets, fields):
    found = ad(octets)
    assert found.error is None
    plain = found.plain
    del plain["structures"]
    assert plain == fields


@pytest.mark.parametrize(
    ("octets", "uri"),
    [
        ("172f2f612e62", "https://a.b"),
        ("01666f6f3a626172", "foo:bar"),
        ("c2ba7a", "ms-settings-cloudstorage:z"),
        ("c280", "itms:"),
        ("", None),
        ("c2bb7a", None),  # the code point after the last assigned one
        ("007a", None),
        ("ff2f", None),
        ("172fff", "https:/\ufffd"),
    ],
)
def test_uri_scheme(octets, uri):
    run = f"{len(octets) // 2 + 1:02x}24{octets}"
    assert ad(run).plain["uri"] == uri
    if uri is not None and "\ufffd" not in uri:
        assert encode("ad", {"uri": uri}).hex() == run


def test_meanings_are_in_the_tree():
    run, *_ = ad("0201060319c10306ff4c00100501").tree
    words = {node.name: node.meaning for one in run.children for node in one.children}
    assert [one.meaning for one in run.children] == [
        "Flags",
        "Appearance",
        "Manufacturer specific data",
    ]
    assert words["flags"] == "LE general discoverable, BR/EDR not supported"
    assert words["appearance"] == "Human interface device: Keyboard"
    assert words["company_id"] == "Apple"
    assert flag_words(0) == "none set"
    assert flag_words(0x20) == "bit 5"


# --- spans ----------------------------------------------------------------------------------------


def leaves(nodes):
    for node in nodes:
        yield from leaves(node.children) if node.children else (node,)


@pytest.mark.parametrize(
    ("name", "hex_text", "context"),
    [(n, e.hex, e.context) for n in ("ad", "ead", "advertisement") for e in FORMATS.get(n).examples]
    + [("ad", octets, {}) for octets in ("0201060509abcd", "0403aafe01020a04", "0201060000020a04", "0216aa0000")],
)  # fmt: skip
def test_leaves_of_the_tree_cover_all_octets(name, hex_text, context):
    """Also where a lenient reader left octets out: they are "undecoded" and carry the code."""
    kind = "ad_value" if name == "ead" else name
    data = bytes.fromhex(hex_text)
    found = dissect(Block(kind=kind, data=data), context, form=name)
    place = 0
    for node in leaves(found.tree):
        if node.bits and node.end == place:
            continue
        assert node.start == place, node
        place = node.end
    assert place == len(data)
    if found.error is not None:
        assert any(found.error.code in one.doubts for one in found.tree[0].children)


# --- writing --------------------------------------------------------------------------------------


def test_named_fields_are_written_in_the_documented_order():
    fields = {
        "local_name": "Hi",
        "manufacturer_data": {"004C": "01"},
        "service_data": {
            "feaa": "10",
            "12345678": "",
            "00000000-0000-1000-8000-00805f9b34fb": "aa",
        },
        "broadcast_name": "Bc",
        "uri": "http://x",
        "le_role": 1,
        "le_address": "01:02:03:04:05:06",
        "le_address_type": "random",
        "adv_interval_ms": 100,
        "conn_interval_min_ms": 20,
        "conn_interval_max_ms": None,
        "appearance": 961,
        "class_of_device": 1,
        "tx_power_dbm": -4,
        "solicitation_uuids": ["1812"],
        "service_uuids": ["0000feaa-0000-1000-8000-00805f9b34fb", "feaa", "180d"],
        "flags": 6,
    }
    run = encode("ad", fields)
    found = dissect(Block(kind="ad", data=run))
    assert [one["type"] for one in found.plain["structures"]] == [
        0x01, 0x03, 0x07, 0x14, 0x0A, 0x0D, 0x19, 0x12, 0x1A, 0x1B, 0x1C, 0x24, 0x30, 0x16, 0x20, 0x21, 0xFF, 0x09,
    ]  # fmt: skip
    assert found.plain["conn_interval_max_ms"] is None
    assert found.plain["manufacturer_data"] == {"004c": "01"}


@pytest.mark.parametrize("ad_type", sorted(AD_TYPES))
def test_every_type_can_be_sent_as_structure(ad_type):
    size = SIZES.get(ad_type, UUID_TYPES.get(ad_type, 18))
    sent = {"structures": [{"type": ad_type, "data": "5a" * size}]}
    run = encode("ad", sent)
    assert run.hex() == structure(ad_type, size, "5a")
    assert ad(run.hex()).plain["structures"] == sent["structures"]


def test_structures_and_named_fields_must_agree():
    decoded = ad("0201060309414203ff4c00").plain
    assert encode("ad", decoded).hex() == "0201060309414203ff4c00"
    with pytest.raises(EncodeError) as caught:
        encode("ad", decoded | {"local_name": "Edited"})
    assert caught.value.path == "local_name"


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"flags": -1}, "flags"),
        ({"tx_power_dbm": 128}, "tx_power_dbm"),
        ({"tx_power_dbm": "4"}, "tx_power_dbm"),
        ({"appearance": 65536}, "appearance"),
        ({"class_of_device": 1 << 24}, "class_of_device"),
        ({"service_uuids": ["feaaa"]}, "service_uuids[0]"),
        ({"service_uuids": ["feaa", "xyzz"]}, "service_uuids[1]"),
        ({"service_data": {"feaa": "0g"}}, "service_data.feaa"),
        ({"service_data": {"fe": "00"}}, "service_data.fe"),
        ({"manufacturer_data": {"4c": "00"}}, "manufacturer_data.4c"),
        ({"conn_interval_min_ms": 20}, "conn_interval_max_ms"),
        ({"le_address": "01:02:03:04:05:06"}, "le_address_type"),
        ({"le_address": "01:02", "le_address_type": "public"}, "le_address"),
        ({"local_name_type": "complete"}, "local_name"),
        ({"local_name": "x" * 255}, "local_name"),
        ({"structures": [{"type": 256, "data": ""}]}, "structures[0].type"),
        ({"structures": [{"type": 1, "data": "0"}]}, "structures[0].data"),
        ({"structures": [{"type": 1, "data": "00" * 255}]}, "structures[0].data"),
        ({"nonsense": 1}, ""),
    ],
)
def test_what_cannot_be_sent_is_named(fields, path):
    with pytest.raises(EncodeError) as caught:
        encode("ad", fields)
    assert caught.value.path == path


def test_legacy_limit_when_writing():
    fields = {"flags": 6, "local_name": "x" * 26}
    assert len(encode("ad", fields, {"pdu": "legacy"})) == 31
    fields["local_name"] += "x"
    with pytest.raises(
        EncodeError, match=r"32 octets, 1 more than the 31 .*Flags 3, Complete local name 29"
    ):
        encode("ad", fields, {"pdu": "legacy"})
    assert len(encode("ad", fields)) == 32


# --- encrypted advertising data -------------------------------------------------------------------


def ead(hex_text, context=None, **more) -> Any:
    return dissect(
        Block(kind="ad_value", ad_type=0x31, data=bytes.fromhex(hex_text)), context, **more
    )


def test_ead_length_border():
    assert fault(ead(SAMPLE_1[:16])) == ("frame_length", None)
    assert ead(SAMPLE_1[:16]).plain == {}
    assert ead(SAMPLE_1[:18]).plain == {
        "randomizer": "18e157cade",
        "ciphertext": "",
        "mic": SAMPLE_1[10:18],
    }


def test_ead_without_key_has_no_plaintext_and_is_rebuilt():
    for context in (None, {"iv": SESSION["iv"]}):
        found = ead(SAMPLE_1, context)
        assert found.error is None
        assert not {"plaintext_ad", "local_name", "appearance"} & set(found.plain)
        assert encode("ead", found.plain).hex() == SAMPLE_1


@pytest.mark.parametrize("at", [0, 4, 5, 20, 25, 28])
def test_ead_any_changed_octet_is_mic(at):
    data = bytearray(bytes.fromhex(SAMPLE_1))
    data[at] ^= 1
    found = ead(data.hex(), SESSION)
    assert fault(found) == ("mic", None)
    assert found.plain == {}


def test_ead_wrong_key_is_mic():
    for name in SESSION:
        assert fault(ead(SAMPLE_1, SESSION | {name: "00" * (len(SESSION[name]) // 2)})) == (
            "mic",
            None,
        )
    with pytest.raises(UsageError, match="16 needed"):
        ead(SAMPLE_1, SESSION | {"session_key": "00"})


def test_ead_fault_in_the_plaintext_has_the_place_of_its_octet():
    """The run inside starts at octet 5; structures before the fault are kept, for the tag was right."""
    sealed = encode("ead", {"randomizer": "0102030405", "plaintext_ad": "020a040509ab"}, SESSION)
    found = ead(sealed.hex(), SESSION)
    assert fault(found) == ("ad_length_overrun", 5 + 3)
    assert found.plain["tx_power_dbm"] == 4


def test_ead_encodes_named_values_and_checks_what_is_derived():
    named = {"randomizer": "18e157cade", "local_name": "Short Mini-Bus", "appearance": 35850}
    found = ead(encode("ead", named, SESSION).hex(), SESSION)
    assert found.plain["local_name"] == "Short Mini-Bus"
    whole = ead(SAMPLE_1, SESSION).plain
    assert encode("ead", whole, SESSION).hex() == SAMPLE_1
    for wrong, path in (({"mic": "00000000"}, "mic"), ({"local_name": "Long"}, "local_name")):
        with pytest.raises(EncodeError) as caught:
            encode("ead", whole | wrong, SESSION)
        assert caught.value.path == path
    with pytest.raises(EncodeError) as caught:
        encode("ead", whole)
    assert caught.value.path == "context.session_key"
    with pytest.raises(EncodeError) as caught:
        encode("ead", whole | {"randomizer": "18"}, SESSION)
    assert caught.value.path == "randomizer"


def test_ead_opened_structures_are_children_of_the_ciphertext():
    found = ead(SAMPLE_1, SESSION)
    assert [node.name for node in found.tree] == ["randomizer", "ciphertext", "mic"]
    structures = found.tree[1].children[0]
    assert (structures.start, structures.end) == (5, 25)


# --- whole advertisements -------------------------------------------------------------------------


def whole(also, **more) -> Any:
    return dissect(Block(kind="advertisement", also=also), **more)


def test_advertisement_reports_the_first_fault_of_its_blocks():
    broken = ALSO | {
        "service_data": ALSO["service_data"] | {"fff0": "36"},
        "manufacturer_data": {"0499": "ff"},
    }
    found = whole(broken)
    assert fault(found) == ("frame_length", None)
    assert found.error.path == "service_data/fff0"
    assert set(found.plain) == {"local_name", "feaa"}
    assert [doubt.code for doubt in whole(broken, lenient=True).doubts] == [
        "frame_length",
        "format",
    ]


def test_advertisement_keeps_blocks_without_format_and_like_named_ones():
    found = whole({"service_data": {"0499": "aa"}, "manufacturer_data": {"0499": "05" + "00" * 23}})
    assert found.plain["0499"] == {"kind": "service_data", "data": "aa"}
    assert found.plain["manufacturer_data/0499"]["format"] == 5


def test_advertisement_and_run_are_each_others_inverse():
    """Written as a run of AD structures, which read back gives the same blocks."""
    fields = whole(ALSO).plain
    run = encode("advertisement", fields)
    assert dissect(Block(kind="ad", data=run)).plain["service_data"] == ALSO["service_data"]
    found = dissect(Block(kind="advertisement", data=run))
    assert found.plain == fields
    flagged = dissect(Block(kind="advertisement", data=bytes.fromhex("020106") + run))
    assert flagged.plain["structures"] == [{"type": 1, "data": "06"}]
    assert encode("advertisement", flagged.plain).hex() == "020106" + run.hex()
    json.dumps(flagged.plain)


def test_advertisement_name_that_is_not_text_stays_as_sent():
    run = "0309ff41"
    found = dissect(Block(kind="advertisement", data=bytes.fromhex(run)))
    assert found.plain["local_name"] == "\ufffdA"
    assert encode("advertisement", found.plain).hex() == run


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"feaa": {"frame": "tlm", "battery_mv": 70000}}, "feaa."),
        ({"feaa": "20"}, "feaa"),
        ({"abcd": {"x": 1}}, "abcd"),
        ({"local_name": 5}, "local_name"),
    ],
)
def test_advertisement_names_the_block_it_cannot_write(fields, path):
    with pytest.raises(EncodeError) as caught:
        encode("advertisement", fields)
    assert path in caught.value.path


@pytest.mark.parametrize(
    "also", [{"names": "x"}, {"service_data": {"feaa": "0"}}, {"service_data": {"feaa": 5}}, 5]
)
def test_malformed_also_is_a_wrong_request(also):
    with pytest.raises(UsageError):
        whole(also)
