"""pcapng: several sections, several interfaces, directions, comments.

Document: draft-ietf-opsawg-pcapng, clauses 3 (block and option structure), 4.1 section header, 4.2 interface
description, 4.3 enhanced packet, 4.4 simple packet, and appendix A (the obsolete packet block). Both byte orders;
each section brings its own. Name resolution, statistics, secrets, custom and unknown blocks are passed over and
counted in the notes. Written: one little-endian section, an interface per (link type, name) when its first packet
comes, microseconds. Containers are read with `struct`, see the package.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO, Final

from protocols.capture import CaptureFormat, Direction, Packet
from protocols.capture._hci import from_link_type, to_link_type
from protocols.capture._sink import Sink, check
from protocols.capture._source import MAX_BLOCK_OCTETS, MAX_PACKET_OCTETS, Notes, Source
from protocols.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["FORMAT", "PcapngWriter"]

SECTION, INTERFACE, OBSOLETE_PACKET, SIMPLE_PACKET, ENHANCED_PACKET = 0x0A0D0D0A, 1, 2, 3, 6
SECTION_MAGIC = b"\x0a\x0d\x0d\x0a"
BYTE_ORDER_MAGIC = 0x1A2B3C4D
VERSIONS = ((1, 0), (1, 2))  # 1.2 was once written and means 1.0 (clause 4.1)
SKIPPED_BLOCKS: Final[Mapping[int, str]] = {
    4: "name resolution block",
    5: "interface statistics block",
    0x0A: "decryption secrets block",
    0x0BAD: "custom block",
    0x40000BAD: "custom block",
}

OPT_END, OPT_COMMENT = 0, 1
SHB_USERAPPL = 4
IF_NAME, IF_TSRESOL, IF_FCSLEN, IF_TSOFFSET = 2, 9, 13, 14
PACKET_FLAGS, EPB_DROPCOUNT = 2, 4

_DIRECTIONS: Final[Mapping[int, Direction]] = {1: "received", 2: "sent"}
_FLAG_VALUES: Final[Mapping[Direction, int]] = {name: value for value, name in _DIRECTIONS.items()}
_FCS_LENGTHS: Final[Mapping[int, int]] = {2: 2, 4: 4, 16: 2, 32: 4}
"""if_fcslen -> octets: clause 4.2 once counted bits, and gave the example 4; writers do either."""
_FCS_FLAG_SHIFT = 5
_UNKNOWN_DROPS = 0xFFFF
_MAX_OPTION_OCTETS = 0xFFFF
_BLOCK_FRAME = 12  # type, length, length again
_US_PER_S = 1_000_000
_MAX_T_US = (1 << 64) - 1


class _BlockError(Exception):
    """A fault inside a block; becomes CaptureError where the offset is known, never leaves this file."""


class _Codecs:
    """The structures of one byte order."""

    __slots__ = ("enhanced", "head", "interface", "long", "obsolete", "option", "seconds", "word")

    def __init__(self, order: str) -> None:
        self.head = struct.Struct(f"{order}II")
        self.enhanced = struct.Struct(f"{order}IIIII")
        self.obsolete = struct.Struct(f"{order}HHIIII")
        self.interface = struct.Struct(f"{order}HHI")
        self.option = struct.Struct(f"{order}HH")
        self.word = struct.Struct(f"{order}I")
        self.long = struct.Struct(f"{order}Q")
        self.seconds = struct.Struct(f"{order}q")


_LITTLE, _BIG = _Codecs("<"), _Codecs(">")


class _Interface:
    """An interface of the section at hand: link type, name, and how its stamps count."""

    __slots__ = (
        "_offset_us", "_units_per_s", "fcs_octets", "link_type", "name", "normalise", "snap_octets",
    )  # fmt: skip

    def __init__(self, codecs: _Codecs, body: bytes) -> None:
        if len(body) < codecs.interface.size:
            raise _BlockError("an interface description block is too short")
        self.link_type, _, self.snap_octets = codecs.interface.unpack_from(body)
        self.normalise = from_link_type(self.link_type)
        self.name = ""
        self.fcs_octets = 0
        self._units_per_s = _US_PER_S
        self._offset_us = 0
        for code, value in _options(codecs, body, codecs.interface.size):
            if code == IF_NAME:
                self.name = value.decode("utf-8", "replace")
            elif code == IF_TSRESOL and len(value) == 1:
                self._units_per_s = _units_per_s(value[0])
            elif code == IF_FCSLEN and len(value) == 1:
                self.fcs_octets = _FCS_LENGTHS.get(value[0], 0)
            elif code == IF_TSOFFSET and len(value) == codecs.seconds.size:
                self._offset_us = codecs.seconds.unpack(value)[0] * _US_PER_S

    def t_us(self, stamp: int) -> int:
        """`stamp` of this interface as microseconds since 1970, rounded down."""
        if self._units_per_s == _US_PER_S:
            return stamp + self._offset_us
        return stamp * _US_PER_S // self._units_per_s + self._offset_us


class _Block:
    """The fields of a packet block of any kind."""

    __slots__ = (
        "comments", "data", "direction", "drops", "fcs_octets", "interface_id", "original", "stamp",
    )  # fmt: skip

    def __init__(self, interface_id: int, stamp: int | None, data: bytes, original: int) -> None:
        self.interface_id = interface_id
        self.stamp = stamp
        self.data = data
        self.original = original
        self.direction: Direction | None = None
        self.comments: list[str] = []
        self.drops = 0
        self.fcs_octets = 0

    def apply(self, codecs: _Codecs, body: bytes, at: int) -> None:
        """Take direction, comments and drop count from the options of `body` that begin at `at`."""
        for code, value in _options(codecs, body, at):
            if code == OPT_COMMENT:
                self.comments.append(value.decode("utf-8", "replace"))
            elif code == PACKET_FLAGS and len(value) == codecs.word.size:
                (flags,) = codecs.word.unpack(value)
                self.direction = _DIRECTIONS.get(flags & 3)
                self.fcs_octets = flags >> _FCS_FLAG_SHIFT & 0xF
            elif code == EPB_DROPCOUNT and len(value) == codecs.long.size:
                (self.drops,) = codecs.long.unpack(value)


def _units_per_s(resolution: int) -> int:
    exponent = resolution & 0x7F
    return 1 << exponent if resolution & 0x80 else 10**exponent


def _padded(length: int) -> int:
    return (length + 3) & ~3


def _options(codecs: _Codecs, body: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Options of `body` from `at`; raises _BlockError when one runs over the end."""
    while at < len(body):
        if at + codecs.option.size > len(body):
            raise _BlockError("an option header runs over the end of its block")
        code, length = codecs.option.unpack_from(body, at)
        at += codecs.option.size
        if code == OPT_END:
            return
        if at + length > len(body):
            raise _BlockError(f"option {code} runs over the end of its block")
        yield code, body[at : at + length]
        at += _padded(length)


