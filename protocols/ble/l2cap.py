"""The first level of what rides on a connection: L2CAP header, and which ATT, SMP or signalling PDU it is.

Core Specification 5.4 Vol 3 Part A clause 3.1 (B-frame header). The parameters' layouts are in
`protocols.ble.att_layout`, `protocols.ble.smp_layout` and `protocols.ble.signalling_layout`. Fragments are not put
together. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

from protocols.ble.att_layout import ATT_BODIES, att_name
from protocols.ble.signalling_layout import SIGNALLING, SIGNALLING_HEX
from protocols.ble.smp_layout import SMP_BODIES
from protocols.data.hci_names import ATT_OPCODES, CHANNELS, SMP_CODES
from protocols.data.l2cap_names import SIGNALLING_CODES, outcome_words
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

ATT, SIGNALS, SMP = 0x0004, 0x0005, 0x0006
_HEAD_OCTETS = 4
_MISFIT = ", parameters that do not fit"

_SIGNALLED = {
    "latency": "latency {}",
    "timeout_ms": "timeout {} ms",
    "spsm": "SPSM {:#06x}",
    "source_cid": "source CID {:#06x}",
    "destination_cid": "destination CID {:#06x}",
    "credits": "{} credits",
    "mtu": "MTU {}",
}
"""Values of signalling commands that their line tells."""

_REST = Record("value" / Optional(Hex(REST)))


def _smp_name(code: int) -> str:
    return SMP_CODES.get(code, f"unknown {code:#04x}")


def _start(att: dict[int, Codec], smp: dict[int, Codec], signalling: Codec) -> Codec:
    """The header and a PDU, its parameters by those tables and hex where they have no layout."""
    pdus: dict[int, Codec] = {
        ATT: Record("att_opcode" / Named(U8, att_name), Choice(lambda f: f.att_opcode, att, _REST)),
        SIGNALS: signalling,
        SMP: Record("smp_code" / Named(U8, _smp_name), Choice(lambda f: f.smp_code, smp, _REST)),
    }
    return Record(
        "l2cap_length" / U16LE,
        "cid" / Named(U16LE, CHANNELS),
        Choice(lambda f: f.cid, pdus, _REST),
    )


START = _start(ATT_BODIES, SMP_BODIES, SIGNALLING)
_HEX = _start({}, {}, SIGNALLING_HEX)
"""The same for parameters that do not fit their layout: cut off by a fragment's end, or not of the specification."""


def l2cap_nodes(data: bytes, base: int) -> tuple[tuple[Node, ...], str]:
    """(nodes, one line) of a packet's first fragment, its first octet being octet `base` of the input.

    Parameters that do not fit stay hex. Octets that make no sense (a continuation, encrypted data) give no nodes and
    their number.
    """
    for layout in (START, _HEX):
        walk = Walk()
        try:
            said: dict[str, Any] = parse(layout, data, walk, base=base)
        except DecodeError:
            continue
        size = len(data) - _HEAD_OCTETS
        misfit = layout is _HEX and size >= said["l2cap_length"]
        return tuple(walk.nodes), _line(said, size) + (_MISFIT if misfit else "")
    return (), f"{len(data)} octets"


def _line(said: dict[str, Any], size: int) -> str:
    cid = said["cid"]
    more = f", first {size} of {said['l2cap_length']} octets" if said["l2cap_length"] > size else ""
    if cid == SMP:
        code = said["smp_code"]
        return f"SMP {SMP_CODES.get(code, f'code {code:#04x}')}{more}"
    if cid == SIGNALS:
        return _signal(said) + more
    if cid != ATT:
        return f"L2CAP {CHANNELS.get(cid, f'channel {cid:#06x}')}{more or f', {size} octets'}"
    opcode = said["att_opcode"]
    parts = [f"ATT {ATT_OPCODES.get(opcode, f'opcode {opcode:#04x}')}"]
    shown = ("request_opcode", "handle", "first_handle", "last_handle", "att_error")
    parts += [f"{name.replace('_', ' ')} {said[name]:#06x}" for name in shown if name in said]
    if "mtu" in said:
        parts.append(f"MTU {said['mtu']}")
    return ", ".join(parts) + more


def _signal(said: dict[str, Any]) -> str:
    """The command and the values one looks for first."""
    code = said["signalling_code"]
    parts = [f"L2CAP {SIGNALLING_CODES.get(code, f'signalling code {code:#04x}')}"]
    if "interval_min_ms" in said:
        parts.append(f"interval {said['interval_min_ms']:g} to {said['interval_max_ms']:g} ms")
    parts += [outcome_words(code, said[name]) for name in ("reason", "result") if name in said]
    parts += [words.format(said[name]) for name, words in _SIGNALLED.items() if name in said]
    for name in ("source_cids", "destination_cids"):
        if said.get(name):
            cids = " ".join(f"{cid:#06x}" for cid in said[name])
            parts.append(f"{name.removesuffix('_cids')} CIDs {cids}")
    return ", ".join(parts)
