"""Limits of a run: callbacks at one instant, a simulated deadline, a wall-clock budget.

Names of callbacks are taken only in the last quarter before the limit, so a healthy run pays one comparison per
callback. The wall time is an argument: it is read in sim/clock.py alone.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any, cast

from protocols.errors import WatchdogError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DEFAULT_LIMIT", "Watchdog"]

DEFAULT_LIMIT = 200_000


def callback_name(callback: Any) -> str:
    """Name a callback for a message; a step of a task is named by its coroutine."""
    owner: Any = getattr(callback, "__self__", None)
    if asyncio.isfuture(owner) and hasattr(owner, "get_coro"):
        task = cast("asyncio.Task[Any]", owner)
        coroutine: Any = task.get_coro()
        return f"task {task.get_name()} ({getattr(coroutine, '__qualname__', coroutine)})"
    callback = getattr(callback, "func", callback)  # functools.partial
    return str(getattr(callback, "__qualname__", None) or repr(callback))


class Watchdog:
    """Counts `callbacks` of the current instant; passing a limit raises WatchdogError.

    `deadline_us`: simulated time that must not be passed; `wall_limit_s`: wall seconds from the next driver call
    on; None = no limit.
    """

    def __init__(self) -> None:
        self.callbacks = 0
        self.deadline_us: int | None = None
        self._names: Counter[str] = Counter()
        self._wall_limit_s: float | None = None
        self._wall_end_s: float | None = None
        self.limit = DEFAULT_LIMIT

    @property
    def limit(self) -> int:
        """Callbacks allowed at one instant."""
        return self._limit

    @limit.setter
    def limit(self, value: int) -> None:
        self._limit = value
        self.suspicious = value * 3 // 4

    @property
    def wall_limit_s(self) -> float | None:
        """Wall seconds that the run may take."""
        return self._wall_limit_s

    @wall_limit_s.setter
    def wall_limit_s(self, value: float | None) -> None:
        self._wall_limit_s = value
        self._wall_end_s = None

    def count(self, handles: Iterable[asyncio.Handle], now_us: int) -> None:
        """Count what asyncio is about to run."""
        handles = list(handles)
        self.callbacks += len(handles)
        if self.callbacks > self.suspicious:
            for handle in handles:
                self.suspect(handle._callback, now_us)  # type: ignore[attr-defined] # pyright: ignore  # asyncio keeps it there

    def suspect(self, callback: Any, now_us: int) -> None:
        """Note the name of a callback already counted; raise when the limit is passed."""
        if self.callbacks == self.suspicious + 1:
            self._names.clear()
        self._names[callback_name(callback)] += 1
        if self.callbacks > self._limit:
            busiest, _ = self._names.most_common(1)[0]
            self.callbacks = 0
            self._names.clear()
            raise WatchdogError(
                f"time stands still at {now_us / 1e6:.6f} s of simulated time: more than {self._limit} callbacks at "
                f"one instant, most of them {busiest}; give its repetition a delay"
            )

    def move(self, t_us: int) -> None:
        """Begin the instant `t_us`; raise when it is past the deadline."""
        if self.deadline_us is not None and t_us > self.deadline_us:
            raise WatchdogError(
                f"the run did not end by its deadline of {self.deadline_us / 1e6:.6f} s of simulated time"
            )
        self.callbacks = 0
        if self._names:
            self._names.clear()

    def begin(self, wall_s: float) -> None:
        """Start the wall budget, if there is one that has not started."""
        if self._wall_limit_s is not None and self._wall_end_s is None:
            self._wall_end_s = wall_s + self._wall_limit_s

    def wall_left_s(self, wall_s: float, now_us: int) -> float | None:
        """Wall seconds left of the budget, None without one; raise when it is used up."""
        if self._wall_end_s is None:
            return None
        left_s = self._wall_end_s - wall_s
        if left_s <= 0:
            raise WatchdogError(
                f"the run used up its {self._wall_limit_s:g} s of wall time at {now_us / 1e6:.6f} s of simulated "
                "time; raise the limit or simulate less"
            )
        return left_s
