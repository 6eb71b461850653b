"""Loops of a program in a world's time: one clock, wake-ups at the instant, the world goes on between two runs."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from hw_bridge.bleak_air.clocks import simulated_clocks
from hw_bridge.bleak_air.loops import Drive, program_loops
from protocols.errors import SimulationError
from sim.clock import VirtualLoop

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(name="world")
def _world() -> Iterator[VirtualLoop]:
    loop = VirtualLoop()
    yield loop
    loop.run_until_us(loop.now_us)
    loop.close()


@pytest.fixture(name="drive")
def _drive(world: VirtualLoop) -> Iterator[Drive]:
    drive = Drive(world)
    with program_loops(drive):
        yield drive


def test_an_hour_of_sleep_takes_no_hour(drive: Drive) -> None:
    before = time.perf_counter()
    asyncio.run(asyncio.sleep(3600))
    assert drive.world.now_us == 3_600_000_000
    assert time.perf_counter() - before < 5


def test_program_and_world_take_turns_in_the_order_of_their_times(drive: Drive) -> None:
    seen: list[tuple[str, int]] = []
    for at_us in (10_000, 20_000, 30_001):
        drive.world.at_us(at_us, lambda: seen.append(("world", drive.world.now_us)))

    async def main() -> None:
        for _ in range(3):
            await asyncio.sleep(0.01)
            seen.append(("program", round(asyncio.get_running_loop().time() * 1e6)))

    asyncio.run(main())
    # at one instant the world comes first: its radio has the news the program waits for
    assert seen == [
        ("world", 10_000),
        ("program", 10_000),
        ("world", 20_000),
        ("program", 20_000),
        ("program", 30_000),
    ]


def test_news_from_the_world_wakes_the_program_at_that_instant(drive: Drive) -> None:
    async def main() -> int:
        loop = asyncio.get_running_loop()
        news: asyncio.Future[None] = loop.create_future()
        drive.world.at_us(1_234_567, news.set_result, None)
        async with asyncio.timeout(100):
            await news
        return drive.world.now_us

    assert asyncio.run(main()) == 1_234_567


def test_a_timeout_ends_a_wait_at_its_microsecond(drive: Drive) -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.get_running_loop().create_future(), 0.300001)

    asyncio.run(main())
    assert drive.world.now_us == 300_001


def test_tasks_of_the_world_survive_the_end_of_the_program(drive: Drive) -> None:
    ticks: list[int] = []

    async def tick() -> None:
        while True:
            await asyncio.sleep(1)
            ticks.append(drive.world.now_us)

    task = drive.world.create_task(tick())
    asyncio.run(asyncio.sleep(2.5))
    assert ticks == [1_000_000, 2_000_000]
    asyncio.run(asyncio.sleep(1))  # a new loop, the same world
    assert ticks == [1_000_000, 2_000_000, 3_000_000]
    task.cancel()


def test_tasks_of_the_program_are_cancelled_by_its_own_run(drive: Drive) -> None:
    ended: list[str] = []

    async def background() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            ended.append("cancelled")

    async def main() -> None:
        main.task = asyncio.create_task(background())  # type: ignore[attr-defined]  # kept alive
        await asyncio.sleep(0.1)

    asyncio.run(main())
    assert ended == ["cancelled"]


def test_old_style_loops_work_too(drive: Drive) -> None:
    loop = asyncio.new_event_loop()
    try:
        assert loop.run_until_complete(asyncio.sleep(5, "done")) == "done"
        loop.call_later(1, loop.stop)
        loop.run_forever()
        assert drive.world.now_us == 6_000_000
    finally:
        loop.close()


def test_polling_without_a_pause_costs_simulated_time(drive: Drive) -> None:
    flag: list[int] = []
    drive.world.at_us(50_000, flag.append, 1)

    async def main() -> None:
        while not flag:  # noqa: ASYNC110  # the poor habit under test
            await asyncio.sleep(0)

    asyncio.run(main())
    assert 50_000 <= drive.world.now_us <= 51_000


def test_what_the_world_raises_reaches_the_caller(drive: Drive) -> None:
    def fail() -> None:
        raise SimulationError("the air caught fire")

    drive.world.at_us(500_000, fail)
    with pytest.raises(SimulationError, match="caught fire"):
        asyncio.run(asyncio.sleep(1))


def test_a_program_that_does_not_end_is_stopped_at_the_limit(world: VirtualLoop) -> None:
    drive = Drive(world, 10_000_000)
    cleaned: list[int] = []

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.5)  # a program may need time to end itself
            cleaned.append(world.now_us)

    with program_loops(drive), pytest.raises(SimulationError, match="at 10 s of simulated time"):
        asyncio.run(forever())
    assert cleaned == [10_500_000]


def test_results_of_worker_threads_arrive(drive: Drive) -> None:
    async def main() -> str:
        return await asyncio.to_thread(lambda: threading.current_thread().name)

    assert asyncio.run(main()) != threading.current_thread().name


def test_a_thread_wakes_the_program_while_the_world_has_nothing_to_do(drive: Drive) -> None:
    async def main() -> None:
        event, loop = asyncio.Event(), asyncio.get_running_loop()
        thread = threading.Thread(target=lambda: loop.call_soon_threadsafe(event.set))
        thread.start()
        await event.wait()
        thread.join()

    asyncio.run(main())


def test_sockets_of_the_program_work(drive: Drive) -> None:
    async def main() -> bytes:
        here, there = socket.socketpair()
        here.setblocking(False)
        there.setblocking(False)
        loop = asyncio.get_running_loop()
        with here, there:
            await loop.sock_sendall(there, b"hello")
            first = await loop.sock_recv(here, 100)
            reader, writer = await asyncio.open_connection(sock=here)
            there.send(b" world\n")
            line = await reader.readline()
            writer.close()
            await writer.wait_closed()
            return first + line

    assert asyncio.run(main()) == b"hello world\n"


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="no user signals on this system")
def test_signal_handlers_of_the_program_are_called(drive: Drive) -> None:
    async def main() -> None:
        got = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, got.set)
        signal.raise_signal(signal.SIGUSR1)
        await got.wait()

    asyncio.run(main())


def test_two_loops_at_a_time_are_refused(drive: Drive) -> None:
    async def inner() -> None:
        await asyncio.sleep(0.1)

    failures: list[BaseException] = []

    def beside() -> None:
        try:
            asyncio.run(inner())
        except SimulationError as exc:
            failures.append(exc)

    async def main() -> None:
        def start() -> None:  # on the world's loop, so that it is under way
            thread = threading.Thread(target=beside)
            thread.start()
            thread.join()

        drive.world.after_us(1000, start)
        await asyncio.sleep(1)

    asyncio.run(main())
    assert "two event loops at a time" in str(failures[0])


def test_clocks_and_sleep_of_the_time_module_follow_the_world(drive: Drive) -> None:
    real = time.monotonic, time.sleep
    with simulated_clocks(drive):
        start = time.time(), time.monotonic(), time.perf_counter_ns()
        time.sleep(10)

        async def main() -> None:
            time.sleep(1)  # noqa: ASYNC251  # it blocks the program, not the world
            await asyncio.sleep(9)

        asyncio.run(main())
        assert time.time() - start[0] == pytest.approx(20, abs=1e-3)
        assert time.monotonic() - start[1] == pytest.approx(20, abs=1e-6)
        assert time.perf_counter_ns() - start[2] == 20_000_000_000
        elsewhere: list[float] = []
        thread = threading.Thread(target=lambda: elsewhere.append(time.monotonic()))
        thread.start()
        thread.join()
        assert elsewhere[0] == pytest.approx(
            real[0](), abs=5
        )  # a worker thread sees the real clock
    assert (time.monotonic, time.sleep) == real
    assert drive.world.now_us == 20_000_000


def test_the_policy_is_given_back() -> None:
    before = asyncio.get_event_loop_policy()
    world = VirtualLoop()
    with pytest.raises(ZeroDivisionError), program_loops(Drive(world)):
        raise ZeroDivisionError
    assert asyncio.get_event_loop_policy() is before
    world.close()
