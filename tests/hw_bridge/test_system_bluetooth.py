"""A phone on the operating system's Bluetooth: bleak with a system behind it that is made here."""

from __future__ import annotations

import asyncio

import pytest
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakError, BleakGATTProtocolError

from hw_bridge.bench_world import BenchWorld
from hw_bridge.system_bluetooth import rebuilt
from protocols.dissect import Block, dissect
from protocols.errors import UsageError
from sim.scenario import parse

BASE = "-0000-1000-8000-00805f9b34fb"
OWN = "7d2a4f10-0f4c-4d0a-9a57-3c1e2b6f0a01"
ADDRESS = "C0:11:22:33:44:55"
ADVERT = AdvertisementData(
    local_name="Lamp",
    manufacturer_data={0x004C: b"\x02\x15"},
    service_data={f"0000feaa{BASE}": b"\x20\x00"},
    service_uuids=[f"0000180f{BASE}", f"0000180a{BASE}", OWN],
    tx_power=-4,
    rssi=-61,
    platform_data=(),
)


class System:
    """What the operating system knows and does."""

    def __init__(self) -> None:
        self.values = {3: b"Lamp"}
        self.paired = False
        self.refuses_pairing = False
        self.clients = []
        self.scans = []

    def backends(self):
        return tuple(type(one.__name__, (one,), {"system": self}) for one in (Scanner, Client))


class Scanner(BaseBleakScanner):
    system: System

    def __init__(self, detection_callback, service_uuids, scanning_mode, **options):
        super().__init__(detection_callback, service_uuids)
        self.system.scans.append((scanning_mode, options["bluez"].get("adapter")))

    async def start(self):
        details = {"props": {"AddressType": "random"}}
        self.call_detection_callbacks(BLEDevice(ADDRESS, "Lamp", details), ADVERT)
        self.call_detection_callbacks(BLEDevice(ADDRESS, "Lamp", details), ADVERT)

    async def stop(self):
        self.system.scans.append("stop")


class Client(BaseBleakClient):
    system: System

    def __init__(self, device, **options):
        super().__init__(device, **{k: options[k] for k in ("disconnected_callback", "timeout")})
        self.up = False
        self.system.clients.append(self)

    @property
    def name(self):
        return "Lamp"

    @property
    def mtu_size(self):
        return 23

    @property
    def is_connected(self):
        return self.up

    async def connect(self, pair, **options):
        if not self.system.values:
            await asyncio.Event().wait()
        self.up = True
        self.services = table()

    async def disconnect(self):
        self.drop()

    def drop(self):
        self.up = False
        self._disconnected_callback()

    async def pair(self, *arguments, **options):
        if self.system.refuses_pairing:
            raise BleakError("Authentication Failed")
        self.system.paired = True

    async def unpair(self):
        self.system.paired = False

    async def read_gatt_char(self, one, **options):
        if one.handle not in self.system.values:
            raise BleakGATTProtocolError(0x05)
        return bytearray(self.system.values[one.handle])

    async def read_gatt_descriptor(self, one, **options):
        raise NotImplementedError

    async def write_gatt_char(self, one, data, response):
        self.system.values[one.handle] = bytes(data)

    async def write_gatt_descriptor(self, one, data):
        raise NotImplementedError

    async def start_notify(self, one, callback, **options):
        callback(bytearray(b"\x2a"))

    async def stop_notify(self, one):
        pass


def table() -> BleakGATTServiceCollection:
    found = BleakGATTServiceCollection()
    service = BleakGATTService(None, 1, f"00001800{BASE}")
    found.add_service(service)
    own = BleakGATTService(None, 5, OWN)
    found.add_service(own)
    for handle, uuid, properties, home in (
        (3, f"00002a00{BASE}", ["read", "write"], service),
        (7, OWN.replace("10", "11", 1), ["read", "notify"], own),
    ):
        found.add_characteristic(
            BleakGATTCharacteristic(None, handle, uuid, properties, lambda: 20, home)
        )
    return found


