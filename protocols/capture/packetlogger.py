"""PacketLogger (.pklg), the HCI log of macOS and of iPhones with Apple's Bluetooth logging profile.

There is no document by Apple. The layout is that of Wireshark's wiretap/packetlogger.c and of BTstack's
hci_dump_posix_fs.c: per record its length (without this field), seconds and microseconds since 1970, four octets
each, one octet for the type, then the packet without its H4 type. No file header; a file is big endian or little
endian throughout, told by its first record. Records that are no HCI (notes, power, errors, LMP) are counted.
Written: big endian. The format has no place for interface names and comments, and a record is never cut.
Containers are read with `struct`, see the package.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from protocols.capture import CaptureFormat, Direction, Packet
from protocols.capture._hci import ACL, COMMAND, EVENT, LINK_H4, SCO
from protocols.capture._sink import Sink, check
from protocols.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from protocols.capture._source import Notes, Source

__all__ = ["FORMAT", "PacketLoggerWriter"]

_BIG, _LITTLE = struct.Struct(">IIIB"), struct.Struct("<IIIB")
_LENGTH_FIELD = 4
_LEAST = _BIG.size - _LENGTH_FIELD
_MOST = _LEAST + 0xFFFF + 4
"""An ACL packet with its header is the longest."""
_MICROSECONDS = 1_000_000
_MAX_T_US = 0xFFFF_FFFF * _MICROSECONDS + _MICROSECONDS - 1

# type octet -> H4 type and direction
_HCI: Final[Mapping[int, tuple[int, Direction]]] = {
    0x00: (COMMAND, "sent"),
    0x01: (EVENT, "received"),
    0x02: (ACL, "sent"),
    0x03: (ACL, "received"),
    0x08: (SCO, "sent"),
    0x09: (SCO, "received"),
}
_OTHER: Final[Mapping[int, str]] = {
    0x0A: "LMP sent",
    0x0B: "LMP received",
    0xF7: "system log",
    0xF8: "kernel",
    0xF9: "kernel debug",
    0xFA: "error",
    0xFB: "power",
    0xFC: "note",
    0xFD: "configuration",
    0xFE: "new controller",
}
_NOTE, _EMPTY = 0xFC, b"no packets"
_TYPES: Final[Mapping[tuple[int, Direction], int]] = {way: number for number, way in _HCI.items()}
_ONE_WAY: Final[Mapping[int, Direction]] = {COMMAND: "sent", EVENT: "received"}
_CARRIED = (COMMAND, ACL, SCO, EVENT)


def _order(head: bytes) -> struct.Struct | None:
    """The octet order in which `head` begins a plausible record; None when in neither."""
    for order in (_BIG, _LITTLE):
        length, _, us, kind = order.unpack(head[: order.size].ljust(order.size, b"\0"))
        known = len(head) < order.size or kind in _HCI or kind in _OTHER
        if _LEAST <= length <= _MOST and us < _MICROSECONDS and known:
            return order
    return None


def _matches(head: bytes) -> bool:
    return len(head) >= 2 * _LENGTH_FIELD and _order(head) is not None


def _read(source: Source, notes: Notes) -> Iterator[Packet]:
    return _packets(source, notes, _order(source.peek(_BIG.size)) or _BIG)


def _packets(source: Source, notes: Notes, order: struct.Struct) -> Iterator[Packet]:
    number = 0
    while header := source.begin(order.size, "a record header"):
        length, seconds, us, kind = order.unpack(header)
        if not _LEAST <= length <= _MOST:
            raise source.damage(
                f"a record claims {length} octets; less than {_LEAST} or more than {_MOST} is damage"
            )
        data = source.take(length - _LEAST, "a packet")
        number += 1
        found = _HCI.get(kind)
        if found is None:
            notes.skip(f"PacketLogger {_OTHER.get(kind, f'type 0x{kind:02x}')}")
            continue
        h4_type, direction = found
        data = bytes((h4_type,)) + data
        t_us = seconds * _MICROSECONDS + us
        yield Packet(number, t_us, LINK_H4, data, len(data), direction)


class PacketLoggerWriter(Sink):
    """Writes PacketLogger files, big endian: whole HCI packets only."""

    _finished = False

    def write(self, packet: Packet) -> None:
        """Put `packet` on the stream; UsageError unless it is whole HCI with a direction, and not ISO data."""
        check(packet)
        h4_type = packet.data[0] if packet.data else 0
        if packet.link_type != LINK_H4 or h4_type not in _CARRIED:
            raise UsageError(
                f"packet {packet.number}: PacketLogger holds HCI commands, events, ACL and SCO data, and this is none;"
                " write pcapng instead"
            )
        direction = _ONE_WAY.get(h4_type) or packet.direction
        if direction is None:
            raise UsageError(
                f"packet {packet.number}: PacketLogger stores which way a packet went, and this one does not say"
            )
        if packet.original_length != len(packet.data) or len(packet.data) > _MOST - _LEAST:
            raise UsageError(
                f"packet {packet.number}: PacketLogger holds whole packets, and of this one"
                f" {len(packet.data)} of {packet.original_length} octets are there; write pcapng instead"
            )
        if not 0 <= packet.t_us <= _MAX_T_US:
            raise UsageError(
                f"packet {packet.number}: the time {packet.t_us} µs is outside what PacketLogger holds"
            )
        seconds, us = divmod(packet.t_us, _MICROSECONDS)
        kind = _TYPES[h4_type, direction]
        self._put(_BIG.pack(len(packet.data) - 1 + _LEAST, seconds, us, kind) + packet.data[1:])
        self.written += 1

    def finish(self) -> None:
        """Make a file without packets a valid one, by a note."""
        if not self.written and not self._finished:
            self._put(_BIG.pack(len(_EMPTY) + _LEAST, 0, 0, _NOTE) + _EMPTY)
        self._finished = True


FORMAT = CaptureFormat(
    name="packetlogger",
    suffixes=(".pklg",),
    summary="HCI packets of a Mac or an iPhone; time, octets, direction",
    matches=_matches,
    read=_read,
    writer=PacketLoggerWriter,
)
