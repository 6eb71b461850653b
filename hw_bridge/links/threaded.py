"""A link over an object that only blocks: pyserial where there is no descriptor (Windows, `rfc2217://`, `loop://`).

Rules of the file: one thread reads, one writes; both end when the link is closed; what was read waits for the loop in
a few pieces at most, then the reader waits too.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import queue
import threading
from typing import TYPE_CHECKING, Protocol

from hw_bridge.errors import LostError, words_of
from hw_bridge.link import CLOSE_S, LinkInfo
from hw_bridge.threads import call_in_loop, in_thread

if TYPE_CHECKING:
    from hw_bridge.link import Receiver

__all__ = ["BlockingPort", "ThreadedLink"]

_READ_OCTETS = 4096
_PIECES = 16


class BlockingPort(Protocol):
    """What is needed of pyserial's Serial; `read` waits for its time-out at most."""

    @property
    def in_waiting(self) -> int:
        """Octets that can be read at once."""
        ...

    def read(self, size: int = 1) -> bytes:
        """Octets, none after the time-out."""
        ...

    def write(self, data: bytes, /) -> int | None:
        """Send octets."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


class ThreadedLink:
    """Owns `port` and closes it."""

    def __init__(self, port: BlockingPort, receiver: Receiver, *, info: LinkInfo) -> None:
        self._port = port
        self._receiver = receiver
        self._info = info
        self._loop = asyncio.get_running_loop()
        self._open = True
        self._may_read = threading.Event()
        self._may_read.set()
        self._pieces = threading.Semaphore(_PIECES)
        self._orders: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._buffered = 0
        self._taken = 0
        self._threads = [
            threading.Thread(target=work, daemon=True, name=f"nearbench-{name}")
            for name, work in (("reader", self._read), ("writer", self._write))
        ]
        for thread in self._threads:
            thread.start()

    @property
    def info(self) -> LinkInfo:
        """What it leads to."""
        return self._info

    @property
    def buffered(self) -> int:
        """Octets written and not taken yet."""
        return self._buffered

    @property
    def taken(self) -> int:
        """Octets taken so far."""
        return self._taken

    def write(self, data: bytes) -> None:
        """Send octets."""
        if self._open:
            self._buffered += len(data)
            self._orders.put(data)

    def pause_reading(self) -> None:
        """Leave what comes where it is."""
        self._may_read.clear()

    def resume_reading(self) -> None:
        """Read again."""
        self._may_read.set()

    def _read(self) -> None:
        while self._open:
            self._may_read.wait()
            try:
                data = self._port.read(max(1, min(self._port.in_waiting, _READ_OCTETS)))
            except Exception as exc:  # noqa: BLE001 # pyserial raises four unrelated kinds here
                self._lose("reading", exc)
                return
            if data and self._pieces.acquire():
                call_in_loop(self._loop, functools.partial(self._deliver, data))

    def _deliver(self, data: bytes) -> None:
        self._pieces.release()
        if self._open:
            self._receiver.on_data(data)

    def _write(self) -> None:
        while (data := self._orders.get()) is not None:
            try:
                self._port.write(data)
            except Exception as exc:  # noqa: BLE001 # likewise
                self._lose("writing", exc)
                return
            call_in_loop(self._loop, functools.partial(self._sent, len(data)))

    def _sent(self, count: int) -> None:
        self._buffered -= count
        self._taken += count
        if self._open and not self._buffered:
            self._receiver.on_writable()

    def _lose(self, doing: str, exc: Exception) -> None:
        error = LostError(f"{self._info.node}: {doing} failed: {words_of(exc)}")
        call_in_loop(self._loop, lambda: self._lost(error))

    def _lost(self, error: LostError) -> None:
        if self._open:
            self._stop()
            self._receiver.on_lost(error)

    def _stop(self) -> None:
        self._open = False
        self._may_read.set()
        self._pieces.release(_PIECES)
        self._orders.put(None)

    def _give_back(self) -> None:
        with contextlib.suppress(Exception):  # what a vanished device raises is of no use now
            self._port.close()
        for thread in self._threads:
            thread.join(CLOSE_S)

    async def close(self) -> None:
        """Give everything back."""
        self._stop()
        with contextlib.suppress(TimeoutError):
            await in_thread(self._give_back, CLOSE_S)
