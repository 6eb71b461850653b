"""L2CAP signalling on LE (CID 0x0005): the layouts of the commands.

Core Specification 5.4 Vol 3 Part A clause 4 (C-frames). One command to a frame, numbers little-endian; a command with
more or fewer octets than its layout, or another length than it says, is the fault `frame_length`. A request of
enhanced channels names 1 to 5, the answer may name none. No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.data.l2cap_names import OUTCOMES, SPSMS, signalling_name
from protocols.layout import (
    REST,
    U8,
    U16LE,
    Body,
    Choice,
    Codec,
    Hex,
    Named,
    Optional,
    Record,
    Records,
    Scaled,
    Sized,
)

__all__ = ["SIGNALLING", "SIGNALLING_HEX"]

_MOST_CHANNELS = 5


def _cids(least: int) -> Codec:
    """A list of CIDs that ends with the command."""
    sizes = range(2 * least, 2 * _MOST_CHANNELS + 2, 2)
    return Sized(Records(U16LE), "frame_length", *sizes)


def _result(code: int) -> Codec:
    return "result" / Named(U16LE, OUTCOMES[code])


_REJECTED: dict[int, Codec] = {
    0x0000: Record(),
    0x0001: Record("signalling_mtu" / U16LE),
    0x0002: Record("local_cid" / U16LE, "remote_cid" / U16LE),
}
_REST = Record("value" / Optional(Hex(REST)))
_SPSM = "spsm" / Named(U16LE, SPSMS)
_SOURCE, _DESTINATION = "source_cid" / U16LE, "destination_cid" / U16LE
_MTU, _MPS = "mtu" / U16LE, "mps" / U16LE
_CREDITS = "initial_credits" / U16LE

_BODIES: dict[int, Codec] = {
    0x01: Record(
        "reason" / Named(U16LE, OUTCOMES[0x01]), Choice(lambda f: f.reason, _REJECTED, _REST)
    ),
    **dict.fromkeys((0x06, 0x07), Record(_DESTINATION, _SOURCE)),
    0x12: Record(
        "interval_min_ms" / Scaled(U16LE, 1.25),
        "interval_max_ms" / Scaled(U16LE, 1.25),
        "latency" / U16LE,
        "timeout_ms" / Scaled(U16LE, 10),
    ),
    0x13: Record(_result(0x13)),
    0x14: Record(_SPSM, _SOURCE, _MTU, _MPS, _CREDITS),
    0x15: Record(_DESTINATION, _MTU, _MPS, _CREDITS, _result(0x15)),
    0x16: Record(_SOURCE, "credits" / U16LE),
    0x17: Record(_SPSM, _MTU, _MPS, _CREDITS, "source_cids" / _cids(1)),
    0x18: Record(
        _MTU,
        _MPS,
        _CREDITS,
        _result(0x18),
        "destination_cids" / _cids(0),
    ),
    0x19: Record(_MTU, _MPS, "destination_cids" / _cids(1)),
    0x1A: Record(_result(0x1A)),
}
"""Signalling code -> layout of its parameters; the others stay hex."""

_CODE = "signalling_code" / Named(U8, signalling_name)
_PARAMETERS = Choice(lambda f: f.signalling_code, _BODIES, _REST)

SIGNALLING: Codec = Record(
    _CODE,
    "identifier" / U8,
    Body(U16LE, _PARAMETERS, leftover="frame_length", called="signalling_length"),
)
"""A command, its parameters flat beside its header."""
SIGNALLING_HEX: Codec = Record(_CODE, "identifier" / Optional(U8), _REST)
"""The same of octets that do not fit: a first fragment, or not of the specification."""
