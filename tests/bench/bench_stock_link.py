"""A scanning bumble host among advertisers, on our air and on bumble's stock LocalLink, in the same run.

    python tests/bench/bench_stock_link.py

CPU seconds per simulated second, for 1, 10 and 1,000 advertisers at 100 ms around one scanner. On our air the
thousand are a crowd (advertise-only, one shared engine); on the stock link each is a bare bumble controller,
which is the least it offers. Goals: 300 and 30 times real time for one and ten; 500 times less CPU for 1,000.
"""

from __future__ import annotations

import asyncio
import time

from bumble import hci
from bumble.controller import Controller
from bumble.device import Device
from bumble.host import Host
from bumble.link import LocalLink

from sim.air import Air
from sim.ble.controller import AirController
from sim.ble.quiet import quiet
from sim.clock import VirtualLoop
from sim.crowd import Crowd, Member, advertising_pdu
from sim.rng import Streams

DATA = bytes.fromhex("0201061aff4c000215fda50693a4e24fb1afcfc6eb0764782500010002c5")


async def our_scanner(loop, streams, air, reports):
    controller = AirController("scanner", air, loop, streams, position=(0.0, 0.0, 0.0))
    scanner = Device(
        name="s", address=hci.Address("F0:00:00:00:00:00"), host=Host(controller, controller)
    )
    await scanner.power_on()
    scanner.on("advertisement", reports.append)
    await scanner.start_scanning(active=False)


def ours(advertisers, seconds):
    """(CPU s per simulated s, reports): advertisers are a crowd."""
    loop, streams, reports = VirtualLoop(), Streams(1), []
    asyncio.set_event_loop(loop)
    air = Air(loop, streams)
    place = streams.stream("bench/place")
    members = [
        Member(
            (place.uniform(1, 20), place.uniform(1, 20), 0.0),
            100_000,
            advertising_pdu(n.to_bytes(5, "little") + b"\xc0", DATA),
        )
        for n in range(advertisers)
    ]
    with quiet():
        Crowd(air, "crowd", members)
        loop.run_until_complete(our_scanner(loop, streams, air, reports))
        begun = time.process_time()
        loop.run_until_us(loop.now_us + seconds * 1_000_000)
        spent = time.process_time() - begun
    asyncio.set_event_loop(None)
    loop.close()
    return spent / seconds, len(reports)


def full(advertisers, seconds):
    """(CPU s per simulated s, reports): every advertiser has a whole bumble stack on our air."""
    from tests.bench.bench_ble_radio import measure

    ratio, count = measure(advertisers, seconds, active=False, calm=True)
    return 1 / ratio, count


def stock(advertisers, seconds):
    """(CPU s per simulated s, reports) on bumble's own link and controllers."""
    loop, reports = VirtualLoop(), []
    loop.watchdog.limit = (
        10**9
    )  # a thousand controllers start at once, each PDU is scheduled to each other one
    asyncio.set_event_loop(loop)

    async def start():
        link = LocalLink()
        controller = Controller("s", link=link)
        scanner = Device(
            name="s", address=hci.Address("F0:00:00:00:00:00"), host=Host(controller, controller)
        )
        await scanner.power_on()
        scanner.on("advertisement", reports.append)
        for n in range(advertisers):
            other = Controller(f"a{n}", link=link)
            other.random_address = hci.Address(f"C0:00:00:00:{n >> 8:02X}:{n & 255:02X}")
            other.le_legacy_advertiser.own_address_type = 1
            other.le_legacy_advertiser.advertising_interval_min = 100
            other.le_legacy_advertiser.advertising_data = DATA
            other.le_legacy_advertiser.start()
        await scanner.start_scanning(active=False)

    with quiet():
        loop.run_until_complete(start())
        begun = time.process_time()
        loop.run_until_us(loop.now_us + round(seconds * 1_000_000))
        spent = time.process_time() - begun
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_us(loop.now_us)
    asyncio.set_event_loop(None)
    loop.close()
    return spent / seconds, len(reports)


def main():
    print("advertisers  on our air (CPU s/s)  stock link (CPU s/s)  ratio  times real time (ours)")
    for advertisers, run, seconds, stock_seconds in (
        (1, full, 60, 20),
        (10, full, 60, 5),
        (1000, ours, 20, 0.2),
    ):
        mine, heard = run(advertisers, seconds)
        theirs, _ = stock(advertisers, stock_seconds)
        print(
            f"{advertisers:11}  {mine:20.4f}  {theirs:20.4f}  {theirs / mine:5.1f}  {1 / mine:8.0f}   ({heard} reports)"
        )


if __name__ == "__main__":
    main()
