"""The four mesh formats: samples of the Mesh Protocol specification, section 5.4 row by row, encode errors."""

from __future__ import annotations

import pytest

from protocols.dissect import Block, dissect, encode
from protocols.errors import EncodeError

NET_KEY = {"net_key": "7dd7364cd842ad18c17c2b820c84c3d6"}
BEACON_KEY = {"beacon_key": "5423d967da639a99cb02231a83f7d254"}
SECURE = "01003ecaff672f673370123456788ea261582f364f6f"  # 8.4.3
UNPROVISIONED = "0070cf7c9732a345b691494810d2e9cbf44020"  # 8.4.1
PRIVATE = "02435f18f85cf78a3121f58478a561e488e7cbf3174f022a514741"  # 8.4.6.1

BLOCKS = {
    "mesh-beacon": {"kind": "ad_value", "ad_type": 43},
    "mesh-pb-adv": {"kind": "ad_value", "ad_type": 41},
    "mesh-provisioning": {"kind": "service_data", "service_uuid": "1827"},
    "mesh-proxy": {"kind": "service_data", "service_uuid": "1828"},
}


def look(name, text, context=None):
    found = dissect(Block(data=bytes.fromhex(text), **BLOCKS[name]), context)
    assert found.format == name
    return found


def fault(name, text, context=None):
    found = look(name, text, context)
    assert found.error is not None
    return found.error.code, found.error.offset, found.plain


