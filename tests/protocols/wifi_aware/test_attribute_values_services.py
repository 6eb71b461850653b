"""Values of the attributes about services, identities and keys. Octets: the digest's section 9 and 12.5, recordings."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.errors import DecodeError, EncodeError
from protocols.layout import Walk
from protocols.wifi_aware.attributes import RESERVED, Attr, title_of
from protocols.wifi_aware.service_info import (
    TEXT_INFO,
    SubAttribute,
    generic,
    strings,
    sub_attributes,
    txt_data,
)
from protocols.wifi_aware.walker import table

TXT = (
    "1576656e646f724e616d653d4170706c6520496e632e"
    "106d6f64656c4e616d653d6950686f6e65"
    "1270616972696e674e616d653d6950686f6e65"
)
"""PI0: strings that an iPhone is reported to show."""
PAIRING_STRINGS = {"vendorName": "Apple Inc.", "modelName": "iPhone", "pairingName": "iPhone"}


def plain_of(text):
    """Plain fields of one complete attribute."""
    (attr,) = table(bytes.fromhex(text))
    return attr.as_plain()


def nodes_of(node):
    yield node
    for child in node.children:
        yield from nodes_of(child)


def tree_of(text) -> Any:
    (attr,) = table(bytes.fromhex(text))
    return list(nodes_of(attr.tree(0, Walk())))


def meaning_of(text, name):
    return next(node.meaning for node in tree_of(text) if node.name == name)


def fault_of(number, body):
    with pytest.raises(DecodeError) as caught:
        _ = Attr(number, bytes.fromhex(body)).fields
    return caught.value.code, caught.value.offset


SDEA = {
    "attribute": "service_descriptor_extension", "instance_id": 5, "fsd_required": False, "fsd_method": 0,
    "data_path_required": False, "data_path_type": 0, "qos_required": False, "security_required": False,
    "ranging_required": False, "gtk_required": False,
}  # fmt: skip
VALUES = {
    # V1, V2, V3
    "00020080 4d": {"attribute": "master_indication", "master_preference": 128, "random_factor": 77},
    "010d00025f5a1ae301bc010000000000": {
        "attribute": "cluster", "anchor_master": "02:5f:5a:1a:e3:01", "random_factor": 0xBC, "master_preference": 1,
        "hop_count": 0, "ambtt_us": 0,
    },
    "030900f51b9c480c52050000": {
        "attribute": "service_descriptor", "service_id": "f51b9c480c52", "instance_id": 5, "requestor_instance_id": 0,
        "type": 0, "range_limited": False,
    },
    # V6 and V7
    "0e0b000544000600506f9a026677": SDEA
    | {"data_path_required": True, "security_required": True}
    | {"service_info": {"oui": "506f9a", "protocol": 2, "specific": "6677"}},
    "0e080005000364 00c80009": SDEA
    | {"range_limit": {"ingress_cm": 100, "egress_cm": 200}, "service_update_indicator": 9},
    # each control bit by itself: digest 2.5
    "0e0300050100": SDEA | {"fsd_required": True},
    "0e0300050200": SDEA | {"fsd_method": 1},
    "0e0300050800": SDEA | {"data_path_type": 1},
    "0e0300051000": SDEA | {"reserved_4": 1},
    "0e0300052000": SDEA | {"qos_required": True},
    "0e0300058000": SDEA | {"ranging_required": True},
    "0e0300050004": SDEA | {"gtk_required": True},
    "0e03000500f8": SDEA | {"reserved_11": 31},
    # PI4, another vendor, nothing, and octets behind
    "0e09000500000400506f9a02": SDEA
    | {"service_info": {"oui": "506f9a", "protocol": 2, "specific": ""}},
    "0e0a000500000500001018aabb": SDEA | {"service_info": {"oui": "001018", "specific": "aabb"}},
    "0e050005000000 00": SDEA | {"service_info": {"specific": ""}},
    "0e08000500000000aabbcc": SDEA | {"service_info": {"specific": ""}, "trailing": "aabbcc"},
    # captured beacon: section 1.10
    "28060044774db10160": {
        "attribute": "subscribe_service_id_list",
        "service_ids": ["44774db10160"],
    },
    "020c00f51b9c480c5296b74ebcc024": {
        "attribute": "service_id_list",
        "service_ids": ["f51b9c480c52", "96b74ebcc024"],
    },
    # V17
    "2b110000000102030405060708090a0b0c0d0e0f": {
        "attribute": "identity_resolution", "cipher_version": 0, "nonce": "0001020304050607", "tag": "08090a0b0c0d0e0f",
    },
    "2b020007ff": {"attribute": "identity_resolution", "cipher_version": 7, "octets": "ff"},
    # recorded: both PASN suites, and an ND-PMKID
    "2205000007010801": {
        "attribute": "cipher_suite_information", "pairwise_replay_counters": 0, "group_support": 0,
        "group_replay_counters": 0, "group_management_cipher": 0,
        "suites": [{"suite": 7, "publish_id": 1}, {"suite": 8, "publish_id": 1}],
    },
    "220300fd0203": {
        "attribute": "cipher_suite_information", "pairwise_replay_counters": 1, "group_support": 2,
        "group_replay_counters": 1, "group_management_cipher": 1, "reserved_5": 7,
        "suites": [{"suite": 2, "publish_id": 3}],
    },
    "2314001000010123a7e8a6cf8e20166eb4f27a0f929d59": {
        "attribute": "security_context_information",
        "contexts": [{"type": 1, "publish_id": 1, "identifier": "23a7e8a6cf8e20166eb4f27a0f929d59"}],
    },
    "230b00010001020a0200ff00aabb": {
        "attribute": "security_context_information",
        "contexts": [{"type": 1, "publish_id": 2, "identifier": "0a"}, {"type": 255, "publish_id": 0, "identifier": "aabb"}],
    },
    # the rank in the order of the captured beacon; the offset is signed
    "0d1600506f9a017f0100fcffffffffffff025f5a1ae301bc01": {
        "attribute": "cluster_discovery", "cluster_id": "50:6f:9a:01:7f:01", "time_offset_us": -1024,
        "anchor_master": "02:5f:5a:1a:e3:01", "random_factor": 0xBC, "master_preference": 1,
    },
    "dd0500506f9a0102": {"attribute": "vendor_specific", "oui": "506f9a", "vendor_data": "0102"},
    "dd0300001018": {"attribute": "vendor_specific", "oui": "001018", "vendor_data": ""},
    # IDs that 4.0 reserves, and those that nobody explains
    "1102000102": {"attribute": "nmsg", "octets": "0102"},
    "160000": {"attribute": "multicast_schedule", "octets": ""},
    "180100ff": {"attribute": "paging_unicast", "octets": "ff"},
    "190100ff": {"attribute": "paging_multicast", "octets": "ff"},
    "250100ff": {"attribute": "multicast_schedule_change", "octets": "ff"},
    "260100ff": {"attribute": "multicast_schedule_owner_change", "octets": "ff"},
    "2d0100ff": {"attribute": "s3", "octets": "ff"},
    "2e0100ff": {"attribute": "transmit_power_envelope", "octets": "ff"},
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), VALUES.items())
def test_values(text, expected):
    assert plain_of(text) == expected


@pytest.mark.parametrize(
    ("number", "body", "offset"),
    [
        (0x02, "", 0),
        (0x02, "f51b9c480c", 0),
        (0x28, "44774db10160" + "44774d", 6),
        (0x0E, "0500", 0),
        (0x0E, "05000100", 3),  # bit 8 promises range limits
        (0x0E, "0500000600506f9a0266", 3),  # one octet short
        (0x0E, "05000003", 3),  # half a length
        (0x0E, "0500000300506f9a", 3),  # Wi-Fi Alliance without a protocol
        (0x0D, "00" * 21, 0),
        (0x0D, "00" * 23, 0),
        (0x22, "00", 0),  # no suite: hostap's NAN parser refuses it, its discovery engine does not
        (0x22, "00070108", 3),
        (0x23, "10000101" + "00" * 15, 0),
        (0x23, "01000101aa" + "0100", 5),
        (0x2B, "", 0),  # hostap reads the next attribute here
        (0x2B, "00" * 16, 1),
        (0x2B, "00" * 18, 17),
        (0xDD, "506f", 0),
    ],
)
def test_wrong_lengths(number, body, offset):
    assert fault_of(number, body) == ("attribute_length", offset)


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("0e0300050200", "fsd_method", "GAS"),
        ("0e0300050000", "data_path_type", "unicast data path"),
        ("0e0900050000 0400506f9a03", "protocol", "CSA Matter"),
        ("0e0900050000 0400506f9a01", "protocol", "Bonjour"),
        ("0e0900050000 0400506f9a02", "oui", "Wi-Fi Alliance"),
        ("220300000801", "suite", "NCS-PK-PASN-256"),
        ("220300040101", "group_support", "GTK, IGTK and BIGTK"),
        ("220300100101", "group_management_cipher", "BIP-GMAC-256"),
        ("220300010101", "pairwise_replay_counters", "16 replay counters"),
        ("2306000200010aaabb", "type", "ND-PMKID"),
        ("2b1100" + "00" * 17, "cipher_version", "HMAC-SHA-256, 128-bit identity key"),
    ],
)
def test_meanings(text, name, expected):
    assert meaning_of(text, name) == expected


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("0e0300051000", "reserved_4"),
        ("0e0300050008", "reserved_11"),
        ("0e0300050800", "data_path_type"),
        ("0e0300000000", "instance_id"),
        ("0e0900050000 0400506f9a00", "protocol"),
        ("0e06000500000000aa", "trailing"),
        ("220300600101", "reserved_5"),
        ("220300000901", "suite"),
        ("2305000100020aff", "type"),
        ("2b020001ff", "cipher_version"),
        ("1102000102", "octets"),
    ],
)
def test_what_is_reserved_is_doubted(text, name):
    assert [node.name for node in tree_of(text) if node.doubts] == [name]


def test_former_names_are_titles():
    assert {number: title_of(number) for number in RESERVED} == RESERVED


# --- service info


def test_a_generic_list_is_shown_item_by_item():
    """Port and protocol of section 12.2, and the strings of PI1 in place."""
    specific = "0002005b1c" + "01010006" + "043a00" + TXT
    size = 4 + len(specific) // 2
    text = f"0e{5 + size:02x}00" + "014400" + f"{size:02x}00" + "506f9a02" + specific
    items = [node for node in tree_of(text) if node.name in ("id", "value")][1:]
    assert [(node.value if node.name == "id" else node.meaning) for node in items] == [
        0, "port 7259", 1, "TCP", 4, "vendorName=Apple Inc., modelName=iPhone, pairingName=iPhone",
    ]  # fmt: skip
    node = next(node for node in tree_of(text) if node.name == "specific")
    assert [(kid.start, kid.end) for kid in node.children] == [(12, 17), (17, 21), (21, 82)]
    assert (node.start, node.end) == (12, 82)


@pytest.mark.parametrize("text", ["0e0b000544000600506f9a026677", "0e0900050000" + "0400506f9a02"])
def test_octets_that_are_no_list_stay_octets(text):
    """SSI of hostap's tests, and the empty list that ESP-IDF sends."""
    specific = next(node for node in tree_of(text) if node.name == "specific")
    assert specific.children == ()


