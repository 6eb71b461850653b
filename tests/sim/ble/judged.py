"""Scenarios that run on our controller and on rootcanal, and what the hosts saw of them as plain values.

Rules of the file:
* A scenario takes a world (`raw_host` and `rootcanal_world` have the same interface) and returns named values:
  event kinds, data, reasons, parameters, order.
* Out of the comparison by nature: addresses (they get names), handles, times, numbers of reports, signal strengths.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import struct
from typing import TYPE_CHECKING, Any

from bumble.core import UUID, ProtocolError
from bumble.device import Peer
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.pairing import PairingConfig, PairingDelegate
from raw_host import ADV_DATA, MS, RANDOM_A, RANDOM_B, S, World, hci, wire
from rows import ROWS, SymptomError, acl, advertise, answers, connected, handle_of, send

from sim.ble.controller import AirController
from sim.ble.determinism import seeded

if TYPE_CHECKING:
    from collections.abc import Callable

Seen = dict[str, Any]
SCENARIOS: dict[str, Callable[[Any], Seen]] = {}
SCAN_RESPONSE = b"\x05\x09nice"
LISTEN_US = 400 * MS


def scenario(function: Callable[[Any], Seen]) -> Callable[[Any], Seen]:
    SCENARIOS[function.__name__] = function
    return function


class OurWorld(World):
    """`raw_host.World` with bumble devices."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = contextlib.ExitStack()
        self._stack.enter_context(seeded(self.streams))

    def __exit__(self, *exc: object) -> None:
        self._stack.close()
        super().__exit__(*exc)

    def do(self, task: Any, *, limit_s: float = 60.0) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(task, limit_s))

    def device(self, name: str, address: str) -> Any:
        from bumble.device import Device

        public = f"00:00:00:00:00:{ord(name[0]):02X}"
        controller = AirController(name, self.air, self.loop, self.streams, public_address=public)
        device = Device.with_hci(name, hci.Address(address), controller, controller)
        self.do(device.power_on())
        return device


# Names for what varies


class Names:
    """Address octets -> name, for the hosts of a scenario and their static addresses."""

    def __init__(self, *hosts: Any) -> None:
        self._names = {bytes(6): "-", wire(RANDOM_A): "a.random", wire(RANDOM_B): "b.random"}
        for host in hosts:
            public = host.opcode(hci.HCI_READ_BD_ADDR_COMMAND)[1:]
            self._names[public] = f"{host.name}.public"
            host.public = hci.Address(public, hci.AddressType.PUBLIC_DEVICE)

    def of(self, kind: int, address: bytes) -> str:
        return f"{self._names.get(address, 'other')} ({kind})"


def reports(names: Names, host: Any, since: int = 0) -> list[Any]:
    """The different reports of `host` from event number `since`."""
    found = set()
    for _, event in host.events[since:]:
        if event[1] != 0x3E or event[3] not in (0x02, 0x0D):
            continue
        (report,) = host_reports(event)
        who = names.of(report.address_type, report.address)
        if report.subevent == 0x02:
            found.add((report.event_type, who, report.data.hex()))
        else:
            phys = (report.primary_phy, report.secondary_phy)
            target = names.of(report.target_type, report.target) if report.event_type & 4 else ""
            more = (report.sid & 0xFF, report.tx_power, target)
            found.add((report.event_type, who, report.data.hex(), *phys, *more))
    return sorted(found)


def host_reports(event: bytes) -> list[Any]:
    from raw_host import Report

    return [Report(0, event[3], event[4:])]


def stop_scan(host: Any) -> None:
    command = hci.HCI_LE_Set_Extended_Scan_Enable_Command
    host.ok(command(enable=0, filter_duplicates=0, duration=0, period=0))


def heard(world: Any, names: Names, host: Any, **options: Any) -> list[Any]:
    """What a scan of a while reports."""
    since = len(host.events)
    host.scan(**options)
    world.run(LISTEN_US)
    stop_scan(host)
    world.run(30 * MS)
    return reports(names, host, since)


