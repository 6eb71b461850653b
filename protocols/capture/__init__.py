"""Capture files: one file of this folder per format, all giving and taking the same `Packet`.

A format is a module of this folder with a module-level `FORMAT`; `formats()` finds it. Readers are generators
over a binary stream: they keep one record in memory, deliver everything that stands before a damaged place and
then raise CaptureError with its byte offset. Writers put every packet on the stream before `write` returns, take
nothing from a clock or a host name, and so make the same bytes from the same packets. The caller owns the stream.

Containers are not wire structures: their record headers are read with `struct`, because a file has hundreds of
thousands of them. What is inside a packet is the business of `protocols.dissect`.

One normal form for HCI, whatever the file held: link type 187, `data` is the H4 packet (type octet first), the
way it went is in `direction`. The direction prefix of link type 201 is taken off by readers and put on by writers;
HCI records of the Linux monitor (254) and of H1, BCSP and H5 files become H4 packets as well.

No clock, no randomness; the only IO is on the stream that was passed in.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import TYPE_CHECKING, BinaryIO, Literal, Protocol

import msgspec

from protocols.capture._recognise import describe
from protocols.capture._source import ByteStream, Notes, Source
from protocols.capture._upper_pdu import text_of
from protocols.errors import UnknownNameError, UsageError
from protocols.registry import Folder

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "HEAD_OCTETS",
    "CaptureFormat",
    "Counts",
    "Direction",
    "Packet",
    "Reader",
    "Writer",
    "copy",
    "describe",
    "formats",
    "open_reader",
    "recognise",
    "text_of",
    "writer_for",
]

Direction = Literal["sent", "received"]

HEAD_OCTETS = 13
"""Octets that tell the formats apart: PacketLogger's record header. A live capture has no more when it is opened."""
_DESCRIBED_OCTETS = 512


class Packet(msgspec.Struct, frozen=True, gc=False):
    """One packet of a capture; for HCI in the normal form of this package's header."""

    number: int
    """Place of its record among the packet records of the file, from 1: Wireshark's frame number."""
    t_us: int
    """Microseconds since 1970-01-01 UTC; finer stamps are rounded down, a record without a stamp has 0."""
    link_type: int
    """LINKTYPE number: 187 HCI (H4), 251 and 256 Bluetooth LE link layer without and with header, 272 nRF Sniffer,
    105 802.11, 127 radiotap, 254 what of the Linux monitor is not HCI, or any other."""
    data: bytes
    """The octets that were captured."""
    original_length: int
    """Octets the packet had before a capture limit cut it; never less than `len(data)`."""
    direction: Direction | None = None
    """HCI: sent is host to controller. Elsewhere: seen from the capturing device. None where the file does not say."""
    interface: str = ""
    """Name of the capturing interface, empty where the file gives none."""
    comment: str = ""
    """Comments of the packet, one per line."""
    fcs_octets: int = 0
    """Octets of frame check sequence that the file says end `data`; 0 where it says nothing, or cut them off."""


class Writer(Protocol):
    """Puts packets on a binary stream that the caller opened and will close."""

    written: int
    """Packets written so far."""

    def write(self, packet: Packet) -> None:
        """Put `packet` on the stream and flush it; UsageError when the format cannot hold it."""
        ...

    def finish(self) -> None:
        """Make a file without packets a valid one; changes nothing otherwise."""
        ...


class CaptureFormat(msgspec.Struct, frozen=True):
    """What a module of this folder registers as `FORMAT`."""

    name: str
    """How users call it: `pcapng`."""
    suffixes: tuple[str, ...]
    """File suffixes that mean it, with dot, the preferred one first."""
    summary: str
    """One line on what it can hold."""
    matches: Callable[[bytes], bool]
    """Whether the first octets of a file (HEAD_OCTETS where it has them) are this format, or a variant only this format can name."""
    read: Callable[[Source, Notes], Iterator[Packet]]
    """Reads the file header at once (UsageError for an unknown version or variant), then yields packets."""
    writer: Callable[[BinaryIO], Writer]
    """Makes a writer on a stream."""


class Reader:
    """The packets of one capture, once; `notes` tells what was passed over and grows while reading."""

    def __init__(self, capture_format: CaptureFormat, source: Source) -> None:
        self.format = capture_format
        self.name = source.name
        self.notes = Notes()
        self._packets = capture_format.read(source, self.notes)

    def __iter__(self) -> Iterator[Packet]:
        return self._packets

    def __next__(self) -> Packet:
        return next(self._packets)


class Counts(msgspec.Struct, frozen=True):
    """What `copy` did."""

    read: int
    """Packets the reader gave."""
    written: int
    """Packets that passed the filter and were written."""


@functools.cache
def formats() -> dict[str, CaptureFormat]:
    """Every capture format of this folder by name, in alphabetical order."""
    return dict(Folder[CaptureFormat](__name__, "FORMAT", "capture format"))


def recognise(head: bytes) -> CaptureFormat | None:
    """The format of a capture that begins with `head` (HEAD_OCTETS tell all of them apart); None when it is none."""
    return next((each for each in formats().values() if each.matches(head)), None)


def open_reader(stream: ByteStream, name: str) -> Reader:
    """Packets of the capture on `stream`, its format told from its first octets; `name` is for messages.

    UsageError for a file that is empty, no capture, or of a variant that is not read; CaptureError when its
    header is cut. Needs no seeking: pipes will do.
    """
    source = Source(stream, name)
    head = source.peek(HEAD_OCTETS)
    if not head:
        raise UsageError(
            f"{name}: the file is empty; a capture ({', '.join(formats())}) was expected"
        )
    capture_format = recognise(head)
    if capture_format is not None:
        return Reader(capture_format, source)
    looks = describe(source.peek(_DESCRIBED_OCTETS))
    raise UsageError(f"{name}: not a capture ({', '.join(formats())}): {looks}")


def writer_for(name: str) -> Callable[[BinaryIO], Writer]:
    """Maker of writers for a format name, a suffix or a file name; UnknownNameError for any other."""
    wanted = name.lower()
    suffix = PurePath(wanted).suffix or wanted
    for capture_format in formats().values():
        if wanted == capture_format.name or suffix in capture_format.suffixes:
            return capture_format.writer
    known = [suffix for each in formats().values() for suffix in each.suffixes]
    raise UnknownNameError("capture format", name, known)


def copy(
    reader: Iterable[Packet], writer: Writer, keep: Callable[[Packet], bool] | None = None
) -> Counts:
    """Write the packets of `reader` that `keep` accepts (all without it).

    Errors of both sides pass through; `writer.written` then still counts what is on the stream.
    """
    before, read = writer.written, 0
    try:
        for packet in reader:
            read += 1
            if keep is None or keep(packet):
                writer.write(packet)
    finally:
        writer.finish()
    return Counts(read=read, written=writer.written - before)
