"""SMP and ATT in the tree of a packet: every parameter a field with its own octets; tshark reads the same values."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.ble.l2cap import l2cap_nodes
from protocols.data.hci_names import ATT_OPCODES, SMP_CODES
from protocols.data.smp_names import LENGTHS
from protocols.dissect import Block, dissect
from tests.shark import rows

ATT, SIGNALS, SMP = 4, 5, 6
HEAD_OCTETS = 4


def frame(cid: int, pdu: bytes) -> bytes:
    return len(pdu).to_bytes(2, "little") + cid.to_bytes(2, "little") + pdu


def said(cid: int, text: str, base: int = 0) -> dict[str, Any]:
    """Path of every leaf -> value, without header and code."""
    nodes, _ = l2cap_nodes(frame(cid, bytes.fromhex(text)), base)
    return dict(leaves(nodes[3:]))


def leaves(nodes, path=()):
    for node in nodes:
        if node.children:
            yield from leaves(node.children, (*path, node.name))
        else:
            yield ".".join((*path, node.name)), node.value


def test_a_pairing_response_bit_by_bit():
    """Display only, no OOB data, bonding with MITM and Secure Connections, 16 octets, EncKey and IdKey of both."""
    assert said(SMP, "02 00 00 0d 10 03 03") == {
        "io": 0,
        "oob": 0,
        "auth_req.bonding": 1,
        "auth_req.mitm": True,
        "auth_req.secure_connections": True,
        "auth_req.keypress": False,
        "auth_req.ct2": False,
        "auth_req.reserved": 0,
        "max_key_octets": 16,
        **{
            f"{side}_keys.{name}": value
            for side in ("initiator", "responder")
            for name, value in (
                ("encryption", True), ("identity", True), ("signing", False), ("link", False), ("reserved", 0),
            )
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("pdu", "expected"),
    [
        ("05 04", {"reason": 4}),
        ("07 3412 0102030405060708", {"ediv": 0x1234, "rand": "0102030405060708"}),
        ("09 01 665544332211", {"address_type": 1, "address": "11:22:33:44:55:66"}),
        ("0c" + "11" * 32 + "22" * 32, {"public_key_x": "11" * 32, "public_key_y": "22" * 32}),
        ("0e 04", {"keypress": 4}),
    ],
)
def test_the_other_smp_commands(pdu: str, expected: dict[str, Any]):
    assert said(SMP, pdu) == expected


def test_the_words_of_a_refusal():
    nodes, _ = l2cap_nodes(frame(SMP, bytes.fromhex("0504")), 7)
    assert (nodes[-1].name, nodes[-1].meaning) == ("reason", "confirm value failed")
    assert (nodes[-1].start, nodes[-1].end) == (7 + HEAD_OCTETS + 1, 7 + HEAD_OCTETS + 2)
    nodes, _ = l2cap_nodes(frame(ATT, bytes.fromhex("01 10 0600 0a")), 0)
    assert [node.meaning for node in nodes[3:]] == [
        "Read by Group Type Request", None, "attribute not found",
    ]  # fmt: skip


@pytest.mark.parametrize("code", sorted(SMP_CODES))
def test_every_smp_command_of_the_right_length_is_taken_apart_and_no_other(code: int):
    """The lengths stand in a table of their own (Vol 3 Part H 3.3)."""
    for size in (LENGTHS[code] - 1, LENGTHS[code], LENGTHS[code] + 1):
        if size == 1:
            continue
        found = said(SMP, bytes((code, *bytes(size - 1))).hex())
        assert ("value" not in found) is (size == LENGTHS[code]), (code, size)


LONG_UUID = "00112233-4455-6677-8899-aabbccddeeff"
LONG_OCTETS = "ffeeddccbbaa99887766554433221100"


@pytest.mark.parametrize(
    ("pdu", "expected"),
    [
        ("04 0100 ffff", {"first_handle": 1, "last_handle": 0xFFFF}),
        ("05 01 0300 0229 0400 0129", {
            "format": 1, "attributes.[0].handle": 3, "attributes.[0].type": "2902",
            "attributes.[1].handle": 4, "attributes.[1].type": "2901"}),
        ("05 02 0300" + LONG_OCTETS, {
            "format": 2, "attributes.[0].handle": 3, "attributes.[0].type": LONG_UUID}),
        ("06 0100 ffff 0028 0f18", {"first_handle": 1, "last_handle": 0xFFFF, "type": "2800", "value": "0f18"}),
        ("07 0600 0900", {"groups.[0].handle": 6, "groups.[0].last_handle": 9}),
        ("08 0100 0500 0328", {"first_handle": 1, "last_handle": 5, "type": "2803"}),
        ("08 0100 0500" + LONG_OCTETS, {"first_handle": 1, "last_handle": 5, "type": LONG_UUID}),
        ("09 04 0300 aabb 0500 ccdd", {
            "length": 4, "attributes.[0].handle": 3, "attributes.[0].value": "aabb",
            "attributes.[1].handle": 5, "attributes.[1].value": "ccdd"}),
        ("0c 0300 1600", {"handle": 3, "offset": 22}),
        ("0e 0300 0500", {"handles.[0]": 3, "handles.[1]": 5}),
        ("11 06 0100 0500 0018", {
            "length": 6, "groups.[0].handle": 1, "groups.[0].last_handle": 5, "groups.[0].value": "0018"}),
        ("12 0300 aabb", {"handle": 3, "value": "aabb"}),
        ("13", {}),
        ("16 0300 0200 aa", {"handle": 3, "offset": 2, "value": "aa"}),
        ("18 01", {"flags": 1}),
        ("23 0300 0200 aabb 0500 0100 cc", {
            "values.[0].handle": 3, "values.[0].value_length": 2, "values.[0].value": "aabb",
            "values.[1].handle": 5, "values.[1].value_length": 1, "values.[1].value": "cc"}),
    ],
)  # fmt: skip
def test_att_pdus(pdu: str, expected: dict[str, Any]):
    assert said(ATT, pdu) == expected


@pytest.mark.parametrize(
    "pdu",
    ["09 07 0300 aabb", "09 01 03", "11 06 0100 0500", "08 0100 0500 032800", "0a 03", "05 01 0300 02", "23 0300 0900 aa"],
)  # fmt: skip
def test_what_does_not_fit_stays_hex(pdu: str):
    octets = bytes.fromhex(pdu)
    nodes, line = l2cap_nodes(frame(ATT, octets), 0)
    assert nodes[2].value == octets[0]
    assert [(node.name, node.value) for node in nodes[3:]] == [("value", octets[1:].hex())]
    assert line == f"ATT {ATT_OPCODES[octets[0]]}, parameters that do not fit"


def test_a_first_fragment_is_read_as_far_as_it_goes():
    """A public key on a link of 27 octets; a write whose value goes on."""
    key = frame(SMP, bytes((0x0C, *range(64))))[:27]
    nodes, line = l2cap_nodes(key, 0)
    assert [(node.name, node.value) for node in nodes[3:]] == [("value", bytes(range(22)).hex())]
    assert line == "SMP Pairing Public Key, first 23 of 65 octets"
    written = frame(ATT, bytes.fromhex("120300") + bytes(40))[:27]
    assert dict(leaves(l2cap_nodes(written, 0)[0][3:])) == {"handle": 3, "value": bytes(20).hex()}


@pytest.mark.parametrize("cid", [ATT, SIGNALS, SMP])
def test_no_octets_are_too_strange(cid: int):
    """Every code with 0 to 20 octets behind it: never an error, and no field outside the input."""
    for code in range(256):
        for size in range(0, 21, 3):
            data = frame(cid, bytes((code, *range(1, size + 1))))
            nodes, _ = l2cap_nodes(data, 5)
            assert nodes
            assert all(5 <= node.start <= node.end <= 5 + len(data) for node in nodes)


def test_on_the_air_and_over_hci_alike():
    pdu = frame(SMP, bytes.fromhex("0200000d100303"))
    air = bytes.fromhex("5a1c6caf") + bytes((2, len(pdu))) + pdu + bytes(3)
    acl = b"\x02\x01\x20" + len(pdu).to_bytes(2, "little") + pdu
    for kind, octets in (("ll", air), ("hci", acl)):
        found = dict(leaves(dissect(Block(kind=kind, data=octets)).tree))
        assert found["data.max_key_octets"] == 16, kind
        assert found["data.responder_keys.identity"] is True, kind


def test_tshark_reads_the_same_of_smp(tmp_path):
    ours = {
        "btsmp.io_capability": ("io",),
        "btsmp.oob_data_flags": ("oob",),
        "btsmp.bonding_flags": ("auth_req.bonding",),
        "btsmp.mitm_flag": ("auth_req.mitm",),
        "btsmp.sc_flag": ("auth_req.secure_connections",),
        "btsmp.keypress_flag": ("auth_req.keypress",),
        "btsmp.max_enc_key_size": ("max_key_octets",),
        "btsmp.key_dist_enc": ("initiator_keys.encryption", "responder_keys.encryption"),
        "btsmp.key_dist_id": ("initiator_keys.identity", "responder_keys.identity"),
        "btsmp.key_dist_sign": ("initiator_keys.signing", "responder_keys.signing"),
        "btsmp.key_dist_linkkey": ("initiator_keys.link", "responder_keys.link"),
        "btsmp.reason": ("reason",),
        "btsmp.ediv": ("ediv",),
    }
    pdus = [
        bytes.fromhex(text)
        for text in ("0104000d100703", "02000028070801", "0504", "073412" + "00" * 8)
    ]
    found = rows(tmp_path, 187, [_acl(SMP, pdu) for pdu in pdus], *ours)
    for pdu, row in zip(pdus, found, strict=True):
        values = said(SMP, pdu.hex())
        for names, text in zip(ours.values(), row, strict=True):
            theirs = [_number(one) for one in text.split(",")] if text else []
            assert theirs == [int(values[name]) for name in names if name in values], (names, text)


def test_tshark_reads_the_same_of_att(tmp_path):
    ours = {
        "btatt.handle": "handle",
        "btatt.starting_handle": "first_handle",
        "btatt.ending_handle": "last_handle",
        "btatt.group_end_handle": "last_handle",
        "btatt.offset": "offset",
        "btatt.error_code": "att_error",
        "btatt.length": "length",
        "btatt.uuid_format": "format",
    }
    texts = (
        "0110 0600 0a", "04 0100 ffff", "05 01 0300 0229 0400 0129", "07 0100 0500", "0c 0300 1600",
        "11 06 0100 0500 0018 0600 0900 0f18", "16 0300 0200 aa",
    )  # fmt: skip
    pdus = [bytes.fromhex(text) for text in texts]
    found = rows(tmp_path, 187, [_acl(ATT, pdu) for pdu in pdus], *ours)
    for pdu, row in zip(pdus, found, strict=True):
        theirs = {
            (ours[name], _number(one))
            for name, text in zip(ours, row, strict=True)
            for one in text.split(",") if one
        }  # fmt: skip
        mine = {(name.rpartition(".")[2], value) for name, value in said(ATT, pdu.hex()).items()}
        assert theirs == {one for one in mine if one[0] in ours.values()}, pdu.hex()


def _acl(cid: int, pdu: bytes) -> bytes:
    data = frame(cid, pdu)
    return b"\x02\x01\x20" + len(data).to_bytes(2, "little") + data


def _number(text: str) -> int:
    return int(text == "True") if text in ("True", "False") else int(text, 0)
