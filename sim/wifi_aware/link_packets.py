"""The IPv6 side of a link: packets to the peer and from it, the neighbour, echo.

RFC 8200, RFC 4443, RFC 4861 as in `protocols/ip`. What UDP and TCP do with a datagram or segment is the link's business
(`link.py`); a packet whose checksum is wrong, or that is not for this side, is counted and dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import UNSET

from protocols.conversion import as_typed
from protocols.errors import DecodeError
from protocols.ip import icmpv6, ipv6
from protocols.ip.icmpv6 import Echo, Icmpv6
from protocols.ip.neighbours import Neighbours, Resolved
from protocols.ip.packet import Packet, build, read
from protocols.ip.vocabulary import COMPUTED

if TYPE_CHECKING:
    import asyncio

    from protocols.ip.tcp import Tcp
    from protocols.ip.udp import Udp
    from sim.clock import Event, VirtualLoop
    from sim.wifi_aware.link_queue import LinkQueue

__all__ = ["PacketSide", "Upper"]

_MULTICAST = "ff"
_ECHO_IDENTIFIER = 1
_UNRESOLVED = 64
"""Packets that wait for a MAC address."""


class Upper(Protocol):
    """Who takes what packets carry."""

    def take_datagram(self, datagram: Udp) -> None:
        """A datagram whose checksum is right."""
        ...

    def take_segment(self, segment: Tcp) -> None:
        """A segment whose checksum is right."""
        ...


class PacketSide:
    """Packets of one side, over `queue`; `neighbours` knows the peer or asks for it."""

    def __init__(
        self, local: str, peer: str, neighbours: Neighbours, queue: LinkQueue, loop: VirtualLoop
    ) -> None:
        self.upper: Upper | None = None
        self.neighbours = neighbours
        self._local = local
        self._peer = peer
        self._queue = queue
        self._loop = loop
        self._unresolved: list[bytes] = []
        self._timer: Event | None = None
        self._pings: dict[int, asyncio.Future[None]] = {}
        self._next_ping = 0
        self._closed = False

    def close(self, error: Exception) -> None:
        """Send and take no more; those who wait for an echo get the error."""
        self._closed = True
        self._unresolved.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for answered in self._pings.values():
            if not answered.done():
                answered.set_exception(error)

    # Going out

    def send(self, next_header: int, **upper: Udp | Tcp | Icmpv6) -> bool:
        """Queue a packet to the peer, or keep it until its MAC address is known; False when it was dropped."""
        if self._closed:
            return False
        addresses = {"source": self._local, "destination": self._peer}
        packet = as_typed({"next_header": next_header, **addresses, **upper}, Packet)
        octets = build(packet)
        if self.neighbours.resolve(self._peer, self._loop.now_us) is not None:
            return self._queue.put(octets)
        if len(self._unresolved) >= _UNRESOLVED:
            self.drop("unresolved")
            return False
        self._unresolved.append(octets)
        self._run_neighbours()
        return True

    async def ping(self, data: bytes) -> int:
        """Microseconds until the reply to an echo request."""
        self._next_ping = number = self._next_ping % 0xFFFF + 1
        answered: asyncio.Future[None] = self._loop.create_future()
        self._pings[number] = answered
        start_us = self._loop.now_us
        self._echo(icmpv6.ECHO_REQUEST, _ECHO_IDENTIFIER, number, data.hex())
        try:
            await answered
        finally:
            self._pings.pop(number, None)
        return self._loop.now_us - start_us

    def _echo(self, kind: int, identifier: int, number: int, data: str) -> None:
        body = Echo(identifier=identifier, sequence_number=number, data=data)
        self.send(ipv6.ICMPV6, icmpv6=Icmpv6(type=kind, echo=body))

    def _run_neighbours(self) -> None:
        """Send what neighbour discovery has, release what waited for it, set its timer."""
        while (event := self.neighbours.next_event()) is not None:
            waiting, self._unresolved = self._unresolved, []
            if isinstance(event, Resolved):
                for octets in waiting:
                    self._queue.put(octets)
            else:
                self._queue.statistics.dropped["unreachable"] += len(waiting)
        for packet in self.neighbours.to_send(self._loop.now_us):
            self._queue.put(build(packet))
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due_us = self.neighbours.next_timer()
        if due_us is not None and not self._closed:
            self._timer = self._loop.at_us(due_us, self._due)

    def _due(self) -> None:
        self._timer = None
        self.neighbours.handle_timer(self._loop.now_us)
        self._run_neighbours()

    # Coming in

    def receive(self, octets: bytes) -> None:
        """Take a packet of the peer."""
        try:
            packet = read(octets)
        except DecodeError:
            self.drop("malformed")
            return
        upper = next((one for one in (packet.udp, packet.tcp, packet.icmpv6) if one), None)
        if packet.destination != self._local and not packet.destination.startswith(_MULTICAST):
            self.drop("not_ours")
        elif upper is None:
            self.drop("other")
        elif upper.checksum != COMPUTED:
            self.drop("checksum")
        else:
            self._take(packet)

    def drop(self, why: str) -> None:
        """Count a packet that is not carried."""
        self._queue.statistics.dropped[why] += 1

    def _take(self, packet: Packet) -> None:
        if packet.icmpv6 is not UNSET:
            self._take_message(packet, packet.icmpv6)
        elif self.upper is None:
            self.drop("other")
        elif packet.udp is not UNSET:
            self.upper.take_datagram(packet.udp)
        elif packet.tcp is not UNSET:
            self.upper.take_segment(packet.tcp)

    def _take_message(self, packet: Packet, message: Icmpv6) -> None:
        echo = message.echo
        if message.neighbour is not UNSET:
            self.neighbours.receive(packet, self._loop.now_us)
            self._run_neighbours()
        elif echo is UNSET:
            self.drop("other")
        elif message.type == icmpv6.ECHO_REQUEST:
            self._echo(icmpv6.ECHO_REPLY, echo.identifier, echo.sequence_number, echo.data)
        elif (answered := self._pings.get(echo.sequence_number)) and not answered.done():
            answered.set_result(None)
