"""Event loops for a program that lives in a world's simulated time.

asyncio's interface for loops and policies (Python 3.11 to 3.13). Rules of the file:
* A program's loop never waits itself: where a real loop would sleep in its selector, it lets the world's loop run, up
  to its own next timer. So every `asyncio.run` gets a loop of its own, with its own tasks to cancel and close, and
  the air goes on where it stopped.
* What happens in the world reaches the program by `call_soon`, which ends that stretch of the world at its instant.
* Program and world share a thread. A program may use several loops one after another, not two at a time.
* Polling costs time: `POLLS` passes without waiting take `POLL_COST_US` of simulated time, as they would in reality.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import selectors
from typing import TYPE_CHECKING, Any, TypeVarTuple

from protocols.errors import SimulationError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from contextvars import Context

    from sim.clock import VirtualLoop

__all__ = ["Drive", "ProgramLoop", "program_loops"]

_Ts = TypeVarTuple("_Ts")

POLLS, POLL_COST_US = 100, 1000
_ROUNDING_S = 1e-9
_Ready = list[tuple[selectors.SelectorKey, int]]


class Drive:
    """The world's loop as the loops of a program drive it; `limit_us` is when the program must be done, None = never."""

    def __init__(self, world: VirtualLoop, limit_us: int | None = None) -> None:
        self.world = world
        self.limit_us = limit_us
        self.active = False
        self._told = False

    def run(self, until_us: int | None) -> None:
        """Let the world run until `until_us` (None: for ever) or until `interrupt`. Raises what the world raises."""
        if self.active or self.world.is_running():
            raise SimulationError(
                "the program runs two event loops at a time; in simulated time only one can run"
            )
        limit_us = None if self._told else self.limit_us
        target_us = min((t for t in (until_us, limit_us) if t is not None), default=None)
        self.active = True
        try:
            with _nothing_running():
                if target_us is None:
                    self.world.run_forever()
                else:
                    self.world.run_until_us(max(target_us, self.world.now_us))
        finally:
            self.active = False
        if limit_us is not None and self.world.now_us >= limit_us:
            self._told = True  # what the program does to end itself may take time
            raise SimulationError(
                f"the program still ran at {limit_us / 1e6:g} s of simulated time; "
                "--for sets how long it may run"
            )

    def interrupt(self) -> None:
        """End `run` at this instant; harmless when it does not run."""
        if self.active:
            self.world.stop()

    def wake(self) -> None:
        """The same from another thread or a signal handler."""
        if not self.world.is_closed():
            self.world.call_soon_threadsafe(self.world.stop)


@contextlib.contextmanager
def _nothing_running() -> Generator[None]:
    """Inside the block no loop runs and no task is current in this thread, as the world's loop wants it."""
    loop = (
        asyncio._get_running_loop()
    )  # the documented hook for loop implementations, as are the next
    task = None if loop is None else asyncio.current_task(loop)
    if loop is not None and task is not None:
        asyncio.tasks._leave_task(loop, task)  # likewise
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(loop)
        if loop is not None and task is not None:
            asyncio.tasks._enter_task(loop, task)  # likewise


