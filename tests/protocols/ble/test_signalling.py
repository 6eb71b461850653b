"""L2CAP signalling on LE: known octets, what tshark and bumble make of the same, all truncations, what does not fit."""

from __future__ import annotations

from typing import Any

import pytest
from bumble import l2cap

from protocols.ble.l2cap import l2cap_nodes
from protocols.ble.signalling_layout import SIGNALLING
from protocols.data.l2cap_names import OUTCOMES, SIGNALLING_CODES
from protocols.dissect import Block, dissect
from protocols.errors import DecodeError, EncodeError
from protocols.layout import Walk, build, parse
from tests.protocols.ble.test_l2cap import SIGNALS, frame, leaves
from tests.shark import rows

HEAD_OCTETS = 4
FOUR = "4000 4100 4200 4300"

KNOWN: list[tuple[str, dict[str, Any]]] = [
    ("01 07 0200 0000", {"reason": 0}),
    ("01 07 0400 0100 1700", {"reason": 1, "signalling_mtu": 23}),
    ("01 07 0600 0200 4000 4100", {"reason": 2, "local_cid": 0x40, "remote_cid": 0x41}),
    ("06 02 0400 4000 4100", {"destination_cid": 0x40, "source_cid": 0x41}),
    ("07 02 0400 4000 4100", {"destination_cid": 0x40, "source_cid": 0x41}),
    ("12 01 0800 0600 800c f301 800c",
     {"interval_min_ms": 7.5, "interval_max_ms": 4000, "latency": 499, "timeout_ms": 32_000}),
    ("13 01 0200 0100", {"result": 1}),
    ("14 03 0a00 8000 4000 0002 f700 0a00",
     {"spsm": 0x80, "source_cid": 0x40, "mtu": 512, "mps": 247, "initial_credits": 10}),
    ("15 03 0a00 4100 0002 f700 0a00 0500",
     {"destination_cid": 0x41, "mtu": 512, "mps": 247, "initial_credits": 10, "result": 5}),
    ("16 04 0400 4000 ffff", {"source_cid": 0x40, "credits": 65535}),
    ("17 05 1000 2700 4000 4100 0300" + FOUR,
     {"spsm": 0x27, "mtu": 64, "mps": 65, "initial_credits": 3, "source_cids": [0x40, 0x41, 0x42, 0x43]}),
    ("18 05 0c00 4000 4100 0300 0400 5000 0000",
     {"mtu": 64, "mps": 65, "initial_credits": 3, "result": 4, "destination_cids": [0x50, 0]}),
    ("18 05 0800 0000 0000 0000 0c00",
     {"mtu": 0, "mps": 0, "initial_credits": 0, "result": 12, "destination_cids": []}),
    ("19 06 0600 8000 4100 5000", {"mtu": 128, "mps": 65, "destination_cids": [0x50]}),
    ("1a 06 0200 0300", {"result": 3}),
]  # fmt: skip
"""Octets by the figures of Vol 3 Part A 4.1 to 4.28 -> values."""
TEXTS = [text for text, _ in KNOWN]


def octets(text: str) -> bytes:
    return bytes.fromhex(text)


@pytest.mark.parametrize(("text", "expected"), KNOWN)
def test_commands_are_read_and_written(text: str, expected: dict[str, Any]):
    data = octets(text)
    found = parse(SIGNALLING, data, Walk())
    assert found == {"signalling_code": data[0], "identifier": data[1], **expected}
    assert build(SIGNALLING, found) == data


def test_every_command_of_le_is_known():
    assert {octets(text)[0] for text in TEXTS} == set(SIGNALLING_CODES)


@pytest.mark.parametrize("text", TEXTS)
def test_every_octet_belongs_to_one_field(text: str):
    data, base = frame(SIGNALS, octets(text)), 11
    nodes, _ = l2cap_nodes(data, base)
    covered = [
        place
        for node in nodes
        for leaf in node.children or (node,)
        for place in range(leaf.start, leaf.end)
    ]
    assert covered == list(range(base, base + len(data)))


