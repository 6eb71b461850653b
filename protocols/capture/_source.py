"""The reading side that all formats share: octets in order, their offset, and where a record is cut.

Memory is bounded by the record at hand: a length field is believed only as far as octets really come.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from protocols.errors import CaptureError

__all__ = ["MAX_BLOCK_OCTETS", "MAX_PACKET_OCTETS", "ByteStream", "Notes", "Source"]

MAX_PACKET_OCTETS = 64 << 20
MAX_BLOCK_OCTETS = 256 << 20

_CHUNK_OCTETS = 1 << 18


class ByteStream(Protocol):
    """What a reader needs of a file: `read`, empty at the end."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` octets, empty at the end."""
        ...


class Notes(msgspec.Struct):
    """What a reader passed over."""

    skipped: dict[str, int] = msgspec.field(default_factory=dict[str, int])
    """Records and blocks that are no packets: count by kind."""
    dropped: int = 0
    """Packets the capturing side says it lost."""

    def skip(self, kind: str) -> None:
        """Count one record of `kind` that gave no packet."""
        self.skipped[kind] = self.skipped.get(kind, 0) + 1


class Source:
    """Octets of a stream in order; errors carry the offset at which the record at hand begins."""

    __slots__ = ("_at", "_base", "_buffer", "_read", "_start", "name")

    def __init__(self, stream: ByteStream, name: str) -> None:
        self.name = name
        # read1 gives what a pipe has now: packets of a live capture come out as they go in
        self._read = getattr(stream, "read1", stream.read)
        self._buffer = b""
        self._at = 0
        self._base = 0
        self._start = 0

    def peek(self, size: int) -> bytes:
        """The next octets without taking them: at most `size`, fewer only where the file ends."""
        self._fill(size)
        return self._buffer[self._at : self._at + size]

    def begin(self, size: int, what: str) -> bytes:
        """The `size` octets that open the next record, or nothing at the end; CaptureError when cut."""
        self._start = self._base + self._at
        if self._at == len(self._buffer):
            self._fill(1)
            if not self._buffer:
                return b""
        return self.take(size, what)

    def take(self, size: int, what: str) -> bytes:
        """The next `size` octets of the record at hand; CaptureError when the file ends before."""
        end = self._at + size
        if end > len(self._buffer):
            self._fill(size)
            end = self._at + size
            if end > len(self._buffer):
                raise self._cut(size, len(self._buffer) - self._at, what)
        data = self._buffer[self._at : end]
        self._at = end
        return data

    def skip(self, size: int, what: str) -> None:
        """Pass over `size` octets, holding no more than a chunk; CaptureError when the file ends before."""
        left = size
        while left:
            step = min(left, _CHUNK_OCTETS)
            have = len(self.peek(step))
            if have < step:
                raise self._cut(size, size - left + have, what)
            self._at += step
            left -= step

    def damage(self, message: str) -> CaptureError:
        """The error for the record at hand."""
        return CaptureError(self.name, self._start, message)

    def _cut(self, wanted: int, have: int, what: str) -> CaptureError:
        return self.damage(
            f"the file ends in the middle of {what}: {have} of {wanted} octets are there"
        )

    def _fill(self, size: int) -> None:
        have = len(self._buffer) - self._at
        if have >= size:
            return
        parts = [self._buffer[self._at :]]
        while have < size:
            try:
                chunk = self._read(_CHUNK_OCTETS)
            except OSError as exc:
                raise self.damage(f"cannot be read further: {exc.strerror or exc}") from exc
            if not chunk:
                break
            parts.append(chunk)
            have += len(chunk)
        self._base += self._at
        self._at = 0
        self._buffer = b"".join(parts)
