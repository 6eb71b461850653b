"""An accessory that asks for its connection parameters again and again until it has them.

Bluetooth Core 5.4 Vol 3 Part A 4.20; Apple Developer Forums, thread 822187 (rule IB-24). US-19.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar

from sim.defects import put
from sim.device import Settings
from sim.faults import Fault
from sim.units import Duration  # msgspec reads the annotations

if TYPE_CHECKING:
    from sim.faults import Befalls, FaultPlace
    from sim.gatt import LinkParameters, Peer


class ParameterLoopSettings(Settings, frozen=True, kw_only=True):
    """Settings of the loop."""

    interval_min_ms: float = 30.0
    """shortest connection interval that it wants, ms."""
    interval_max_ms: float = 60.0
    """longest connection interval that it wants, ms."""
    latency: int = 30
    """peripheral latency that it wants, events."""
    timeout_ms: int = 6000
    """supervision timeout that it wants, ms."""
    every: Duration = Duration(1_000_000)
    """time from the connection to the first look at what is in force, and from look to look; a duration."""
    times: int = 0
    """how many times it asks on one connection at most; 0 = without end."""

    def __post_init__(self) -> None:
        if not 7.5 <= self.interval_min_ms <= self.interval_max_ms <= 4000:
            raise ValueError(
                "interval_min_ms, interval_max_ms: allowed are 7.5 to 4000 ms, in order"
            )
        if not 0 <= self.latency <= 499:
            raise ValueError(f"latency {self.latency}: allowed are 0 to 499 events")
        if not 100 <= self.timeout_ms <= 32000:
            raise ValueError(f"timeout_ms {self.timeout_ms}: allowed are 100 to 32000 ms")
        if self.every <= 0:
            raise ValueError("every: must be longer than nothing")
        if self.times < 0:
            raise ValueError("times: must not be negative")


class ParameterLoop(Fault):
    """The accessory asks for connection parameters whenever others are in force."""

    Settings: ClassVar[type[Settings]] = ParameterLoopSettings
    befalls: ClassVar[Befalls] = "accessory"
    about = "Apple Developer Forums, thread 822187 (US-19, IB-24). confidence: observed (the loop), made up (its period)"
    settings: ParameterLoopSettings

    def apply(self, world: FaultPlace) -> None:
        """Be told of connections."""
        self._loops: dict[int, asyncio.Task[Any]] = {}
        self.on_clear(self._end)
        self.on_clear(put(world.defects(self.node).connected, self._connected))

    def _connected(self, peer: Peer) -> None:
        earlier = self._loops.pop(peer.handle, None)
        if earlier is not None:
            earlier.cancel()
        self._loops[peer.handle] = self.world.spawn(self.node, self._loop(peer))

    def _end(self) -> None:
        for loop in self._loops.values():
            loop.cancel()
        self._loops.clear()

    async def _loop(self, peer: Peer) -> None:
        settings, asked = self.settings, 0
        device: Any = self.world.devices[self.node]
        while not settings.times or asked < settings.times:
            await asyncio.sleep(settings.every / 1e6)
            in_force = device.ble.parameters(peer)
            if in_force is None:
                return
            if self._satisfied(in_force):
                continue
            asked += 1
            low, high = settings.interval_min_ms, settings.interval_max_ms
            latency, timeout_ms = settings.latency, settings.timeout_ms
            await device.ble.request_parameters(peer, low, high, latency, timeout_ms)

    def _satisfied(self, now: LinkParameters) -> bool:
        wish = self.settings
        fits = wish.interval_min_ms <= now.interval_ms <= wish.interval_max_ms
        return fits and (now.latency, now.timeout_ms) == (wish.latency, wish.timeout_ms)


FAULT = ParameterLoop
