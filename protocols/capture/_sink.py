"""The writing side that all formats share: every packet whole and flushed, and fields that fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from protocols.capture._source import MAX_PACKET_OCTETS
from protocols.errors import UsageError

if TYPE_CHECKING:
    from protocols.capture import Packet

__all__ = ["Sink", "check"]

_MAX_LINK_TYPE = 0xFFFF
_MAX_LENGTH = 0xFFFF_FF00  # leaves room for the prefixes that writers add


class Sink:
    """Base of the writers: octets go to a stream that the caller owns."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._flush = getattr(stream, "flush", None)
        self.written = 0

    def _put(self, octets: bytes) -> None:
        rest = memoryview(octets)
        while rest:
            count = self._stream.write(rest)  # an unbuffered file may take a part only
            rest = rest[count:]
        if self._flush is not None:
            self._flush()

    def finish(self) -> None:
        """Make a file without packets a valid one; here the header already did."""


def check(packet: Packet) -> None:
    """UsageError when a field of `packet` is outside what any capture file can hold."""
    if not 0 <= packet.link_type <= _MAX_LINK_TYPE:
        raise UsageError(
            f"packet {packet.number}: link type {packet.link_type} is no LINKTYPE number"
        )
    if len(packet.data) > MAX_PACKET_OCTETS:
        raise UsageError(
            f"packet {packet.number}: {len(packet.data)} octets; captures hold up to {MAX_PACKET_OCTETS} a packet"
        )
    if not len(packet.data) <= packet.original_length <= _MAX_LENGTH:
        raise UsageError(
            f"packet {packet.number}: original length {packet.original_length} does not fit its"
            f" {len(packet.data)} octets"
        )
