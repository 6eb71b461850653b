"""The sleep clock of a node runs wrong, by more than it says.

Bluetooth Core 5.4 Vol 6 Part B 4.2.2 (500 ppm at most) and 4.2.4 (window widening, which counts on what both sides
say of their clocks). Rules of the file: it shows where the peripheral sleeps long, or where the drift is gross.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sim.device import Settings
from sim.faults import Fault

if TYPE_CHECKING:
    from sim.faults import FaultPlace

MOST_PPM = 100_000


class ClockDriftSettings(Settings, frozen=True, kw_only=True):
    """Settings of the drift."""

    ppm: int = 5000
    """how much too fast the clock runs, parts per million; negative when it is slow."""

    def __post_init__(self) -> None:
        if not -MOST_PPM <= self.ppm <= MOST_PPM:
            raise ValueError(f"ppm {self.ppm}: allowed are -{MOST_PPM} to {MOST_PPM}")


class ClockDrift(Fault):
    """The radio's clock runs wrong in connections that are made from then on."""

    Settings: ClassVar[type[Settings]] = ClockDriftSettings
    about = "Core 5.4 Vol 6 Part B 4.2.2; 5000 ppm is an uncalibrated RC oscillator. confidence: made up (the number)"
    settings: ClockDriftSettings

    def apply(self, world: FaultPlace) -> None:
        """Detune it."""
        defects = world.defects(self.node)
        ppm = self.settings.ppm
        defects.clock_ppm += ppm
        defects.changed()

        def tune() -> None:
            defects.clock_ppm -= ppm
            defects.changed()

        self.on_clear(tune)


FAULT = ClockDrift