# Advertising and scanning

KINDS: dict[str, tuple[int, dict[str, Any]]] = {
    "ADV_IND": (0x13, {"scan_response": SCAN_RESPONSE}),
    "ADV_IND, no scan response": (0x13, {}),
    "ADV_SCAN_IND": (0x12, {"scan_response": SCAN_RESPONSE}),
    "ADV_NONCONN_IND": (0x10, {}),
    "ADV_DIRECT_IND": (0x15, {"data": b"", "peer": "b"}),
    "ADV_DIRECT_IND to another": (0x15, {"data": b"", "peer": "other"}),
    "non-connectable": (0x00, {"sid": 3}),
    "connectable": (0x01, {"sid": 4, "secondary_phy": 2}),
    "scannable": (0x02, {"sid": 5, "data": b"", "scan_response": SCAN_RESPONSE}),
    "directed": (0x04, {"sid": 6, "peer": "b"}),
    "directed to another": (0x04, {"sid": 6, "peer": "other"}),
    "connectable and directed": (0x05, {"sid": 6, "data": b"", "peer": "b"}),
    "anonymous": (0x20, {"sid": 7}),
    "with power": (0x40, {"sid": 8, "power": -4}),
    "coded": (0x00, {"primary_phy": 3, "secondary_phy": 3}),
}


@scenario
def advertising_kinds(world: Any) -> Seen:
    a, b = world.host("a"), world.host("b", public="00:00:00:00:00:0B")
    names = Names(a, b)
    peers = {"b": f"{b.public.to_string(False)}/P", "other": "00:00:00:00:00:99/P"}
    seen: Seen = {}
    for kind, (properties, options) in KINDS.items():
        options = options | ({"peer": peers[options["peer"]]} if "peer" in options else {})
        advertise(a, properties, interval_ms=30, **options)
        for mode in ("passive", "active"):
            phys = 0b101 if kind == "coded" else 1
            seen[f"{kind}, {mode}"] = heard(world, names, b, active=mode == "active", phys=phys)
        assert a.enable_set(0, on=0)[0] == 0
        a.ok(hci.HCI_LE_Remove_Advertising_Set_Command(advertising_handle=0))
    return seen


@scenario
def legacy_commands(world: Any) -> Seen:
    seen: Seen = {}
    a, b = world.host("a"), world.host("b", public="00:00:00:00:00:0B")
    names = Names(a, b)
    for kind, active in itertools.product((0, 2, 3, 4), (False, True)):
        a.reset()
        b.reset()
        peer = f"{b.public.to_string(False)}/P"
        options = {"peer": peer, "data": b""} if kind == 4 else {"scan_response": SCAN_RESPONSE}
        a.legacy_set(kind, interval_ms=30, **options)
        since = len(b.events)
        b.scan(extended=False, active=active)
        world.run(LISTEN_US)
        seen[f"type {kind}, {'active' if active else 'passive'}"] = reports(names, b, since)
    return seen


@scenario
def data_sizes(world: Any) -> Seen:
    a, b = world.host("a"), world.host("b")
    seen: Seen = {}
    most = a.ok(hci.HCI_LE_Read_Maximum_Advertising_Data_Length_Command())
    seen["maximum"] = int.from_bytes(most[1:], "little")
    for size in (0, 1, 31, 229, 230, 254, 1650):
        data = bytes(n * 7 & 0xFF for n in range(size))
        advertise(a, 0x00, data=b"", interval_ms=50)
        assert a.enable_set(0, on=0)[0] == 0
        seen[f"{size} octets: status"] = a.set_data(data)[0]
        assert a.enable_set(0)[0] == 0
        since = len(b.events)
        b.scan()
        world.run(LISTEN_US)
        stop_scan(b)
        whole, part = set(), b""
        for _, event in b.events[since:]:
            if event[1] == 0x3E and event[3] == 0x0D:
                (report,) = host_reports(event)
                part += report.data
                if not report.event_type >> 5:
                    whole.add(part)
                if report.event_type >> 5 != 1:
                    part = b""
        seen[f"{size} octets: arrive"] = whole == {data}
        assert a.enable_set(0, on=0)[0] == 0
        a.ok(hci.HCI_LE_Remove_Advertising_Set_Command(advertising_handle=0))
    return seen


