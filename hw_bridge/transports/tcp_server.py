"""A controller that connects to us: we listen, one peer at a time, on the loopback address unless told otherwise.

Rules of the file: a peer that comes while another is there is cut off at once; each gets a framer of its own; the
listener stays between two peers and ends with the port.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, cast

from hw_bridge.errors import BadMonikerError, NotFoundError, opening_error
from hw_bridge.link import Link, LinkInfo, Transport
from hw_bridge.links.stream import StreamLink
from hw_bridge.transports._octets import (
    FRAMING,
    NO_LISTENER,
    NOT_OURS,
    OctetPort,
    host_and_port,
    is_loopback,
    is_not_ours,
)

if TYPE_CHECKING:
    from hw_bridge.link import Receiver
    from hw_bridge.moniker import Moniker

__all__ = ["TRANSPORT", "TcpServerPort"]

_PATIENCE_S = 1.0
_ANY = "_"


class TcpServerPort(OctetPort):
    """One listening address; `address` is the real one once it listens."""

    def __init__(self, moniker: Moniker) -> None:
        super().__init__(moniker)
        host, self._port = host_and_port(moniker, "127.0.0.1")
        self._host = None if host == _ANY else host
        self.is_open_to_others = not is_loopback(host)
        """Whether programs on other machines may become the controller."""
        self.address = f"{host}:{self._port}"
        self.refused = 0
        """Peers that were cut off because there was one."""
        self._server: asyncio.Server | None = None
        self._peer: _Peer | None = None
        self._arrived = asyncio.Event()

    async def open(self, receiver: Receiver) -> Link:
        """The link to the peer; NotFoundError while nobody has connected. Raises BridgeError."""
        if self._server is None:
            await self._listen()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._arrived.wait(), _PATIENCE_S)
        self._arrived.clear()
        peer = self._peer
        if peer is None or not peer.adopt(receiver):
            raise NotFoundError(f"{self.moniker.text}: nobody has connected to {self.address} yet")
        return peer

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(lambda: _Peer(self), self._host, self._port)
        except OSError as exc:
            if is_not_ours(exc):
                raise BadMonikerError(f"{self.moniker.text}: {NOT_OURS}") from exc
            raise opening_error(exc, self.moniker.text, remedies=NO_LISTENER) from exc
        host, port = self._server.sockets[0].getsockname()[:2]
        self.address = f"{host}:{port}"

    def admit(self, peer: _Peer) -> bool:
        """Whether a new peer may stay."""
        if self._peer is not None:
            self.refused += 1
            return False
        self._peer = peer
        self._arrived.set()
        return True

    def gone(self, peer: _Peer) -> None:
        """A peer left."""
        if self._peer is peer:
            self._peer = None
            self._arrived.clear()

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._peer is not None:
            await self._peer.close()


class _Nobody:
    """Receiver of a peer that nobody has opened."""

    def on_data(self, data: bytes) -> None:
        """Not reached: reading is paused."""

    def on_writable(self) -> None:
        """Not reached: nothing is written."""

    def on_trouble(self, text: str) -> None:
        """Not reached."""

    def on_lost(self, error: object) -> None:
        """The port knows."""


class _Peer(StreamLink):
    """A connection that waits, unread, until it is opened."""

    def __init__(self, port: TcpServerPort) -> None:
        super().__init__(_Nobody(), LinkInfo(node=port.address))
        self._listener = port
        self._admitted = False

    def adopt(self, receiver: Receiver) -> bool:
        """Begin to read; False when it is gone."""
        self._receiver = receiver
        self.resume_reading()
        return not self._ended.done()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, or cut off."""
        super().connection_made(transport)
        self._admitted = self._listener.admit(self)
        if self._admitted:
            self.pause_reading()
        else:
            cast(asyncio.Transport, transport).abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._listener.gone(self)
        super().connection_lost(exc)


TRANSPORT = Transport(
    summary="a controller that connects to us over TCP",
    form="tcp-server:[HOST:]PORT (HOST is 127.0.0.1, _ for every address)",
    example="tcp-server:9000",
    carries="octets",
    options=FRAMING,
    port=TcpServerPort,
)
