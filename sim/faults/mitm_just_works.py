"""A man in the middle of Just Works: two radios between an accessory and its phones, paired with both.

Bluetooth Core 5.4 Vol 3 Part H 2.3.5.2 and 5.2.2.1: Just Works protects against listening, not against this. Rules of
the file:
* The attacker does only what any device may: one radio (`mitm_back`) connects to the accessory, which stops
  advertising, copies its table, and pairs when a value asks for it; the other (`mitm_front`) advertises the same data
  from an address of its own, serves the copy, and passes on what is written and notified.
* A value that is read is what the attacker saw when it last looked; each read makes it look again.
* An accessory that wants a PIN or a comparison gets no further than that: the attacker gives up, and says so.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar

from protocols.data.gatt_names import uuid_name
from protocols.errors import NearbenchError, UsageError
from sim.accessories import Accessory, AccessorySettings
from sim.device import Settings
from sim.faults import Fault
from sim.gatt import Advert, AttError, Characteristic, LinkError, Service
from sim.phones import Phone, PhoneSettings
from sim.strays import closing

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from sim.device import Place
    from sim.faults import Befalls, FaultPlace
    from sim.gatt import Peer
    from sim.phones import Link, RemoteCharacteristic, Report

FRONT, BACK = "mitm_front", "mitm_back"
OWN_SERVICES = ("1800", "1801")
DEVICE_NAME = "2a00"
WANTS_SECURITY = (0x05, 0x0F)
CONNECT_US = 10_000_000
SCAN_MS = 100.0


class MitmSettings(Settings, frozen=True, kw_only=True):
    """Settings of the attacker."""

    at: tuple[float, ...] = ()
    """where it stands, metres; beside the accessory when empty."""

    def __post_init__(self) -> None:
        if self.at and len(self.at) not in (2, 3):
            raise ValueError("at: needs two or three numbers (metres)")


class Front(Accessory):
    """The attacker's side towards the phones: the copy."""

    table: tuple[Service, ...] = ()
    advert: Advert | None = None
    shown_name = ""
    relay: MitmJustWorks

    def services(self) -> tuple[Service, ...]:
        """The copied table; none before there is one."""
        return self.table

    def local_name(self) -> str:
        """The copied name."""
        return self.shown_name or self.name

    async def start(self) -> None:
        """Advertise the copy, when there is one."""
        if self.advert is not None:
            await self.ble.advertise(self.advert)

    def on_subscribe(self, peer: Peer, characteristic: str, mode: str) -> None:
        """Subscribe on the other side, too."""
        self.relay.subscribe(characteristic, mode)


class Back(Phone):
    """The attacker's side towards the accessory; it is switched on last."""

    def __init__(self, name: str, settings: Any, place: Place) -> None:
        super().__init__(name, settings, place)
        self.switched_on = asyncio.Event()

    async def start(self) -> None:
        """Be ready."""
        self.switched_on.set()


