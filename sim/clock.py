"""Virtual time: an asyncio event loop whose clock is an integer number of microseconds.

Rules:
* Time moves only between instants, straight to the next thing due. asyncio timers are rounded up to a whole
  microsecond, so sums of delays never drift.
* At one instant: first all plain events (`at_us`, `after_us`), in order of scheduling; then what `call_soon`
  made ready; then asyncio timers. Plain events that these schedule for the same instant start the round again.
  A stretch of plain events costs no asyncio iteration.
* An exception of a plain event goes the way of one in an asyncio callback: to the loop's exception handler. The
  default handler collects it; `run_until_us` stops at that instant and raises the first, `run_until_complete`
  raises it when its future is done. Exceptions are raised as they are, with a note of the simulated time.
* Nothing waits for ever: `watchdog` holds the limits; `run_until_complete` on a loop where nothing can happen any
  more raises WatchdogError.
* The wall clock is read here only, for pacing and for the wall budget.
* Paused means that time stands still; what is ready at the current instant still runs, real sockets are served.
* `speed`, `pause`, `resume`, `step`, `run_to` and `call_soon_threadsafe` may be called from any thread, the rest
  from the loop's own.
"""

from __future__ import annotations

import asyncio
import heapq
import math
import selectors
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

from protocols.errors import SimulationError, WatchdogError
from sim.loop_parts import Controls, Event, LoopSelector, Ready
from sim.pacing import Pace
from sim.watchdog import Watchdog

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Awaitable, Callable, Generator
    from concurrent.futures import Executor
    from contextvars import Context

__all__ = ["Event", "VirtualLoop"]

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

LONGEST_S = 3600.0  # of one wait: the kernel takes no more than some weeks
POLL_EVERY = 64  # instants between two looks at real file descriptors and at the wall budget
ROUNDING_S = 1e-9  # float noise of `time() + delay`; far below the resolution of 1 us


