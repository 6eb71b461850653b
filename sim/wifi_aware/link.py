"""The link of a data path as a device has it: an interface with a link-local address, and sockets on it.

Packets are real IPv6 in protected 802.11 data frames that wait for the slots of the NDL, so a program sees the data path
as slow as its schedule is. Phone rules: IA-59 (link-local IPv6 only, scope of the interface), IA-60 (the neighbour is
pinned, or found by neighbour discovery: a setting), AA-48 (address from the NDPE's interface identifier, otherwise EUI-64
of the NDI). Packets are not fragmented; a packet to many goes to the one peer. How long a data path may be idle is the
business of the engine (`ndp_upkeep.py`). One object per data path; a new data path gets a new link.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from protocols.errors import UsageError
from protocols.ip import ipv6, tcp, udp
from protocols.ip.neighbours import Neighbours
from protocols.ip.stream import Stream, reset_for
from protocols.ip.stream_states import StreamSettings
from protocols.ip.udp import Udp
from protocols.wifi_aware.data_link import DataLink, LinkTerms, Refusal
from sim.wifi_aware.link_packets import PacketSide
from sim.wifi_aware.link_queue import LinkQueue, LinkStatistics
from sim.wifi_aware.link_sockets import (
    DatagramSocket,
    LinkClosedError,
    LinkError,
    Listener,
    StreamEndedError,
    StreamSocket,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from protocols.ip.tcp import Tcp
    from protocols.wifi_aware.peers import LinkKey
    from protocols.wifi_aware.station import Draw
    from sim.clock import VirtualLoop
    from sim.wifi_aware.data_radio import DataRadio

__all__ = [
    "Address",
    "Link",
    "LinkClosedError",
    "LinkError",
    "LinkSettings",
    "LinkTerms",
    "StreamEndedError",
]

_FIRST_PORT, _LAST_PORT = 49_152, 65_535
_WAITING_DATAGRAMS = 256


class LinkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a device handles its data paths."""

    interface: str = "nan0"
    """name of the interface, which is the scope of its addresses."""
    neighbour: Literal["pinned", "discovery"] = "pinned"
    """whether the peer's MAC address is taken from the data path, or asked for (rule IA-60)."""
    mtu: int = 1500
    """octets of the largest packet."""
    queue_packets: int = 512
    """packets that wait for slots; one more is dropped."""
    stream: StreamSettings = StreamSettings()


class Address(NamedTuple):
    """A link-local address with its scope."""

    ip: str
    scope: str

    def __str__(self) -> str:
        return f"{self.ip}%{self.scope}"