class _Selector(selectors.BaseSelector):
    """Registers descriptors at the world's loop, and lets the world run where a selector would wait."""

    def __init__(self, drive: Drive, next_us: Callable[[float | None], int | None]) -> None:
        self._drive = drive
        self._next_us = next_us
        self._keys: dict[int, selectors.SelectorKey] = {}
        self._quiet: int | None = None
        self._events: dict[int, int] = {}
        self._polls = 0

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Watch `fileobj`; the first one is asyncio's own wake-up socket, which nobody needs until `watch_all`."""
        fd = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        if fd in self._keys:
            raise KeyError(f"{fileobj!r} is already registered")
        key = self._keys[fd] = selectors.SelectorKey(fileobj, fd, events, data)
        if len(self._keys) == 1:
            self._quiet = fd
        else:
            self._watch(key)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """Stop watching."""
        fd = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        key = self._keys.pop(fd)
        if fd == self._quiet:
            self._quiet = None
        else:
            self._unwatch(key)
        self._events.pop(fd, None)
        return key

    def watch_all(self) -> None:
        """Watch the wake-up socket as well: signals arrive there."""
        if self._quiet is not None:
            self._watch(self._keys[self._quiet])
            self._quiet = None

    def _watch(self, key: selectors.SelectorKey) -> None:
        world = self._drive.world
        if key.events & selectors.EVENT_READ:
            world.add_reader(key.fd, self._ready, key.fd, selectors.EVENT_READ)
        if key.events & selectors.EVENT_WRITE:
            world.add_writer(key.fd, self._ready, key.fd, selectors.EVENT_WRITE)

    def _unwatch(self, key: selectors.SelectorKey) -> None:
        if not self._drive.world.is_closed():
            self._drive.world.remove_reader(key.fd)
            self._drive.world.remove_writer(key.fd)

    def _ready(self, fd: int, event: int) -> None:
        self._events[fd] = self._events.get(fd, 0) | event
        self._drive.interrupt()

    def select(self, timeout: float | None = None) -> _Ready:
        """Let simulated time pass, at most `timeout` seconds (None: until something happens)."""
        if timeout is not None and timeout <= 0:
            self._poll()
        else:
            self._polls = 0
            self._drive.run(self._next_us(timeout))
        events, self._events = self._events, {}
        return [
            (self._keys[fd], mask & self._keys[fd].events)
            for fd, mask in events.items()
            if fd in self._keys
        ]

    def _poll(self) -> None:
        self._polls += 1
        if self._polls >= POLLS:
            self._polls = 0
            self._drive.run(self._drive.world.now_us + POLL_COST_US)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        """What is registered."""
        return {key.fileobj: key for key in self._keys.values()}


class ProgramLoop(asyncio.SelectorEventLoop):
    """asyncio's selector loop, waiting in simulated time; `on_close` is called when the program closes it."""

    def __init__(self, drive: Drive) -> None:
        self.drive = drive
        self.on_close: list[Callable[[], None]] = []
        self._air_selector = _Selector(drive, self._next_us)
        asyncio.SelectorEventLoop.__init__(self, self._air_selector)
        self._clock_resolution = 5e-7

    def time(self) -> float:
        """Simulated seconds since the world began."""
        return self.drive.world.now_us / 1e6

    def _next_us(self, timeout: float | None) -> int | None:
        """When the wait ends: `timeout` was computed from a timer on a whole microsecond."""
        return None if timeout is None else self.drive.world.now_us + round(timeout * 1e6)

    def call_at(
        self,
        when: float,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """As asyncio's, rounded up to a whole microsecond."""
        whole = math.ceil((when - _ROUNDING_S) * 1e6) / 1e6
        return super().call_at(whole, callback, *args, context=context)

    def call_soon(
        self,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """As asyncio's; from within the world it ends the world's stretch."""
        self.drive.interrupt()
        return super().call_soon(callback, *args, context=context)

    def _write_to_self(self) -> None:  # asyncio calls it after call_soon_threadsafe
        self.drive.wake()

    def add_signal_handler(self, sig: int, callback: Callable[[*_Ts], object], *args: *_Ts) -> None:
        """As asyncio's."""
        self._air_selector.watch_all()
        super().add_signal_handler(sig, callback, *args)

    def close(self) -> None:
        """As asyncio's; what the program left open on the air is closed too."""
        if not self.is_closed():
            for call in self.on_close:
                call()
            self.on_close.clear()
        super().close()


class _Policy(
    asyncio.DefaultEventLoopPolicy
):  # deprecated from Python 3.14 on, and still the way `asyncio.run` asks
    """Gives every new event loop the world's time."""

    def __init__(self, drive: Drive) -> None:
        super().__init__()
        self._drive = drive

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        """A loop in simulated time."""
        return ProgramLoop(self._drive)


@contextlib.contextmanager
def program_loops(drive: Drive) -> Generator[None]:
    """Inside the block `asyncio.run` and `new_event_loop` give loops of `drive`."""
    before = asyncio.get_event_loop_policy()  # pyright: ignore[reportDeprecated]  # see _Policy
    asyncio.set_event_loop_policy(_Policy(drive))  # pyright: ignore[reportDeprecated]  # likewise
    try:
        yield
    finally:
        asyncio.set_event_loop_policy(before)  # pyright: ignore[reportDeprecated]  # likewise
