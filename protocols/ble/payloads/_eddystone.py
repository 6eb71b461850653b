"""What the Eddystone frames have in common: the first octet, the order of checks, the keyed clock.

Eddystone protocol specification; section numbers in these files count its parts: UID, URL, TLM, EID. All
values inside FEAA service data are big-endian. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from protocols.ble.eddystone_crypto import MAX_EXPONENT
from protocols.errors import UsageError
from protocols.layout import Node, unit_of

if TYPE_CHECKING:
    from protocols.format import Keys, Reader

KEY_OCTETS = 16
COUNTER = 1 << 32
"""Counters and clocks have 32 bits and wrap."""


class Clocked(msgspec.Struct, frozen=True):
    """Identity key and the beacon clock it is used with."""

    identity_key: bytes
    exponent: int
    clock_s: int

    def __repr__(self) -> str:
        return f"Clocked(exponent={self.exponent}, clock_s={self.clock_s})"


def clocked(keys: Keys) -> Clocked | None:
    """Key, exponent and clock of the context; None when one of them is absent. Raises UsageError."""
    identity_key = keys.octets("identity_key", KEY_OCTETS)
    exponent = keys.number("rotation_exponent")
    clock_s = keys.number("beacon_time_s")
    if identity_key is None or exponent is None or clock_s is None:
        return None
    if not 0 <= exponent <= MAX_EXPONENT:
        raise UsageError(f"context rotation_exponent: {exponent} is not 0 to {MAX_EXPONENT}")
    if not 0 <= clock_s < COUNTER:
        raise UsageError(f"context beacon_time_s: {clock_s} is not an unsigned 32-bit number")
    return Clocked(identity_key, exponent, clock_s)


def claims_keyed(data: bytes, keys: Keys) -> bool:  # the interface of `claims`
    """Whether the context has the identity key, without which a frame has a format of its own."""
    return "identity_key" in keys


def need_frame(reader: Reader, nibble: int, *, selector_octets: int = 1) -> bytes:
    """The octets that choose the layout; another type nibble is `frame_type` at 0 in either mode."""
    head = reader.select(selector_octets)
    if head[0] >> 4 != nibble:
        reader.fatal("frame_type", 0, f"first octet {head[0]:#04x} is not {nibble << 4:#04x}")
    return head


def need_zero_nibble(reader: Reader) -> None:
    """A low nibble of the first octet other than 0 is `reserved_nonzero` at 0 in either mode."""
    if reader.data[0] & 0x0F:
        reader.fatal("reserved_nonzero", 0, f"low nibble of {reader.data[0]:#04x} is not zero")


def gather(reader: Reader, name: str, value: object, count: int) -> None:
    """Put the last `count` nodes of the tree under one that says what they mean together."""
    nodes = reader.walk.nodes
    kids = tuple(nodes[-count:])
    nodes[-count:] = [Node(name, value, unit_of(name), kids[0].start, kids[-1].end, kids)]


def annotate(reader: Reader, name: str, meaning: str) -> None:
    """Say in words what the top-level node `name` means under the given keys."""
    nodes = reader.walk.nodes
    for index, node in enumerate(nodes):
        if node.name == name:
            nodes[index] = msgspec.structs.replace(node, meaning=meaning)
