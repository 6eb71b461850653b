"""A controller behind a TCP listener: an emulator, ser2net, another machine's bridge."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hw_bridge.errors import BadMonikerError, opening_error
from hw_bridge.link import OPEN_S, Link, LinkInfo, Transport
from hw_bridge.links.stream import StreamLink
from hw_bridge.transports._octets import FRAMING, OctetPort, host_and_port

if TYPE_CHECKING:
    from hw_bridge.link import Receiver
    from hw_bridge.moniker import Moniker

__all__ = ["TRANSPORT", "TcpClientPort"]

_REMEDIES = {
    "refused": "start the other side first, and check address and port",
    "not-found": "check the name of the host",
}


class TcpClientPort(OctetPort):
    """One address."""

    def __init__(self, moniker: Moniker) -> None:
        super().__init__(moniker)
        self._host, self._port = host_and_port(moniker)
        if not self._port:
            raise BadMonikerError(f"{moniker.text}: nobody listens on port 0; which one is it?")

    async def open(self, receiver: Receiver) -> Link:
        """Connect. Raises BridgeError."""
        loop = asyncio.get_running_loop()
        info = LinkInfo(node=f"{self._host}:{self._port}")
        try:
            async with asyncio.timeout(OPEN_S):
                _, link = await loop.create_connection(
                    lambda: StreamLink(receiver, info), self._host, self._port
                )
        except (OSError, TimeoutError) as exc:
            raise opening_error(exc, self.moniker.text, remedies=_REMEDIES) from exc
        return link


TRANSPORT = Transport(
    summary="a controller that listens on TCP",
    form="tcp-client:HOST:PORT[?framing=h5]",
    example="tcp-client:127.0.0.1:6402",
    carries="octets",
    options=FRAMING,
    port=TcpClientPort,
)
