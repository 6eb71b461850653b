"""Virtual time: order, jumps, drift, drivers, exceptions, watchdog, controls, pacing with a wall clock of our own."""

from __future__ import annotations

import asyncio
import functools
import random
import selectors
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from protocols.errors import SimulationError, UsageError, WatchdogError
from sim.clock import VirtualLoop
from sim.pacing import MAX_LAG_S, Pace

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    loop = VirtualLoop()
    yield loop
    loop.close()


class FakeWall(selectors.DefaultSelector):
    """A wall clock that moves only in select(), and remembers how long it was to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 1000.0
        self.waits: list[float | None] = []

    def __call__(self) -> float:
        return self.now_s

    def select(self, timeout: float | None = None):
        if timeout:
            self.waits.append(timeout)
            self.now_s += timeout
        return super().select(0)


# Order and time


def test_events_run_by_time_then_by_order_of_scheduling(loop: VirtualLoop):
    seen: list[str] = []
    for t_us, name in [(20, "c"), (10, "a"), (20, "d"), (10, "b"), (0, "now")]:
        loop.at_us(t_us, seen.append, name)
    loop.run_until_us(20)
    assert seen == ["now", "a", "b", "c", "d"]


def test_order_equals_a_stable_sort_on_random_input(loop: VirtualLoop):
    rng = random.Random(5)
    times = [rng.randrange(300) for _ in range(2000)]
    seen: list[tuple[int, int]] = []

    def note(t_us: int, i: int) -> None:
        seen.append((loop.now_us - t_us, i))

    for i, t_us in enumerate(times):
        loop.at_us(t_us, note, t_us, i)
    loop.run_until_us(300)
    assert seen == [(0, i) for i in sorted(range(2000), key=times.__getitem__)]


def test_at_one_instant_plain_then_ready_then_timers(loop: VirtualLoop):
    seen: list[str] = []
    loop.call_later(10e-6, seen.append, "timer")
    loop.at_us(10, lambda: (seen.append("plain 1"), loop.call_soon(seen.append, "soon")))
    loop.at_us(10, lambda: (seen.append("plain 2"), loop.at_us(10, seen.append, "plain 3")))
    loop.at_us(11, seen.append, "later")
    loop.run_until_us(11)
    assert seen == ["plain 1", "plain 2", "plain 3", "soon", "timer", "later"]


def test_asyncio_has_its_turn_at_the_same_instant(loop: VirtualLoop):
    """A task woken by a plain event runs before time moves on, also in a stretch of plain events."""
    seen: list[int] = []
    woken = asyncio.Event()

    async def waiter() -> None:
        await woken.wait()
        seen.append(loop.now_us)

    loop.create_task(waiter())
    for t_us in range(0, 1000, 10):
        loop.at_us(t_us, lambda: None)
    loop.at_us(500, woken.set)
    loop.run_until_us(1000)
    assert seen == [500]


def test_a_timer_made_in_a_stretch_of_plain_events_is_in_time(loop: VirtualLoop):
    seen: list[tuple[str, int]] = []

    def note(name: str) -> None:
        seen.append((name, loop.now_us))

    loop.at_us(10, lambda: loop.call_later(15e-6, note, "timer"))
    for t_us in (20, 25, 30):
        loop.at_us(t_us, note, "plain")
    loop.run_until_us(100)
    assert seen == [("plain", 20), ("plain", 25), ("timer", 25), ("plain", 30)]


def test_time_jumps_and_ends_where_asked(loop: VirtualLoop):
    seen: list[int] = []
    loop.at_us(3_600_000_000, lambda: seen.append(loop.now_us))
    loop.run_until_us(3_599_999_999)
    assert (loop.now_us, seen) == (3_599_999_999, [])
    loop.run_until_us(3_600_000_000)
    assert seen == [3_600_000_000]
    loop.run_until_us(10**13)  # empty: jumps
    assert loop.now_us == 10**13
    assert loop.time() == 10**7


def test_asyncio_timers_do_not_drift(loop: VirtualLoop):
    """0.1 s is no binary fraction: 100,000 naps of it are 10,000 s to the microsecond."""

    async def naps() -> int:
        for _ in range(100_000):
            await asyncio.sleep(0.1)
        return loop.now_us

    assert loop.run_until_complete(naps()) == 10_000_000_000


@pytest.mark.parametrize(
    ("delay_s", "due_us"),
    [(0.0000001, 1), (1e-6, 1), (1.0000001e-6, 1), (1.5e-6, 2), (0.3, 300_000), (0.0006249, 625)],
)
def test_delays_are_rounded_up_to_a_microsecond(loop: VirtualLoop, delay_s: float, due_us: int):
    seen: list[int] = []
    loop.call_later(delay_s, lambda: seen.append(loop.now_us))
    loop.run_until_us(10**6)
    assert seen == [due_us]


def test_call_at_of_a_computed_time_hits_its_microsecond(loop: VirtualLoop):
    """loop.time() + delay is off by float noise at large times; the timer is not."""
    loop.run_until_us(123_456_789_012)
    seen: list[int] = []
    loop.call_at(loop.time() + 0.0123, lambda: seen.append(loop.now_us))
    loop.run_until_us(loop.now_us + 10**6)
    assert seen == [123_456_801_312]


def test_cancelled_events_do_not_run_and_do_not_pile_up(loop: VirtualLoop):
    seen: list[int] = []
    events = [loop.at_us(1000 + i, seen.append, i) for i in range(10_000)]
    for i, event in enumerate(events):
        if i % 100:
            event.cancel()
            event.cancel()
    assert len(loop._heap) < 1000  # pyright: ignore[reportPrivateUsage]  # what piles up is inside
    loop.run_until_us(20_000)
    assert seen == list(range(0, 10_000, 100))
    assert not any(event.pending for event in events)
    events[0].cancel()  # has run: harmless


def test_a_cancelled_event_is_no_instant(loop: VirtualLoop):
    loop.at_us(10, lambda: None).cancel()
    loop.call_later(15e-6, lambda: None).cancel()
    loop.at_us(20, lambda: None)
    loop.run_until(lambda: loop.now_us > 0, 100)
    assert loop.now_us == 20


@pytest.mark.parametrize("t_us", [99, 100.5, 200.0, "100"])
def test_bad_times_are_refused(loop: VirtualLoop, t_us: object):
    loop.run_until_us(100)
    with pytest.raises((SimulationError, TypeError)):
        loop.at_us(t_us, lambda: None)  # type: ignore[arg-type]


def test_time_does_not_go_back(loop: VirtualLoop):
    loop.run_until_us(100)
    with pytest.raises(SimulationError, match="100 us already"):
        loop.run_until_us(99)


def test_run_until_stops_at_the_instant(loop: VirtualLoop):
    seen: list[int] = []
    for t_us in (10, 10, 20, 30):
        loop.at_us(t_us, seen.append, t_us)
    assert loop.run_until(lambda: len(seen) >= 1, 1000)
    assert (seen, loop.now_us) == ([10, 10], 10)
    assert not loop.run_until(lambda: len(seen) > 4, 1000)
    assert loop.now_us == 1000


# Exceptions


def test_an_exception_of_an_event_comes_out_at_its_instant(loop: VirtualLoop):
    error = UsageError("as it is")

    def fail() -> None:
        raise error

    seen: list[int] = []
    loop.at_us(10, fail)
    loop.at_us(20, seen.append, 20)
    with pytest.raises(UsageError) as caught:
        loop.run_until_us(100)
    assert caught.value is error
    assert "0.000010 s" in error.__notes__[0]
    assert (loop.now_us, seen) == (10, [])
    loop.run_until_us(100)  # can go on
    assert seen == [20]


def test_an_exception_of_an_asyncio_callback_comes_out(loop: VirtualLoop):
    loop.call_later(0.5, lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        loop.run_until_us(10**6)
    assert loop.now_us == 500_000


def test_an_exception_of_a_task_nobody_awaits_comes_out(loop: VirtualLoop):
    async def fail() -> None:
        await asyncio.sleep(1)
        raise KeyError("lost")

    loop.create_task(fail())
    with pytest.raises(KeyError, match="lost"):
        loop.run_until_us(10**7)


def test_the_first_of_several_is_raised_and_names_the_others(loop: VirtualLoop):
    loop.call_soon(lambda: 1 // 0)
    loop.call_soon((0, 1).index, 2)
    with pytest.raises(ZeroDivisionError) as caught:
        loop.run_until_us(1)
    assert any("ValueError" in note for note in caught.value.__notes__)


def test_an_own_exception_handler_is_heeded(loop: VirtualLoop):
    contexts: list[str] = []
    loop.set_exception_handler(
        lambda _, context: contexts.append(type(context["exception"]).__name__)
    )
    loop.at_us(1, lambda: 1 // 0)
    loop.call_later(2e-6, (0, 1).index, 2)
    loop.run_until_us(10)
    assert contexts == ["ZeroDivisionError", "ValueError"]


def test_run_until_complete_returns_raises_and_reports(loop: VirtualLoop):
    async def answer() -> int:
        await asyncio.sleep(2)
        return 42

    assert loop.run_until_complete(answer()) == 42
    loop.call_later(1, lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        loop.run_until_complete(answer())
    assert loop.now_us == 4_000_000  # the future was finished all the same
    with pytest.raises(TimeoutError):
        loop.run_until_complete(asyncio.wait_for(asyncio.Event().wait(), 3))


# Watchdog


def test_an_event_that_repeats_without_delay_is_caught(loop: VirtualLoop):
    loop.watchdog.limit = 1000

    def spinner() -> None:
        loop.after_us(0, spinner)

    loop.at_us(5, spinner)
    with pytest.raises(WatchdogError, match=r"0\.000005 s.*1000 callbacks.*spinner"):
        loop.run_until_us(10)


@pytest.mark.parametrize("delay_s", [0, None])
def test_a_task_that_spins_is_caught_and_named(loop: VirtualLoop, delay_s: float | None):
    loop.watchdog.limit = 1000

    async def sleeper() -> None:
        while True:
            if delay_s is None:
                woken = asyncio.Event()
                loop.call_later(0, woken.set)
                await woken.wait()
            else:
                await asyncio.sleep(delay_s)

    task = loop.create_task(sleeper(), name="nap")
    with pytest.raises(WatchdogError, match="1000 callbacks") as caught:
        loop.run_until_us(10)
    if delay_s is not None:
        assert "task nap" in str(caught.value)
        assert "sleeper" in str(caught.value)
    task.cancel()
    loop.watchdog.limit = 10**6
    loop.run_until_us(10)


def test_many_callbacks_over_time_are_no_spin(loop: VirtualLoop):
    loop.watchdog.limit = 100
    left = [5000]

    def tick() -> None:
        left[0] -= 1
        if left[0]:
            loop.after_us(1, tick)

    tick()
    loop.run_until_us(10_000)
    assert left == [0]


def test_the_deadline_of_simulated_time(loop: VirtualLoop):
    loop.watchdog.deadline_us = 1_000_000

    async def poll() -> None:
        while True:  # noqa: ASYNC110 # the never-ending poll is the point
            await asyncio.sleep(0.01)

    task = loop.create_task(poll())
    with pytest.raises(WatchdogError, match=r"deadline of 1\.0"):
        loop.run_until_complete(task)
    assert loop.now_us == 1_000_000
    loop.watchdog.deadline_us = None
    task.cancel()
    loop.run_until_us(1_100_000)


def test_the_deadline_holds_for_plain_events_too(loop: VirtualLoop):
    loop.watchdog.deadline_us = 50

    def tick() -> None:
        loop.after_us(20, tick)

    tick()
    with pytest.raises(WatchdogError, match="deadline"):
        loop.run_until_us(1000)
    assert loop.now_us == 40


def test_waiting_for_what_cannot_happen_is_an_error(loop: VirtualLoop):
    future = loop.create_future()
    with pytest.raises(WatchdogError, match="nothing will ever do"):
        loop.run_until_complete(future)


def test_an_executor_is_waited_for(loop: VirtualLoop):
    assert loop.run_until_complete(loop.run_in_executor(None, functools.partial(int, "7"))) == 7


def test_the_wall_budget():
    wall = FakeWall()
    loop = VirtualLoop(wall=wall, selector=wall)
    loop.watchdog.wall_limit_s = 5.0

    def tick() -> None:
        wall.now_s += 0.01
        loop.after_us(1, tick)

    loop.after_us(1, tick)
    with pytest.raises(WatchdogError, match="5 s of wall time"):
        loop.run_until_us(10**9)
    assert wall.now_s < 1007
    loop.close()


# Control and pacing


def paced(speed: float) -> tuple[VirtualLoop, FakeWall]:
    wall = FakeWall()
    return VirtualLoop(speed=speed, wall=wall, selector=wall), wall


@pytest.mark.parametrize("speed", [0.5, 1.0, 4.0])
def test_pacing_waits_simulated_time_over_speed(speed: float):
    loop, wall = paced(speed)
    at_s: list[float] = []
    for t_us in (1_000_000, 1_500_000, 3_000_000):
        loop.at_us(t_us, lambda: at_s.append(wall.now_s - 1000))
    loop.run_until_us(4_000_000)
    assert at_s == pytest.approx([1 / speed, 1.5 / speed, 3 / speed])
    assert wall.now_s - 1000 == pytest.approx(4 / speed)  # also the empty rest
    loop.close()


def test_pace_changes_while_running():
    loop, wall = paced(1.0)
    loop.at_us(1_000_000, setattr, loop, "speed", 10.0)
    loop.at_us(2_000_000, setattr, loop, "speed", None)
    loop.run_until_us(10**9)
    assert wall.now_s - 1000 == pytest.approx(1.1)
    assert loop.speed is None
    loop.close()


def test_a_slow_run_catches_up_but_a_stopped_one_does_not():
    pace = Pace(1.0, 0, 100.0)
    assert pace.wait_s(1_000_000, 100.25) == pytest.approx(0.75)
    assert pace.wait_s(1_000_000, 101.4) == pytest.approx(-0.4)
    assert pace.wait_s(1_000_000, 101.0 + MAX_LAG_S + 1) == 0
    assert pace.wait_s(2_000_000, 102.5) == pytest.approx(1.0)
    assert pace.reached_us(103.0) == 1_500_000


@pytest.mark.parametrize("speed", [-1.0, float("nan"), float("inf")])
def test_a_bad_speed_is_refused(loop: VirtualLoop, speed: float):
    with pytest.raises(SimulationError, match="speed"):
        loop.speed = speed


class Driven:
    """A loop that runs in a thread until closed, as under a screen."""

    def __init__(self) -> None:
        self.loop = VirtualLoop()
        self.done = threading.Semaphore(0)
        self.seen: list[int] = []
        self.thread = threading.Thread(target=self.loop.run_forever)

    def ask(self) -> list[int]:
        """What was seen, asked in the loop's thread after it came to rest."""
        answer: list[list[int]] = []
        ready = threading.Event()

        def reply() -> None:
            answer.append(list(self.seen))
            ready.set()

        for _ in range(3):  # rounds of the loop: a step asked for before has been taken
            ready.clear()
            self.loop.call_soon_threadsafe(reply)
            assert ready.wait(10)
        return answer[-1]

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        assert not self.thread.is_alive()
        self.loop.close()