@pytest.mark.parametrize(
    ("name", "head", "sizes"),
    [
        ("mesh-beacon", "00", {19, 23}),
        ("mesh-beacon", "01", {22}),
        ("mesh-beacon", "02", {27}),
        ("mesh-pb-adv", "", set(range(6, 30))),
        ("mesh-provisioning", "", {18}),
        ("mesh-proxy", "00", {9}),
        ("mesh-proxy", "01", {17}),
        ("mesh-proxy", "02", {17}),
        ("mesh-proxy", "03", {17}),
    ],
)
def test_lengths(name, head, sizes):
    """Every length from the head alone to 40 octets."""
    for size in range(len(head) // 2, 41):
        text = head + "00" * (size - len(head) // 2)
        if size in sizes:
            found = look(name, text)
            assert found.error is None
            assert encode(name, found.plain).hex() == text
        else:
            assert fault(name, text) == ("frame_length", None, {})


@pytest.mark.parametrize("name", BLOCKS)
def test_empty(name):
    assert fault(name, "") == ("frame_length", None, {})


@pytest.mark.parametrize(
    ("name", "code", "first"), [("mesh-beacon", "beacon_type", 3), ("mesh-proxy", "frame_type", 4)]
)
def test_unknown_type_comes_before_the_length(name, code, first):
    for kind in range(first, 256):
        for size in (0, 8, 16, 18, 21, 26):
            assert fault(name, f"{kind:02x}" + "00" * size) == (code, 0, {})


# --- beacons --------------------------------------------------------------------------------------


def test_unprovisioned():
    assert look("mesh-beacon", UNPROVISIONED).plain == {
        "beacon": "unprovisioned", "device_uuid": "70cf7c9732a345b691494810d2e9cbf4", "oob_info": 0x4020,
    }  # fmt: skip
    assert look("mesh-beacon", UNPROVISIONED + "d97478b3").plain["uri_hash"] == "d97478b3"


@pytest.mark.parametrize("context", [None, NET_KEY, BEACON_KEY, NET_KEY | BEACON_KEY])
def test_secure_network(context):
    found = look("mesh-beacon", SECURE, context)
    assert found.error is None
    assert found.plain["iv_index"] == 0x12345678


@pytest.mark.parametrize("place", range(1, 22))
@pytest.mark.parametrize("context", [NET_KEY, BEACON_KEY], ids=["net key", "beacon key"])
def test_every_octet_of_a_secure_beacon_is_authenticated(place, context):
    data = bytearray.fromhex(SECURE)
    data[place] ^= 0x80
    assert fault("mesh-beacon", data.hex(), context) == ("mic", None, {})
    assert look("mesh-beacon", data.hex()).error is None


def test_flags_of_a_secure_beacon():
    """Bits 2 to 7 are ignored, but authenticated."""
    for flags, fields in (
        (0, (False, False)),
        (1, (True, False)),
        (2, (False, True)),
        (0xFC, (False, False)),
    ):
        found = look("mesh-beacon", f"01{flags:02x}" + SECURE[4:]).plain
        assert (found["key_refresh"], found["iv_update"]) == fields


def test_wrong_network_key():
    assert fault("mesh-beacon", SECURE, {"net_key": "00" * 16})[0] == "mic"


def test_a_private_beacon_is_not_opened():
    found = look("mesh-beacon", PRIVATE, NET_KEY)
    assert found.error is None
    assert found.plain == {
        "beacon": "private", "random": "435f18f85cf78a3121f58478a5",
        "obfuscated": "61e488e7cb", "auth_tag": "f3174f022a514741",
    }  # fmt: skip


def test_authentication_value_is_computed_when_left_out():
    fields = look("mesh-beacon", SECURE).plain
    del fields["auth_value"]
    for context in (NET_KEY, BEACON_KEY):
        assert encode("mesh-beacon", fields, context).hex() == SECURE
    with pytest.raises(EncodeError) as caught:
        encode("mesh-beacon", fields)
    assert caught.value.path == "auth_value"


# --- the others -----------------------------------------------------------------------------------


def test_pb_adv():
    found = look("mesh-pb-adv", "23af58508402")
    assert found.plain == {"link_id": 0x23AF5850, "transaction": 0x84, "pdu": "02"}
    assert [node.meaning for node in found.tree] == [
        None,
        "of the device",
        "transaction continuation",
    ]


def test_provisioning_service():
    found = look("mesh-provisioning", UNPROVISIONED[2:])
    assert found.plain == {"device_uuid": "70cf7c9732a345b691494810d2e9cbf4", "oob_info": 0x4020}


def test_proxy_service():
    """8.6.1, 8.6.2 and 8.6.4."""
    assert look("mesh-proxy", "003ecaff672f673370").plain == {
        "identification_type": 0,
        "network_id": "3ecaff672f673370",
    }
    for kind, text in (
        (1, "0100861765aefcc57b34ae608fbbc1f2c6"),
        (3, "032c64a8cbca65bfe134ae608fbbc1f2c6"),
    ):
        found = look("mesh-proxy", text).plain
        assert found == {
            "identification_type": kind,
            "hash": text[2:18],
            "random": "34ae608fbbc1f2c6",
        }


@pytest.mark.parametrize(
    ("name", "fields", "path"),
    [
        ("mesh-beacon", {"beacon": "other"}, "beacon"),
        (
            "mesh-beacon",
            {"beacon": "unprovisioned", "device_uuid": "00" * 15, "oob_info": 0},
            "device_uuid",
        ),
        (
            "mesh-beacon",
            {"beacon": "unprovisioned", "device_uuid": "00" * 16, "oob_info": 1 << 16},
            "oob_info",
        ),
        (
            "mesh-beacon",
            {"beacon": "unprovisioned", "device_uuid": "00" * 16, "oob_info": 0, "uri_hash": "00"},
            "uri_hash",
        ),
        (
            "mesh-beacon",
            {
                "beacon": "secure_network",
                "key_refresh": False,
                "iv_update": False,
                "network_id": "00",
                "iv_index": 0,
            },
            "network_id",
        ),
        (
            "mesh-beacon",
            {"beacon": "private", "random": "zz", "obfuscated": "", "auth_tag": ""},
            "random",
        ),
        ("mesh-pb-adv", {"link_id": 1 << 32, "transaction": 0, "pdu": "00"}, "link_id"),
        ("mesh-pb-adv", {"link_id": 0, "transaction": 256, "pdu": "00"}, "transaction"),
        ("mesh-pb-adv", {"link_id": 0, "transaction": 0, "pdu": ""}, "pdu"),
        ("mesh-pb-adv", {"link_id": 0, "transaction": 0, "pdu": "00" * 25}, "pdu"),
        ("mesh-provisioning", {"device_uuid": "00" * 16, "oob_info": -1}, "oob_info"),
        ("mesh-proxy", {"identification_type": 0, "network_id": "00" * 9}, "network_id"),
        ("mesh-proxy", {"identification_type": 4, "hash": "", "random": ""}, "identification_type"),
    ],
)
def test_encode_error_names_the_field(name, fields, path):
    with pytest.raises(EncodeError) as caught:
        encode(name, fields, NET_KEY)
    assert caught.value.path == path
