"""What an app sends over a connection: datagrams or one byte stream, on the link of its data path.

Rules IA-59 (link-local IPv6 on nan0), IA-63 (QUIC). Waiting is in simulated time. The port of a peer is the one that its service
info tells of in the data path, unless the app gives another.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

from protocols.errors import UsageError
from protocols.wifi_aware.service_info import PORT, sub_attributes

if TYPE_CHECKING:
    from sim.wifi_aware.link import Link
    from sim.wifi_aware.link_sockets import DatagramSocket, StreamSocket

__all__ = ["Channel", "Transport", "port_of"]

Transport = Literal["udp", "tcp", "quic"]
DEFAULT_PORT = 7000
"""Of a listener of this phone, which tells nobody of it: a choice of this project."""


def port_of(service_info: str) -> int:
    """The port in the service info of a data path (hex, Generic), 0 when there is none."""
    items = sub_attributes(bytes.fromhex(service_info)) or ()
    ports = [int.from_bytes(one.value, "little") for one in items if one.id == PORT]
    return ports[0] if ports else 0


class Channel:
    """The traffic of one connection; `incoming`: the other side began."""

    def __init__(self, link: Link, transport: Transport, port: int, *, incoming: bool) -> None:
        if transport == "quic":
            raise UsageError("QUIC itself is not simulated: send by udp or tcp")
        self.link = link
        self.transport = transport
        self.port = port
        """the peer's, or the own one of an incoming connection."""
        self._incoming = incoming
        self._socket: DatagramSocket | None = None
        self._stream: StreamSocket | None = None
        self._answer_to = 0 if incoming else port
        if incoming and transport == "udp":
            self._socket = link.datagram_socket(port)

    async def send(self, octets: bytes, seconds: float) -> None:
        """Send. Raises LinkError (of the link), UsageError, TimeoutError."""
        if self.transport == "udp":
            socket = self._datagrams()
            if not self._answer_to:
                raise UsageError(
                    "nobody to send a datagram to: the peer has sent none, and no port is known"
                )
            socket.send(octets, self._answer_to)
            return
        stream = await asyncio.wait_for(self._byte_stream(), seconds)
        await asyncio.wait_for(stream.write(octets), seconds)

    async def receive(self, seconds: float) -> bytes:
        """The next datagram, or some octets of the stream. Raises LinkError, TimeoutError."""
        if self.transport == "udp":
            datagram = await asyncio.wait_for(self._datagrams().receive(), seconds)
            self._answer_to = datagram.port
            return datagram.data
        stream = await asyncio.wait_for(self._byte_stream(), seconds)
        return await asyncio.wait_for(stream.read(), seconds)

    def _datagrams(self) -> DatagramSocket:
        if self._socket is None:
            self._socket = self.link.datagram_socket()
        return self._socket

    async def _byte_stream(self) -> StreamSocket:
        if self._stream is None:
            if self._incoming:
                self._stream = await self.link.listen(self.port).accept()
            else:
                self._stream = await self.link.connect(self.port)
        return self._stream
