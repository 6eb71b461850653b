"""Commands of a node on a line about data paths and messages: open, close, send."""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Any, Literal

from protocols.errors import UsageError
from sim.device import command
from sim.wifi_aware.link_sockets import LinkError
from sim.wifi_aware.stdio_base import NodeBase, octets_of, path_terms

if TYPE_CHECKING:
    from sim.wifi_aware.link import Link
    from sim.wifi_aware.link_sockets import DatagramSocket
    from sim.wifi_aware.stdio import LoneNode

__all__ = ["PathCommands"]

Way = Literal["", "udp", "tcp", "follow_up"]


class PathCommands(NodeBase):
    """Data paths, what goes over them, and follow-ups."""

    def __init__(self, node: LoneNode) -> None:
        super().__init__(node)
        self._sockets: dict[Link, DatagramSocket] = {}

    @command
    async def open_datapath(
        self,
        peer: str = "",
        csid: int = 0,
        passphrase: str = "",
        pmk: str = "",
        service_info: str = "",
        interface_id: str = "",
        gtk_csid: int = 0,
        ndi: str = "",
        handle: int = 0,
        instance: int = 0,
    ) -> dict[str, Any]:
        """Ask a publisher for a data path: open, by passphrase (csid 1 or 2), or by the pairing. Gives its NDP ID."""
        nmi = self.peer(peer)
        own, theirs = self.instances(nmi, handle, instance)
        given = path_terms(passphrase, pmk, service_info, interface_id, gtk_csid)
        number = self.half.command(
            lambda now: self.engine.data_path.request(
                nmi, own, theirs, csid=csid, ndi=ndi, **given, now=now
            )
        )
        return {"ndp_id": number}

    @command
    async def close_datapath(self, peer: str = "") -> None:
        """End the data paths with a peer."""
        nmi = self.peer(peer)
        link = self.engine.data_path.links.get(nmi)
        for path in () if link is None else tuple(link.paths):
            ids = path.initiator_ndi, path.ndp_id
            self.half.command(functools.partial(self.engine.data_path.terminate, nmi, *ids))

    @command
    async def send(
        self,
        peer: str = "",
        text: str = "",
        hex: str = "",  # noqa: A002  # as users write it
        by: Way = "",
        port: int = 0,
    ) -> None:
        """Send text or octets over the data path (udp, tcp), or as a follow-up; `data_received` tells answers."""
        data = octets_of(hex, "hex") or text.encode()
        nmi = self.peer(peer)
        link = self.half.paths.with_peer(nmi)
        way = by or ("follow_up" if link is None else "udp")
        if way == "follow_up":
            own, theirs = self.instances(nmi, 0, 0)
            self.half.command(
                lambda now: self.engine.discovery.transmit(nmi, own, theirs, data, now)
            )
            return
        if link is None:
            raise UsageError(f"no data path with {nmi}: open one first")
        number = port or self.node.acquaintance.port(nmi)
        if not number:
            raise UsageError("send: the peer told no port: give one")
        await (
            self._stream(link, data, number) if way == "tcp" else self._datagram(link, data, number)
        )

    async def _datagram(self, link: Link, data: bytes, port: int) -> None:
        socket = self._sockets.get(link)
        if socket is None:
            socket = self._sockets[link] = link.datagram_socket()
            self.place.spawn(self.name, self._hear(link, socket))
        socket.send(data, port)

    async def _hear(self, link: Link, socket: Any) -> None:
        with contextlib.suppress(LinkError):  # the data path has ended
            while True:
                came = await socket.receive()
                self._told(link, "udp", came.data)
        self._sockets.pop(link, None)

    async def _stream(self, link: Link, data: bytes, port: int) -> None:
        stream = await link.connect(port)
        await stream.write(data)
        stream.finish()
        while came := await stream.read():
            self._told(link, "tcp", came)
        await stream.closed()

    def _told(self, link: Link, transport: str, data: bytes) -> None:
        told = {"transport": transport, "hex": data.hex(), "from": str(link.peer)}
        self.node.write({"event": "data_received", "t_us": self.now_us, **told})
