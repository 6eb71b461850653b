"""The clock of a running world as others may set it: pause, step, run on, speed. One part of `sim.control.Control`.

Each change is carried out on the world's thread and traced as `clock`, for machines. Who steps runs at full speed up to
there; who lets time go on runs at the chosen speed, and no faster than real time while somebody is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.world import World

__all__ = ["ClockControl"]

_SECOND_US = 1_000_000
_LOOK_AHEAD_US = 60 * _SECOND_US


class ClockControl:
    """Pause, steps and speed of `world`; `_call` and `_is_asking` are other parts'."""

    world: World

    def __init__(self, speed: float | None) -> None:
        self._speed = speed
        self._messages: int = 0
        """messages of protocols and questions so far."""
        self._stepping = False

    def _call(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> None:
        """Have the world's thread call `function`."""
        raise NotImplementedError

    def _is_asking(self) -> bool:
        """Whether a question waits for the screen."""
        raise NotImplementedError

    @property
    def speed(self) -> float | None:
        """Simulated seconds per second when the clock runs; None = as fast as possible."""
        return self._speed

    def _pace(self) -> float | None:
        """The speed the clock has when it runs: nobody can type as fast as simulated time may pass."""
        is_fast = self._speed is None or self._speed > 1
        return 1.0 if is_fast and self._is_asking() else self._speed

    def _repace(self) -> None:
        """What `_pace` says has changed."""
        if not self._stepping:
            self.world.loop.speed = self._pace()

    def pause(self) -> None:
        """Hold simulated time after the current instant."""
        self._call(self._clock, "pause", self.world.loop.pause)

    def resume(self) -> None:
        """Let simulated time go on at the chosen speed, also beyond the scenario's end."""

        def go_on() -> None:
            self._stepping = False
            self.world.loop.speed = self._pace()
            self.world.loop.resume()

        self._call(self._clock, "resume", go_on)

    def set_speed(self, speed: float | None) -> None:
        """Simulated seconds per second; None = as fast as possible. Raises UsageError."""
        if speed is not None and not 0 < speed < 1e6:
            raise UsageError(f"speed {speed:g}: give a factor above 0, or none for full speed")
        self._speed = speed

        self._call(self._clock, "speed", self._repace, speed=speed or 0)

    def step(self) -> None:
        """Run up to the next event of the trace, and hold; after a minute without one, too."""
        self._call(self._clock, "step", lambda: self._look_for(self._next_event()))

    def next_message(self) -> None:
        """Run up to the next message of a protocol (what repeats itself is passed over) or question, and hold.

        After a minute of simulated time without one, too.
        """
        self._call(self._clock, "next_message", lambda: self._look_for(self._next_message()))

    def run_for(self, duration_us: int = _SECOND_US) -> None:
        """Run on for a while, and hold."""

        def begin() -> None:
            self._run_until(self._passed(duration_us))

        self._call(self._clock, "run_for", begin, duration_us=duration_us)

    def _passed(self, duration_us: int) -> Callable[[], bool]:
        loop = self.world.loop
        end_us = loop.now_us + duration_us
        loop.at_us(end_us, lambda: None)  # so that the clock stops there
        return lambda: loop.now_us >= end_us

    def _look_for(self, reached: Callable[[], bool]) -> None:
        in_vain = self._passed(_LOOK_AHEAD_US)
        self._run_until(lambda: reached() or in_vain())

    def _next_event(self) -> Callable[[], bool]:
        trace, before = self.world.trace, self.world.trace.count
        return lambda: trace.count > before

    def _next_message(self) -> Callable[[], bool]:
        before = self._messages
        return lambda: self._messages > before

    def _run_until(self, reached: Callable[[], bool]) -> None:
        """Full speed up to there: who steps wants to see what comes next, not to wait for it."""
        self._stepping = True
        self.world.loop.speed = None
        self.world.loop.run_to(reached)

    def _clock(self, what: str, change: Callable[[], None], **details: Any) -> None:
        self.world.emit(
            "", "control", "clock", label="clock", note=what.replace("_", " "), do=what, quiet=True, **details
        )  # fmt: skip
        change()
