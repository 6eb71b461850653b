"""The normal form of HCI packets: from and to the ways that capture files store them.

Sources: the LINKTYPE registry of tcpdump.org (187, 201, 254); the btsnoop description in the Frontline manual
(packet flags, datalinks 1001 to 1004); BlueZ src/shared/btsnoop.h (monitor opcodes); Core 5.4 Vol 4 Part A
clause 2 (H4 types) and Part D clauses 3 to 8 (H5 packet header, SLIP). BCSP has the same header with channels for
types: 5 commands and events, 6 ACL, 7 SCO (Linux drivers/bluetooth/hci_bcsp.c).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from protocols.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from protocols.capture import Direction, Packet

__all__ = [
    "ACL",
    "COMMAND",
    "EVENT",
    "LINK_H4",
    "SCO",
    "Frame",
    "from_h1",
    "from_link_type",
    "from_monitor",
    "from_three_wire",
    "monitor_kind",
    "to_link_type",
]

LINK_H4 = 187
LINK_H4_PHDR = 201
LINK_MONITOR = 254

COMMAND, ACL, SCO, EVENT, ISO = 1, 2, 3, 4, 5

# opcode -> H4 type and direction
MONITOR_HCI: Final[Mapping[int, tuple[int, Direction]]] = {
    2: (COMMAND, "sent"),
    3: (EVENT, "received"),
    4: (ACL, "sent"),
    5: (ACL, "received"),
    6: (SCO, "sent"),
    7: (SCO, "received"),
    18: (ISO, "sent"),
    19: (ISO, "received"),
}
MONITOR_OTHER: Final[Mapping[int, str]] = {
    0: "new index",
    1: "delete index",
    8: "open index",
    9: "close index",
    10: "index information",
    11: "vendor diagnostics",
    12: "system note",
    13: "user log",
    14: "control open",
    15: "control close",
    16: "control command",
    17: "control event",
}

# type nibble of the three-wire header -> H4 type; BCSP has one channel for commands and events
H5_TYPES: Final[Mapping[int, int]] = {1: COMMAND, 2: ACL, 3: SCO, 4: EVENT, 5: ISO}
BCSP_CHANNELS: Final[Mapping[tuple[int, Direction], int]] = {
    (5, "sent"): COMMAND,
    (5, "received"): EVENT,
    (6, "sent"): ACL,
    (6, "received"): ACL,
    (7, "sent"): SCO,
    (7, "received"): SCO,
}

_PHDR = struct.Struct(">I")
_MONITOR = struct.Struct(">HH")
_TYPE_OCTETS = tuple(bytes((number,)) for number in range(6))
_SLIP_END = b"\xc0"
_SLIP_ESCAPES = ((b"\xdb\xdc", b"\xc0"), (b"\xdb\xdd", b"\xdb"))
_THREE_WIRE_HEADER = 4


class Frame(NamedTuple):
    """A packet in normal form, without number, time and comment."""

    link_type: int
    data: bytes
    original_length: int
    direction: Direction | None
    interface: str


def _from_phdr(data: bytes, original: int) -> Frame | None:
    if len(data) < _PHDR.size:
        return None
    (way,) = _PHDR.unpack_from(data)
    payload = data[_PHDR.size :]
    length = max(original - _PHDR.size, len(payload))
    return Frame(LINK_H4, payload, length, "received" if way & 1 else "sent", "")


def _from_monitor_header(data: bytes, original: int) -> Frame | None:
    if len(data) < _MONITOR.size:
        return None
    adapter, opcode = _MONITOR.unpack_from(data)
    frame = from_monitor(adapter, opcode, data[_MONITOR.size :], original - _MONITOR.size)
    return frame or Frame(LINK_MONITOR, data, max(original, len(data)), None, "")


def from_link_type(link_type: int) -> Callable[[bytes, int], Frame | None] | None:
    """The function that makes (octets, original length) of `link_type` normal, None when they already are.

    It returns None for octets too short for the header that this link type puts before HCI.
    """
    return {LINK_H4_PHDR: _from_phdr, LINK_MONITOR: _from_monitor_header}.get(link_type)


def to_link_type(packet: Packet) -> tuple[int, bytes, int]:
    """Link type, octets and original length under which pcap and pcapng store `packet`.

    HCI with a direction goes out as link type 201. UsageError for a packet that is not in normal form.
    """
    if packet.link_type == LINK_H4_PHDR:
        raise UsageError(
            f"packet {packet.number}: HCI is given as link type {LINK_H4} with its direction, not as {LINK_H4_PHDR}"
        )
    if packet.link_type != LINK_H4 or packet.direction is None:
        return packet.link_type, packet.data, packet.original_length
    prefix = _PHDR.pack(packet.direction == "received")
    return LINK_H4_PHDR, prefix + packet.data, packet.original_length + _PHDR.size


def from_monitor(adapter: int, opcode: int, payload: bytes, original: int) -> Frame | None:
    """A Linux monitor record of `adapter` as H4; None when `opcode` carries no HCI packet."""
    found = MONITOR_HCI.get(opcode)
    if found is None:
        return None
    h4_type, direction = found
    return _typed(h4_type, payload, original, direction, f"hci{adapter}")


def from_h1(payload: bytes, original: int, direction: Direction, *, is_control: bool) -> Frame:
    """An HCI packet without type octet as H4: `is_control` marks commands and events, the rest is ACL data."""
    if not is_control:
        return _typed(ACL, payload, original, direction, "")
    return _typed(COMMAND if direction == "sent" else EVENT, payload, original, direction, "")


def from_three_wire(record: bytes, direction: Direction, *, is_bcsp: bool) -> Frame | None:
    """An H5 or BCSP packet (SLIP framing around it or not) as H4; None when it carries no HCI or is none."""
    packet = record
    if record[:1] == _SLIP_END:
        packet = record.strip(_SLIP_END)
        for escaped, plain in _SLIP_ESCAPES:
            packet = packet.replace(escaped, plain)
    if len(packet) < _THREE_WIRE_HEADER or sum(packet[:_THREE_WIRE_HEADER]) & 0xFF != 0xFF:
        return None
    kind, length = packet[1] & 0x0F, packet[1] >> 4 | packet[2] << 4
    h4_type = BCSP_CHANNELS.get((kind, direction)) if is_bcsp else H5_TYPES.get(kind)
    if h4_type is None:
        return None
    return _typed(
        h4_type, packet[_THREE_WIRE_HEADER : _THREE_WIRE_HEADER + length], length, direction, ""
    )


def monitor_kind(opcode: int) -> str:
    """What a monitor record that is not HCI is called in the notes of a reader."""
    return f"Linux monitor {MONITOR_OTHER.get(opcode, f'opcode {opcode}')}"


def _typed(
    h4_type: int, payload: bytes, original: int, direction: Direction, interface: str
) -> Frame:
    data = _TYPE_OCTETS[h4_type] + payload
    return Frame(LINK_H4, data, max(original + 1, len(data)), direction, interface)
