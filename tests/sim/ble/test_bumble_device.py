"""bumble's own Host and Device, unmodified, on our controllers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bumble import core, hci
from bumble.device import (
    AdvertisingEventProperties,
    AdvertisingParameters,
    Device,
    Peer,
    PeriodicAdvertisingParameters,
)
from bumble.gatt import GATT_DEVICE_NAME_CHARACTERISTIC, Characteristic, Service
from bumble.host import Host

from sim.air import Air, AirSettings
from sim.ble.controller import AirController
from sim.ble.device_commands import LE_FEATURES
from sim.ble.quiet import quiet
from sim.clock import VirtualLoop
from sim.rng import Streams

ADDRESS_A = "F0:00:00:00:00:0A"
ADDRESS_B = "F0:00:00:00:00:0B"


class Stage:
    """A running VirtualLoop with an air; devices are switched on."""

    def __init__(self, **settings) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self.loop = loop
        self.streams = Streams(3)
        self.air = Air(loop, self.streams, AirSettings(**settings))

    async def device(self, name: str, address: str, x_m: float = 0.0) -> Device:
        controller = AirController(
            name,
            self.air,
            self.loop,
            self.streams,
            public_address=f"00:{address[3:]}",
            position=(x_m, 0.0, 0.0),
        )
        device = Device(name=name, address=hci.Address(address), host=Host(controller, controller))
        await device.power_on()
        return device


async def test_a_device_comes_up_with_every_command_answered():
    stage = Stage()
    device = await stage.device("a", ADDRESS_A)
    assert device.public_address == hci.Address(f"00:{ADDRESS_A[3:]}/P")
    assert stage.loop.now_us < 1_000_000


async def test_advertising_scanning_and_gatt():
    stage = Stage()
    a, b = await stage.device("a", ADDRESS_A), await stage.device("b", ADDRESS_B, 2.0)
    read_only = Characteristic.Properties.READ
    a.add_service(
        Service(
            "1809",
            [Characteristic("2A1D", read_only, Characteristic.Permissions.READABLE, b"\x02")],
        )
    )
    a.advertising_data = bytes.fromhex("020106")
    a.scan_response_data = b"\x05\x09nice"
    found = []
    b.on("advertisement", found.append)
    await a.start_advertising(advertising_interval_min=100, advertising_interval_max=100)
    await b.start_scanning(active=True)
    await asyncio.sleep(2)
    await b.stop_scanning()
    assert found
    assert all(advertisement.rssi == -46 for advertisement in found)  # 40 dB at 1 m, exponent 2
    assert all(
        advertisement.is_connectable and advertisement.is_scannable for advertisement in found
    )
    names = {
        advertisement.data.get(core.AdvertisingData.COMPLETE_LOCAL_NAME) for advertisement in found
    }
    assert "nice" in names
    connection = await b.connect(a.random_address)
    peer = Peer(connection)
    await peer.discover_services()
    await peer.discover_characteristics()
    [kind] = peer.get_characteristics_by_uuid(core.UUID("2A1D"))
    assert await kind.read_value() == b"\x02"
    [name] = peer.get_characteristics_by_uuid(GATT_DEVICE_NAME_CHARACTERISTIC)
    assert await name.read_value() == b"a"
    await connection.disconnect()
    await asyncio.sleep(0.1)
    assert not a.connections
    assert not b.connections


class LegacyController(AirController):
    """Bluetooth 4.2 and earlier: no extended advertising, so none of its commands."""

    le_features = LE_FEATURES & ~(
        hci.LeFeatureMask.LE_EXTENDED_ADVERTISING | hci.LeFeatureMask.LE_PERIODIC_ADVERTISING
    )


async def test_a_device_on_a_legacy_only_controller_uses_the_legacy_commands():
    """Row "legacy-only controller": with the feature bits cleared bumble's host falls back to them, on both sides."""
    stage = Stage()
    devices = []
    sent: list[int] = []
    for name, address in (("a", ADDRESS_A), ("b", ADDRESS_B)):
        controller = LegacyController(name, stage.air, stage.loop, stage.streams)
        controller.observe_hci(
            lambda to_host, p: None if to_host else sent.append(p[1] | p[2] << 8)
        )
        device = Device(name=name, address=hci.Address(address), host=Host(controller, controller))
        await device.power_on()
        devices.append(device)
    a, b = devices
    a.advertising_data = bytes.fromhex("020106")
    a.scan_response_data = b"\x05\x09nice"
    found = []
    b.on("advertisement", found.append)
    await a.start_advertising()
    await b.start_scanning(active=True, legacy=True)
    await asyncio.sleep(2)
    names = {one.data.get(core.AdvertisingData.COMPLETE_LOCAL_NAME) for one in found}
    assert "nice" in names
    connection = await b.connect(a.random_address)
    assert connection
    assert hci.HCI_LE_SET_ADVERTISING_ENABLE_COMMAND in sent
    assert hci.HCI_LE_CREATE_CONNECTION_COMMAND in sent
    assert hci.HCI_LE_SET_EXTENDED_ADVERTISING_ENABLE_COMMAND not in sent


