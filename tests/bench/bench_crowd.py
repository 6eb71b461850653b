"""CPU of crowds: `python tests/bench/bench_crowd.py [SECONDS]` (simulated; default 60). Plain script, no test.

Sparse: 10,000 beacons at 100 ms in 100 cells of 100, one scanner each, cells out of each other's reach.
Dense: 1,000 beacons at 100 ms around one scanner (counting, and as an ordinary radio of the air).
"""

from __future__ import annotations

import sys
import time
import tracemalloc

from sim.air import Air, AirSettings, Sniffer
from sim.clock import VirtualLoop
from sim.crowd import Crowd, Member, advertising_pdu
from sim.crowd_listener import CrowdListener
from sim.rng import Streams


def members(streams: Streams, per_cell: int, cells: int, spacing_m: float = 400.0):
    place = streams.stream("bench/place")
    for i in range(per_cell * cells):
        x, y = i // per_cell % 10 * spacing_m + 25, i // per_cell // 10 * spacing_m + 25
        position = (x + place.uniform(-10, 10), y + place.uniform(-10, 10), 0.0)
        pdu = advertising_pdu(i.to_bytes(5, "little") + b"\xc0", bytes(place.choice((14, 21, 28))))
        yield Member(position, 100_000, pdu)


def report(name: str, cpu_s: float, seconds: int, heard: int, packets: int) -> None:
    print(  # a script prints
        f"{name:34} {cpu_s:6.2f} CPU s for {seconds} s ({seconds / cpu_s:6.1f} x real time), "
        f"{cpu_s / seconds:.4f} CPU s/s, {heard} heard ({heard / packets:.0%} of {packets}), {heard / cpu_s:,.0f}/CPU s"
    )


def sparse(seconds: int, *, reports: bool) -> None:
    loop, streams = VirtualLoop(), Streams(1)
    air = Air(loop, streams, AirSettings(path_loss_exponent=3.0, capture_db=8.0))
    crowd = Crowd(air, "crowd", members(streams, 100, 100))
    octets = [0]

    def take(got: list[tuple[int, bytes]]) -> None:
        octets[0] += sum(len(event) for _, event in got)

    listeners = [
        CrowdListener(
            crowd,
            f"scanner {i}",
            (i % 10 * 400.0 + 25, i // 10 * 400.0 + 25, 0.0),
            on_reports=take if reports else None,
        )
        for i in range(100)
    ]
    start_s = time.process_time()
    loop.run_until_us(seconds * 1_000_000)
    heard = sum(listener.heard for listener in listeners)
    packets = heard + sum(listener.collisions for listener in listeners)
    report(
        "10,000 in 100 cells" + (", HCI bytes" if reports else ""),
        time.process_time() - start_s,
        seconds,
        heard,
        packets,
    )


def dense(seconds: int, *, radio: bool) -> None:
    loop, streams = VirtualLoop(), Streams(1)
    air = Air(loop, streams, AirSettings(path_loss_exponent=3.0, capture_db=8.0))
    crowd = Crowd(air, "crowd", members(streams, 1000, 1))
    heard = [0]
    start_s = time.process_time()
    if radio:
        sniffer = Sniffer("radio", (25.0, 25.0, 0.0), lambda _: heard.__setitem__(0, heard[0] + 1))
        air.attach(sniffer)
        air.listen(sniffer, 37)
        loop.run_until_us(seconds * 1_000_000)
        packets = heard[0] + air.counts["collision"]
    else:
        listener = CrowdListener(crowd, "scanner", (25.0, 25.0, 0.0))
        loop.run_until_us(seconds * 1_000_000)
        heard[0] = listener.heard
        packets = listener.heard + listener.collisions
    name = "1,000 in one cell, " + ("ordinary radio" if radio else "scanner")
    report(name, time.process_time() - start_s, seconds, heard[0], packets)


def memory() -> None:
    streams = Streams(1)
    air = Air(VirtualLoop(), streams, AirSettings(path_loss_exponent=3.0, capture_db=8.0))
    tracemalloc.start()
    crowd = Crowd(air, "crowd", members(streams, 100, 100))
    listeners = [
        CrowdListener(
            crowd, f"s{i}", (i % 10 * 400.0 + 25, i // 10 * 400.0 + 25, 0.0), on_reports=len
        )
        for i in range(100)
    ]
    air.loop.run_until_us(2_000_000)
    print(  # a script prints
        f"memory: {tracemalloc.get_traced_memory()[0] / len(crowd):.0f} B per member with {len(listeners)} scanners"
    )
    tracemalloc.stop()


def main() -> None:
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    sparse(seconds, reports=False)
    sparse(seconds, reports=True)
    dense(min(seconds, 20), radio=False)
    dense(min(seconds, 20), radio=True)
    memory()


if __name__ == "__main__":
    main()