def _captured(body: bytes, at: int, captured: int) -> bytes:
    if captured > MAX_PACKET_OCTETS:
        raise _BlockError(
            f"a packet claims {captured} octets; more than {MAX_PACKET_OCTETS} is damage"
        )
    if at + captured > len(body):
        raise _BlockError(
            f"a packet claims {captured} octets, and its block has room for {len(body) - at}"
        )
    return body[at : at + captured]


class _PcapngReader:
    """Walks the blocks; holds the byte order and the interfaces of the section at hand."""

    def __init__(self, source: Source, notes: Notes) -> None:
        self._source = source
        self._notes = notes
        self._codecs = _LITTLE
        self._interfaces: list[_Interface] = []
        self._number = 0
        self._type = SECTION

    def start(self) -> Iterator[Packet]:
        """Read the first section header now; the packets come from the generator."""
        self._begin()
        return self._packets()

    def _begin(self) -> int | None:
        """Enter the next block: the length of its body. None at the end, and type in `_type`."""
        header = self._source.begin(8, "a block header")
        if not header:
            return None
        if header[:4] == SECTION_MAGIC:
            return self._section(header)
        self._type, total = self._codecs.head.unpack(header)
        return self._body_octets(total, _BLOCK_FRAME)

    def _body_octets(self, total: int, least: int) -> int:
        if total < least or total % 4 or total > MAX_BLOCK_OCTETS:
            raise self._source.damage(
                f"a block of {total} octets; a multiple of 4 from {least} to {MAX_BLOCK_OCTETS} was expected"
            )
        return total - _BLOCK_FRAME

    def _section(self, header: bytes) -> int:
        source = self._source
        magic = source.take(4, "a section header")
        for codecs in (_LITTLE, _BIG):
            if codecs.word.unpack(magic)[0] == BYTE_ORDER_MAGIC:
                self._codecs = codecs
                break
        else:
            raise source.damage(
                f"a section header with the byte-order magic {magic.hex()}; {BYTE_ORDER_MAGIC:x} was expected"
            )
        self._type = SECTION
        left = self._body_octets(self._codecs.head.unpack(header)[1], 28) - 4
        major, minor = self._codecs.option.unpack(source.take(4, "a section header"))
        if (major, minor) not in VERSIONS:
            raise UsageError(f"{source.name}: pcapng version {major}.{minor}; version 1.0 is read")
        source.skip(left - 4, "a section header")
        self._end_block(self._codecs.word.unpack(source.take(4, "a section header"))[0], left + 4)
        self._interfaces = []
        return 0

    def _end_block(self, again: int, body_octets: int) -> None:
        if again != body_octets + _BLOCK_FRAME:
            raise self._source.damage(
                f"a block gives its length as {body_octets + _BLOCK_FRAME} before and {again} behind its content"
            )

    def _packets(self) -> Iterator[Packet]:
        source, kinds = self._source, self._KINDS
        while (size := self._begin()) is not None:
            if self._type == SECTION:
                continue
            kind = kinds.get(self._type)
            if self._type != INTERFACE and kind is None:
                source.skip(size, "a block")
                self._end_block(self._codecs.word.unpack(source.take(4, "a block"))[0], size)
                self._notes.skip(SKIPPED_BLOCKS.get(self._type, f"block type {self._type:#x}"))
                continue
            content = source.take(size + 4, "a block")
            self._end_block(self._codecs.word.unpack_from(content, size)[0], size)
            body = content[:size]
            try:
                if kind is None:
                    self._interfaces.append(_Interface(self._codecs, body))
                    continue
                packet = self._packet(kind(self, body))
            except _BlockError as fault:
                raise source.damage(str(fault)) from None
            yield packet

    def _interface(self, number: int) -> _Interface:
        if number >= len(self._interfaces):
            raise _BlockError(
                f"a packet of interface {number}, and the section describes {len(self._interfaces)}"
            )
        return self._interfaces[number]

    def _enhanced(self, body: bytes) -> _Block:
        layout = self._codecs.enhanced
        if len(body) < layout.size:
            raise _BlockError("an enhanced packet block is too short")
        interface, high, low, captured, original = layout.unpack_from(body)
        block = _Block(
            interface, high << 32 | low, _captured(body, layout.size, captured), original
        )
        at = layout.size + _padded(captured)
        if at < len(body):
            block.apply(self._codecs, body, at)
        return block

    def _obsolete(self, body: bytes) -> _Block:
        layout = self._codecs.obsolete
        if len(body) < layout.size:
            raise _BlockError("a packet block is too short")
        interface, drops, high, low, captured, original = layout.unpack_from(body)
        block = _Block(
            interface, high << 32 | low, _captured(body, layout.size, captured), original
        )
        block.apply(self._codecs, body, layout.size + _padded(captured))
        block.drops = 0 if drops == _UNKNOWN_DROPS else drops
        return block

    def _simple(self, body: bytes) -> _Block:
        if len(body) < 4:
            raise _BlockError("a simple packet block is too short")
        (original,) = self._codecs.word.unpack_from(body)
        captured = min(original, self._interface(0).snap_octets or original)
        return _Block(0, None, _captured(body, 4, captured), original)

    _KINDS: Final = {ENHANCED_PACKET: _enhanced, OBSOLETE_PACKET: _obsolete, SIMPLE_PACKET: _simple}

    def _packet(self, block: _Block) -> Packet:
        interface = self._interface(block.interface_id)
        self._number += 1
        self._notes.dropped += block.drops
        t_us = 0 if block.stamp is None else interface.t_us(block.stamp)
        link_type, data, name = interface.link_type, block.data, interface.name
        original, direction = max(block.original, len(data)), block.direction
        if interface.normalise is not None:
            frame = interface.normalise(data, block.original)
            if frame is None:
                raise _BlockError(
                    f"packet {self._number} is too short for the header of link type {link_type}"
                )
            link_type, data, original = frame.link_type, frame.data, frame.original_length
            direction, name = frame.direction or direction, name or frame.interface
        comment = "\n".join(block.comments)
        fcs = block.fcs_octets or interface.fcs_octets if len(data) >= original else 0
        return Packet(self._number, t_us, link_type, data, original, direction, name, comment, fcs)


