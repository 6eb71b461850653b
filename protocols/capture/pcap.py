"""pcap, the classic libpcap file: magics a1b2c3d4 (microseconds) and a1b23c4d (nanoseconds), both byte orders.

Document: draft-ietf-opsawg-pcap, clauses 4 (file header) and 5 (packet record); version 2.4. A file has one link
type and keeps time, octets, original length, the length of an FCS (that of the first packet) and, for HCI, the direction; interface names, comments and the
direction of other packets have no place in it and are left out. Containers are read with `struct`, see the package.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from protocols.capture import CaptureFormat, Packet
from protocols.capture._hci import from_link_type, to_link_type
from protocols.capture._sink import Sink, check
from protocols.capture._source import MAX_PACKET_OCTETS, Notes, Source
from protocols.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FORMAT", "PcapWriter"]

MICROSECOND_MAGIC = 0xA1B2C3D4
NANOSECOND_MAGIC = 0xA1B23C4D
# magics of files that are almost pcap but have other record headers or stamps
VARIANTS: Final = {
    0xA1B2CD34: "the modified pcap of Alexey Kuznetsov's patches (longer record headers)",
    0xA1B234CD: "the modified pcap of a patched libpcap (longer record headers)",
    0xA12B3C4D: "the pcap variant of Navtel",
    0x1C0001AC: "the pcap variant of IXIA hardware (lcap)",
    0x1C0001AB: "the pcap variant of IXIA software (lcap)",
}
VERSION = (2, 4)
NO_PACKETS_LINK_TYPE = 147  # LINKTYPE_USER0: claims nothing about packets that are not there

_LINK_TYPE_MASK = 0x03FF_FFFF  # the bits above say whether and how long an FCS is (clause 4)
_FCS_PRESENT = 0x0400_0000
_FCS_SHIFT = 28
_FCS_UNIT = 2
_FCS_LENGTHS = {1: 2, 2: 4, 4: 4}
"""FCS length of the header -> octets: it counts 16-bit words; nothing has 8 octets, so 4 comes from who counts octets."""
_SNAP_OCTETS = 262_144  # the limit that libpcap writes for "everything"
_HEADER_OCTETS = 24
_RECORD_OCTETS = 16
_US_PER_S = 1_000_000
_MAX_S = 0xFFFF_FFFF

_WRITE_HEADER = struct.Struct("<IHHiIII")
_WRITE_RECORD = struct.Struct("<IIII")


def _order(head: bytes) -> tuple[str, int] | None:
    """Byte order and magic of a pcap file or one of its variants, None for any other."""
    for order in "<>":
        if len(head) >= 4:
            (magic,) = struct.unpack_from(f"{order}I", head)
            if magic in (MICROSECOND_MAGIC, NANOSECOND_MAGIC) or magic in VARIANTS:
                return order, magic
    return None


def _matches(head: bytes) -> bool:
    return _order(head) is not None


def _read(source: Source, _notes: Notes) -> Iterator[Packet]:
    found = _order(source.peek(4))
    if found is None:
        raise UsageError(f"{source.name}: not a pcap file")
    order, magic = found
    if magic in VARIANTS:
        raise UsageError(
            f"{source.name}: {VARIANTS[magic]} is not read; convert it with Wireshark's editcap -F pcapng"
        )
    header = source.begin(_HEADER_OCTETS, "the file header")
    _, major, minor, _, _, _, link_field = struct.unpack(f"{order}IHHiIII", header)
    if (major, minor) != VERSION:
        raise UsageError(f"{source.name}: pcap version {major}.{minor}; version 2.4 is read")
    units_per_us = 1 if magic == MICROSECOND_MAGIC else 1000
    is_told = link_field & _FCS_PRESENT
    fcs_octets = _FCS_LENGTHS.get(link_field >> _FCS_SHIFT, 0) if is_told else 0
    return _packets(source, order, units_per_us, link_field & _LINK_TYPE_MASK, fcs_octets)


def _packets(
    source: Source, order: str, units_per_us: int, link_type: int, fcs_octets: int
) -> Iterator[Packet]:
    unpack = struct.Struct(f"{order}IIII").unpack
    normalise = from_link_type(link_type)
    number = 0
    while header := source.begin(_RECORD_OCTETS, "a record header"):
        seconds, fraction, captured, original = unpack(header)
        if captured > MAX_PACKET_OCTETS:
            raise source.damage(
                f"a record claims {captured} octets; more than {MAX_PACKET_OCTETS} is damage"
            )
        data = source.take(captured, "a packet")
        number += 1
        t_us = seconds * _US_PER_S + fraction // units_per_us
        if normalise is None:
            fcs = fcs_octets if captured >= original else 0
            size = max(original, captured)
            yield Packet(number, t_us, link_type, data, size, fcs_octets=fcs)
            continue
        frame = normalise(data, original)
        if frame is None:
            raise source.damage(
                f"packet {number} is too short for the header of link type {link_type}"
            )
        yield Packet(
            number,
            t_us,
            frame.link_type,
            frame.data,
            frame.original_length,
            frame.direction,
            frame.interface,
        )


class PcapWriter(Sink):
    """Writes little-endian pcap with microseconds; the first packet decides the link type."""

    _link_type: int | None = None

    def write(self, packet: Packet) -> None:
        """Put `packet` on the stream; UsageError for a second link type or a time before 1970 or after 2106."""
        check(packet)
        link_type, data, original = to_link_type(packet)
        seconds, fraction = divmod(packet.t_us, _US_PER_S)
        if not 0 <= seconds <= _MAX_S:
            raise UsageError(
                f"packet {packet.number}: pcap holds times from 1970 to 2106, not {packet.t_us} µs; pcapng or"
                " btsnoop may"
            )
        if self._link_type is None:
            self._start(link_type, packet.fcs_octets)
        elif link_type != self._link_type:
            raise UsageError(
                f"packet {packet.number}: a pcap file holds one link type; this one has {self._link_type} and the"
                f" packet {link_type}; write pcapng instead"
            )
        self._put(_WRITE_RECORD.pack(seconds, fraction, len(data), original) + data)
        self.written += 1

    def finish(self) -> None:
        """Write the file header when there was no packet to write it for."""
        if self._link_type is None:
            self._start(NO_PACKETS_LINK_TYPE)

    def _start(self, link_type: int, fcs_octets: int = 0) -> None:
        self._link_type = link_type
        fcs = fcs_octets // _FCS_UNIT << _FCS_SHIFT | _FCS_PRESENT if fcs_octets else 0
        field = link_type | fcs
        self._put(_WRITE_HEADER.pack(MICROSECOND_MAGIC, *VERSION, 0, 0, _SNAP_OCTETS, field))


FORMAT = CaptureFormat(
    name="pcap",
    suffixes=(".pcap", ".cap", ".dmp"),
    summary="one link type per file; time, octets and, for HCI, the direction",
    matches=_matches,
    read=_read,
    writer=PcapWriter,
)
