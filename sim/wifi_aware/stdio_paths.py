"""Commands of a node on a line about data paths and messages: open, close, rekey, send, and counter-proposals."""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Any, Literal

from protocols.errors import UsageError
from protocols.wifi_aware.ndp_path import State
from sim.device import command
from sim.wifi_aware.link_sockets import LinkError
from sim.wifi_aware.stdio_base import NodeBase, octets_of, path_terms

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.wifi_aware.ndp_path import Path
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
    async def rekey(self, peer: str = "", ndp_id: int = 0) -> dict[str, Any]:
        """Set a data path that this node asked for up anew, with new keys (0: the latest). Gives its NDP ID."""
        path = self._path(peer, ndp_id, State.CONNECTED)
        ids = path.peer, path.initiator_ndi, path.ndp_id
        return {"ndp_id": self.half.command(functools.partial(self.engine.data_path.rekey, *ids))}

    @command
    async def accept_counter(self, peer: str = "", ndp_id: int = 0) -> None:
        """Take the schedule that the responder proposes (`ndl_countered` told it, and that `manual` is on)."""
        self._decide(self.engine.data_path.accept_counter, peer, ndp_id)

    @command
    async def reject_counter(self, peer: str = "", ndp_id: int = 0) -> None:
        """Turn the schedule down that the responder proposes: the setup ends."""
        self._decide(self.engine.data_path.reject_counter, peer, ndp_id)

    def _decide(self, answer: Callable[[str, str, int, int], None], peer: str, ndp_id: int) -> None:
        path = self._path(peer, ndp_id, State.COUNTERED)
        self.half.command(functools.partial(answer, path.peer, path.initiator_ndi, path.ndp_id))

    def _path(self, peer: str, ndp_id: int, state: State) -> Path:
        """The latest data path of this node in a state, or the one of that number. Raises UsageError."""
        nmi = self.peer(peer)
        link = self.engine.data_path.links.get(nmi)
        for path in () if link is None else link.every():
            if path.initiator and path.state is state and ndp_id in (0, path.ndp_id):
                return path
        which = f"data path {ndp_id}" if ndp_id else "data path"
        raise UsageError(f"no {which} with {nmi} that this node asked for is {state.value}")

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