class VirtualLoop(Controls, asyncio.SelectorEventLoop):
    """Event loop in simulated time; `now_us` is its clock.

    `speed`: None or 0 = as fast as possible, 1.0 = real time. `wall` and `selector` are for tests.
    """

    _ready: deque[asyncio.Handle]  # of asyncio.BaseEventLoop, as are the next five
    _scheduled: list[Any]
    _timer_cancelled_count: int
    _stopping: bool
    _thread_id: int | None
    _write_to_self: Callable[[], None]

    def __init__(
        self,
        *,
        speed: float | None = None,
        wall: Callable[[], float] = time.perf_counter,
        selector: selectors.BaseSelector | None = None,
    ) -> None:
        self.now_us = 0
        self.watchdog = Watchdog()
        self._heap: list[Event] = []
        self._number = 0
        self._cancelled = 0
        self._errors: list[BaseException] = []
        self._target_us: int | None = None
        self._bound_us = 0  # plain events up to here concern nobody else
        self._until: Callable[[], bool] | None = None
        self._finishing = False  # in run_until_complete
        self._threads = False  # an executor may wake us
        self._wall = wall
        self._turns = 0
        self._files = 0
        self._pace: Pace | None = None
        self._attend = True  # anything beyond "as fast as possible"
        self._real = selector or selectors.DefaultSelector()
        Controls.__init__(self, speed)
        asyncio.SelectorEventLoop.__init__(self, LoopSelector(self, self._real))
        self._clock_resolution = 5e-7

    # Scheduling

    def time(self) -> float:
        """Simulated seconds, for asyncio; use `now_us` for arithmetic."""
        return self.now_us / 1e6

    def at_us(self, t_us: int, callback: Callable[..., object], *args: Any) -> Event:
        """Run `callback(*args)` at `t_us` (int, not in the past)."""
        if t_us < self.now_us or t_us.__class__ is not int:
            raise SimulationError(
                f"an event was scheduled for {t_us!r} us, and it is {self.now_us} us: "
                "the time must be an int that is not in the past"
            )
        self._number = number = self._number + 1
        event = Event((t_us, number, callback, args, self))
        heapq.heappush(self._heap, event)
        return event

    def after_us(self, delay_us: int, callback: Callable[..., object], *args: Any) -> Event:
        """Run `callback(*args)` `delay_us` (int, >= 0) from now."""
        return self.at_us(self.now_us + delay_us, callback, *args)

    def call_at(
        self,
        when: float,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """As asyncio's, rounded up to a whole microsecond."""
        when_us = math.ceil((when - ROUNDING_S) * 1e6)
        self._bound_us = min(self._bound_us, when_us)
        return super().call_at(when_us / 1e6, callback, *args, context=context)

    def call_later(
        self,
        delay: float,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """As asyncio's, rounded up to a whole microsecond from now."""
        when_us = self.now_us + math.ceil((delay - ROUNDING_S) * 1e6)
        return self.call_at(when_us / 1e6, callback, *args, context=context)

    def note_cancelled(self) -> None:
        """Count a cancelled event; the heap is swept when they are most of it."""
        self._cancelled += 1
        if self._cancelled > 256 and self._cancelled * 2 > len(self._heap):
            self._heap[:] = [event for event in self._heap if event[2] is not None]
            heapq.heapify(self._heap)
            self._cancelled = 0

    # Drivers

    def run_forever(self) -> None:
        """As asyncio's; starts the wall budget."""
        self.watchdog.begin(self._wall())
        self._controls_changed()
        super().run_forever()

    def run_until_us(self, t_us: int) -> None:
        """Run all that is due up to and including `t_us`; afterwards `now_us == t_us`.

        Raises the first exception of a callback or task (the clock stays there), and WatchdogError. A paused loop
        blocks here until another thread resumes it.
        """
        if t_us < self.now_us:
            raise SimulationError(f"cannot run until {t_us} us: it is {self.now_us} us already")
        self._raise_first()
        self._target_us = t_us
        try:
            self.run_forever()
        finally:
            self._target_us = None
        self._raise_first()

    def run_until(self, predicate: Callable[[], bool], t_us: int) -> bool:
        """Run until the first instant after which `predicate()` holds, at most until `t_us`; say whether it did."""
        self._until = predicate
        try:
            self.run_until_us(t_us)
        finally:
            self._until = None
        return predicate()

    def run_until_complete(self, future: Generator[Any, None, _T] | Awaitable[_T]) -> _T:
        """As asyncio's; raises WatchdogError when the future waits for something that cannot happen any more."""
        before, self._finishing = self._finishing, True
        try:
            result = super().run_until_complete(future)
        except WatchdogError:
            self._raise_first()
            raise
        finally:
            self._finishing = before
        self._raise_first()
        return result

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*_Ts], _T], *args: *_Ts
    ) -> asyncio.Future[_T]:
        """As asyncio's."""
        self._threads = True
        return super().run_in_executor(executor, func, *args)

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """Collect the exception of a callback or task for the driver; log what is none."""
        error = context.get("exception")
        if not isinstance(error, BaseException):
            super().default_exception_handler(context)
            return
        error.add_note(
            f"at {self.now_us / 1e6:.6f} s of simulated time: {context.get('message', '')}"
        )
        self._errors.append(error)
        if self._target_us is not None:
            self.stop()

    def _raise_first(self) -> None:
        if self._errors:
            first, *more = self._errors
            self._errors.clear()
            for other in more:
                first.add_note(f"followed by {type(other).__name__}: {other}")
            raise first

    def _wake(self) -> None:
        if threading.get_ident() != self._thread_id:
            self._write_to_self()

    def _controls_changed(self) -> None:
        controls = self._paused or self._until or self._run_to or self._speed or self._pace
        self._attend = bool(controls or self._files or self.watchdog.wall_limit_s is not None)

    # Passing time: called by asyncio once per iteration, where a real loop would sleep

    def note_files(self, registered: int) -> None:
        """Learn how many file descriptors are registered; one of them is asyncio's own."""
        self._files = max(0, registered - 1)
        self._controls_changed()

    def pass_time(self) -> Ready:
        """Run plain events and move the clock until asyncio has something to do; return ready descriptors."""
        if self._ready:
            self.watchdog.count(self._ready, self.now_us)
        self._bound_us = self.now_us
        while True:
            self._run_plain()
            if self._ready or self._stopping:
                return self._glance()
            due_us = self._next_us()
            if (
                due_us is not None and due_us <= self.now_us
            ):  # asyncio timers: the plain events have run
                self.watchdog.count(self._scheduled[:1], self.now_us)
                return []
            target_us = self._target_us
            over = target_us is not None and (due_us is None or due_us > target_us)
            limit_us = target_us if over else due_us
            if self._attend and not (over and target_us == self.now_us):
                events = self._hold(limit_us)
                if events is not None:
                    return events
            if limit_us is None:
                return self._idle()
            self._move(limit_us)
            if over:
                self.stop()

    def _move(self, t_us: int) -> None:
        """Set the clock, and how far plain events may take it without asking."""
        self.watchdog.move(t_us)
        self.now_us = t_us
        if self._attend:
            self._bound_us = t_us
            return
        bounds = [self._target_us, self.watchdog.deadline_us]
        if self._scheduled:
            bounds.append(round(self._scheduled[0]._when * 1e6))
        self._bound_us = max(t_us, min((b for b in bounds if b is not None), default=1 << 62))

    def _next_us(self) -> int | None:
        """Due time of what comes next, past what was cancelled."""
        heap, scheduled = self._heap, self._scheduled
        while heap and heap[0][2] is None:
            heapq.heappop(heap)
            self._cancelled -= 1
        while scheduled and scheduled[0]._cancelled:
            heapq.heappop(scheduled)._scheduled = False
            self._timer_cancelled_count -= 1
        plain_us: int | None = heap[0][0] if heap else None
        if not scheduled:
            return plain_us
        timer_us: int = round(scheduled[0]._when * 1e6)
        return timer_us if plain_us is None else min(timer_us, plain_us)

    def _run_plain(self) -> None:
        """Run the plain events of this instant, and on up to `_bound_us` while nobody else has anything to do."""
        heap, ready, watchdog, pop = self._heap, self._ready, self.watchdog, heapq.heappop
        now_us, count = self.now_us, watchdog.callbacks
        while heap:
            event = heap[0]
            t_us: int = event[0]
            if t_us > now_us and (t_us > self._bound_us or ready or self._attend or self._stopping):
                break
            pop(heap)
            callback = event[2]
            if callback is None:
                self._cancelled -= 1
                continue
            if t_us > now_us:
                self.now_us = now_us = t_us
                count = 0
            event[2] = None
            count += 1
            try:
                callback(*event[3])
            except Exception as error:  # noqa: BLE001 # whatever it is goes to the loop's exception handler
                self.call_exception_handler(
                    {"message": f"in event {callback!r}", "exception": error}
                )
                if self._stopping:
                    break
            if count > watchdog.suspicious:
                watchdog.callbacks = count
                watchdog.suspect(callback, now_us)
        watchdog.callbacks = count

    def _hold(self, limit_us: int | None) -> Ready | None:
        """Heed what makes time more than a jump to `limit_us`; None = go on, else what asyncio is to look at."""
        if self._until is not None and self._until():
            self.stop()
            return []
        if self._run_to is not None and self._run_to():
            self._control(run_to=None, paused=True, steps=0)
        if self._paused:
            if self._steps and limit_us is not None and limit_us != self._target_us:
                self._steps -= 1
                return None
            return self._sleep(None)
        if self._repace:
            self._repace = False
            self._pace = Pace(self._speed, self.now_us, self._wall()) if self._speed else None
            self._controls_changed()
        if self._pace is None or (limit_us is None and self._finishing):
            return self._glance() or None
        wait_s = None if limit_us is None else self._pace.wait_s(limit_us, self._wall())
        if wait_s is not None and wait_s <= 0:
            return self._glance() or None
        return self._sleep_paced(self._pace, wait_s, limit_us)

    def _sleep_paced(self, pace: Pace, wait_s: float | None, limit_us: int | None) -> Ready:
        events = self._sleep(wait_s)
        if events:  # woken early: time has passed all the same
            reached_us = pace.reached_us(self._wall())
            reached_us = reached_us if limit_us is None else min(reached_us, limit_us - 1)
            if reached_us > self.now_us:
                self._move(reached_us)
        return events

    def _glance(self) -> Ready:
        """Look at real descriptors and the wall budget now and then, without waiting."""
        if not self._attend:
            return []
        self._turns += 1
        if self._turns % POLL_EVERY and self._pace is None:
            return []
        self.watchdog.wall_left_s(self._wall(), self.now_us)
        return self._real.select(0) if self._files or self._pace is not None else []

    def _idle(self) -> Ready:
        if self._finishing and not self._files and not self._threads:
            raise WatchdogError(
                f"stuck at {self.now_us / 1e6:.6f} s of simulated time: the awaited task waits for something that "
                "nothing will ever do (no timer, event or descriptor is left)"
            )
        return self._sleep(None)

    def _sleep(self, wait_s: float | None) -> Ready:
        """Wait in the real selector, no longer than the wall budget allows."""
        left_s = self.watchdog.wall_left_s(self._wall(), self.now_us)
        if left_s is not None:
            wait_s = left_s if wait_s is None else min(wait_s, left_s)
        events = self._real.select(None if wait_s is None else min(wait_s, LONGEST_S))
        self.watchdog.wall_left_s(self._wall(), self.now_us)
        return events
