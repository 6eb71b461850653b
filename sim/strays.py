"""Exceptions that no node answers for: of tasks and timers that a device's code made by itself.

asyncio tells of a task's exception when somebody waits for it or when it is collected; a run has to tell before
it says that it passed. No clock, no chance.
"""

from __future__ import annotations

import asyncio
import weakref
from typing import TYPE_CHECKING, Any

from protocols.errors import NearbenchError, SimulationError, origin_of

if TYPE_CHECKING:
    from collections.abc import Coroutine

__all__ = ["Strays", "closing", "order_of"]


class Strays:
    """Every task of one loop; install `make` as its task factory."""

    def __init__(self) -> None:
        self._all: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()

    def make(self, loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> asyncio.Task[Any]:
        """Task factory: remembers every task, also those that a user's code makes and forgets."""
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=loop, **options)
        self._all.add(task)
        return task

    def look(self, t_us: int) -> None:
        """Raise what a task raised that nobody waited for."""
        for task in sorted(self._all, key=order_of):
            if task.done() and not task.cancelled() and getattr(task, "_log_traceback", False):
                error = task.exception()
                if error is not None and not isinstance(error, NearbenchError):
                    raise self.error(error, t_us) from error

    def error(self, exc: BaseException, t_us: int) -> SimulationError:
        """`exc` as an error that names time, file and line."""
        where = f"{type(exc).__name__}: {exc} ({origin_of(exc)})"
        return SimulationError(f"at {t_us / 1e6:.6f} s a task or timer of the run raised {where}")


def order_of(task: asyncio.Task[Any]) -> tuple[int, str]:
    """Tasks in the order they were made: a set has none."""
    name = task.get_name()
    return (int(name[5:]) if name[5:].isdigit() else 0, name)


def closing(task: asyncio.Task[Any], inner: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """`task`, which awaits `inner`; a task that is cancelled before it began leaves that to nobody, so it is closed."""
    task.add_done_callback(lambda _: inner.close())
    return task
