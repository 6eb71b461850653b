"""A link over an asyncio stream: TCP and UNIX sockets, on every platform.

Rules of the file: acknowledgements go out at once where the system lets us, because peers with Nagle's algorithm wait
for them (digest 6.4); a peer that does not read is cut off at the end, never waited for.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Any, cast

from hw_bridge.errors import LostError, words_of
from hw_bridge.link import CLOSE_S, LinkInfo

if TYPE_CHECKING:
    from hw_bridge.link import Receiver

__all__ = ["StreamLink"]

_QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)


class StreamLink(asyncio.Protocol):
    """Protocol of one connection; a link from `connection_made` on."""

    def __init__(self, receiver: Receiver, info: LinkInfo) -> None:
        self._receiver = receiver
        self._info = info
        self._transport: asyncio.Transport | None = None
        self._tcp: Any = None
        self._written = 0
        self._ended = asyncio.get_running_loop().create_future()
        self._told = False

    @property
    def info(self) -> LinkInfo:
        """What it leads to."""
        return self._info

    @property
    def buffered(self) -> int:
        """Octets written and not taken yet."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    @property
    def taken(self) -> int:
        """Octets taken so far."""
        return self._written - self.buffered

    def write(self, data: bytes) -> None:
        """Send octets."""
        if self._transport is not None and not self._transport.is_closing():
            self._written += len(data)
            self._transport.write(data)

    def pause_reading(self) -> None:
        """Leave what comes in the kernel."""
        if self._transport is not None:
            with contextlib.suppress(RuntimeError):
                self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        if self._transport is not None:
            with contextlib.suppress(RuntimeError):
                self._transport.resume_reading()

    async def close(self) -> None:
        """Give everything back."""
        self._told = True
        if self._transport is None:
            return
        if self.buffered:
            self._transport.abort()
        self._transport.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._ended), CLOSE_S)

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=0)
        own = transport.get_extra_info("socket")
        if _QUICK_ACK is not None and own.family in (socket.AF_INET, socket.AF_INET6):
            self._tcp = own

    def data_received(self, data: bytes) -> None:
        """Octets came."""
        if self._tcp is not None and _QUICK_ACK is not None:
            with contextlib.suppress(OSError):
                self._tcp.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
        if not self._told:
            self._receiver.on_data(data)

    def resume_writing(self) -> None:
        """Everything is taken."""
        self._receiver.on_writable()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._ended.set_result(None)
        if not self._told:
            self._told = True
            why = "the other side closed the connection" if exc is None else words_of(exc)
            self._receiver.on_lost(LostError(f"{self._info.node}: {why}"))