def test_bonjour_strings_are_shown():
    """PI2."""
    assert meaning_of("0e43000144003e00506f9a01" + TXT, "specific") == (
        "vendorName=Apple Inc., modelName=iPhone, pairingName=iPhone"
    )
    assert meaning_of("0e0a00014400" + "0500506f9a01" + "09", "specific") is None


def test_sub_attributes_and_back():
    octets = bytes.fromhex("043a00" + TXT)
    items = sub_attributes(octets)
    assert items == (SubAttribute(TEXT_INFO, bytes.fromhex(TXT)),)
    assert items is not None
    assert generic(items) == octets
    assert sub_attributes(b"") == ()
    assert sub_attributes(b"\x66\x77") is None
    with pytest.raises(EncodeError):
        generic([SubAttribute(256, b"")])


def test_strings_and_back():
    assert strings(bytes.fromhex(TXT)) == PAIRING_STRINGS
    assert txt_data(PAIRING_STRINGS).hex() == TXT


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", {}),
        (b"\x00", {}),
        (b"\x03A=1\x03a=2", {"A": "1"}),  # the first counts, case aside
        (b"\x02=1\x01k", {"k": ""}),
        (b"\x05k=a=b", {"k": "a=b"}),
        (b"\x05k=1", None),
        (b"\x03k=\xff", None),
    ],
)
def test_strings_by_the_rules_of_dns_sd(data, expected):
    """RFC 6763 sections 6.1 to 6.4."""
    assert strings(data) == expected


def test_long_values_are_cut_between_characters():
    """63 octets at most; a two-octet character does not fit behind 62."""
    assert txt_data({"k": "x" * 64}) == b"\x41k=" + b"x" * 63
    assert txt_data({"k": "x" * 62 + "ä"}) == b"\x40k=" + b"x" * 62
    assert txt_data({}) == b"\x00"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"service_info": {"oui": "001018", "protocol": 2, "specific": ""}}, "it.service_info.protocol"),
        ({"service_info": {"oui": "506f9a", "specific": ""}}, "it.service_info.protocol"),
        ({"service_info": {"specific": "aabbccdd"}}, "it.service_info.specific"),
        ({"trailing": "aabbcc"}, "it.service_info"),
        ({"range_limit": {"ingress_cm": 65536, "egress_cm": 0}}, "it.range_limit.ingress_cm"),
    ],
)  # fmt: skip
def test_contradictions_are_refused(change, path):
    with pytest.raises(EncodeError) as caught:
        Attr.of_plain(SDEA | change, "it")
    assert caught.value.path == path
