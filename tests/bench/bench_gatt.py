"""GATT reads, notifications and pairings per CPU second: our air at 7.5 ms against bumble's stock LocalLink.

    python tests/bench/bench_gatt.py [--rounds N]

Both run in this process, alternately, on the virtual loop; the stock side as a user gets it. A ratio above 1 means
that we are faster.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from bumble import hci
from bumble.controller import Controller
from bumble.core import UUID
from bumble.device import ConnectionParametersPreferences, Device, Peer
from bumble.gatt import Characteristic, Service
from bumble.link import LocalLink
from bumble.pairing import PairingConfig, PairingDelegate

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from sim.air import Air, AirSettings  # noqa: E402 # after the path is set
from sim.ble.controller import AirController  # noqa: E402
from sim.ble.host import AirHost  # noqa: E402
from sim.ble.quiet import quiet  # noqa: E402
from sim.clock import VirtualLoop  # noqa: E402
from sim.rng import Streams  # noqa: E402

ADDRESSES = {"phone": "C0:AA:BB:CC:DD:EE", "accessory": "C0:11:22:33:44:55"}
VALUE = "7d2a4f11-0f4c-4d0a-9a57-3c1e2b6f0a01"
READS, NOTIFICATIONS, PAIRINGS = 1500, 3000, 20
INTERVAL_MS = 7.5
IO = PairingDelegate.IoCapability


class Side:
    """Two devices on one medium; `make` builds a Device."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.loop = VirtualLoop()
        self.loop.watchdog.wall_limit_s = 120.0
        self.devices: dict[str, Device] = {}
        self.value = Characteristic(
            VALUE,
            Characteristic.Properties.READ | Characteristic.Properties.NOTIFY,
            Characteristic.READABLE,
            bytes(20),
        )

    def do(self, task: Any) -> Any:
        return self.loop.run_until_complete(task)

    def add(self, name: str, device: Device) -> None:
        self.devices[name] = device
        if name == "accessory":
            device.add_service(Service("7d2a4f10-0f4c-4d0a-9a57-3c1e2b6f0a01", [self.value]))

    async def connect(self) -> tuple[Any, Any]:
        phone, accessory = self.devices["phone"], self.devices["accessory"]
        await accessory.start_advertising(auto_restart=False)
        wish = ConnectionParametersPreferences(
            connection_interval_min=INTERVAL_MS, connection_interval_max=INTERVAL_MS
        )
        mine = await phone.connect(
            hci.Address(ADDRESSES["accessory"]),
            connection_parameters_preferences={hci.Phy.LE_1M: wish},
        )
        while not accessory.connections:  # noqa: ASYNC110 # bumble has no event for it
            await asyncio.sleep(0.01)
        peer = Peer(mine)
        await peer.discover_services()
        await peer.discover_characteristics()
        return mine, peer.get_characteristics_by_uuid(UUID(VALUE))[0]


def ours() -> Side:
    side = Side("ours")
    streams = Streams(1)
    air = Air(side.loop, streams, AirSettings())
    for number, (name, address) in enumerate(ADDRESSES.items()):
        controller = AirController(
            name, air, side.loop, streams, position=(float(number), 0.0, 0.0)
        )
        host = AirHost(controller, lambda: side.loop.now_us)
        side.add(name, Device(name=name, address=hci.Address(address), host=host))
    return side


def stock() -> Side:
    side = Side("stock")

    async def make() -> None:
        link = LocalLink()
        for name, address in ADDRESSES.items():
            controller = Controller(
                name, link=link, public_address=f"00:00:00:00:00:0{len(name) % 10}"
            )
            side.add(name, Device.with_hci(name, hci.Address(address), controller, controller))

    side.do(make())
    return side


async def power(side: Side) -> None:
    for device in side.devices.values():
        await device.power_on()


async def reads(side: Side, value: Any) -> int:
    for _ in range(READS):
        await value.read_value()
    return READS