def bench(system: System, *commands: str, **options):
    lines = "".join(
        f'[[step]]\nnode = "phone"\ndo = "{each.split()[0]}"\nset = {{ '
        + ", ".join('{} = "{}"'.format(*word.split("=")) for word in each.split()[1:])
        + " }\n"
        for each in commands
    )
    world = BenchWorld(
        parse(
            'title = "t"\nduration = "1h"\n[[node]]\nname = "phone"\nphone = "generic"\n' + lines
        ),
        speed=None,
    )
    world.use_system("phone", backends=system.backends(), **options)
    events = []
    world.trace.add_sink(events.append)

    async def work() -> None:
        await asyncio.sleep(60)
        await world.close_dongles()

    try:
        with world.session():
            world.loop.run_until_complete(work())
    finally:
        world.close()
    return events, world.result()


def of(events, name: str) -> list:
    return [each for each in events if each.event == name and each.layer == "phone"]


def test_an_advert_is_put_together_from_what_the_system_shows():
    found = dissect(Block(kind="ad", data=rebuilt(ADVERT)))
    assert found.error is None
    types = []
    octets = rebuilt(ADVERT)
    while octets:
        types.append(octets[1])
        octets = octets[octets[0] + 1 :]
    assert types == [0x03, 0x07, 0x16, 0xFF, 0x0A, 0x09]
    assert bytes.fromhex("05030f180a18") in rebuilt(ADVERT)


def test_a_phone_hears_connects_discovers_reads_writes_subscribes_and_pairs():
    system = System()
    events, result = bench(
        system, "scan", "wait_for what=Lamp", "stop_scan", "connect to=Lamp", "pair", "discover",
        "read uuid=2a00", "write uuid=2a00 hex=42", f"subscribe uuid={OWN.replace('10', '11', 1)}",
        "disconnect",
    )  # fmt: skip
    assert result.failures == ()
    heard = of(events, "heard")[0]
    assert (heard.fields["rssi_dbm"], heard.fields["local_name"]) == (-61, "Lamp")
    assert of(events, "read")[0].fields["value"] == {"text": "Lamp"}
    assert system.values[3] == b"B"
    assert of(events, "notification")[0].fields["value_hex"] == "2a"
    assert system.paired
    assert of(events, "disconnected")
    assert system.scans == [("active", None), "stop"]


def test_an_adapter_is_handed_to_bluez():
    system = System()
    bench(system, "scan", adapter="hci1")
    assert system.scans[0] == ("active", "hci1")


def test_a_refusal_of_the_other_side_is_an_att_error_by_its_name():
    system = System()
    system.values[7] = b""
    del system.values[3]
    events, result = bench(system, f"connect to={ADDRESS}", "read uuid=2a00")
    assert len(result.failures) == 1
    assert of(events, "refused")[0].fields["code"] == 0x05


def test_a_pairing_that_the_system_refuses_says_what_to_do():
    system = System()
    system.refuses_pairing = True
    _, result = bench(system, f"connect to={ADDRESS}", "pair")
    (failure,) = result.failures
    assert "Authentication Failed" in failure
    assert "old bond" in failure


def test_a_connection_that_never_comes_ends_in_time():
    system = System()
    system.values = {}
    events, result = bench(system, f"connect to={ADDRESS} timeout=5s")
    assert of(events, "connect_timeout")
    assert len(result.failures) == 1


def test_the_end_of_a_connection_is_told_once():
    system = System()
    events, _ = bench(system, f"connect to={ADDRESS}")
    assert len(of(events, "disconnected")) == 1, "also when the world closes it"


def test_only_a_phone_can_use_it():
    text = 'title = "t"\nduration = "1s"\n[[node]]\nname = "lamp"\naccessory = "lock"\n'
    world = BenchWorld(parse(text), speed=None)
    with pytest.raises(UsageError, match="is no phone"):
        world.use_system("lamp")
    world.close()