async def test_connect_with_a_timeout_returns_and_the_next_one_works():
    """Row "connect timeout / cancel": Device.connect(timeout=0.5) never returned."""
    stage = Stage()
    a, b = await stage.device("a", ADDRESS_A), await stage.device("b", ADDRESS_B)
    before_us = stage.loop.now_us
    with pytest.raises(core.TimeoutError):
        await b.connect(hci.Address(ADDRESS_A), timeout=0.5)
    assert stage.loop.now_us - before_us < 600_000
    await a.start_advertising()
    await asyncio.sleep(1)
    assert not a.connections
    assert await b.connect(hci.Address(ADDRESS_A), timeout=5)


async def test_extended_set_of_a_device_with_its_own_random_address_connects():
    """Row "own address ... a set's own random address": packets were dropped after the connection."""
    stage = Stage()
    a, b = await stage.device("a", ADDRESS_A), await stage.device("b", ADDRESS_B)
    own = hci.Address("F0:00:00:00:00:77")
    await a.create_advertising_set(
        random_address=own,
        advertising_parameters=AdvertisingParameters(
            advertising_event_properties=AdvertisingEventProperties(is_connectable=True)
        ),
        advertising_data=bytes.fromhex("020106"),
    )
    connection = await b.connect(own)
    peer = Peer(connection)
    await peer.discover_services()
    assert len(peer.services) >= 2


async def test_periodic_advertising_between_devices():
    stage = Stage()
    a, b = await stage.device("a", ADDRESS_A), await stage.device("b", ADDRESS_B)
    advertising_set = await a.create_advertising_set(
        random_address=hci.Address("F0:00:00:00:00:77"),
        advertising_parameters=AdvertisingParameters(
            advertising_event_properties=AdvertisingEventProperties(
                is_connectable=False, is_scannable=False
            )
        ),
    )
    await advertising_set.set_periodic_advertising_parameters(
        PeriodicAdvertisingParameters(200, 200)
    )
    await advertising_set.set_periodic_advertising_data(b"\x02\x0a\x00")
    await advertising_set.start_periodic()
    await b.start_scanning()
    sync = await b.create_periodic_advertising_sync(
        hci.Address("F0:00:00:00:00:77"), sid=0, sync_timeout=2.0
    )
    got, lost = [], []
    sync.on("periodic_advertisement", got.append)
    sync.on("loss", lambda *_: lost.append(stage.loop.now_us))
    await asyncio.sleep(10)
    assert 45 <= len(got) <= 50
    await advertising_set.stop_periodic()
    await asyncio.sleep(5)
    assert len(lost) == 1


async def test_connecting_under_loss_ends_in_the_same_gatt_result():
    stage = Stage(loss=0.2)
    a, b = await stage.device("a", ADDRESS_A), await stage.device("b", ADDRESS_B)
    await a.start_advertising(auto_restart=True)
    connection = None
    while connection is None:
        with contextlib.suppress(core.ConnectionError):  # 0x3E: the request was lost
            connection = await b.connect(a.random_address, timeout=5)
    peer = Peer(connection)
    await peer.discover_services()
    assert len(peer.services) >= 2


async def test_quiet_changes_no_result_and_gives_back_what_it_took():
    packet = hci.HCI_Reset_Command()
    loud = str(packet)
    with quiet():
        assert str(packet) == "HCI_Reset_Command"
        with quiet():
            pass
        assert str(packet) == "HCI_Reset_Command"
        assert bytes(packet) == bytes.fromhex("01 03 0c 00")
        stage = Stage()
        assert await stage.device("a", ADDRESS_A)
    assert str(packet) == loud != "HCI_Reset_Command"


def test_quiet_leaves_debug_logging_alone(caplog):
    caplog.set_level(logging.DEBUG, "bumble")
    packet = hci.HCI_Reset_Command()
    loud = str(packet)
    with quiet():
        assert str(packet) == loud


def host_run() -> list[tuple[int, bool, bytes]]:
    """HCI packets with times of one advertising and two scanning hosts under loss."""
    loop = VirtualLoop()
    trace: list[tuple[int, bool, bytes]] = []

    async def main() -> None:
        stage = Stage(loss=0.1)
        devices = [
            await stage.device(name, f"F0:00:00:00:00:{i:02X}") for i, name in enumerate("abc", 1)
        ]
        for device in devices:
            controller: Any = device.host.controller
            controller.observe_hci(lambda to_host, p: trace.append((loop.now_us, to_host, p)))
        await devices[0].start_advertising(advertising_interval_min=50, advertising_interval_max=50)
        for device in devices[1:]:
            await device.start_scanning(active=True)
        await asyncio.sleep(3)

    try:
        loop.run_until_complete(main())
    finally:
        loop.close()
    return trace


def test_a_hosts_run_is_the_same_twice():
    """Same seed, same HCI octets and times, with two scanning hosts (bumble's LocalLink depended on memory addresses)."""

    first = host_run()
    assert len(first) > 50
    assert first == host_run()


def test_a_hosts_run_does_not_depend_on_the_hash_seed():
    code = "import hashlib, test_bumble_device as t; print(hashlib.sha256(repr(t.host_run()).encode()).hexdigest())"
    here = Path(__file__).parent
    digests = set()
    for seed in ("0", "1"):
        paths = os.pathsep.join((str(here), str(here.parents[2])))
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": paths}
        done = subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            text=True,
            env=environment,
        )
        digests.add(done.stdout)
    assert len(digests) == 1
