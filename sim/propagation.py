"""Radio propagation: distance to loss, powers in dBm and mW, and the settings of an air.

Log-distance model: loss = reference_loss_db + 10 * path_loss_exponent * log10(d / 1 m), d at least `NEAR_M`, plus a
constant normal term per link (shadowing, cut at 3 sigma so that reach has a bound). Received powers are rounded to
whole dBm once, and everything after that (range, sums of interference, reports) uses the rounded value.
Free-space loss at 1 m and 2.44 GHz is 20 log10(4 pi f / c) = 40.2 dB; the constants of an air are those of 2.4 GHz, and
a channel ("wifi", n) of 5 GHz loses 20 log10(f / 2.44 GHz) more at every distance.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import TYPE_CHECKING

import msgspec

from protocols.errors import UsageError
from protocols.wifi_aware.airtime import channel_mhz, is_2_4_ghz

if TYPE_CHECKING:
    from collections.abc import Hashable

    from sim.rng import Streams

__all__ = [
    "MW",
    "AirSettings",
    "Path",
    "Position",
    "capture_ratio",
    "distance_m",
    "frequency_loss_db",
    "path_loss_db",
    "shadowing_db",
]

Position = tuple[float, float, float]

NEAR_M = 0.1
REFERENCE_MHZ = 2440
SHADOWING_CUT = 3.0

MW: dict[int, float] = {dbm: 10.0 ** (dbm / 10.0) for dbm in range(-400, 101)}
"""Milliwatts by whole dBm."""


class AirSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Constants of an air; the defaults are an undisturbed free space."""

    path_loss_exponent: float = 2.0
    """Growth of loss with distance, no unit: 2 = free space, about 1.8 in a corridor, 2.5 to 4 indoors."""
    reference_loss_db: float = 40.2
    """Loss over the first metre, dB: free space at 2.44 GHz."""
    shadowing_sigma_db: float = 0.0
    """Standard deviation of the constant part of each link (walls, bodies), dB; the same in both directions."""
    fading_sigma_db: float = 0.0
    """Standard deviation of each packet's power at each receiver, dB; interference is taken at its mean."""
    loss: float = 0.0
    """Probability 0..1 that a packet that would be received is lost all the same."""
    capture_db: float = 21.0
    """How far a packet must exceed the sum of those it overlaps with to survive, dB. 21 is the worst co-channel
    rejection the Core Specification allows for LE 1M (Vol 6 Part A section 4.2); real receivers do better."""
    noise_floor_dbm: int = -104
    """Power below which a packet is neither heard nor disturbs, dBm: thermal noise in 1 MHz and 10 dB noise figure."""
    collisions: bool = True
    """Whether packets that overlap on a channel disturb each other."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.loss <= 1.0:
            raise UsageError(f"air setting loss is {self.loss:g}; it is a probability, 0 to 1")
        for name in ("path_loss_exponent", "shadowing_sigma_db", "fading_sigma_db"):
            value: float = getattr(self, name)
            if not 0.0 <= value < math.inf:
                raise UsageError(f"air setting {name} is {value:g}; it must not be negative")


class Path:
    """A walk: straight lines between `points` (t_us, position) in order of time, at rest before and after."""

    __slots__ = ("_points",)

    def __init__(self, points: list[tuple[int, Position]]) -> None:
        times = [t_us for t_us, _ in points]
        if not points or times != sorted(set(times)):
            raise UsageError("a path needs at least one point, and its times must rise")
        self._points = points

    def at(self, t_us: int) -> Position:
        """Return the position at `t_us`."""
        points = self._points
        if t_us <= points[0][0]:
            return points[0][1]
        for (t0_us, a), (t1_us, b) in itertools.pairwise(points):
            if t_us < t1_us:
                part = (t_us - t0_us) / (t1_us - t0_us)
                return (
                    a[0] + (b[0] - a[0]) * part,
                    a[1] + (b[1] - a[1]) * part,
                    a[2] + (b[2] - a[2]) * part,
                )
        return points[-1][1]

    def moving(self, t_us: int) -> bool:
        """Whether the position still changes after `t_us`."""
        return t_us < self._points[-1][0]


def distance_m(a: Position, b: Position) -> float:
    """Distance of two positions, metres."""
    return math.dist(a, b)


def path_loss_db(settings: AirSettings, distance: float) -> float:
    """Loss over `distance` metres, dB, without shadowing."""
    return settings.reference_loss_db + 10.0 * settings.path_loss_exponent * math.log10(
        max(distance, NEAR_M)
    )


@functools.cache
def frequency_loss_db(channel: Hashable) -> float:
    """What a channel loses beyond 2.4 GHz, dB: 0 for the channels of LE and of Wi-Fi at 2.4 GHz."""
    match channel:
        case ("wifi", int(number)) if not is_2_4_ghz(number):
            return 20.0 * math.log10(channel_mhz(number) / REFERENCE_MHZ)
        case _:
            return 0.0


def reach_m(settings: AirSettings, power_dbm: int) -> float:
    """Distance beyond which a packet of `power_dbm` is below the noise floor, whatever the shadowing."""
    if settings.path_loss_exponent == 0:
        return math.inf
    margin_db = SHADOWING_CUT * settings.shadowing_sigma_db + 0.5  # 0.5: rounding to whole dBm
    budget_db = power_dbm - settings.noise_floor_dbm - settings.reference_loss_db + margin_db
    reach: float = 10.0 ** (budget_db / (10.0 * settings.path_loss_exponent))
    return max(NEAR_M, reach)


def shadowing_db(settings: AirSettings, streams: Streams, a: str, b: str) -> float:
    """Constant loss of the link between nodes `a` and `b`, dB; symmetric."""
    if not settings.shadowing_sigma_db:
        return 0.0
    first, second = sorted((a, b))
    normal = streams.normal(f"air.shadowing/{first}|{second}")
    return settings.shadowing_sigma_db * max(-SHADOWING_CUT, min(SHADOWING_CUT, normal))


def capture_ratio(settings: AirSettings) -> float:
    """`capture_db` as a ratio of powers, a hair less so that the exact border survives float noise."""
    ratio: float = 10.0 ** (settings.capture_db / 10.0)
    return ratio * (1.0 - 1e-9)
