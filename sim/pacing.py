"""Pace of simulated time against a wall clock: pure arithmetic, the wall time is an argument.

Simulated time follows an anchor: `sim_us = anchor_us + (wall_s - anchor_wall_s) * speed * 1e6`. A run that falls
behind catches up at full speed; one that is more than `MAX_LAG_S` behind (a suspended machine, a debugger)
gives the lost time up instead.
"""

from __future__ import annotations

__all__ = ["MAX_LAG_S", "Pace"]

MAX_LAG_S = 0.5


class Pace:
    """Maps simulated microseconds to wall seconds at `speed` (simulated per wall second, > 0)."""

    __slots__ = ("anchor_us", "anchor_wall_s", "speed")

    def __init__(self, speed: float, now_us: int, wall_s: float) -> None:
        self.speed = speed
        self.anchor_us = now_us
        self.anchor_wall_s = wall_s

    def wait_s(self, t_us: int, wall_s: float) -> float:
        """Wall seconds from `wall_s` until simulated `t_us` is due; <= 0 when it is due already."""
        wait_s = self.anchor_wall_s + (t_us - self.anchor_us) / 1e6 / self.speed - wall_s
        if wait_s < -MAX_LAG_S:
            self.anchor_us = t_us
            self.anchor_wall_s = wall_s
            return 0.0
        return wait_s

    def reached_us(self, wall_s: float) -> int:
        """Return the simulated time that belongs to `wall_s`."""
        return self.anchor_us + int((wall_s - self.anchor_wall_s) * self.speed * 1e6)