@scenario
def limits_and_filters(world: Any) -> Seen:
    seen: Seen = {}
    a, b = world.host("a"), world.host("b")
    names = Names(a, b)
    advertise(a, 0x13, scan_response=SCAN_RESPONSE, interval_ms=30)
    since = len(b.events)
    b.scan(active=True, duplicates=1)
    world.run(LISTEN_US)
    stop_scan(b)
    events = [event for _, event in b.events[since:] if event[1] == 0x3E]
    seen["reports of one device with the duplicates filter"] = len(events)
    seen["scan policy 1, empty list"] = heard(world, names, b, policy=1)
    add = hci.HCI_LE_Add_Device_To_Filter_Accept_List_Command
    b.ok(add(address_type=1, address=hci.Address(RANDOM_A)))
    seen["scan policy 1, listed"] = heard(world, names, b, policy=1)
    b.scan(policy=1)
    seen["adding while the list is used"] = b.command(
        add(address_type=1, address=hci.Address(RANDOM_B))
    ).hex()
    stop_scan(b)
    assert a.enable_set(0, on=0)[0] == 0
    for name, limit in (("duration", {"duration": 20}), ("events", {"events": 2})):
        assert a.enable_set(0, **limit)[0] == 0
        world.run(LISTEN_US)
        _, event = a.le(0x12)[-1]
        seen[f"terminated by {name}: status"] = event[0]
        seen[f"terminated by {name}: counts the events"] = event[4] > 0
    return seen


@scenario
def private_addresses(world: Any) -> Seen:
    """The advertiser's controller makes its address; the scanner's resolves it."""
    a, b = world.host("a"), world.host("b", public="00:00:00:00:00:0B")
    names = Names(a, b)
    irks = {"a": bytes(range(16)), "b": bytes(range(16, 32))}
    add = hci.HCI_LE_Add_Device_To_Resolving_List_Command
    for host, peer in ((a, b), (b, a)):
        command = add(
            peer_identity_address_type=0,
            peer_identity_address=peer.public,
            peer_irk=irks[peer.name],
            local_irk=irks[host.name],
        )
        host.ok(command)
        host.ok(hci.HCI_LE_Set_Address_Resolution_Enable_Command(address_resolution_enable=1))
    peer = f"{b.public.to_string(False)}/P"
    assert a.set_parameters(0, 0x13, own_type=2, peer=peer, interval_ms=30)[0] == 0
    assert a.set_data(ADV_DATA)[0] == 0
    assert a.enable_set(0)[0] == 0
    seen: Seen = {"reported as": heard(world, names, b, own_type=2)}
    assert b.connect(f"{a.public.to_string(False)}/P", extended=True, own_type=2) == b"\0"
    world.run(LISTEN_US)
    for host in (a, b):
        [one] = host.connections()
        seen[f"{host.name} is connected to"] = names.of(one["peer_type"], one["peer"])
        seen[f"{host.name}: private addresses told"] = (any(one["local_rpa"]), any(one["peer_rpa"]))
    return seen


