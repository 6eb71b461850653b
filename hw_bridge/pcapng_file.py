"""A pcapng file as a bench writes it: one section, interfaces that are known beforehand, comments, dropped packets.

Document: draft-ietf-opsawg-pcapng clauses 3.5 (options), 4.1 to 4.3. Rules of the file: every block goes to the file
whole; what the file system refuses ends the file and is told once, never the bridge. Text about the bridge itself is a
packet of link type 252 (Wireshark upper PDU) for the dissector `syslog`, so that it stands in the list of packets.
"""

from __future__ import annotations

import contextlib
import os
import struct
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from protocols.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["UPPER_PDU", "PcapngFile", "check_writable", "text_pdu"]

UPPER_PDU: Final = 252
_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_BYTE_ORDER_MAGIC: Final = 0x1A2B3C4D
_COMMENT, _APPLICATION, _NAME, _DESCRIPTION, _RESOLUTION, _FLAGS, _DROPS = 1, 4, 2, 3, 9, 2, 4
_MICROSECONDS: Final = b"\x06"
_INBOUND, _OUTBOUND = 1, 2
_DISSECTOR: Final = 12
_INFORMATION: Final = b"<14>"
_MOST_TEXT: Final = 4096


def text_pdu(text: str) -> bytes:
    """A line of text as a packet of link type UPPER_PDU."""
    name = b"syslog".ljust(8, b"\0")
    head = struct.pack(">HH", _DISSECTOR, len(name)) + name + bytes(4)
    return head + _INFORMATION + text.encode("utf-8", "replace")[:_MOST_TEXT]


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def _text_option(code: int, text: str) -> bytes:
    return _option(code, text.encode("utf-8", "replace")[:_MOST_TEXT]) if text else b""


def _block(kind: int, body: bytes) -> bytes:
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


class PcapngFile:
    """One file; `interfaces` are (link type, name, description). Times are microseconds since 1970.

    `private` makes a file that only its owner may read. `failed` is told what the file system said, once.
    """

    def __init__(
        self,
        path: str | Path,
        interfaces: Sequence[tuple[int, str, str]],
        *,
        comment: str = "",
        private: bool = False,
        failed: Callable[[str], object] = lambda text: None,
    ) -> None:
        self.written = 0
        """Packets so far."""
        self._failed = failed
        self._path = Path(path)
        self._file: BinaryIO | None = _opened(self._path, private=private)
        self._dirty = False
        head = struct.pack("<IHHq", _BYTE_ORDER_MAGIC, 1, 0, -1)
        head += _text_option(_COMMENT, comment) + _text_option(_APPLICATION, "nearbench") + bytes(4)
        self._put(_block(_SECTION, head))
        for link_type, name, description in interfaces:
            body = struct.pack("<HHI", link_type, 0, 0) + _text_option(_NAME, name)
            body += _text_option(_DESCRIPTION, description)
            self._put(_block(_INTERFACE, body + _option(_RESOLUTION, _MICROSECONDS) + bytes(4)))
        self.flush()

    @property
    def is_open(self) -> bool:
        """Whether packets are still written."""
        return self._file is not None

    def packet(
        self,
        interface: int,
        t_us: int,
        data: bytes,
        *,
        sent: bool | None = None,
        drops: int = 0,
        comment: str = "",
    ) -> None:
        """Write a packet; `sent` is outbound, None says no direction; `drops` were lost since the last."""
        options = _text_option(_COMMENT, comment)
        if sent is not None:
            options += _option(_FLAGS, struct.pack("<I", _OUTBOUND if sent else _INBOUND))
        if drops:
            options += _option(_DROPS, struct.pack("<Q", drops))
        fixed = struct.pack(
            "<IIIII", interface, t_us >> 32, t_us & 0xFFFFFFFF, len(data), len(data)
        )
        self._put(_block(_PACKET, fixed + data + bytes(-len(data) % 4) + options + bytes(4)))
        self.written += 1

    def _put(self, octets: bytes) -> None:
        if self._file is None:
            return
        self._dirty = True
        try:
            self._file.write(octets)
        except OSError as exc:
            self._give_up(exc)

    def flush(self) -> None:
        """Hand everything to the system."""
        self._dirty = False
        if self._file is not None:
            try:
                self._file.flush()
            except OSError as exc:
                self._give_up(exc)

    def close(self) -> None:
        """End the file."""
        self.flush()
        file, self._file = self._file, None
        if file is not None:
            _close(file)

    def _give_up(self, exc: OSError) -> None:
        """Go on without the file; what is in it stays readable."""
        file, self._file = self._file, None
        if file is not None:
            _close(file)
        self._failed(f"{self._path}: {exc.strerror}; the recording has ended, the bridge goes on")


def check_writable(path: str | Path, *, private: bool = False) -> None:
    """Make the file, empty, before anything else begins. Raises UsageError."""
    _opened(Path(path), private=private).close()


def _opened(path: Path, *, private: bool) -> BinaryIO:
    """The file, empty. Raises UsageError."""
    mode = 0o600 if private else 0o666
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        if private and hasattr(os, "fchmod"):
            os.fchmod(fd, mode)
    except OSError as exc:
        raise UsageError(f"{path}: {exc.strerror}; name another file to record to") from None
    return os.fdopen(fd, "wb", buffering=1 << 16)


def _close(file: BinaryIO) -> None:
    with contextlib.suppress(
        OSError
    ):  # the buffer cannot be written either; the descriptor is closed
        file.close()
