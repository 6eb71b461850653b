"""Advertisers with a full bumble stack each, and one scanning host: simulated seconds per CPU second.

    python tests/bench/bench_ble_radio.py [simulated seconds]

Goals: one advertiser at 100 ms at least 300 times real time, ten at least 30 times; unmodified bumble Hosts, with
`sim.ble.quiet` and without, active and passive scanning.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time

from bumble import hci
from bumble.device import Device
from bumble.host import Host

from sim.air import Air
from sim.ble.controller import AirController
from sim.ble.quiet import quiet
from sim.clock import VirtualLoop
from sim.rng import Streams


async def _start(loop: VirtualLoop, advertisers: int, *, active: bool) -> list[object]:
    streams = Streams(1)
    air = Air(loop, streams)
    devices = []
    for number in range(advertisers + 1):
        controller = AirController(
            f"n{number}", air, loop, streams, position=(float(number), 0.0, 0.0)
        )
        address = hci.Address(f"F0:00:00:00:00:{number:02X}")
        device = Device(name=f"n{number}", address=address, host=Host(controller, controller))
        await device.power_on()
        devices.append(device)
    reports: list[object] = []
    for device in devices[1:]:
        device.advertising_data = bytes.fromhex("020106")
        device.scan_response_data = b"\x05\x09nice"
        await device.start_advertising(advertising_interval_min=100, advertising_interval_max=100)
    devices[0].on("advertisement", reports.append)
    await devices[0].start_scanning(active=active)
    return reports


def measure(advertisers: int, seconds: int, *, active: bool, calm: bool) -> tuple[float, int]:
    """(simulated seconds per CPU second, advertisements that the application got)."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    with quiet() if calm else contextlib.nullcontext():
        reports = loop.run_until_complete(_start(loop, advertisers, active=active))
        begun = time.process_time()
        loop.run_until_us(loop.now_us + seconds * 1_000_000)
        spent = time.process_time() - begun
    asyncio.set_event_loop(None)
    loop.close()
    return seconds / spent, len(reports)


def main() -> None:
    """Print the table."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    sys.stdout.write("advertisers  scan     quiet  x real time  advertisements\n")
    for advertisers in (1, 10):
        for active in (True, False):
            for calm in (True, False):
                ratio, count = measure(advertisers, seconds, active=active, calm=calm)
                scan = "active" if active else "passive"
                sys.stdout.write(
                    f"{advertisers:11}  {scan:7}  {calm!s:5}  {ratio:11.0f}  {count:14}\n"
                )


if __name__ == "__main__":
    main()