@pytest.mark.parametrize("text", TEXTS)
def test_cut_at_each_octet(text: str):
    """Strict: always an error. In a packet: what is left of the first fragment is shown, and the line says so."""
    whole = octets(text)
    for size in range(len(whole)):
        with pytest.raises(DecodeError) as raised:
            parse(SIGNALLING, whole[:size], Walk())
        assert raised.value.code == "frame_length"
        nodes, line = l2cap_nodes(frame(SIGNALS, whole)[: HEAD_OCTETS + size], 0)
        if size == 0:
            assert (nodes, line) == ((), "4 octets")
            continue
        assert (nodes[0].start, nodes[-1].end) == (0, HEAD_OCTETS + size)
        assert line == f"L2CAP {SIGNALLING_CODES[whole[0]]}, first {size} of {len(whole)} octets"


@pytest.mark.parametrize("text", TEXTS)
def test_an_octet_more_and_a_wrong_length_do_not_fit(text: str):
    whole = octets(text)
    size = len(whole) - HEAD_OCTETS
    longer = whole[:2] + (size + 1).to_bytes(2, "little") + whole[4:]
    for data in (whole + b"\0", longer, longer + b"\0"):
        with pytest.raises(DecodeError) as raised:
            parse(SIGNALLING, data, Walk())
        assert raised.value.code == "frame_length"
        nodes, line = l2cap_nodes(frame(SIGNALS, data), 0)
        assert [node.name for node in nodes[2:]] == ["signalling_code", "identifier", "value"]
        assert nodes[-1].value == data[2:].hex()
        assert line == f"L2CAP {SIGNALLING_CODES[data[0]]}, parameters that do not fit"


def test_an_error_says_where():
    with pytest.raises(DecodeError) as raised:
        parse(SIGNALLING, octets("13 01 0300 0000 ff"), Walk(), base=20)
    assert str(raised.value) == "frame_length at octet 26: 1 octets left over"
    with pytest.raises(DecodeError) as raised:
        parse(SIGNALLING, octets("12 01 0800 0600"), Walk(), base=20)
    assert str(raised.value) == "frame_length at octet 22: length 8 needs 8 octets, 2 remain"


@pytest.mark.parametrize("count", [0, 6])
def test_a_request_is_for_one_to_five_channels(count: int):
    body = octets("2700 4000 4000 0100") + bytes.fromhex("4000") * count
    with pytest.raises(DecodeError, match="source_cids"):
        parse(SIGNALLING, b"\x17\x01" + len(body).to_bytes(2, "little") + body, Walk())


def test_what_the_specification_does_not_name_stays_hex():
    other = parse(SIGNALLING, octets("0a 01 0200 0100"), Walk())
    assert other == {"signalling_code": 0x0A, "identifier": 1, "value": "0100"}
    assert (
        l2cap_nodes(frame(SIGNALS, octets("0a 01 0200 0100")), 0)[1] == "L2CAP signalling code 0x0a"
    )
    reason = parse(SIGNALLING, octets("01 01 0300 0900 aa"), Walk())
    assert reason == {"signalling_code": 1, "identifier": 1, "reason": 9, "value": "aa"}
    _, line = l2cap_nodes(frame(SIGNALS, octets("13 01 0200 0200")), 0)
    assert line == "L2CAP Connection Parameter Update Response, unknown outcome 0x0002"


def test_a_field_that_cannot_be_sent_is_named():
    whole = parse(SIGNALLING, octets("16 04 0400 4000 ffff"), Walk())
    for name, value in (("credits", 65536), ("source_cid", "x")):
        with pytest.raises(EncodeError, match=name):
            build(SIGNALLING, {**whole, name: value})
    del whole["credits"]
    with pytest.raises(EncodeError, match="credits: is missing"):
        build(SIGNALLING, whole)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12 01 0800 1800 3000 0400 c800", "Connection Parameter Update Request, interval 30 to 60 ms, latency 4, timeout 2000 ms"),
        ("13 01 0200 0000", "Connection Parameter Update Response, accepted"),
        ("01 07 0600 0200 4000 4100", "Command Reject, invalid CID in request"),
        ("17 05 0c00 2700 4000 4000 0100 4000 4100", "Credit Based Connection Request, SPSM 0x0027, MTU 64, source CIDs 0x0040 0x0041"),
        ("16 04 0400 4000 0a00", "Flow Control Credit, source CID 0x0040, 10 credits"),
    ],
)  # fmt: skip
def test_the_line_of_a_packet(text: str, expected: str):
    """The same on the air and over HCI."""
    pdu = frame(SIGNALS, octets(text))
    air = bytes.fromhex("5a1c6caf") + bytes((2, len(pdu))) + pdu + bytes(3)
    for kind, data in (("ll", air), ("hci", acl(pdu))):
        found = dissect(Block(kind=kind, data=data))
        assert found.error is None
        values = dict(leaves(found.tree))
        assert values["data.signalling_code"] == octets(text)[0]
        assert values["data.identifier"] == octets(text)[1]
    assert l2cap_nodes(pdu, 0)[1] == f"L2CAP {expected}"


