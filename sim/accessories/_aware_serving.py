"""What Wi-Fi Aware accessories serve over a data path, on one port: datagrams are answered, streams greeted and echoed.

UDP and TCP over link-local IPv6 (`sim.wifi_aware.link`). Each link has its own servers, which end with it.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from sim.wifi_aware.link_sockets import LinkError

if TYPE_CHECKING:
    from sim.accessories._aware import AwareAccessory
    from sim.wifi_aware.link import Link
    from sim.wifi_aware.link_sockets import DatagramSocket, Listener, StreamSocket

__all__ = ["serve"]

_SHOWN = 32
"""Octets of received data that an event shows."""


def serve(accessory: AwareAccessory, link: Link, port: int) -> None:
    """Serve a port of a link until it ends."""
    accessory.background(_datagrams(accessory, link.datagram_socket(port)))
    accessory.background(_streams(accessory, link.listen(port)))


def _tell(accessory: AwareAccessory, transport: str, data: bytes) -> None:
    more = "..." * (len(data) > _SHOWN)
    accessory.emit(
        "data_received",
        note=f"{len(data)} octets by {transport.upper()}",
        label="data",
        transport=transport,
        octets=len(data),
        hex=f"{data[:_SHOWN].hex()}{more}",
    )


async def _datagrams(accessory: AwareAccessory, socket: DatagramSocket) -> None:
    count = 0
    with contextlib.suppress(LinkError):  # the data path has ended
        while True:
            data, port = await socket.receive()
            count += 1
            _tell(accessory, "udp", data)
            counts = accessory.settings.datagrams == "counter"
            socket.send(str(count).encode() if counts else data, port)


async def _streams(accessory: AwareAccessory, listener: Listener) -> None:
    with contextlib.suppress(LinkError):
        while True:
            accessory.background(_stream(accessory, await listener.accept()))


async def _stream(accessory: AwareAccessory, stream: StreamSocket) -> None:
    with contextlib.suppress(LinkError):
        await stream.write(accessory.settings.greeting.encode())
        while data := await stream.read():
            _tell(accessory, "tcp", data)
            await stream.write(data)
        stream.close()