async def notifications(side: Side, value: Any) -> int:
    heard = 0
    done = asyncio.get_running_loop().create_future()

    def note(_: bytes) -> None:
        nonlocal heard
        heard += 1
        if heard == NOTIFICATIONS:
            done.set_result(None)

    await value.subscribe(note)
    accessory = side.devices["accessory"]
    for _ in range(NOTIFICATIONS):
        await accessory.notify_subscribers(side.value, bytes(20))
    await done
    await value.unsubscribe()
    return NOTIFICATIONS


class Typist(PairingDelegate):
    """Types the other's passkey, or agrees."""

    shown: asyncio.Future[int] | None = None

    async def display_number(self, number: int, digits: int) -> None:
        assert Typist.shown is not None
        if not Typist.shown.done():
            Typist.shown.set_result(number)

    async def get_number(self) -> int | None:
        assert Typist.shown is not None
        return await Typist.shown


METHODS: dict[str, tuple[bool, IO, IO]] = {
    "Just Works": (True, IO.NO_OUTPUT_NO_INPUT, IO.NO_OUTPUT_NO_INPUT),
    "passkey": (True, IO.KEYBOARD_INPUT_ONLY, IO.DISPLAY_OUTPUT_ONLY),
    "comparison": (True, IO.DISPLAY_OUTPUT_AND_YES_NO_INPUT, IO.DISPLAY_OUTPUT_AND_YES_NO_INPUT),
    "legacy Just Works": (False, IO.NO_OUTPUT_NO_INPUT, IO.NO_OUTPUT_NO_INPUT),
    "legacy passkey": (False, IO.KEYBOARD_INPUT_ONLY, IO.DISPLAY_OUTPUT_ONLY),
}


async def forget_bonds(side: Side) -> None:
    """bumble looks for a bonded peer by resolving addresses, and a static one is none it resolves."""
    for device in side.devices.values():
        assert device.keystore is not None
        await device.keystore.delete_all()
        await device.refresh_resolving_list()


def pairings(side: Side, method: str) -> float:
    """Pairings per CPU second, each on a connection of its own: bumble cannot pair twice on one."""
    sc, *screens = METHODS[method]
    for device, screen in zip(side.devices.values(), screens, strict=True):
        mitm = screen != IO.NO_OUTPUT_NO_INPUT
        config = PairingConfig(
            sc=sc,
            mitm=mitm,
            delegate=Typist(screen),
            identity_address_type=PairingConfig.AddressType.RANDOM,
        )
        device.pairing_config_factory = lambda _, config=config: config
    spent_s = 0.0
    for _ in range(PAIRINGS):
        connection, _ = side.do(side.connect())
        Typist.shown = side.loop.create_future()
        start = time.process_time()
        side.do(asyncio.wait_for(connection.pair(), 60))
        spent_s += time.process_time() - start
        side.do(asyncio.sleep(0.5))
        side.do(connection.disconnect())
        side.do(asyncio.sleep(0.5))
        side.do(forget_bonds(side))
    return PAIRINGS / spent_s


def rate(side: Side, task: Any) -> float:
    """What `task` counts, per CPU second."""
    start = time.process_time()
    count: int = side.do(task)
    return count / (time.process_time() - start)


def measure(side: Side) -> dict[str, float]:
    with quiet() if side.name == "ours" else contextlib.nullcontext():
        side.do(power(side))
        connection, value = side.do(side.connect())
        found = {"reads": rate(side, reads(side, value))}
        found["notifications"] = rate(side, notifications(side, value))
        side.do(connection.disconnect())
        side.do(asyncio.sleep(0.5))
        for method in METHODS:
            found[f"pairings, {method}"] = pairings(side, method)
    side.loop.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    results: dict[str, list[dict[str, float]]] = {"ours": [], "stock": []}
    for _ in range(rounds):
        for make in (ours, stock):
            side = make()
            results[side.name].append(measure(side))
    sys.stdout.write(f"per CPU second, median of {rounds}; interval {INTERVAL_MS} ms\n")
    for row in results["ours"][0]:
        mine, theirs = (
            statistics.median(one[row] for one in results[name]) for name in ("ours", "stock")
        )
        sys.stdout.write(
            f"  {row:32} ours {mine:9.0f}  stock {theirs:9.0f}  ratio {mine / theirs:5.2f}\n"
        )


if __name__ == "__main__":
    main()