@scenario
def periodic(world: Any) -> Seen:
    a, b = world.host("a"), world.host("b")
    names = Names(a, b)
    assert a.set_parameters(0, 0x00, own_type=1, sid=3)[0] == 0
    random = hci.HCI_LE_Set_Advertising_Set_Random_Address_Command
    a.ok(random(advertising_handle=0, random_address=hci.Address(RANDOM_A)))
    interval = {f"periodic_advertising_interval_{end}": 80 for end in ("min", "max")}
    parameters = hci.HCI_LE_Set_Periodic_Advertising_Parameters_Command
    a.ok(parameters(advertising_handle=0, periodic_advertising_properties=0, **interval))
    data = hci.HCI_LE_Set_Periodic_Advertising_Data_Command
    a.ok(data(advertising_handle=0, operation=3, advertising_data=ADV_DATA))
    a.ok(hci.HCI_LE_Set_Periodic_Advertising_Enable_Command(enable=1, advertising_handle=0))
    assert a.enable_set(0)[0] == 0
    b.scan()
    create = hci.HCI_LE_Periodic_Advertising_Create_Sync_Command
    create = create(
        options=0,
        advertising_sid=3,
        advertiser_address_type=1,
        advertiser_address=hci.Address(RANDOM_A),
        skip=0,
        sync_timeout=100,
        sync_cte_type=0,
    )
    seen: Seen = {"create sync": b.command(create).hex()}
    world.run(S)
    status, _, sid, kind, address, phy, units, _ = struct.unpack("<BHBB6sBHB", b.le(0x0E)[0][1])
    seen["established"] = (status, sid, names.of(kind, address), phy, units)
    seen["data"] = sorted({event[7:].hex() for _, event in b.le(0x0F)})
    return seen


# Connections

CODES = {0x01: "connected", 0x0A: "connected", 0x12: "set terminated", 0x14: "channel selection"}


@scenario
def connecting(world: Any) -> Seen:
    a, b = world.host("a"), world.host("b", public="00:00:00:00:00:0B")
    names = Names(a, b)
    b.random_address(RANDOM_B)
    seen: Seen = {}
    advertise(a, 0x10, interval_ms=30)
    assert b.connect(RANDOM_A, extended=True, own_type=1) == b"\0"
    world.run(LISTEN_US)
    seen["to a non-connectable set"] = b.connections()
    seen["a second one meanwhile"] = b.connect(RANDOM_B, extended=True, own_type=1).hex()
    b.ok(hci.HCI_LE_Create_Connection_Cancel_Command())
    world.run(50 * MS)
    [one] = b.connections()
    seen["cancelled"] = (one["status"], one["role"])
    cancel = hci.HCI_LE_Create_Connection_Cancel_Command()
    seen["cancelled when there is none"] = b.command(cancel).hex()
    assert a.enable_set(0, on=0)[0] == 0
    advertise(a, 0x13, interval_ms=30, handle=1)
    since = {host: len(host.events) for host in (a, b)}
    options = {"interval": 40, "latency": 3, "timeout": 321}
    assert b.connect(RANDOM_A, extended=True, own_type=1, **options) == b"\0"
    world.run(LISTEN_US)
    for host in (a, b):
        one = host.connections()[-1]
        values = [one[key] for key in ("status", "role", "interval", "latency", "timeout")]
        seen[f"{host.name} connected"] = [*values, names.of(one["peer_type"], one["peer"])]
        new = [event for _, event in host.events[since[host] :] if event[1] == 0x3E]
        seen[f"{host.name}: kinds of events"] = sorted(CODES[e[3]] for e in new if e[3] in CODES)
        first = [CODES[event[3]] for event in new if event[3] in CODES][:1]
        seen[f"{host.name}: first event"] = first
    _, event = a.le(0x12)[-1]
    seen["set terminated"] = (event[0], event[1], event[4])
    seen["advertising has ended"] = heard(world, names, a, policy=0) == []
    return seen