class Link:
    """One side of a data path. The radio calls `receive` with each data frame it hears."""

    def __init__(
        self,
        terms: LinkTerms,
        slots: Mapping[int, Iterable[int]],
        radio: DataRadio,
        loop: VirtualLoop,
        draw: Draw,
        settings: LinkSettings | None = None,
        key: LinkKey | None = None,
    ) -> None:
        """`key`: that of the action frames between the same NDIs, whose packet numbers go on in data."""
        self.terms = terms
        self.settings = given = settings or LinkSettings()
        self.loop = loop
        self.draw = draw
        self.local = self._address(terms.own_ndi, terms.own_identifier)
        self.peer = self._address(terms.peer_ndi, terms.peer_identifier)
        self.closed = ""
        """why it has ended; empty while it has not."""
        self._frames = DataLink(terms, key)
        self.queue = LinkQueue(self._frames, slots, radio, loop, most=given.queue_packets)
        pinned = {self.peer.ip: terms.peer_ndi} if given.neighbour == "pinned" else None
        neighbours = Neighbours(self.local.ip, terms.own_ndi, pinned)
        self.packets = PacketSide(self.local.ip, self.peer.ip, neighbours, self.queue, loop)
        self.packets.upper = self
        self._datagrams: dict[int, DatagramSocket] = {}
        self._listeners: dict[int, Listener] = {}
        self._streams: dict[tuple[int, int], StreamSocket] = {}
        self._next_port = _FIRST_PORT

    def _address(self, ndi: str, identifier: bytes) -> Address:
        return Address(ipv6.link_local(identifier or ipv6.eui64(ndi)), self.settings.interface)

    @property
    def statistics(self) -> LinkStatistics:
        """What it has done so far."""
        return self.queue.statistics

    # Sockets

    def datagram_socket(self, port: int = 0) -> DatagramSocket:
        """A UDP socket; port 0 takes a free one. Raises LinkError, UsageError."""
        number = self._free(port, self._datagrams)
        socket = self._datagrams[number] = DatagramSocket(self, number, _WAITING_DATAGRAMS)
        return socket

    def listen(self, port: int) -> Listener:
        """Take the peer's streams on a TCP port. Raises LinkError, UsageError."""
        number = self._free(port, self._listeners)
        listener = self._listeners[number] = Listener(self, number)
        return listener

    def is_taken(self, port: int) -> bool:
        """Whether a socket or listener has this port already."""
        return port in self._datagrams or port in self._listeners

    async def connect(self, port: int) -> StreamSocket:
        """A stream to a TCP port of the peer. Raises LinkError (refused, timed out, link ended)."""
        taken = {local for local, _ in self._streams} | set(self._listeners)
        stream = self._stream(self._free(0, taken), port, passive=False)
        stream.run()
        try:
            await stream.connected()
        except asyncio.CancelledError:
            stream.abort()
            raise
        return stream

    async def ping(self, data: bytes = b"") -> int:
        """Microseconds from an echo request to its reply; waits for ever when none comes. Raises LinkClosedError."""
        self._check_open()
        return await self.packets.ping(data)

    def reschedule(self, slots: Mapping[int, Iterable[int]]) -> None:
        """The NDL has other slots from now on."""
        self.queue.reschedule(slots)

    def renew(self, terms: LinkTerms, key: LinkKey | None) -> None:
        """A further path between the same interfaces: what goes over them has its key from now on."""
        self.terms = terms
        self._frames = DataLink(terms, key)
        self.queue.renew(self._frames)

    def close(self, reason: str = "closed") -> None:
        """End the link and all that is on it."""
        if self.closed:
            return
        self.closed = reason
        self.queue.close()
        self.packets.close(LinkClosedError(f"the link over {self.local} has ended: {reason}"))
        sockets: tuple[DatagramSocket | Listener | StreamSocket, ...] = (
            *self._datagrams.values(),
            *self._listeners.values(),
            *self._streams.values(),
        )
        for socket in sockets:
            socket.ended()

    def _check_open(self) -> None:
        if self.closed:
            raise LinkClosedError(f"the link over {self.local} has ended: {self.closed}")

    def _free(self, port: int, taken: Iterable[int]) -> int:
        self._check_open()
        used = set(taken)
        if port:
            if not 0 < port <= _LAST_PORT:
                raise UsageError(f"port {port}: give 1 to {_LAST_PORT}")
            if port in used:
                raise UsageError(f"port {port} of {self.local} is in use: close its socket first")
            return port
        for _ in range(_FIRST_PORT, _LAST_PORT + 1):
            number, self._next_port = self._next_port, self._next_port + 1
            if self._next_port > _LAST_PORT:
                self._next_port = _FIRST_PORT
            if number not in used:
                return number
        raise LinkError(f"all ports from {_FIRST_PORT} on are in use: close some sockets")

    def _stream(self, local: int, peer: int, *, passive: bool) -> StreamSocket:
        largest = self.settings.mtu - ipv6.HEADER - tcp.HEADER
        stream = self.settings.stream
        settings = msgspec.structs.replace(stream, mss=min(stream.mss, largest))
        engine = Stream(local, peer, self.draw, settings, passive=passive)
        socket = self._streams[local, peer] = StreamSocket(self, engine)
        return socket

    def release(self, socket: DatagramSocket | Listener | StreamSocket) -> None:
        """A socket is done with."""
        if isinstance(socket, StreamSocket):
            self._streams.pop((socket.port, socket.peer_port), None)
        elif isinstance(socket, Listener):
            self._listeners.pop(socket.port, None)
        else:
            self._datagrams.pop(socket.port, None)

    # Packets, for the sockets and the packet side

    def send_datagram(self, source_port: int, destination_port: int, data: bytes) -> bool:
        """Send a datagram; False when it was dropped at once. Raises UsageError when it is too long."""
        most = self.settings.mtu - ipv6.HEADER - udp.HEADER
        if len(data) > most:
            raise UsageError(
                f"a datagram of {len(data)} octets: {most} fit into a packet of this link, and "
                "packets are not fragmented; send less at once"
            )
        datagram = Udp(source_port=source_port, destination_port=destination_port, data=data.hex())
        return self.packets.send(ipv6.UDP, udp=datagram)

    def send_segment(self, segment: Tcp) -> None:
        """Send a segment of a stream."""
        self.packets.send(ipv6.TCP, tcp=segment)

    def take_datagram(self, datagram: Udp) -> None:
        """A datagram of the peer."""
        socket = self._datagrams.get(datagram.destination_port)
        if socket is None:
            self.packets.drop("no_port")
        else:
            socket.arrived(bytes.fromhex(datagram.data), datagram.source_port)

    def take_segment(self, segment: Tcp) -> None:
        """A segment of the peer: for a stream, the first of a new one, or for nobody."""
        ports = (segment.destination_port, segment.source_port)
        stream = self._streams.get(ports)
        listener = self._listeners.get(ports[0])
        if stream is None and listener is not None and segment.syn and not segment.ack:
            stream = self._stream(*ports, passive=True)
            stream.on_connected = listener.arrived
        if stream is not None:
            stream.receive(segment)
            return
        self.packets.drop("no_port")
        answer = reset_for(segment)
        if answer is not None:
            self.send_segment(answer)

    def receive(self, octets: bytes) -> bool:
        """A data frame from the air; whether it was taken. A counter says why not."""
        if self.closed:
            return False
        found = self._frames.receive(octets)
        if isinstance(found, Refusal):
            self.statistics.refused[str(found)] += 1
            return False
        if found.packet is None:
            self.statistics.received_nulls += 1
        else:
            self.statistics.received += 1
            self.statistics.received_octets += len(found.packet)
            self.packets.receive(found.packet)
        return True
