"""The first level of what rides on a connection: L2CAP header, and which ATT, SMP or signalling PDU it is.

Core Specification 5.4 Vol 3 Part A clause 3.1 (B-frame header), Part F clause 3.4 (ATT), Part H clause 3.3 (SMP).
Values stay octets, fragments are not put together. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

from protocols.data.hci_names import ATT_OPCODES, CHANNELS, SMP_CODES
from protocols.errors import DecodeError
from protocols.layout import (
    REST,
    U8,
    U16LE,
    Choice,
    Codec,
    Hex,
    Named,
    Node,
    Optional,
    Record,
    Walk,
    parse,
)

__all__ = ["START", "l2cap_nodes"]

ATT, SMP = 0x0004, 0x0006

_HANDLE = "handle" / U16LE
_VALUE = "value" / Optional(Hex(REST))
_RANGE = ("first_handle" / U16LE, "last_handle" / U16LE, _VALUE)


def _named(table: dict[int, str]) -> Codec:
    return Named(U8, lambda n: table.get(n, f"unknown {n:#04x}"))


ATT_BODIES: dict[int, Codec] = {
    0x01: Record("request_opcode" / _named(ATT_OPCODES), _HANDLE, "att_error" / U8),
    0x02: Record("mtu" / U16LE),
    0x03: Record("mtu" / U16LE),
    **{opcode: Record(*_RANGE) for opcode in (0x04, 0x06, 0x08, 0x10)},
    **{
        opcode: Record(_HANDLE, _VALUE)
        for opcode in (0x0A, 0x0C, 0x12, 0x16, 0x17, 0x1B, 0x1D, 0x52, 0xD2)
    },
}
_REST = Record(_VALUE)
PDUS: dict[int, Codec] = {
    ATT: Record(
        "att_opcode" / _named(ATT_OPCODES),
        Choice(lambda f: f.att_opcode, ATT_BODIES, _REST),
    ),
    SMP: Record("smp_code" / _named(SMP_CODES), _VALUE),
}
START: Codec = Record(
    "l2cap_length" / U16LE,
    "cid" / Named(U16LE, CHANNELS),
    Choice(lambda f: f.cid, PDUS, _REST),
)


def l2cap_nodes(data: bytes, base: int) -> tuple[tuple[Node, ...], str]:
    """(nodes, one line) of a packet's first fragment, its first octet being octet `base` of the input.

    Octets that make no sense (a continuation, encrypted data) give no nodes and their number.
    """
    walk = Walk()
    try:
        said: dict[str, Any] = parse(START, data, walk, base=base)
    except DecodeError:
        return (), f"{len(data)} octets"
    return tuple(walk.nodes), _line(said, len(data) - 4)


def _line(said: dict[str, Any], size: int) -> str:
    cid = said["cid"]
    more = f", first {size} of {said['l2cap_length']} octets" if said["l2cap_length"] > size else ""
    if cid == SMP:
        code = said["smp_code"]
        return f"SMP {SMP_CODES.get(code, f'code {code:#04x}')}{more}"
    if cid != ATT:
        return f"L2CAP {CHANNELS.get(cid, f'channel {cid:#06x}')}{more or f', {size} octets'}"
    opcode = said["att_opcode"]
    parts = [f"ATT {ATT_OPCODES.get(opcode, f'opcode {opcode:#04x}')}"]
    shown = ("request_opcode", "handle", "first_handle", "last_handle", "att_error")
    parts += [f"{name.replace('_', ' ')} {said[name]:#06x}" for name in shown if name in said]
    if "mtu" in said:
        parts.append(f"MTU {said['mtu']}")
    return ", ".join(parts) + more