@scenario
def disconnecting(world: Any) -> Seen:
    seen: Seen = {}
    for leaver, reason in itertools.product("ab", (0x13, 0x15, 0x3B)):
        a, b = connected(world)
        hosts = {"a": a, "b": b}
        command = hci.HCI_Disconnect_Command(
            connection_handle=handle_of(hosts[leaver]), reason=reason
        )
        seen[f"{leaver} leaves with {reason:#04x}: status"] = hosts[leaver].command(command).hex()
        world.run(300 * MS)
        for name, host in hosts.items():
            told = [event[0:1] + event[3:4] for _, event in host.event(0x05)]
            seen[f"{leaver} leaves with {reason:#04x}: {name} is told"] = [t.hex() for t in told]
        world.vanish(a)
        world.vanish(b)
    a, b = connected(world)
    wrong = hci.HCI_Disconnect_Command(connection_handle=handle_of(b), reason=0x08)
    seen["a reason that is none"] = b.command(wrong).hex()
    nobody = hci.HCI_Disconnect_Command(connection_handle=0x0EEE, reason=0x13)
    seen["a handle that is none"] = b.command(nobody).hex()
    world.vanish(a)
    world.run(2 * S)
    seen["power lost: reason"] = [event[3] for _, event in b.event(0x05)]
    return seen


@scenario
def link_procedures(world: Any) -> Seen:
    a, b = connected(world)
    seen: Seen = {}
    for name, host in (("a", a), ("b", b)):
        handle = handle_of(host).to_bytes(2, "little")
        rssi = host.opcode(hci.HCI_READ_RSSI_COMMAND, handle)
        seen[f"{name} reads the RSSI"] = (rssi[0], rssi[1:3] == handle)
        seen[f"{name} reads the PHY"] = host.opcode(hci.HCI_LE_READ_PHY_COMMAND, handle)[3:].hex()
        seen[f"{name} sets the PHY"] = answers(
            host, hci.HCI_LE_SET_PHY_COMMAND, handle + bytes.fromhex("00 02 02 0000")
        )
        world.run(300 * MS)
        for other, one in (("a", a), ("b", b)):
            events = [event[0:1] + event[3:5] for _, event in one.le(0x0C)]
            seen[f"{name} sets the PHY: {other} is told"] = [event.hex() for event in events]
        seen[f"{name} reads the PHY then"] = host.opcode(hci.HCI_LE_READ_PHY_COMMAND, handle)[
            3:
        ].hex()
        features = host.opcode(hci.HCI_LE_READ_REMOTE_FEATURES_COMMAND, handle)
        version = host.opcode(hci.HCI_READ_REMOTE_VERSION_INFORMATION_COMMAND, handle)
        world.run(300 * MS)
        seen[f"{name} reads features and version"] = (features.hex(), version.hex())
        seen[f"{name} has read features"] = [event[0] for _, event in host.le(0x04)]
        seen[f"{name} has read the version"] = [event[0] for _, event in host.event(0x0C)]
        length = handle + struct.pack("<2H", 251, 2120)
        seen[f"{name} sets the data length"] = answers(
            host, hci.HCI_LE_SET_DATA_LENGTH_COMMAND, length
        )
    handle = handle_of(b).to_bytes(2, "little")
    update = handle + struct.pack("<6H", 12, 16, 2, 500, 0, 0)
    seen["update"] = answers(b, hci.HCI_LE_CONNECTION_UPDATE_COMMAND, update)
    world.run(S)
    for name, host in (("a", a), ("b", b)):
        events = [event[0:1] + event[3:] for _, event in host.le(0x03)]
        seen[f"update: {name} is told"] = [event.hex() for event in events]
    handle = handle_of(a).to_bytes(2, "little")
    update = handle + struct.pack("<6H", 40, 60, 1, 400, 0, 0)
    seen["the peripheral asks for an update"] = answers(
        a, hci.HCI_LE_CONNECTION_UPDATE_COMMAND, update
    )
    world.run(300 * MS)
    seen["the central is asked"] = [event[2:].hex() for _, event in b.le(0x06)]
    for size in (27, 251):
        send(b, struct.pack("<HH", size - 4, 4) + bytes(size - 4))
        world.run(200 * MS)
        seen[f"{size} octets of data arrive"] = sum(map(len, acl(a)))
    done = [event for _, event in b.event(0x13)]
    seen["packets completed"] = sum(int.from_bytes(event[3:5], "little") for event in done)
    return seen


