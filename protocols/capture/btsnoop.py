"""btsnoop, the HCI log of Symbian, Android, BlueZ and Frontline: big endian, version 1.

Documents: RFC 1761 clause 2 (the layout it took over from snoop), the btsnoop appendix of the Frontline manual
(datalinks, packet flags, time base), BlueZ src/shared/btsnoop.h (datalink 2001). Read: 1001 H1, 1002 H4,
1003 BCSP, 1004 H5, 2001 Linux monitor, all into the normal form of this package. Of BCSP and H5 the document says
no more than the names: records are taken as packets with their four-octet header, with or without SLIP around
them, and their CRC is not checked. Written: 1002. The file has no place for interface names and comments.
Containers are read with `struct`, see the package.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO, Final

from protocols.capture import CaptureFormat, Direction, Packet
from protocols.capture._hci import (
    COMMAND,
    EVENT,
    LINK_H4,
    Frame,
    from_h1,
    from_monitor,
    from_three_wire,
    monitor_kind,
)
from protocols.capture._sink import Sink, check
from protocols.capture._source import MAX_PACKET_OCTETS, Notes, Source
from protocols.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["FORMAT", "BtsnoopWriter"]

IDENTIFICATION = b"btsnoop\x00"
VERSION = 1
DATALINK_H4 = 1002
UNIX_EPOCH_US = 0x00DC_DDB3_0F2F_8000  # 1970 on a clock that began in the year 0

FLAG_RECEIVED = 0x1
FLAG_CONTROL = 0x2

_HEADER = struct.Struct(">8sII")
_RECORD = struct.Struct(">IIIIq")
_MIN_T_US, _MAX_T_US = -(1 << 63) - UNIX_EPOCH_US, (1 << 63) - 1 - UNIX_EPOCH_US

_ONE_WAY: Final[Mapping[int, Direction]] = {COMMAND: "sent", EVENT: "received"}


def _direction(flags: int) -> Direction:
    return "received" if flags & FLAG_RECEIVED else "sent"


def _h4(flags: int, data: bytes, original: int) -> Frame | str:
    return Frame(LINK_H4, data, max(original, len(data)), _direction(flags), "")


def _h1(flags: int, data: bytes, original: int) -> Frame | str:
    return from_h1(data, original, _direction(flags), is_control=bool(flags & FLAG_CONTROL))


def _bcsp(flags: int, data: bytes, _original: int) -> Frame | str:
    return from_three_wire(data, _direction(flags), is_bcsp=True) or "BCSP record without HCI"


def _h5(flags: int, data: bytes, _original: int) -> Frame | str:
    return from_three_wire(data, _direction(flags), is_bcsp=False) or "H5 record without HCI"


def _monitor(flags: int, data: bytes, original: int) -> Frame | str:
    adapter, opcode = flags >> 16, flags & 0xFFFF
    return from_monitor(adapter, opcode, data, original) or monitor_kind(opcode)


# datalink -> (flags, octets, original length) to the normal form, or to the kind under which it is skipped
DATALINKS: Final[Mapping[int, Callable[[int, bytes, int], Frame | str]]] = {
    1001: _h1,
    DATALINK_H4: _h4,
    1003: _bcsp,
    1004: _h5,
    2001: _monitor,
}


def _matches(head: bytes) -> bool:
    return head.startswith(IDENTIFICATION)


def _read(source: Source, notes: Notes) -> Iterator[Packet]:
    _, version, datalink = _HEADER.unpack(source.begin(_HEADER.size, "the file header"))
    if version != VERSION:
        raise UsageError(f"{source.name}: btsnoop version {version}; version 1 is read")
    normalise = DATALINKS.get(datalink)
    if normalise is None:
        known = ", ".join(map(str, DATALINKS))
        raise UsageError(
            f"{source.name}: btsnoop datalink {datalink} is not known; {known} are read"
        )
    return _packets(source, notes, normalise)


def _packets(
    source: Source, notes: Notes, normalise: Callable[[int, bytes, int], Frame | str]
) -> Iterator[Packet]:
    unpack = _RECORD.unpack
    number = 0
    while header := source.begin(_RECORD.size, "a record header"):
        original, included, flags, drops, stamp = unpack(header)
        if included > MAX_PACKET_OCTETS:
            raise source.damage(
                f"a record claims {included} octets; more than {MAX_PACKET_OCTETS} is damage"
            )
        data = source.take(included, "a packet")
        number += 1
        notes.dropped = drops  # the field counts from the start of the capture
        frame = normalise(flags, data, original)
        if isinstance(frame, str):
            notes.skip(frame)
            continue
        link_type, data, original, direction, interface = frame
        yield Packet(number, stamp - UNIX_EPOCH_US, link_type, data, original, direction, interface)


class BtsnoopWriter(Sink):
    """Writes btsnoop with datalink 1002 (H4): HCI packets only."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(stream)
        self._put(_HEADER.pack(IDENTIFICATION, VERSION, DATALINK_H4))

    def write(self, packet: Packet) -> None:
        """Put `packet` on the stream; UsageError unless it is HCI with a direction known or implied by its type."""
        check(packet)
        if packet.link_type != LINK_H4:
            raise UsageError(
                f"packet {packet.number}: btsnoop holds HCI packets only, and this one has link type"
                f" {packet.link_type}; write pcapng instead, or capture the HCI of one node"
            )
        if not packet.data:
            raise UsageError(f"packet {packet.number}: an HCI packet has at least its type octet")
        direction = packet.direction or _ONE_WAY.get(packet.data[0])
        if direction is None:
            raise UsageError(
                f"packet {packet.number}: btsnoop stores which way a packet went, and this one does not say"
            )
        if not _MIN_T_US <= packet.t_us <= _MAX_T_US:
            raise UsageError(
                f"packet {packet.number}: the time {packet.t_us} µs is outside what btsnoop holds"
            )
        flags = FLAG_RECEIVED if direction == "received" else 0
        if packet.data[0] in _ONE_WAY:
            flags |= FLAG_CONTROL
        stamp = packet.t_us + UNIX_EPOCH_US
        self._put(
            _RECORD.pack(packet.original_length, len(packet.data), flags, 0, stamp) + packet.data
        )
        self.written += 1


FORMAT = CaptureFormat(
    name="btsnoop",
    suffixes=(".btsnoop", ".snoop"),
    summary="HCI packets of one controller; time, octets, direction",
    matches=_matches,
    read=_read,
    writer=BtsnoopWriter,
)
