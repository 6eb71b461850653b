"""Sockets on a link: datagrams, streams, and what waits for streams. Asyncio on the simulated clock.

UDP and TCP of `protocols/ip`; a socket belongs to one link and ends with it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, NamedTuple, Protocol

from protocols.errors import NearbenchError
from protocols.ip.stream_states import Closed, Connected, PeerClosed, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.ip.stream import Stream
    from protocols.ip.tcp import Tcp
    from sim.clock import Event, VirtualLoop

__all__ = [
    "Datagram",
    "DatagramSocket",
    "LinkClosedError",
    "LinkError",
    "Listener",
    "StreamEndedError",
    "StreamSocket",
]

_WORDS = {
    "refused": "nobody listens on port {port} of the peer",
    "reset": "the peer reset the stream",
    "timed_out": "the peer has not answered for too long: is the data path still up, and has it slots?",
    "aborted": "the stream was aborted on this side",
    "link_closed": "the data path that carried the stream has ended",
    "closed": "the stream is closed",
}
_OVER = (State.CLOSED, State.TIME_WAIT)


class LinkError(NearbenchError):
    """A socket cannot do what it was asked for."""


class LinkClosedError(LinkError):
    """The link has ended."""


class StreamEndedError(LinkError):
    """A stream is over before everything was done; `reason` as in `protocols.ip.stream_states.Closed`."""

    def __init__(self, reason: str, port: int) -> None:
        self.reason = reason
        super().__init__(_WORDS.get(reason, reason).format(port=port))


class Carrier(Protocol):
    """The link as its sockets see it."""

    loop: VirtualLoop

    def send_datagram(self, source_port: int, destination_port: int, data: bytes) -> bool:
        """Send a datagram; False when it was dropped at once."""
        ...

    def send_segment(self, segment: Tcp) -> None:
        """Send a segment."""
        ...

    def release(self, socket: DatagramSocket | Listener | StreamSocket) -> None:
        """The socket is done with."""
        ...


class _Waiter:
    """Wakes those who wait for something of a socket to change."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def wake(self) -> None:
        """Something changed."""
        self._changed.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until it does."""
        while not holds():
            self._changed.clear()
            await self._changed.wait()


class Datagram(NamedTuple):
    """A datagram of the peer."""

    data: bytes
    port: int
    """the peer's."""


class DatagramSocket:
    """UDP on one port."""

    def __init__(self, carrier: Carrier, port: int, most: int) -> None:
        self.port = port
        self.dropped = 0
        """datagrams that came while `most` were waiting."""
        self._carrier = carrier
        self._most = most
        self._arrived: deque[Datagram] = deque()
        self._waiter = _Waiter()
        self._closed = False

    def send(self, data: bytes, port: int) -> bool:
        """Send to the peer's port; False when the link dropped it at once. Raises LinkError."""
        if self._closed:
            raise LinkClosedError("the socket is closed, or its data path has ended")
        return self._carrier.send_datagram(self.port, port, data)

    async def receive(self) -> Datagram:
        """The next datagram. Raises LinkClosedError when none will come."""
        await self._waiter.until(lambda: bool(self._arrived) or self._closed)
        if not self._arrived:
            raise LinkClosedError("the socket is closed, or its data path has ended")
        return self._arrived.popleft()

    def close(self) -> None:
        """Take no more."""
        if not self._closed:
            self.ended()
            self._carrier.release(self)

    def arrived(self, data: bytes, port: int) -> None:
        """A datagram for it came."""
        if len(self._arrived) >= self._most:
            self.dropped += 1
            return
        self._arrived.append(Datagram(data, port))
        self._waiter.wake()

    def ended(self) -> None:
        """The link has ended."""
        self._closed = True
        self._waiter.wake()