def _matches(head: bytes) -> bool:
    return head.startswith(SECTION_MAGIC)


def _read(source: Source, notes: Notes) -> Iterator[Packet]:
    return _PcapngReader(source, notes).start()


def _option(code: int, value: bytes, what: str) -> bytes:
    if len(value) > _MAX_OPTION_OCTETS:
        raise UsageError(f"{what} of {len(value)} octets; pcapng holds up to {_MAX_OPTION_OCTETS}")
    return _LITTLE.option.pack(code, len(value)) + value.ljust(_padded(len(value)), b"\x00")


def _block(kind: int, body: bytes) -> bytes:
    total = len(body) + _BLOCK_FRAME
    return _LITTLE.head.pack(kind, total) + body + _LITTLE.word.pack(total)


_END = _LITTLE.option.pack(OPT_END, 0)
_ANY_SECTION_LENGTH = -1


class PcapngWriter(Sink):
    """Writes one section; interfaces are added when their first packet comes."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(stream)
        self._interfaces: dict[tuple[int, str], int] = {}
        fixed = struct.pack("<IHHq", BYTE_ORDER_MAGIC, 1, 0, _ANY_SECTION_LENGTH)
        self._put(
            _block(SECTION, fixed + _option(SHB_USERAPPL, b"nearbench", "an application") + _END)
        )

    def write(self, packet: Packet) -> None:
        """Put `packet` on the stream; UsageError for a time before 1970 or a text longer than 65535 octets."""
        check(packet)
        link_type, data, original = to_link_type(packet)
        if not 0 <= packet.t_us <= _MAX_T_US:
            raise UsageError(
                f"packet {packet.number}: pcapng holds times from 1970 on, not {packet.t_us} µs"
            )
        options = b""
        if packet.comment:
            comment = packet.comment.encode("utf-8", "replace")
            options += _option(OPT_COMMENT, comment, f"packet {packet.number}: a comment")
        flags = 0 if packet.direction is None else _FLAG_VALUES[packet.direction]
        flags |= packet.fcs_octets << _FCS_FLAG_SHIFT
        if flags:
            options += _option(PACKET_FLAGS, _LITTLE.word.pack(flags), "flags")
        number, description = self._number_of(link_type, packet.interface)
        high, low = packet.t_us >> 32, packet.t_us & 0xFFFF_FFFF
        fixed = _LITTLE.enhanced.pack(number, high, low, len(data), original)
        body = (
            fixed + data.ljust(_padded(len(data)), b"\x00") + (options + _END if options else b"")
        )
        self._put(description + _block(ENHANCED_PACKET, body))
        self.written += 1

    def _number_of(self, link_type: int, name: str) -> tuple[int, bytes]:
        """Number of the interface, and the block that describes it when this is its first packet."""
        key = (link_type, name)
        known = self._interfaces.get(key)
        if known is not None:
            return known, b""
        body = _LITTLE.interface.pack(link_type, 0, 0)
        if name:
            body += _option(IF_NAME, name.encode("utf-8", "replace"), "an interface name")
        body += _option(IF_TSRESOL, b"\x06", "a resolution") + _END
        self._interfaces[key] = len(self._interfaces)
        return self._interfaces[key], _block(INTERFACE, body)


FORMAT = CaptureFormat(
    name="pcapng",
    suffixes=(".pcapng", ".ntar"),
    summary="any link types and interfaces; time, octets, direction, comments",
    matches=_matches,
    read=_read,
    writer=PcapngWriter,
)
