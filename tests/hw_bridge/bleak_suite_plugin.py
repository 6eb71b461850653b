"""pytest plug-in for bleak's own integration suite: its peripheral's controller is one more in the simulated air.

The suite opens an HCI transport by bumble's moniker. With this plug-in loaded every moniker gives a controller of the
world that the program lives in; packets cross between its loop and the program's.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from bumble import transport
from bumble.transport.common import Transport

from hw_bridge.bleak_air.bench import current, post
from hw_bridge.bleak_air.loops import ProgramLoop
from sim.ble.controller import AirController

_NUMBERS = itertools.count(1)


class _Crossing:
    """Source and sink of a transport at once; the controller's host is whoever listens on the program's loop."""

    def __init__(self) -> None:
        bench = current()
        world = bench.world
        loop = asyncio.get_running_loop()
        assert isinstance(loop, ProgramLoop)
        self._loop = loop
        self._world = world
        self._host: Any = None
        self.terminated: asyncio.Future[None] = loop.create_future()
        self.controller = AirController(
            f"suite{next(_NUMBERS)}", world.air, world.loop, world.streams, position=(2.0, 0.0, 0.0)
        )
        self.controller.set_packet_sink(self._From(self))

    class _From:
        def __init__(self, crossing: _Crossing) -> None:
            self._crossing = crossing

        def on_packet(self, packet: bytes) -> None:
            post(self._crossing._loop, self._crossing._deliver, packet)

    def _deliver(self, packet: bytes) -> None:
        if self._host is not None:
            self._host.on_packet(packet)

    def set_packet_sink(self, sink: Any) -> None:
        self._host = sink

    def on_packet(self, packet: bytes) -> None:
        self._world.loop.call_soon(self.controller.on_packet, packet)

    def close(self) -> None:
        self._host = None
        self.controller.host = None
        self.controller.on_packet(b"\x01\x03\x0c\x00")
        self._world.air.detach(self.controller.radio)


async def _open_transport(_: str) -> Transport:
    crossing = _Crossing()

    class Crossed(Transport):
        async def close(self) -> None:
            crossing.close()

    return Crossed(crossing, crossing)


transport.open_transport = _open_transport