class MitmJustWorks(Fault):
    """An attacker stands between the accessory and its phones, where Just Works lets it."""

    Settings: ClassVar[type[Settings]] = MitmSettings
    befalls: ClassVar[Befalls] = "accessory"
    about = "Core 5.4 Vol 3 Part H 2.3.5.2. confidence: documented (that it works), made up (this attacker)"
    settings: MitmSettings

    def enter(self, world: FaultPlace) -> None:
        """Two more radios, silent until the attack."""
        if FRONT in world.devices:
            raise UsageError("there is one attacker already; give mitm_just_works once")
        self._front = Front(FRONT, AccessorySettings(), world)
        self._front.relay = self
        self._back = Back(BACK, PhoneSettings(io="none", mitm="no", bonding=False), world)
        for device in (self._front, self._back):
            world.join(device, self.node, self.settings.at)
        self._tasks: list[asyncio.Task[Any]] = []
        self._link: Link | None = None
        self._values: dict[int, bytes] = {}
        self._handles: dict[str, RemoteCharacteristic] = {}

    def apply(self, world: FaultPlace) -> None:
        """Begin the attack."""
        self._spawn(self._attack())
        self.on_clear(self._retreat)

    def _spawn(self, task: Coroutine[Any, Any, None]) -> None:
        self._tasks = [one for one in self._tasks if not one.done()]
        self._tasks.append(closing(self.world.spawn(BACK, self._carefully(task)), task))

    async def _carefully(self, task: Coroutine[Any, Any, None]) -> None:
        try:
            await task
        except (NearbenchError, AttError, TimeoutError) as exc:
            self.acted(f"the attacker gets no further: {exc}", outcome="failed")

    def _retreat(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()
        self.world.spawn(BACK, self._leave())

    async def _leave(self) -> None:
        self._front.advert = None
        await self._back.switched_on.wait()
        await self._front.ble.stop_advertising()
        await self._back.ble.stop_scan()
        if self._link is not None:
            await self._link.disconnect()

    # The attack

    async def _attack(self) -> None:
        await self._back.switched_on.wait()
        advert, response = await self._found()
        link = self._link = await self._back.ble.connect(
            advert.address, advert.address_type, CONNECT_US, lambda _: None
        )
        table = await link.discover()
        self._handles = {one.uuid: one for one in reversed(table)}
        for one in table:
            if "read" in one.properties:
                self._values[one.handle] = await self._look(one)
        name = self._handles.get(DEVICE_NAME)
        self._front.shown_name = (
            self._values[name.handle].decode("utf-8", "replace") if name else ""
        )
        self._front.table = self._copied(table, encrypted=link.encrypted)
        self._front.advert = Advert(data=advert.data, scan_response=response)
        await self._front.reboot()
        secured = "paired by Just Works" if link.encrypted else "nothing of it asks for security"
        self.acted(
            f"the attacker holds {self.node} ({secured}) and advertises in its place",
            outcome="between",
        )

    async def _found(self) -> tuple[Report, bytes]:
        """The accessory's connectable advert, and its scan response when it has one."""
        heard: asyncio.Future[Report] = asyncio.get_running_loop().create_future()
        responses: dict[str, bytes] = {}

        def on_report(report: Report) -> None:
            if report.scan_response:
                responses[report.address] = report.data
            elif (
                report.connectable
                and self.world.name_of(report.address) == self.node
                and (
                    report.address in responses or not report.scannable or self._asked_often(report)
                )
                and not heard.done()
            ):
                heard.set_result(report)

        self._sightings = 0
        ble = self._back.ble
        await ble.scan(
            on_report, active=True, interval_ms=SCAN_MS, window_ms=SCAN_MS, filter_duplicates=False
        )
        report = await heard
        await ble.stop_scan()
        return report, responses.get(report.address, b"")

    def _asked_often(self, _: Report) -> bool:
        self._sightings += 1
        return self._sightings > 5

    async def _look(self, one: RemoteCharacteristic) -> bytes:
        link = self._standing()
        try:
            return await link.read(one.handle)
        except AttError as exc:
            if exc.code not in WANTS_SECURITY or link.encrypted:
                raise
        await link.pair()
        return await link.read(one.handle)

    def _standing(self) -> Link:
        if self._link is None or not self._link.connected:
            raise LinkError(f"the connection to {self.node} is gone")
        return self._link

    def _copied(self, table: list[RemoteCharacteristic], *, encrypted: bool) -> tuple[Service, ...]:
        services: dict[str, list[Characteristic]] = {}
        for one in table:
            if one.service not in OWN_SERVICES:
                services.setdefault(one.service, []).append(self._copy(one, encrypted=encrypted))
        return tuple(
            Service(uuid=uuid, characteristics=tuple(ones)) for uuid, ones in services.items()
        )

    def _copy(self, one: RemoteCharacteristic, *, encrypted: bool) -> Characteristic:
        security: Any = "encrypted" if encrypted else "open"
        return Characteristic(
            uuid=one.uuid,
            properties=one.properties,  # type: ignore[arg-type]  # the same names
            read=lambda _: self._read(one),
            write=lambda _, value: self._spawn(self._pass_on(one, value)),
            read_security=security,
            write_security=security,
        )

    # Passing on

    def _read(self, one: RemoteCharacteristic) -> bytes:
        value = self._values.get(one.handle, b"")
        self.acted(
            f"reads along: {uuid_name(one.uuid)} is {value.hex()}",
            outcome="read",
            value_hex=value.hex(),
        )
        self._spawn(self._refresh(one))
        return value

    async def _refresh(self, one: RemoteCharacteristic) -> None:
        self._values[one.handle] = await self._look(one)

    async def _pass_on(self, one: RemoteCharacteristic, value: bytes) -> None:
        self.acted(
            f"passes on: {value.hex()} to {uuid_name(one.uuid)}",
            outcome="written",
            value_hex=value.hex(),
        )
        await self._standing().write(one.handle, value, response="write" in one.properties)
        for other in self._handles.values():
            if other.handle in self._values:
                await self._refresh(other)

    def subscribe(self, uuid: str, mode: str) -> None:
        """A phone wrote the CCCD of `uuid` at the front."""
        one = self._handles.get(uuid)
        if one is not None and mode != "off":
            self._spawn(self._listen(one, mode))

    async def _listen(self, one: RemoteCharacteristic, mode: str) -> None:
        def arrived(value: bytes) -> None:
            self.acted(
                f"passes on: {uuid_name(one.uuid)} is {value.hex()}",
                outcome="notified",
                value_hex=value.hex(),
            )
            self._values[one.handle] = value
            self._spawn(self._tell(one.uuid, value, mode))

        await self._standing().subscribe(one.handle, arrived, indicate=mode == "indicate")

    async def _tell(self, uuid: str, value: bytes, mode: str) -> None:
        send = self._front.ble.indicate if mode == "indicate" else self._front.ble.notify
        await send(uuid, value)


FAULT = MitmJustWorks