def test_tshark_reads_the_same(tmp_path):
    """Up to 0x16; Wireshark 4.0 does not know the enhanced commands. It shows intervals and timeouts in units."""
    ours = {
        "btl2cap.cmd_code": ("signalling_code", 1),
        "btl2cap.cmd_ident": ("identifier", 1),
        "btl2cap.rej_reason": ("reason", 1),
        "btl2cap.sig_mtu": ("signalling_mtu", 1),
        "btl2cap.scid": ("source_cid", 1),
        "btl2cap.dcid": ("destination_cid", 1),
        "btl2cap.min_interval": ("interval_min_ms", 1.25),
        "btl2cap.max_interval": ("interval_max_ms", 1.25),
        "btl2cap.slave_latency": ("latency", 1),
        "btl2cap.timeout_multiplier": ("timeout_ms", 10),
        "btl2cap.move_result": ("result", 1),
        "btl2cap.le_result": ("result", 1),
        "btl2cap.le_psm": ("spsm", 1),
        "btl2cap.mps": ("mps", 1),
        "btl2cap.initial_credits": ("initial_credits", 1),
        "btl2cap.credits": ("credits", 1),
    }
    texts = [text for text in TEXTS if octets(text)[0] <= 0x16]
    packets = [acl(frame(SIGNALS, octets(text))) for text in texts]
    compared = set[str]()
    for text, row in zip(texts, rows(tmp_path, 187, packets, *ours), strict=True):
        values = parse(SIGNALLING, octets(text), Walk())
        for (name, unit), said in zip(ours.values(), row, strict=True):
            if said and name in values:
                assert int(said, 0) * unit == values[name], (text, name)
                compared.add(name)
    assert compared == {name for name, _ in ours.values()}


@pytest.mark.parametrize("text", TEXTS)
def test_bumble_reads_the_same(text: str):
    """Field by field, by the order in which the specification lists them."""
    data = octets(text)
    theirs: Any = l2cap.L2CAP_Control_Frame.from_bytes(data)
    ours = parse(SIGNALLING, data, Walk())
    if data[0] == 1:
        assert theirs.reason == ours["reason"]
        return
    units = {"interval_min_ms": 1.25, "interval_max_ms": 1.25, "timeout_ms": 10}
    mine = [
        value / units.get(name, 1)
        for name, value in list(ours.items())[2:]
        if not isinstance(value, list)
    ]
    told = [getattr(theirs, field[0]) for field in theirs.fields if isinstance(field, tuple)]
    assert [int(value) for value in told if not isinstance(value, (list, tuple))] == mine
    assert [list(value) for value in told if isinstance(value, (list, tuple))] == [
        value for value in ours.values() if isinstance(value, list)
    ]


def test_the_words_of_results_are_those_of_bumble():
    """The numbers that its enumerations know are the ones we have words for."""
    theirs: dict[int, Any] = {
        0x15: l2cap.L2CAP_LE_Credit_Based_Connection_Response.Result,
        0x18: l2cap.L2CAP_Credit_Based_Connection_Response.Result,
        0x1A: l2cap.L2CAP_Credit_Based_Reconfigure_Response.Result,
    }
    for code, results in theirs.items():
        assert {int(one) for one in results} == set(OUTCOMES[code]), code
        for one in results:
            said = OUTCOMES[code][int(one)]
            if code == 0x18:
                assert said.split()[0].upper() == one.name.split("_")[0], one
            elif code == 0x15:
                assert said.split(",")[0].upper() in one.name, one


def acl(pdu: bytes) -> bytes:
    return b"\x02\x01\x20" + len(pdu).to_bytes(2, "little") + pdu