class StreamSocket:
    """One end of a TCP connection."""

    def __init__(self, carrier: Carrier, engine: Stream) -> None:
        self.engine = engine
        self.port = engine.local_port
        self.peer_port = engine.peer_port
        self.reason = ""
        """why it is over; empty while it is not."""
        self.on_connected: Callable[[StreamSocket], None] | None = None
        self._carrier = carrier
        self._waiter = _Waiter()
        self._timer: Event | None = None
        self._connected = False
        self._ended = False  # the peer sends no more
        self._unread = False  # the application is gone: what comes is thrown away

    @property
    def at_end(self) -> bool:
        """Whether the peer has closed and everything is read."""
        return (self._ended or bool(self.reason)) and not self.engine.incoming.readable

    # For the application

    async def connected(self) -> None:
        """Wait for the handshake. Raises StreamEndedError."""
        await self._waiter.until(lambda: self._connected or bool(self.reason))
        if not self._connected:
            raise StreamEndedError(self.reason, self.peer_port)

    async def read(self, most: int = 65_536) -> bytes:
        """Some octets, b"" at the end. Raises StreamEndedError when the stream did not end in order."""
        await self._waiter.until(lambda: bool(self.engine.incoming.readable) or self.at_end)
        data = self.engine.read(most)
        if not data and not self._ended and self.reason != "closed":
            raise StreamEndedError(self.reason, self.peer_port)
        self.run()
        return data

    async def read_exactly(self, size: int) -> bytes:
        """That many octets. Raises StreamEndedError when the stream ends before."""
        out = b""
        while len(out) < size:
            data = await self.read(size - len(out))
            if not data:
                raise StreamEndedError("closed", self.peer_port)
            out += data
        return out

    async def write(self, data: bytes) -> None:
        """Give octets to be sent; returns when the last has a place in the buffer. Raises StreamEndedError."""
        await self.connected()
        at = 0
        while at < len(data):
            if self.reason:
                raise StreamEndedError(self.reason, self.peer_port)
            at += self.engine.send(data[at:])
            self.run()
            if at < len(data):
                await self._waiter.until(
                    lambda: self.engine.sending.out.free > 0 or bool(self.reason)
                )

    async def delivered(self) -> None:
        """Wait until the peer has acknowledged all that was written. Raises StreamEndedError."""
        out = self.engine.sending.out
        await self._waiter.until(lambda: out.acked >= out.end or bool(self.reason))
        if out.acked < out.end:
            raise StreamEndedError(self.reason, self.peer_port)

    def finish(self) -> None:
        """Write no more; reading goes on."""
        self.engine.close()
        self.run()

    def close(self) -> None:
        """Write and read no more; what was written still goes out."""
        self._unread = True
        self.finish()

    async def closed(self) -> None:
        """Wait until both sides have closed, or the stream has ended otherwise."""
        await self._waiter.until(lambda: bool(self.reason) or self.engine.state in _OVER)

    def abort(self) -> None:
        """End at once, and tell the peer."""
        self.engine.abort()
        self.run()

    # For the link

    def receive(self, segment: Tcp) -> None:
        """A segment for it came."""
        self.engine.receive(segment, self._carrier.loop.now_us)
        self.run()

    def run(self) -> None:
        """Send what there is, tell what happened, set the timer."""
        now_us = self._carrier.loop.now_us
        self._take_events()
        for segment in self.engine.to_send(now_us):
            self._carrier.send_segment(segment)
        self._take_events()
        self._waiter.wake()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due_us = self.engine.next_timer()
        if due_us is not None and not self.reason:
            self._timer = self._carrier.loop.at_us(max(due_us, now_us), self._due)

    def ended(self, reason: str = "link_closed") -> None:
        """It is over."""
        if self.reason:
            return
        self.reason = reason
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._waiter.wake()
        self._carrier.release(self)

    def _due(self) -> None:
        self._timer = None
        self.engine.handle_timer(self._carrier.loop.now_us)
        self.run()

    def _take_events(self) -> None:
        while (event := self.engine.next_event()) is not None:
            if isinstance(event, Connected):
                self._connected = True
                if self.on_connected is not None:
                    self.on_connected(self)
            elif isinstance(event, PeerClosed):
                self._ended = True
            elif isinstance(event, Closed):
                self.ended(event.reason)
        if self._unread:
            self.engine.read(self.engine.incoming.readable)


class Listener:
    """Takes streams of the peer on one port."""

    def __init__(self, carrier: Carrier, port: int) -> None:
        self.port = port
        self._carrier = carrier
        self._arrived: deque[StreamSocket] = deque()
        self._waiter = _Waiter()
        self._closed = False

    async def accept(self) -> StreamSocket:
        """The next stream whose handshake is done. Raises LinkClosedError when none will come."""
        await self._waiter.until(lambda: bool(self._arrived) or self._closed)
        if not self._arrived:
            raise LinkClosedError("the listener is closed, or its data path has ended")
        return self._arrived.popleft()

    def close(self) -> None:
        """Take no more; streams that were taken go on."""
        if not self._closed:
            self.ended()
            self._carrier.release(self)

    def arrived(self, stream: StreamSocket) -> None:
        """A handshake is done."""
        self._arrived.append(stream)
        self._waiter.wake()

    def ended(self) -> None:
        """The link has ended."""
        self._closed = True
        self._waiter.wake()