WRONG: dict[str, tuple[int, str]] = {
    "enable a set that is none": (0x2039, "01 01 07 0000 00"),
    "data for a set that is none": (0x2037, "07 03 00 00"),
    "address for a set that is none": (0x2035, "07 0a00000000c0"),
    "remove a set that is none": (0x203C, "07"),
    "enable no set": (0x2039, "01 00"),
    "the same set twice": (0x2039, "01 02 00 0000 00 00 0000 00"),
    "legacy properties that are none": (
        0x2036,
        "01 1100 a00000 a00000 07 00 00 000000000000 00 7f 01 00 01 00 00",
    ),
    "extended, connectable and scannable": (
        0x2036,
        "01 0300 a00000 a00000 07 00 00 000000000000 00 7f 01 00 01 00 00",
    ),
    "anonymous and connectable": (
        0x2036,
        "01 2100 a00000 a00000 07 00 00 000000000000 00 7f 01 00 01 00 00",
    ),
    "an interval of 10 ms": (
        0x2036,
        "01 1000 100000 100000 07 00 00 000000000000 00 7f 01 00 01 00 00",
    ),
    "no channel": (
        0x2036,
        "01 1000 a00000 a00000 00 00 00 000000000000 00 7f 01 00 01 00 00",
    ),
    "scan window above the interval": (0x2041, "00 00 01 00 1000 2000"),
    "scan on no PHY": (0x2041, "00 00 00"),
    "scan on 2M": (0x2041, "00 00 02 00 1000 1000"),
    "a period without duration": (0x2042, "01 00 0000 0100"),
    "random address of zeros": (0x2005, "000000000000"),
    "RPA timeout of 0": (0x202E, "0000"),
    "RPA timeout of 3601 s": (0x202E, "110e"),
    "forget a device that is not in the resolving list": (0x2028, "00 010203040506"),
    "privacy mode of a device that is not in the list": (0x204E, "00 010203040506 00"),
    "create connection with a short timeout": (
        0x2043,
        "00 00 01 0a00000000c0 01 6000 6000 9001 9001 0000 6400 0000 0000",
    ),
    "read the RSSI of no connection": (0x1405, "ee0e"),
    "read the PHY of no connection": (0x2030, "ee0e"),
    "set the PHY of no connection": (0x2032, "ee0e 00 01 01 0000"),
    "update no connection": (0x2013, "ee0e 1800 1800 0000 6400 0000 0000"),
    "encrypt no connection": (0x2019, "ee0e" + "00" * 26),
    "key for no connection": (0x201A, "ee0e" + "00" * 16),
    "default PHY of no PHY": (0x2031, "00 00 00"),
    "suggested data length of 26": (0x2024, "1a00 4801"),
    "terminate a sync that is none": (0x2046, "ee0e"),
    "cancel no sync": (0x2045, ""),
    "a command of a vendor": (0xFC77, ""),
    "an unknown LE command": (0x20FE, ""),
}


@scenario
def refusals(world: Any) -> Seen:
    """Kind of event and status of the answer to commands that cannot succeed."""
    a = world.host("a")
    seen: Seen = {}
    assert a.set_parameters(0, 0x13)[0] == 0
    for name, (opcode, parameters) in WRONG.items():
        octets = bytes.fromhex(parameters)
        packet = struct.pack("<BHB", 1, opcode, len(octets)) + octets
        answer = next(e for e in a.raw(packet) if e[1] in (0x0E, 0x0F))
        seen[name] = (f"{answer[1]:#04x}", f"{answer[6 if answer[1] == 0x0E else 3]:#04x}")
    a.reset()
    a.legacy_set(0)
    seen["extended after legacy"] = a.set_parameters(0, 0x13)[:1].hex()
    a.reset()
    seen["extended after reset"] = a.set_parameters(0, 0x13)[:1].hex()
    enable = hci.HCI_LE_Set_Advertising_Enable_Command(advertising_enable=1)
    seen["legacy after extended"] = a.command(enable).hex()
    return seen


