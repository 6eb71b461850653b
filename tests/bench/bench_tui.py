"""The interface under load, in a real terminal: `python tests/bench/bench_tui.py [EVENTS_PER_SECOND]` (20000).

A thread writes adverts into a trace at that rate for twelve seconds while Packets is open and follows. Printed at the end:
how many were shown, CPU of the interface (without the writing thread) as part of one core, how old the newest shown
packet is, resident memory.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sim.trace import TraceLog  # after the path is set
from tui.app import NearbenchApp
from tui.feed import RING, Feed
from tui.session import Request, Session

SECONDS = 12  # more than the screens keep
PDU = bytes.fromhex("60217dd3a5d8e5fc0201061107907d5b3c1a6f0e9d0d4ac15301000a6b05094c6f636b")


class Writer(threading.Thread):
    """Writes adverts of 256 addresses at a rate."""

    def __init__(self, rate):
        super().__init__(daemon=True)
        self.rate = rate
        self.now_us = 0
        self.log = TraceLog(lambda: self.now_us, RING)
        self.written = 0
        self.cpu_s = 0.0
        self.stopping = threading.Event()

    def run(self):
        start_s = time.perf_counter()
        while not self.stopping.is_set():
            wanted = int((time.perf_counter() - start_s) * self.rate)
            while self.written < wanted:
                self.now_us = int((time.perf_counter() - start_s) * 1e6)
                data = PDU[:2] + bytes([self.written & 255]) + PDU[3:]
                self.log.emit(
                    "lock",
                    "air",
                    "adv_ind",
                    direction="tx",
                    data=data,
                    channel=37,
                    outcomes={"phone": "heard"},
                )
                self.written += 1
            time.sleep(0.005)
        self.cpu_s = time.thread_time()


async def measure(app, session, writer):
    """Let it run; the line to print."""
    await asyncio.sleep(1)
    app.bench_screen.main_list.follow = True
    lags = []
    writer.start()
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    while time.perf_counter() - wall_s < SECONDS:
        await asyncio.sleep(0.05)
        shown = len(session.packets)
        if shown:
            lags.append((writer.now_us - session.packets.event(shown - 1).t_us) / 1000)
    cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
    writer.stopping.set()
    writer.join()
    app.exit(0)
    lags.sort()
    return (
        f"{writer.rate} events/s: {len(session.packets)} of {writer.written} shown, {session.source.skipped} skipped; "
        f"interface {(cpu_s - writer.cpu_s) / wall_s:.0%} of a core; lag p50 {lags[len(lags) // 2]:.0f} ms, "
        f"p95 {lags[len(lags) * 95 // 100]:.0f} ms; {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB with {session.source.end - session.source.first} events"
    )


async def main(rate):
    writer = Writer(rate)
    session = Session(Request(what="load"), Feed(writer.log), "load", ["phone", "lock"])
    session.saved = True
    app = NearbenchApp(lambda: session, start="packets")
    measuring = asyncio.create_task(measure(app, session, writer))
    await app.run_async()
    print(await measuring)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))
