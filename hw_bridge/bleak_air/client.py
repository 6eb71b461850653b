"""bleak's client on the simulated air.

bleak 3.1.0 backends/client.py (the interface) and its three desktop backends (what each refuses and how). On the
program's loop; requests run on the world's. Rules of the file: a request that the program gives up goes on, as in a
real system; a dial that it gives up is cancelled; the disconnected callback comes once per connection, whoever ended it.
"""

from __future__ import annotations

import asyncio
import contextlib
import warnings
from typing import TYPE_CHECKING, Any

from bleak import BleakScanner
from bleak.assigned_numbers import CHARACTERISTIC_PROPERTIES
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakDBusError, BleakDeviceNotFoundError, BleakError
from bleak.uuids import normalize_uuid_str

from hw_bridge.bleak_air.bench import current, post
from hw_bridge.bleak_air.errors import LACKS_SECURITY, translated
from hw_bridge.bleak_air.scanner import AirScanner
from sim.gatt import AttError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bleak.args import SizedBuffer

    from hw_bridge.bleak_air.adverts import Known
    from hw_bridge.bleak_air.link import FoundCharacteristic, FoundService, HostLink
    from hw_bridge.bleak_air.loops import ProgramLoop

__all__ = ["AirClient"]

_DEFAULT_MTU = 23
_DISCONNECT_TIMEOUT_S = 10.0
_NOTIFY, _INDICATE = 0x10, 0x20
_GENERIC_ACCESS, _DEVICE_NAME = "1800", "2a00"