# GATT and pairing, with bumble's stack

SERVICE = "7d2a4f10-0f4c-4d0a-9a57-3c1e2b6f0a01"
TEXT, NOTE = (f"7d2a4f1{n}-0f4c-4d0a-9a57-3c1e2b6f0a01" for n in (1, 2))
PROPERTIES, PERMISSIONS = Characteristic.Properties, Characteristic.Permissions
IO = PairingDelegate.IoCapability


class Human(PairingDelegate):
    """Types what the other side shows (plus `slip`), agrees to equal numbers unless told not to."""

    def __init__(
        self, io: Any, screen: dict[str, int], *, slip: int = 0, agree: bool = True
    ) -> None:
        super().__init__(io)
        self.screen = screen
        self.slip = slip
        self.agree = agree

    async def display_number(self, number: int, digits: int) -> None:
        self.screen["shown"] = number

    async def get_number(self) -> int | None:
        while "shown" not in self.screen:  # noqa: ASYNC110 # there is no event for it
            await asyncio.sleep(0.05)
        return self.screen["shown"] + self.slip

    async def compare_numbers(self, number: int, digits: int) -> bool:
        self.screen.setdefault("compared", number)
        return self.agree and self.screen["compared"] == number


def pair_of_devices(world: Any) -> tuple[Any, Any, Any, Any]:
    """Phone and lock with a GATT table, and their connections."""
    phone, lock = world.device("phone", RANDOM_B), world.device("lock", RANDOM_A)
    written: list[bytes] = []
    readable = PERMISSIONS.READABLE | PERMISSIONS.WRITEABLE
    value = CharacteristicValue(
        read=lambda _: b"".join(written)[-20:], write=lambda _, v: written.append(v)
    )
    lock.note = Characteristic(
        NOTE, PROPERTIES.NOTIFY | PROPERTIES.READ, PERMISSIONS.READABLE, b"idle"
    )
    text = Characteristic(TEXT, PROPERTIES.READ | PROPERTIES.WRITE, readable, value)
    lock.add_service(Service(SERVICE, [text, lock.note]))

    async def connect() -> tuple[Any, Any]:
        await lock.start_advertising(auto_restart=False)
        mine = await phone.connect(hci.Address(RANDOM_A))
        while not lock.connections:  # noqa: ASYNC110 # bumble has no event for it
            await asyncio.sleep(0.01)
        return mine, next(iter(lock.connections.values()))

    return phone, lock, *world.do(connect())


@scenario
def gatt(world: Any) -> Seen:
    _phone, lock, mine, theirs = pair_of_devices(world)
    seen: Seen = {}
    got: list[bytes] = []
    reasons: dict[str, int] = {}
    mine.on("disconnection", lambda reason: reasons.update(phone=reason))
    theirs.on("disconnection", lambda reason: reasons.update(lock=reason))

    async def task() -> None:
        peer = Peer(mine)
        await peer.discover_services()
        await peer.discover_characteristics()
        seen["services"] = [service.uuid.to_hex_str() for service in peer.services]
        seen["MTU"] = await peer.request_mtu(185)
        [text] = peer.get_characteristics_by_uuid(UUID(TEXT))
        [note] = peer.get_characteristics_by_uuid(UUID(NOTE))
        await note.discover_descriptors()
        await text.write_value(b"hello", with_response=True)
        seen["read back"] = await text.read_value()
        await text.write_value(bytes(range(150)), with_response=True)
        seen["read back after a long one"] = await text.read_value()
        await note.subscribe(got.append)
        for number in range(5):
            await lock.notify_subscribers(lock.note, bytes((number,)) * 100)
        await asyncio.sleep(0.5)
        seen["notified"] = [(len(value), value[0]) for value in got]
        await mine.disconnect()
        await asyncio.sleep(0.3)

    world.do(task())
    seen["reasons"] = sorted(reasons.items())
    return seen


