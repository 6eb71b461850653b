"""The bridge on a PTY beside bumble's own serial transport, in the same run: commands, latency, data, a long flood.

    python tests/bench/bench_bridge.py [--rounds N] [--flood SECONDS]

The controller is a process of its own that answers every command and sends or takes ACL packets of 251 octets. Round
trips are measured in short turns, one way after the other, because what else runs on a machine moves p99 by more than
the ways differ; the ratio is that of all turns together, with its spread over quarters of them. Processor time of a round
trip is shown beside: it leaves out what the machine did meanwhile. Goals:
at least as many commands per second, p99 no worse, 0.9 times the throughput each way; memory bounded while a client
does not read for ten minutes of flood.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import resource
import statistics
import subprocess
import sys
import time
import tty
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from hw_bridge.errors import BridgeError  # noqa: E402 # after the path is set
from hw_bridge.session import Session, SessionSettings  # noqa: E402

COMMANDS, PACKETS = 4000, 60_000
TURNS, IN_A_TURN = 320, 250
ASK, FLOOD, TAKE = (bytes.fromhex(each) for each in ("01091000", "0101fc00", "0102fc00"))
RESET = bytes.fromhex("01030c00")
CONNECTED = bytes.fromhex("043e1301004000006655443322111800000048000000")[:22]
ACL = bytes.fromhex("024020fb00") + bytes(251)
DONE = bytes.fromhex("04ff0101")


def controller(descriptor: int) -> None:
    """Answer on the other side of the PTY until it is closed."""
    version = bytes.fromhex("040e0c010110000d00000df105ffff")
    taken = -1
    while True:
        try:
            data = os.read(descriptor, 65536)
        except OSError:
            return
        if taken >= 0 and data[:1] != b"\x01":
            taken += len(data)
            if taken >= PACKETS * len(ACL):
                taken = -1
                os.write(descriptor, DONE)
        elif data == ASK:
            os.write(descriptor, bytes.fromhex("040e0a01091000") + bytes(6))
        elif data[: len(RESET)] == RESET:  # it may have been repeated before this process ran
            os.write(descriptor, bytes.fromhex("040e0401030c00") * (len(data) // len(RESET)))
        elif data == FLOOD:
            os.write(descriptor, CONNECTED)
            for _ in range(PACKETS // 15):
                _write(descriptor, ACL * 15)
            os.write(descriptor, DONE)
        elif data == TAKE:
            taken = 0
            os.write(descriptor, CONNECTED + bytes.fromhex("040e040102fc00"))
        elif data[1:3] == b"\x01\x10":
            os.write(descriptor, version)
        else:
            os.write(descriptor, b"\x04\x0e\x04\x01" + data[1:3] + b"\x01")


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


class Way:
    """A client on one of the two ways; `send` and what comes back."""

    def __init__(self) -> None:
        self.count = 0
        self.wanted = 0
        self.news: asyncio.Future[None] | None = None
        self.stop_at = b""
        self.room = asyncio.Event()

    def on_packet(self, packet: bytes) -> bool:
        self.count += 1
        if self.news is not None and (packet == self.stop_at or self.count == self.wanted):
            self.news.set_result(None)
            self.news = None
        return True

    def on_notice(self, notice: object) -> None:
        pass

    def on_room(self) -> None:
        self.room.set()

    def expect(self, *, count: int = 0, stop_at: bytes = b"") -> asyncio.Future[None]:
        self.count, self.wanted, self.stop_at = 0, count, stop_at
        self.news = asyncio.get_running_loop().create_future()
        return self.news


async def commands(way: Way, send) -> dict[str, float]:
    """Commands per second."""
    begun = time.perf_counter()
    await round_trips(way, send, COMMANDS)
    return {"commands per second": COMMANDS / (time.perf_counter() - begun)}


async def round_trips(way: Way, send, count: int) -> list[tuple[float, float]]:
    """(time by the clock, time of the processor) of round trips in microseconds."""
    times = []
    for _ in range(count):
        answered = way.expect(count=1)
        start, used = time.perf_counter(), time.thread_time()
        send(ASK)
        await answered
        times.append(((time.perf_counter() - start) * 1e6, (time.thread_time() - used) * 1e6))
    return times


async def data(way: Way, send) -> dict[str, float]:
    """Megabytes per second each way."""
    megabytes = PACKETS * len(ACL) / 1e6
    done = way.expect(stop_at=DONE)
    begun = time.perf_counter()
    send(FLOOD)
    await done
    found = {"MB/s to the host": megabytes / (time.perf_counter() - begun)}
    ready = way.expect(count=2)
    send(TAKE)
    await ready
    done = way.expect(stop_at=DONE)
    begun = time.perf_counter()
    for number in range(PACKETS):
        if send(ACL) is False:
            way.room.clear()
            await way.room.wait()
        elif not number % 64:
            await asyncio.sleep(0)
    await done
    return {**found, "MB/s to the controller": megabytes / (time.perf_counter() - begun)}


@contextlib.asynccontextmanager
async def ours(path: str):
    """(client, what sends) over the bridge."""
    session = Session(
        f"serial:{path}", settings=SessionSettings(listen_ms=10, slow_client_ms=60_000)
    )
    session.start()
    await session.ready()
    way = Way()
    session.attach(way)
    yield way, session.send
    await session.close()


@contextlib.asynccontextmanager
async def bumbles(path: str):
    """The same over bumble's serial transport."""
    from bumble.transport import open_transport

    async with await open_transport(f"serial:{path}") as (source, sink):
        way = Way()
        source.set_packet_sink(way)
        yield way, sink.on_packet


