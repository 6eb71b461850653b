"""CPU of the loop and of the plain air: `python tests/bench/bench_air.py`. Plain script, no test.

Loop: self-repeating timers as plain events, asyncio call_later and asyncio tasks, and the ratios between them.
Air: N advertisers at 100 ms (three channels) and one scanner; and 100 senders with 50 listeners in reach.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from sim.air import Air, AirSettings, Radio, Reception, Sniffer
from sim.clock import VirtualLoop
from sim.rng import Streams

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 10


def cpu_s(work: Callable[[], object]) -> float:
    start_s = time.process_time()
    work()
    return time.process_time() - start_s


def plain_events(loop: VirtualLoop, n: int) -> None:
    def repeat(delay_us: int) -> None:
        loop.after_us(delay_us, repeat, delay_us)

    for i in range(n):
        loop.after_us(i * 7, repeat, 100_000 + i)


def timers(loop: VirtualLoop, n: int) -> None:
    def repeat(delay_s: float) -> None:
        loop.call_later(delay_s, repeat, delay_s)

    for i in range(n):
        loop.call_later(i * 7e-6, repeat, 0.1 + i * 1e-6)


def tasks(loop: VirtualLoop, n: int) -> None:
    async def repeat(delay_s: float) -> None:
        while True:  # noqa: ASYNC110 # the load to measure
            await asyncio.sleep(delay_s)

    loop.keep = [loop.create_task(repeat(0.1 + i * 1e-6)) for i in range(n)]  # type: ignore[attr-defined] # pyright: ignore


def loops() -> None:
    for n in (100, 1000, 10_000):
        rates: list[float] = []
        for load in (plain_events, timers, tasks):
            loop = VirtualLoop()
            load(loop, n)
            rates.append(
                n * SECONDS * 10 / cpu_s(lambda loop=loop: loop.run_until_us(SECONDS * 1_000_000))
            )
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_us(loop.now_us)
            loop.close()
        print(  # a script prints
            f"{n:6} repeating: plain {rates[0] / 1e3:5.0f} k/CPU s, call_later {rates[1] / 1e3:4.0f} k, "
            f"tasks {rates[2] / 1e3:4.0f} k; plain is {rates[0] / rates[1]:.1f} x call_later, {rates[0] / rates[2]:.1f} x tasks"
        )


class Advertiser(Radio):
    """Three packets every 100 ms."""

    def start(self, air: Air, phase_us: int) -> None:
        air.attach(self)
        air.loop.at_us(phase_us, self.send, air)

    def send(self, air: Air) -> None:
        for step in range(3):
            air.loop.after_us(step * 626, air.transmit, self, 37 + step, b"x" * 39, 376)
        air.loop.after_us(100_000, self.send, air)

    def on_air(self, reception: Reception) -> None:
        raise AssertionError("does not listen")


def airs() -> None:
    for senders, listeners in ((100, 1), (1000, 1), (100, 50)):
        streams = Streams(1)
        air = Air(VirtualLoop(), streams, AirSettings(capture_db=8.0))
        place = streams.stream("bench/place")
        for i in range(senders):
            radio = Advertiser(f"a{i}", (place.uniform(-20, 20), place.uniform(-20, 20), 0.0))
            radio.start(air, int(place.random() * 100_000))
        for i in range(listeners):
            sniffer = Sniffer(
                f"s{i}", (place.uniform(-20, 20), place.uniform(-20, 20), 0.0), lambda _: None
            )
            air.attach(sniffer)
            air.listen(sniffer, 37)
        used_s = cpu_s(lambda air=air: air.loop.run_until_us(SECONDS * 1_000_000))
        sent = air.counts["transmissions"]
        judged = air.counts["heard"] + air.counts["collision"]
        print(  # a script prints
            f"{senders:5} senders, {listeners:2} listeners: {used_s / SECONDS:.4f} CPU s/s, "
            f"{sent / used_s / 1e3:4.0f} k packets/CPU s, {judged / used_s / 1e3:4.0f} k judged/CPU s"
        )
        air.loop.close()


if __name__ == "__main__":
    loops()
    airs()