def test_pause_step_run_to_and_resume_from_another_thread():
    driven = Driven()
    loop = driven.loop
    reached = threading.Semaphore(0)

    def tick() -> None:
        driven.seen.append(loop.now_us)
        reached.release()
        if loop.now_us < 100:
            loop.after_us(10, tick)

    loop.pause()
    loop.at_us(10, tick)
    driven.thread.start()
    try:
        assert driven.ask() == []
        loop.step()
        assert reached.acquire(timeout=10)
        assert driven.ask() == [10]
        loop.run_to(lambda: loop.now_us >= 40)
        for _ in range(3):
            assert reached.acquire(timeout=10)
        assert driven.ask() == [10, 20, 30, 40]
        assert loop.paused
        loop.resume()
        for _ in range(6):
            assert reached.acquire(timeout=10)
        assert driven.ask() == list(range(10, 101, 10))
    finally:
        driven.close()


@pytest.mark.parametrize("speed", [None, 1000.0])
def test_real_sockets_are_served(speed: float | None):
    """At full speed between instants, when paced while waiting."""
    loop = VirtualLoop(speed=speed)
    ours, theirs = socket.socketpair()
    ours.setblocking(False)  # socket API
    theirs.send(b"x")
    seen: list[bytes] = []
    loop.add_reader(ours, lambda: seen.append(ours.recv(1)))

    def tick() -> None:
        if not seen:
            loop.after_us(100, tick)

    tick()
    assert loop.run_until(lambda: bool(seen), 1_000_000)
    loop.remove_reader(ours)
    ours.close()
    theirs.close()
    loop.close()