WAYS = {"ours": ours, "bumble": bumbles}


async def throughput(opened, path: str) -> dict[str, float]:
    """One round of one way."""
    async with opened(path) as (way, send):
        return {**await commands(way, send), **await data(way, send)}


async def latency(paths: list[str], turns: int) -> dict[str, list[list[tuple[float, float]]]]:
    """Round trips of both ways by turns."""
    found: dict[str, list[list[tuple[float, float]]]] = {name: [] for name in WAYS}
    async with contextlib.AsyncExitStack() as stack:
        ends = {
            name: await stack.enter_async_context(opened(path))
            for (name, opened), path in zip(WAYS.items(), paths, strict=True)
        }
        for number in range(turns):
            for name in sorted(ends, reverse=bool(number % 2)):
                found[name].append(await round_trips(*ends[name], IN_A_TURN))
    return found


def quantile(turns: list[list[tuple[float, float]]], percent: int, clock: int) -> float:
    times = sorted(each[clock] for turn in turns for each in turn)
    return times[len(times) * percent // 100]


def show_latency(found: dict[str, list[list[tuple[float, float]]]]) -> None:
    """p50 and p99 of both, and how far their ratio moves between quarters of the turns."""
    quarter = len(found["ours"]) // 4
    for percent, clock in ((50, 0), (99, 0), (50, 1), (99, 1)):
        mine, theirs = (quantile(found[name], percent, clock) for name in WAYS)
        parts = sorted(
            quantile(found["ours"][at : at + quarter], percent, clock)
            / quantile(found["bumble"][at : at + quarter], percent, clock)
            for at in range(0, 4 * quarter, quarter)
        )
        words = f"p{percent} us{' of processor' if clock else ''}"
        print(
            f"  {words:24} ours {mine:9.1f}  bumble {theirs:9.1f}  ratio {mine / theirs:5.2f}"
            f"  ({parts[0]:.2f} to {parts[-1]:.2f})"
        )


@contextlib.contextmanager
def dongle():
    """Path of a PTY with a controller process behind it."""
    master, slave = os.openpty()
    tty.setraw(slave)
    path = os.ttyname(slave)
    process = subprocess.Popen(
        [sys.executable, __file__, "--controller", str(master)], pass_fds=(master,)
    )
    os.close(master)
    try:
        yield path
    finally:
        os.close(slave)
        process.terminate()
        process.wait()


class Stalled(Way):
    """A client that never takes anything."""

    def on_packet(self, packet: bytes) -> bool:
        return False


async def flood(path: str, seconds: float) -> tuple[float, float]:
    """(growth of the largest memory in MB, packets that wait) while a client stalls in a flood."""
    settings = SessionSettings(listen_ms=10, slow_client_ms=int(seconds * 2000) + 1000)
    session = Session(f"serial:{path}", settings=settings)
    session.start()
    await session.ready()
    client = Stalled()
    session.attach(client)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    session.send(FLOOD)
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        session.send(ASK)  # a host that is not answered and sends on
        await asyncio.sleep(0.01)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    waiting = len(session._outbox)
    with contextlib.suppress(BridgeError):
        await session.close()
    return (after - before) / 1024, waiting


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--flood", type=float, default=20.0, help="seconds; the goal is 600")
    parser.add_argument("--controller", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.controller is not None:
        controller(options.controller)
        return
    results: dict[str, list[dict[str, float]]] = {"ours": [], "bumble": []}
    for _ in range(options.rounds):
        for name, opened in WAYS.items():
            with dongle() as path:
                results[name].append(asyncio.run(throughput(opened, path)))
    with dongle() as one, dongle() as other:
        trips = asyncio.run(latency([one, other], TURNS))
    print(
        f"median of {options.rounds} rounds, {COMMANDS} commands, {PACKETS} packets of 251 octets"
    )
    for row in results["ours"][0]:
        mine, theirs = (
            statistics.median(one[row] for one in results[name]) for name in ("ours", "bumble")
        )
        print(f"  {row:24} ours {mine:9.1f}  bumble {theirs:9.1f}  ratio {mine / theirs:5.2f}")
    show_latency(trips)
    with dongle() as path:
        grown, waiting = asyncio.run(flood(path, options.flood))
    print(
        f"  {options.flood:g} s of flood, stalled client: {grown:.1f} MB grown, {waiting} packets wait"
    )


if __name__ == "__main__":
    main()
