"""Work in real time until it is done, its time is over, or somebody stops it.

Rules of the file: whatever ends it, the work is cancelled and waited for, so that controllers are reset and files
closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator
    from types import FrameType

    from sim.world import RunResult, World

__all__ = ["STOPPING", "interrupted", "run_real", "run_world"]

_HOUR_US: Final = 3_600_000_000
_INTERRUPTED: Final = 130
_IMPORTING: Final = "<frozen importlib"
"""How the names of files begin whose code imports."""
STOPPING: Final = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""Signals that end the work; SIGHUP comes when its terminal is closed."""


def run_world(
    world: World,
    work: Coroutine[Any, Any, None],
    *,
    for_us: int | None = None,
    until: Callable[[], bool] = lambda: False,
    begin: Callable[[], object] = lambda: None,
) -> RunResult:
    """Run a world with `work` beside it, also until `until()`; then end both. Raises what they raise.

    `begin` is called once the world lives, before its time goes on. The work ends before the world does, also when
    the world fails: it gives back what is real.
    """
    loop, stopped = world.loop, asyncio.Event()
    end_us = None if for_us is None else loop.now_us + for_us
    try:
        with _signals(loop, stopped.set), world.session():
            begin()
            task = loop.create_task(work)

            def is_over() -> bool:
                return task.done() or stopped.is_set() or until()

            try:
                while not is_over() and (end_us is None or loop.now_us < end_us):
                    until_us = loop.now_us + _HOUR_US
                    loop.run_until(is_over, until_us if end_us is None else min(until_us, end_us))
            except BaseException:
                with contextlib.suppress(Exception):  # the first error is the one to tell
                    _end(loop, task)
                raise
            _end(loop, task)
    finally:
        work.close()
    return world.result()


def _end(loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> None:
    """Cancel a task and wait for it. Raises what it raises."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        loop.run_until_complete(task)


def run_real(work: Coroutine[Any, Any, None], *, for_us: int | None = None) -> None:
    """Run `work` on a loop of its own. Raises what it raises."""
    asyncio.run(_until_stopped(work, None if for_us is None else for_us / 1e6))


async def _until_stopped(work: Coroutine[Any, Any, None], limit_s: float | None) -> None:
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    task = loop.create_task(work)
    task.add_done_callback(lambda _: stopped.set())
    try:
        with _signals(loop, stopped.set), contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), limit_s)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@contextlib.contextmanager
def _signals(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> Generator[None]:
    """Inside the block the STOPPING signals call `stop`, where the platform and the thread allow it."""
    before: dict[signal.Signals, Any] = {}
    with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
        for number in STOPPING:
            handler = signal.getsignal(number)
            if handler is not signal.SIG_IGN:  # as under nohup
                loop.add_signal_handler(number, stop)
                before[number] = handler
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)


@contextlib.contextmanager
def interrupted() -> Generator[None]:
    """Inside the block a STOPPING signal raises KeyboardInterrupt, while nothing of `run_world`, `run_real` is at work.

    In the middle of an import the process ends at once: an exception could get lost there, and nothing is open yet.
    """
    before: dict[signal.Signals, Any] = {}

    def stop(_number: int, frame: FrameType | None) -> None:
        if _is_importing(frame):
            os.write(2, b"nearbench: stopped\n")
            os._exit(_INTERRUPTED)
        raise KeyboardInterrupt

    with contextlib.suppress(ValueError):  # not in the main thread
        for number in STOPPING:
            if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None and not frame.f_code.co_filename.startswith(_IMPORTING):
        frame = frame.f_back
    return frame is not None
