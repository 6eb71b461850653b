"""bumble's own controllers on its LocalLink behind the interface of `raw_host`, so that a check can be run on both.

Rules of the file: nothing of bumble is changed; what it raises in callbacks is swallowed, as its users see it.
"""

from __future__ import annotations

from typing import Any

from bumble import controller as bumble_controller
from bumble.link import LocalLink
from raw_host import RawHost

from sim.clock import VirtualLoop


class StockWorld:
    """A LocalLink on simulated time. What happens on its air cannot be seen."""

    def __init__(self) -> None:
        self.loop = VirtualLoop()
        self.loop.set_exception_handler(lambda loop, context: None)
        self.link = LocalLink()

    def __enter__(self) -> StockWorld:
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.close()

    def run(self, duration_us: int) -> None:
        self.loop.run_until_us(self.loop.now_us + duration_us)

    def host(self, name: str, *, public: str = "00:00:00:00:00:01", **_: Any) -> StockHost:
        """Positions and clocks mean nothing here."""
        return StockHost(self, name, public)

    def vanish(self, host: Any) -> None:
        """Its power is gone."""
        self.link.remove_controller(host.controller.real)


class _Later:
    """Hands packets to a controller from inside the loop, which it asks for."""

    def __init__(self, world: StockWorld, real: Any) -> None:
        self.world = world
        self.real = real

    def on_packet(self, packet: bytes) -> None:
        self.world.loop.call_soon(self.real.on_packet, packet)


class StockHost(RawHost):
    """`RawHost` on bumble's controller."""

    def __init__(self, world: Any, name: str, public: str) -> None:
        self.world = world
        self.name = name
        self.events: list[tuple[int, bytes]] = []

        async def make() -> Any:
            return bumble_controller.Controller(name, link=world.link, public_address=public)

        real = world.loop.run_until_complete(make())
        real.set_packet_sink(self)
        self.controller: Any = _Later(world, real)
        self.reset()
