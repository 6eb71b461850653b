"""SLIP framing of the three-wire transport: frames between C0 octets, with two escapes.

Core Specification 5.4 Vol 4 Part D clause 3. The escapes of out-of-frame flow control (DB DE, DB DF) are not used,
because it is never agreed. No clock, no chance, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SlipReader", "slip_frame"]

_END: Final = b"\xc0"
_ESCAPE: Final = b"\xdb"
_ESCAPED: Final = {0xDC: b"\xc0", 0xDD: b"\xdb"}


def slip_frame(octets: bytes) -> bytes:
    """The octets as one frame."""
    escaped = octets.replace(_ESCAPE, b"\xdb\xdd").replace(_END, b"\xdb\xdc")
    return _END + escaped + _END


class SlipReader:
    """Frames in a stream; keeps at most the octets of one frame of `limit` octets."""

    def __init__(self, limit: int) -> None:
        self._limit = 2 * limit  # every octet may be escaped
        self._partial = b""
        self._too_long = False

    def receive(self, data: bytes) -> Iterator[tuple[bytes, bytes | None]]:
        """(octets on the line, frame) of each frame that ends in `data`; the frame is None when it is damaged."""
        *whole, self._partial = (self._partial + data).split(_END)
        for raw in whole:
            if raw:
                yield raw, None if self._too_long or len(raw) > self._limit else _plain(raw)
            self._too_long = False
        if len(self._partial) > self._limit:
            yield self._partial, None
            self._partial, self._too_long = b"", True


def _plain(raw: bytes) -> bytes | None:
    """The octets without escapes; None when one of them is unknown or cut."""
    first, *parts = raw.split(_ESCAPE)
    plain = [first]
    for part in parts:
        octet = _ESCAPED.get(part[0]) if part else None
        if octet is None:
            return None
        plain += (octet, part[1:])
    return b"".join(plain)