PAIRINGS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "Just Works": (IO.NO_OUTPUT_NO_INPUT, IO.NO_OUTPUT_NO_INPUT, {}),
    "passkey shown by the lock": (IO.KEYBOARD_INPUT_ONLY, IO.DISPLAY_OUTPUT_ONLY, {}),
    "passkey shown by the phone": (IO.DISPLAY_OUTPUT_ONLY, IO.KEYBOARD_INPUT_ONLY, {}),
    "wrong passkey": (IO.KEYBOARD_INPUT_ONLY, IO.DISPLAY_OUTPUT_ONLY, {"slip": 1}),
    "numeric comparison": (
        IO.DISPLAY_OUTPUT_AND_YES_NO_INPUT,
        IO.DISPLAY_OUTPUT_AND_YES_NO_INPUT,
        {},
    ),
    "comparison rejected": (
        IO.DISPLAY_OUTPUT_AND_YES_NO_INPUT,
        IO.DISPLAY_OUTPUT_AND_YES_NO_INPUT,
        {"agree": False},
    ),
}


def pairing(world: Any, name: str, *, sc: bool) -> Seen:
    phone_io, lock_io, options = PAIRINGS[name]
    phone, lock, mine, theirs = pair_of_devices(world)
    screen: dict[str, int] = {}
    humans = Human(phone_io, screen, **options), Human(lock_io, screen)
    random = PairingConfig.AddressType.RANDOM
    for device, human in zip((phone, lock), humans, strict=True):
        config = PairingConfig(
            sc=sc, mitm=name != "Just Works", delegate=human, identity_address_type=random
        )
        device.pairing_config_factory = lambda _, config=config: config
    seen: Seen = {}

    async def task() -> None:
        try:
            await mine.pair()
            seen["pairing"] = "paired"
        except ProtocolError as error:
            seen["pairing"] = f"failed: {error.error_code:#04x}"
        await asyncio.sleep(0.3)
        seen["encrypted"] = (bool(mine.is_encrypted), bool(theirs.is_encrypted))
        if seen["pairing"] == "paired":
            await mine.disconnect()
            await bond(phone, lock, seen)

    world.do(task())
    return seen


async def bond(phone: Any, lock: Any, seen: Seen) -> None:
    """Encrypt with the bond, then without the lock's half of it."""

    async def connect() -> Any:
        await asyncio.sleep(0.2)
        await lock.start_advertising(auto_restart=False)
        return await phone.connect(hci.Address(RANDOM_A))

    connection = await connect()
    with contextlib.suppress(asyncio.CancelledError):  # bumble's word for a disconnection
        await connection.encrypt()
    seen["bond encrypts"] = bool(connection.is_encrypted)
    if phone.connections:
        await connection.disconnect()
    await lock.keystore.delete_all()
    connection = await connect()
    try:
        await connection.encrypt()
    except hci.HCI_Error as error:
        seen["bond lost by the lock"] = f"{error.error_code:#04x}"
    await asyncio.sleep(0.2)
    seen["still connected"] = bool(phone.connections)


def _pairing_scenario(name: str, *, sc: bool) -> None:
    title = f"{'secure connections' if sc else 'legacy pairing'}: {name}"
    SCENARIOS[title] = lambda world: pairing(world, name, sc=sc)


for _name in PAIRINGS:
    _pairing_scenario(_name, sc=True)
for _name in ("Just Works", "passkey shown by the lock", "wrong passkey"):
    _pairing_scenario(_name, sc=False)


def _row_scenario(name: str) -> None:
    def run(world: Any) -> Seen:
        try:
            ROWS[name].check(world)
        except SymptomError:
            return {"holds": False}
        return {"holds": True}

    SCENARIOS[f"row: {name}"] = run


for _name in ROWS:
    _row_scenario(_name)
