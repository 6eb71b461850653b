"""Parts of the virtual loop: its plain event, the selector that passes simulated time, and its controls."""

from __future__ import annotations

import math
import selectors
import threading
from typing import TYPE_CHECKING, Any

from protocols.errors import SimulationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sim.clock import VirtualLoop

__all__ = ["Controls", "Event", "LoopSelector", "Ready"]

Ready = list[tuple[selectors.SelectorKey, int]]
"""What a selector returns."""


class Event(list[Any]):
    """A plain event; it is its own heap entry: t_us, number, callback (None = done or cancelled), args, loop."""

    __slots__ = ()

    @property
    def t_us(self) -> int:
        """Simulated time it is due."""
        due_us: int = self[0]
        return due_us

    @property
    def pending(self) -> bool:
        """Whether it is still to run."""
        return self[2] is not None

    def cancel(self) -> None:
        """Make it never run; harmless when it has run or was cancelled."""
        if self[2] is not None:
            self[2] = None
            self[3] = ()
            self[4].note_cancelled()


class LoopSelector(selectors.BaseSelector):
    """The loop's selector: registers at `real`, and lets the loop pass simulated time where it would sleep."""

    def __init__(self, loop: VirtualLoop, real: selectors.BaseSelector) -> None:
        self._loop = loop
        self._real = real

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Register at the real selector."""
        key = self._real.register(fileobj, events, data)
        self._loop.note_files(len(self._real.get_map()))
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """Unregister there."""
        key = self._real.unregister(fileobj)
        self._loop.note_files(len(self._real.get_map()))
        return key

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Modify there."""
        return self._real.modify(fileobj, events, data)

    def select(self, timeout: float | None = None) -> Ready:
        """Let the loop decide; it knows better than `timeout` what is due."""
        return self._loop.pass_time()

    def close(self) -> None:
        """Close the real selector."""
        self._real.close()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        """Return the real selector's map."""
        return self._real.get_map()


class Controls:
    """Speed, pause and steps of a loop; every method may be called from any thread."""

    def __init__(self, speed: float | None) -> None:
        self._lock = threading.Lock()
        self._speed = speed or None
        self._repace = True
        self._paused = False
        self._steps = 0
        self._run_to: Callable[[], bool] | None = None

    @property
    def speed(self) -> float | None:
        """Simulated seconds per wall second; None = as fast as possible."""
        return self._speed

    @speed.setter
    def speed(self, value: float | None) -> None:
        if value is not None and (value < 0 or not math.isfinite(value)):
            raise SimulationError(
                f"speed {value!r} is not a positive number; use 0 or None for full speed"
            )
        self._control(speed=value or None, repace=True)

    @property
    def paused(self) -> bool:
        """Whether simulated time is held."""
        return self._paused

    def pause(self) -> None:
        """Hold simulated time after the current instant."""
        self._control(paused=True, steps=0)

    def resume(self) -> None:
        """Let simulated time go on."""
        self._control(paused=False, repace=True)

    def step(self) -> None:
        """Hold simulated time, and run the next instant."""
        self._control(paused=True, steps=self._steps + 1)

    def run_to(self, predicate: Callable[[], bool]) -> None:
        """Let time go on, and pause after the first instant at which `predicate()` (called in the loop) holds."""
        self._control(run_to=predicate, paused=False, repace=True)

    def _control(self, **changes: Any) -> None:
        with self._lock:
            for name, value in changes.items():
                setattr(self, f"_{name}", value)
            self._controls_changed()
        self._wake()

    def _controls_changed(self) -> None:
        """Recompute what depends on them."""
        raise NotImplementedError

    def _wake(self) -> None:
        """End a sleep of the loop's thread."""
        raise NotImplementedError