def test_a_socket_that_wakes_a_paced_loop_finds_the_time_passed():
    """Bytes of a real device carry the time they came, not that of the last event."""

    class Interrupted(FakeWall):
        def select(self, timeout: float | None = None):
            if timeout:
                self.now_s += 0.25
                theirs.send(b"x")
                return selectors.DefaultSelector.select(self, 0)
            return super().select(timeout)

    ours, theirs = socket.socketpair()
    ours.setblocking(False)  # socket API
    wall = Interrupted()
    loop = VirtualLoop(speed=2.0, wall=wall, selector=wall)
    at_us: list[int] = []
    loop.add_reader(ours, lambda: (ours.recv(1), at_us.append(loop.now_us)))
    loop.run_until_us(2_000_000)
    assert at_us[:3] == [500_000, 1_000_000, 1_500_000]
    loop.remove_reader(ours)
    ours.close()
    theirs.close()
    loop.close()


def test_asyncio_runner_works_unchanged():
    async def main() -> float:
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(5))
        return asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(main()) == 5.0


def test_bumble_runs_unchanged():
    """Two stock devices advertise for 10 s, connect and pair: in far less than that, with no wall clock in it."""
    from bumble.controller import Controller
    from bumble.device import Device
    from bumble.hci import Address
    from bumble.host import Host
    from bumble.link import LocalLink

    async def main() -> tuple[int, bool]:
        link = LocalLink()
        devices: list[Device] = []
        for i in range(2):
            controller = Controller(f"C{i}", link=link)
            device = Device(
                name=f"d{i}",
                address=Address(f"F{i}:F1:F2:F3:F4:F5"),
                host=Host(controller, controller),
            )
            await device.power_on()
            devices.append(device)
        seen: list[object] = []
        devices[1].on("advertisement", seen.append)
        await devices[0].start_advertising(
            advertising_interval_min=100, advertising_interval_max=100
        )
        await devices[1].start_scanning()
        await asyncio.sleep(10)
        await devices[1].stop_scanning()
        connection = await devices[1].connect(devices[0].random_address)
        await connection.pair()
        return len(seen), bool(connection.is_encrypted)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        loop = runner.get_loop()
        loop.watchdog.deadline_us = 60_000_000  # type: ignore[attr-defined] # it is a VirtualLoop
        reports, encrypted = runner.run(main())
        assert encrypted
        assert (
            150 <= reports <= 210
        )  # two reports per event and 100 ms: what this stack is known to do
        assert 10 <= loop.time() < 12


def test_a_paced_loop_waits_for_years_and_can_be_woken():
    """The kernel takes no time-out of that length."""
    loop = VirtualLoop(speed=1.0)
    woken = threading.Event()
    waker = threading.Thread(target=lambda: loop.call_soon_threadsafe(woken.set))
    try:
        loop.at_us(1 << 60, lambda: None)
        loop.call_soon(waker.start)
        assert loop.run_until(woken.is_set, 1 << 60)
        assert loop.now_us < 60_000_000
    finally:
        waker.join()
        loop.close()