class AirClient(BaseBleakClient):
    """`BleakClient`'s backend: one connection of the computer."""

    def __init__(
        self,
        address_or_ble_device: BLEDevice | str,
        services: set[str] | None = None,
        *,
        disconnected_callback: Callable[[], None] | None,
        timeout: float,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            address_or_ble_device, disconnected_callback=disconnected_callback, timeout=timeout
        )
        self._bench = current()
        self._system = self._bench.radio.system
        self._wanted = services
        self._met = isinstance(address_or_ble_device, BLEDevice)
        self._known: Known | None = None
        self._link: HostLink | None = None
        self._lost: asyncio.Event | None = None
        self._mtu_size: int | None = None

    @property
    def name(self) -> str:
        """The system's name for the device. Raises BleakError before the first connection."""
        if self._known is None:
            raise BleakError("Not connected")
        return self._known.name or self._known.key.replace(":", "-")

    @property
    def mtu_size(self) -> int:
        """ATT MTU; on BlueZ 23 with a warning until `_acquire_mtu`."""
        if not self._system.hides_mtu:
            return self._mtu()
        if self._mtu_size is None:
            warnings.warn(
                "Using default MTU value. Call _acquire_mtu() or set _mtu_size first to avoid this warning.",
                stacklevel=3,
            )
            return _DEFAULT_MTU
        return self._mtu_size

    def _mtu(self) -> int:
        return _DEFAULT_MTU if self._link is None else self._link.mtu

    async def _acquire_mtu(self) -> None:
        """As the one of bleak's BlueZ backend, which its example mtu_size.py calls."""
        self._mtu_size = self._mtu()

    @property
    def is_connected(self) -> bool:
        """Whether the connection stands, as far as the program has been told."""
        return self._link is not None

    # Connecting

    async def connect(self, pair: bool, **kwargs: Any) -> None:
        """Connect and discover. Raises TimeoutError, BleakDeviceNotFoundError, BleakError."""
        if self.is_connected:
            raise BleakError("Client is already connected")
        timeout_s = float(kwargs.get("timeout", self._timeout))
        known = await self._device(timeout_s)
        loop, lost = self._bench.program_loop(), asyncio.Event()

        def on_end(_: int) -> None:  # on the world's loop
            post(loop, self._on_lost, lost)

        async with asyncio.timeout(timeout_s):
            try:
                with translated(self._system):
                    dial = self._bench.radio.connect(known, timeout_s, on_end)
                    self._link = await self._bench.on_air(dial)
            except BaseException:  # the link may have come about at the instant of the cancellation
                self._bench.start(self._bench.radio.release(known, on_end))
                raise
            self._lost, self._mtu_size = lost, None
            loop.on_close.append(self._abandon)
            try:
                await self._get_ready(known, pair=pair and self._system.pairing != "no")
            except BaseException:
                await self._give_up(loop, known)
                raise

    async def _device(self, timeout_s: float) -> Known:
        """The device to connect to. Raises BleakDeviceNotFoundError."""
        key = self.address
        if not self._met and self._known is None:
            found = await BleakScanner.find_device_by_address(
                key, timeout=timeout_s, backend=AirScanner
            )
            key = "" if found is None else found.address
        known = self._bench.radio.find(key) if key else None
        if known is None:
            self._known = None
            raise BleakDeviceNotFoundError(
                self.address, f"Device with address {self.address} was not found."
            )
        self._known = known
        return known

    async def _get_ready(self, known: Known, *, pair: bool) -> None:
        if pair:
            await self._on_air(self._bench.radio.pair(known))
        link = self._connected()
        table = await self._on_air(self._accessed(lambda: self._discover(link, known)))
        if self._link is None:
            raise BleakError("failed to discover services, device disconnected")
        self.services = self._collection(table)

    async def _discover(self, link: HostLink, known: Known) -> tuple[FoundService, ...]:
        """On the world's loop: the table, and the device's name as systems read it."""
        wanted = None if self._system.name == "bluez" else self._short_wanted()
        table = await link.table(wanted)
        known.uuids += [
            uuid
            for uuid in (normalize_uuid_str(service.uuid) for service in table)
            if uuid not in known.uuids
        ]
        for service in table:
            for one in service.characteristics:
                if (service.uuid, one.uuid) == (_GENERIC_ACCESS, _DEVICE_NAME):
                    with contextlib.suppress(AttError):
                        name = await link.read(one.value_handle)
                        known.name = name.decode("utf-8", "replace") or known.name
        return table

    def _short_wanted(self) -> frozenset[str] | None:
        """The services asked for, as discovery names them."""
        if self._wanted is None:
            return None
        base = "-0000-1000-8000-00805f9b34fb"
        return frozenset(
            uuid[:8].removeprefix("0000") if uuid.endswith(base) else uuid for uuid in self._wanted
        )

    async def _give_up(self, loop: ProgramLoop, known: Known) -> None:
        """Undo a connection that did not get ready."""
        self._unhook(loop)
        self._link, self._lost, self.services = None, None, None
        self._bench.start(self._bench.radio.disconnect(known))

    async def disconnect(self) -> None:
        """End the connection and wait until that has happened; harmless without one. Raises TimeoutError."""
        lost, known = self._lost, self._known
        if self._link is None or lost is None or known is None:
            return
        await self._on_air(self._bench.radio.disconnect(known))
        async with asyncio.timeout(_DISCONNECT_TIMEOUT_S):
            await lost.wait()

    def _on_lost(self, lost: asyncio.Event) -> None:
        """On the program's loop: the connection of `lost` has ended."""
        lost.set()
        if lost is not self._lost:
            return
        self._link, self._lost, self.services = None, None, None
        self._unhook(self._bench.program_loop())
        if self._disconnected_callback is not None:
            self._disconnected_callback()

    def _unhook(self, loop: ProgramLoop) -> None:
        if self._abandon in loop.on_close:
            loop.on_close.remove(self._abandon)

    def _abandon(self) -> None:
        """The program closed its loop without disconnecting."""
        known, self._link, self._lost = self._known, None, None
        if known is not None:
            self._bench.start(self._bench.radio.disconnect(known))

    # Pairing

    async def pair(self, *args: Any, **kwargs: Any) -> None:
        """Pair over the connection. Raises BleakError or, on BlueZ, BleakDBusError; NotImplementedError on macOS."""
        if self._system.pairing == "no":
            raise NotImplementedError("Pairing is not available in Core Bluetooth.")
        self._connected()
        if self._known is not None:
            await self._on_air(self._bench.radio.pair(self._known))

    async def unpair(self) -> None:
        """Forget the bond and disconnect. Raises BleakDeviceNotFoundError; NotImplementedError on macOS."""
        if self._system.pairing == "no":
            raise NotImplementedError("Pairing is not available in Core Bluetooth.")
        known, lost = self._bench.radio.find(self.address), self._lost
        if known is None:
            raise BleakDeviceNotFoundError(
                self.address, f"Device with address {self.address} was not found."
            )
        await self._on_air(self._bench.radio.unpair(known))
        if lost is not None:
            await lost.wait()
        if self._system.name == "bluez":  # RemoveDevice takes the device with its bond
            self._bench.radio.book.forget(known)
            self._known, self._met = None, False

    # Services

    def _collection(self, table: tuple[FoundService, ...]) -> BleakGATTServiceCollection:
        services = BleakGATTServiceCollection()
        for found in table:
            uuid = normalize_uuid_str(found.uuid)
            if found.uuid in self._system.hidden_services or not (
                self._wanted is None or uuid in self._wanted
            ):
                continue
            service = BleakGATTService(found, found.handle, uuid)
            services.add_service(service)
            for one in found.characteristics:
                characteristic = BleakGATTCharacteristic(
                    one,
                    one.handle,
                    normalize_uuid_str(one.uuid),
                    [
                        name
                        for bit, name in CHARACTERISTIC_PROPERTIES.items()
                        if one.properties & bit
                    ],
                    lambda: self._mtu() - 3,
                    service,
                )
                services.add_characteristic(characteristic)
                for each in one.descriptors:
                    kind = normalize_uuid_str(each.uuid)
                    services.add_descriptor(
                        BleakGATTDescriptor(each, each.handle, kind, characteristic)
                    )
        return services

    # Requests

    def _connected(self) -> HostLink:
        if self._link is None:
            raise BleakError("Not connected")
        return self._link

    async def _on_air(self, work: Any) -> Any:
        with translated(self._system):
            return await self._bench.on_air(work, keep=True)

    async def _accessed(self, access: Callable[[], Awaitable[Any]]) -> Any:
        """On the world's loop: an access, and a second one when the first lacked security and the system mends that."""
        try:
            return await access()
        except AttError as exc:
            known = self._known
            if exc.code not in LACKS_SECURITY or known is None:
                raise
            if not await self._bench.radio.elevate(known):
                raise
        return await access()

    async def _read(self, handle: int, *, use_cached: bool) -> bytearray:
        link = self._connected()
        if use_cached:
            value = link.cached(handle)
            if value is not None or self._system.name == "bluez":
                return bytearray(value or b"")
        return bytearray(await self._on_air(self._accessed(lambda: link.read(handle))))

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        """Read a value, from the system's cache when asked to. Raises BleakGATTProtocolError, BleakError."""
        return await self._read(_found(characteristic).value_handle, use_cached=use_cached)

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        """Read a descriptor. Raises BleakGATTProtocolError, BleakError."""
        return await self._read(descriptor.handle, use_cached=use_cached)

    async def write_gatt_char(
        self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool
    ) -> None:
        """Write a value. Raises BleakGATTProtocolError, BleakError."""
        link, handle, value = self._connected(), _found(characteristic).value_handle, bytes(data)
        if response:
            await self._on_air(self._accessed(lambda: link.write(handle, value)))
            return
        if len(value) > link.mtu - 3:
            self._too_long(len(value), link.mtu - 3)
        await self._on_air(link.command(handle, value))

    def _too_long(self, size: int, limit: int) -> None:
        if self._system.name == "bluez":
            raise BleakDBusError("org.bluez.Error.Failed", ["Failed to initiate write"])
        raise BleakError(f"a write without response of {size} octets; {limit} fit")

    async def write_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, data: SizedBuffer
    ) -> None:
        """Write a descriptor. Raises BleakGATTProtocolError, BleakError."""
        link, value = self._connected(), bytes(data)
        await self._on_air(self._accessed(lambda: link.write(descriptor.handle, value)))

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **kwargs: Any
    ) -> None:
        """Subscribe, to notifications where there are both. Raises BleakGATTProtocolError, BleakError."""
        link, found, loop = self._connected(), _found(characteristic), self._bench.program_loop()
        if not found.properties & (_NOTIFY | _INDICATE):
            if self._system.notify_needs_property == "dbus":
                raise BleakDBusError("org.bluez.Error.NotSupported", ["Operation is not supported"])
            raise BleakError("characteristic does not support notifications or indications")
        both = bool(kwargs.get("force_indicate")) and bool(found.properties & _INDICATE)
        indicate = both or not found.properties & _NOTIFY

        def on_value(value: bytes) -> None:  # on the world's loop
            post(loop, callback, bytearray(value))

        async def subscribe() -> None:
            await link.subscribe(found.value_handle, on_value, indicate=indicate)

        await self._on_air(self._accessed(subscribe))

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        """Unsubscribe. Raises BleakGATTProtocolError, BleakError."""
        link = self._connected()
        await self._on_air(link.unsubscribe(_found(characteristic).value_handle))


def _found(characteristic: BleakGATTCharacteristic) -> FoundCharacteristic:
    found: FoundCharacteristic = characteristic.obj
    return found
