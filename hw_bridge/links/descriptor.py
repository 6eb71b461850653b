"""A link over a POSIX descriptor: serial port, PTY, packet socket.

Rules of the file: reads and writes are `os.read` and `os.write` from the loop; a write goes out at once and what does
not fit waits in one buffer. With `chunk` no write is longer, and the next waits for the time the last one takes on
the line: some USB-serial bridges corrupt longer ones (digest 1.2).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING

from hw_bridge.errors import LostError, words_of
from hw_bridge.link import CLOSE_S, LinkInfo
from hw_bridge.threads import in_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from hw_bridge.link import Receiver

__all__ = ["DescriptorLink"]

_READ_OCTETS = 1 << 16
_READS_AT_ONCE = 4
_MORE_OCTETS = 2048
"""A read that gave less than this took all there was."""
_BITS_PER_OCTET = 10


class DescriptorLink:
    """Owns `fd` and closes it; `release` gives back what else was taken, in a thread where `may_block`."""

    def __init__(
        self,
        fd: int,
        receiver: Receiver,
        *,
        info: LinkInfo,
        chunk: int = 0,
        baud: int = 0,
        release: Callable[[], object] | None = None,
        may_block: bool = False,
    ) -> None:
        self._fd = fd
        self._receiver = receiver
        self._info = info
        self._chunk = chunk
        self._pause_s = chunk * _BITS_PER_OCTET / baud if baud else 0.0
        self._release = release
        self._may_block = may_block
        self._loop = asyncio.get_running_loop()
        self._out = bytearray()
        self._taken = 0
        self._open = True
        self._reading = False
        self._waiting: asyncio.TimerHandle | None = None
        os.set_blocking(fd, False)
        self.resume_reading()

    @property
    def info(self) -> LinkInfo:
        """What it leads to."""
        return self._info

    @property
    def buffered(self) -> int:
        """Octets written and not taken yet."""
        return len(self._out)

    @property
    def taken(self) -> int:
        """Octets taken so far."""
        return self._taken

    def write(self, data: bytes) -> None:
        """Send octets or one packet."""
        if not self._open:
            return
        if self._out or self._chunk:
            self._out += data
            if len(self._out) == len(data) and self._waiting is None:
                self._flush()
            return
        written = self._write(data)
        if 0 <= written < len(data):
            self._out += data[written:]
            self._loop.add_writer(self._fd, self._flush)

    def _write(self, data: bytes | bytearray) -> int:
        """Octets that were taken; -1 when the link is lost."""
        try:
            written = os.write(self._fd, data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as exc:
            self._lose(f"writing failed: {words_of(exc)}")
            return -1
        self._taken += written
        return written

    def _flush(self) -> None:
        self._waiting = None
        if not self._open or not self._out:
            return
        piece = self._out[: self._chunk] if self._chunk else self._out
        written = self._write(bytes(piece))
        if written < 0:
            return
        del self._out[:written]
        if self._chunk and written:
            self._loop.remove_writer(self._fd)
            self._waiting = self._loop.call_later(self._pause_s, self._after_chunk)
        elif self._out:
            self._loop.add_writer(self._fd, self._flush)
        else:
            self._loop.remove_writer(self._fd)
            self._receiver.on_writable()

    def _after_chunk(self) -> None:
        if self._out:
            self._flush()
        elif self._open:
            self._receiver.on_writable()

    def pause_reading(self) -> None:
        """Leave what comes in the kernel."""
        if self._open and self._reading:
            self._loop.remove_reader(self._fd)
            self._reading = False

    def resume_reading(self) -> None:
        """Read again."""
        if self._open and not self._reading:
            self._loop.add_reader(self._fd, self._on_readable)
            self._reading = True

    def _on_readable(self) -> None:
        for number in range(_READS_AT_ONCE):
            if not self._reading:
                return
            try:
                data = os.read(self._fd, _READ_OCTETS)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as exc:
                self._lose(f"reading failed: {words_of(exc)}")
                return
            if not data and number:
                return  # a serial port without a least number of octets says so when it is empty
            if not data:
                self._lose(
                    "it says that octets are there and gives none: unplugged, or read by another program"
                )
                return
            self._receiver.on_data(data)
            if len(data) < _MORE_OCTETS:
                return

    def _lose(self, why: str) -> None:
        if self._open:
            self._stop()
            error = LostError(f"{self._info.node}: {why}")
            self._loop.call_soon(self._receiver.on_lost, error)

    def _stop(self) -> None:
        """Close the descriptor; nothing is read or written after this."""
        if not self._open:
            return
        self._open = self._reading = False
        self._out.clear()
        if self._waiting is not None:
            self._waiting.cancel()
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
        if not self._may_block:
            self._give_back()

    def _give_back(self) -> None:
        fd, self._fd = self._fd, -1
        if fd < 0:
            return
        if self._release is not None:
            with contextlib.suppress(Exception):  # what a vanished device raises is of no use now
                self._release()
        with contextlib.suppress(OSError):
            os.close(fd)

    async def close(self) -> None:
        """Give everything back."""
        self._stop()
        if self._fd >= 0:
            with contextlib.suppress(TimeoutError):
                await in_thread(self._give_back, CLOSE_S)
