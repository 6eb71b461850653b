"""The clocks of Python's `time` module in simulated time, for a program that measures or waits without asyncio.

Without it a loop such as "until time.monotonic() is 10 s later" would go through hours of simulated time while ten
real seconds pass. Rules of the file:
* `time`, `monotonic`, `perf_counter` and their `_ns` twins start at the real values and go on by simulated time.
* `sleep` lets the world run. In other threads than the program's first one all of them are the real ones: a worker
  thread does not live in simulated time.
* `datetime.now()` and what is written in C keep the real clock.
"""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from hw_bridge.bleak_air.loops import Drive

__all__ = ["simulated_clocks"]

_SECONDS = ("time", "monotonic", "perf_counter")
_NANOSECONDS = tuple(f"{name}_ns" for name in _SECONDS)


@contextlib.contextmanager
def simulated_clocks(drive: Drive) -> Generator[None]:
    """Inside the block the functions of `time` follow `drive` in this thread."""
    real = {name: getattr(time, name) for name in (*_SECONDS, *_NANOSECONDS, "sleep")}
    mine, world = threading.get_ident(), drive.world
    start_us = world.now_us

    def here(simulated: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            at_home = threading.get_ident() == mine
            return simulated(*args) if at_home else real[name](*args)

        return call

    def sleep(seconds: float) -> None:
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        end_us = world.now_us + round(seconds * 1e6)
        while True:  # what happens for the program's loop interrupts the world, and the loop is not waiting now
            drive.run(end_us)
            if world.now_us >= end_us:
                return

    def going_on(name: str) -> Callable[[], Any]:
        start, unit = real[name](), 1000 if name in _NANOSECONDS else 1e-6
        return lambda: start + (world.now_us - start_us) * unit

    for name in (*_SECONDS, *_NANOSECONDS):
        setattr(time, name, here(going_on(name), name))
    time.sleep = here(sleep, "sleep")
    try:
        yield
    finally:
        for name, function in real.items():
            setattr(time, name, function)
