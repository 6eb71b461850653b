"""A transmitter that respects nobody: noise on some channels, all the time or in bursts.

The power at a receiver follows from place and distance as that of any radio (sim/propagation.py). Rules of the file:
noise is no packet; it is in no capture and nobody decodes it, it only spoils what it overlaps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from protocols.errors import UsageError
from sim.device import Settings
from sim.faults import Fault
from sim.propagation import MW, Path
from sim.units import Duration  # msgspec reads the annotations

if TYPE_CHECKING:
    from collections.abc import Hashable

    from sim.air import Air
    from sim.faults import Befalls, FaultPlace
    from sim.propagation import Position
    from sim.radio import Radio


class JammerSettings(Settings, frozen=True, kw_only=True):
    """Settings of the jammer."""

    channels: tuple[int, ...] = (37, 38, 39)
    """BLE channels it sends on, 0 to 39; empty for all of them."""
    power_dbm: int = 20
    """transmit power, dBm, on each channel."""
    at: tuple[float, ...] = ()
    """where it stands, metres; beside the node when empty."""
    duty_pct: float = 100.0
    """part of the time that it sends, percent."""
    period: Duration = Duration(10_000)
    """time from burst to burst; a duration."""

    def __post_init__(self) -> None:
        if any(not 0 <= channel <= 39 for channel in self.channels):
            raise ValueError(f"channels {list(self.channels)}: allowed are 0 to 39")
        if not 0 < self.duty_pct <= 100:
            raise ValueError(
                f"duty_pct {self.duty_pct:g}: allowed are more than 0 up to 100 percent"
            )
        if self.period < 100:
            raise ValueError("period: must be at least 100us")
        if not -100 <= self.power_dbm <= 40:
            raise ValueError(f"power_dbm {self.power_dbm}: allowed are -100 to 40 dBm")
        if self.at and len(self.at) not in (2, 3):
            raise ValueError("at: needs two or three numbers (metres)")


class Noise:
    """The jammer's transmissions, as the air asks for them."""

    def __init__(
        self, air: Air, name: str, place: Position, settings: JammerSettings, phase_us: int
    ) -> None:
        self._air = air
        self._name = name
        self._place = place
        self._settings = settings
        self._phase_us = phase_us
        self._channels = frozenset(settings.channels or range(40))
        self._burst_us = round(settings.period * settings.duty_pct / 100)

    def listens(self, radio: Radio, channel: Hashable) -> None:
        """Nothing to prepare."""

    def deafens(self, radio: Radio, channel: Hashable) -> None:
        """Nothing to undo."""

    def moved(self, radio: Radio) -> None:
        """Nothing is remembered."""

    def power_mw(self, radio: Radio, channel: Hashable, start_us: int, end_us: int) -> float:
        """Power at `radio` when a burst overlaps [start_us, end_us)."""
        if channel not in self._channels or not self._sends(start_us, end_us):
            return 0.0
        loss_db = self._air.losses.loss_from(self._name, self._place, radio)
        power_dbm = round(self._settings.power_dbm - loss_db)
        return MW[power_dbm] if power_dbm >= self._air.settings.noise_floor_dbm else 0.0

    def _sends(self, start_us: int, end_us: int) -> bool:
        period_us = int(self._settings.period)
        into_us = (start_us - self._phase_us) % period_us
        return into_us < self._burst_us or into_us + (end_us - start_us) > period_us


class Jammer(Fault):
    """A jammer: noise on the advertising channels, or on any."""

    Settings: ClassVar[type[Settings]] = JammerSettings
    befalls: ClassVar[Befalls] = "air"
    about = "a transmitter with power, place and duty cycle; no product. confidence: made up"
    settings: JammerSettings

    def check(self) -> None:
        """It has to stand somewhere, and noise has to matter."""
        if not self.world.air.settings.collisions:
            raise UsageError("collisions = false in this air, so noise disturbs nobody")
        if not self.settings.at and not self.node:
            raise UsageError("at: say where it stands, or beside which node")

    def apply(self, world: FaultPlace) -> None:
        """Switch it on."""
        name = f"jammer{self.number}"
        phase_us = self.stream("phase").randrange(int(self.settings.period))
        noise = Noise(world.air, name, self._place(world), self.settings, phase_us)
        world.air.join(noise)
        self.on_clear(lambda: world.air.leave(noise))

    def _place(self, world: FaultPlace) -> Position:
        if self.settings.at:
            x, y, z = (*self.settings.at, 0.0)[:3]
            return (x, y, z)
        place: Any = world.position_of(self.node)
        return place.at(world.now_us) if isinstance(place, Path) else place


FAULT = Jammer
