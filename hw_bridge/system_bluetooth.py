"""The radio of a phone on the operating system's own Bluetooth, by way of bleak: scan, connect, GATT, pair.

bleak 3.1 (documentation of backends). Rules of the file: what a system hides is not made up. Adverts are put together
again from what it shows, so flags, order and unknown structures are missing, and every one counts as connectable;
whether a link is encrypted is unknown; pairing is the system's, with the system's dialogs. Errors of bleak become those
of a phone's radio.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final

from bleak import BleakClient, BleakScanner
from bleak.exc import BleakError, BleakGATTProtocolError

from protocols.errors import NearbenchError
from sim.ble.host import uuid_text
from sim.gatt import AttError, LinkError
from sim.pairing import Failure, PairingError
from sim.phones import Discovered, RemoteCharacteristic, Report

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from bleak.backends.characteristic import BleakGATTCharacteristic
    from bleak.backends.device import BLEDevice
    from bleak.backends.scanner import AdvertisementData

    from sim.phones import Phone
    from sim.world import RadioPlace

__all__ = ["SystemCentral", "SystemLink", "rebuilt"]

_NAME, _POWER, _MAKER, _MOST = 0x09, 0x0A, 0xFF, 0xFF
_UUID_LISTS: Final = {2: 0x03, 4: 0x05, 16: 0x07}
_SERVICE_DATA: Final = {2: 0x16, 4: 0x20, 16: 0x21}
_BASE: Final = "-0000-1000-8000-00805f9b34fb"
_PROPERTIES: Final = {
    "read": "read",
    "write-without-response": "write_without_response",
    "write": "write",
    "notify": "notify",
    "indicate": "indicate",
}
_GONE: Final = 0x08
_SILENT: Final = -127


def _uuid(text: str) -> bytes:
    """Octets of a UUID in air order: 2, 4 or 16."""
    plain = text.lower()
    if plain.endswith(_BASE):
        plain = plain.removesuffix(_BASE).removeprefix("0000")
    return bytes.fromhex(plain.replace("-", ""))[::-1]


def rebuilt(data: AdvertisementData) -> bytes:
    """AD structures with what the system tells of an advert; it hides flags and order."""
    parts: list[tuple[int, bytes]] = []
    lists: dict[int, bytes] = {}
    for text in data.service_uuids:
        octets = _uuid(text)
        lists[len(octets)] = lists.get(len(octets), b"") + octets
    parts += [(_UUID_LISTS[size], octets) for size, octets in sorted(lists.items())]
    for text, value in data.service_data.items():
        parts.append((_SERVICE_DATA[len(_uuid(text))], _uuid(text) + bytes(value)))
    for company, value in data.manufacturer_data.items():
        parts.append((_MAKER, company.to_bytes(2, "little") + bytes(value)))
    if data.tx_power is not None:
        parts.append((_POWER, data.tx_power.to_bytes(1, "little", signed=True)))
    if data.local_name:
        parts.append((_NAME, data.local_name.encode()))
    whole = [(kind, octets) for kind, octets in parts if len(octets) < _MOST]
    return b"".join(bytes((len(octets) + 1, kind)) + octets for kind, octets in whole)


@contextlib.contextmanager
def _translated(node: str, action: str) -> Generator[None]:
    """Inside the block what bleak raises becomes what a phone's radio raises."""
    try:
        yield
    except BleakGATTProtocolError as exc:
        raise AttError(int(exc.code)) from exc
    except TimeoutError:  # an OSError, and a phone's own affair
        raise
    except BleakError as exc:
        raise LinkError(f"{node}: {action}: {exc}") from exc
    except OSError as exc:
        raise LinkError(
            f"{node}: {action}: {exc}; is the system's Bluetooth service running?"
        ) from exc


def _attempt(phone: Phone, action: str, call: Callable[[], object]) -> None:
    """Run a callback of the phone; what it raises ends the run, whatever bleak would make of it."""
    try:
        phone.guard(action, call)
    except NearbenchError as exc:
        loop = asyncio.get_running_loop()
        loop.call_exception_handler({"message": f"in {phone.name}", "exception": exc})


class SystemCentral:
    """`sim.phones.Central` on the system's Bluetooth; `backends` are bleak's own unless a test gives others."""

    def __init__(
        self,
        phone: Phone,
        place: RadioPlace,
        *,
        adapter: str = "",
        backends: tuple[Any, Any] = (None, None),
    ) -> None:
        self._phone = phone
        self._place = place
        self._adapter = {"bluez": {"adapter": adapter}} if adapter else {}
        self._scanner_backend, self._client_backend = backends
        self._scanner: BleakScanner | None = None
        self._devices: dict[str, BLEDevice] = {}
        self._links: list[SystemLink] = []

    async def power_on(self) -> None:
        """The system has its Bluetooth on, or scanning will say so."""

    async def scan(
        self,
        on_report: Callable[[Report], None],
        *,
        active: bool,
        filter_duplicates: bool,
        **_ms: float,
    ) -> None:
        """Scan until `stop_scan`; interval and window are the system's own. Raises LinkError."""
        await self.stop_scan()
        seen: set[tuple[str, bytes]] = set()

        def detected(device: BLEDevice, data: AdvertisementData) -> None:
            report = self._report(device, data)
            key = (report.address, report.data)
            if not filter_duplicates or key not in seen:
                seen.add(key)
                _attempt(self._phone, "its scan callback", lambda: on_report(report))

        mode = "active" if active else "passive"
        options: dict[str, Any] = {"scanning_mode": mode, **self._adapter}
        if self._scanner_backend is not None:
            options["backend"] = self._scanner_backend
        with _translated(self._phone.name, f"{mode} scan"):
            scanner = BleakScanner(detected, **options)
            await scanner.start()
        self._scanner = scanner

    def _report(self, device: BLEDevice, data: AdvertisementData) -> Report:
        address = device.address.lower()
        self._devices[address] = device
        return Report(
            address,
            _address_type(device),
            data.rssi if data.rssi > _SILENT else None,
            rebuilt(data),
            connectable=True,
            scannable=True,
            directed=False,
            scan_response=False,
            legacy=True,
            t_us=self._place.loop.now_us,
        )

    async def stop_scan(self) -> None:
        """Stop scanning; harmless when not scanning."""
        scanner, self._scanner = self._scanner, None
        if scanner is not None:
            with _translated(self._phone.name, "stopping the scan"):
                await scanner.stop()

    async def connect(
        self, address: str, address_type: str, timeout_us: int, on_disconnect: Callable[[int], None]
    ) -> SystemLink:
        """Connect. Raises TimeoutError, LinkError."""
        link = SystemLink(self._phone, address, on_disconnect)
        options: dict[str, Any] = {"timeout": timeout_us / 1e6, **self._adapter}
        if self._client_backend is not None:
            options["backend"] = self._client_backend
        target = self._devices.get(address.lower(), address)
        with _translated(self._phone.name, f"connecting to {address}"):
            link.client = BleakClient(target, disconnected_callback=link.ended, **options)
            async with asyncio.timeout(timeout_us / 1e6):
                await link.client.connect()
        self._links.append(link)
        return link

    async def forget(self, peer: str = "") -> int:
        """Remove bonds with connected peers (all, or the one at this address). Raises LinkError."""
        gone = 0
        for link in [
            each for each in self._links if each.connected and peer.lower() in ("", each.peer)
        ]:
            with _translated(self._phone.name, f"forgetting {link.peer}"):
                await link.client.unpair()
            gone += 1
        return gone

    def bonded_with(self) -> list[str]:
        """Addresses of peers that were paired with on a connection that stands; the system knows more."""
        return [each.peer for each in self._links if each.connected and each.bonded]

    def cancel_pairing(self) -> bool:
        """False: the system's dialog ends it."""
        return False

    def tap(self, node: str) -> bool:
        """False: the system reads no tags for us."""
        return False

    async def close(self) -> None:
        """Stop scanning and disconnect."""
        with contextlib.suppress(LinkError):
            await self.stop_scan()
        for link in self._links:
            with contextlib.suppress(LinkError):
                await link.disconnect()


def _address_type(device: BLEDevice) -> str:
    """As BlueZ tells it; elsewhere the two highest bits of a static random address are a hint."""
    details: Any = device.details
    with contextlib.suppress(TypeError, KeyError, LookupError):
        return str(details["props"]["AddressType"])
    return "random" if device.address[:1].lower() in "cdef" else "public"


class SystemLink:
    """`sim.phones.Link`: one connection of the system's."""

    client: BleakClient

    def __init__(self, phone: Phone, address: str, on_disconnect: Callable[[int], None]) -> None:
        self._phone = phone
        self._address = address.lower()
        self._on_disconnect = on_disconnect
        self._paired = False
        self._over = False

    def ended(self, _client: BleakClient) -> None:
        """The system says that it is gone; why, it does not say."""
        if not self._over:
            self._over = True
            _attempt(self._phone, "its disconnection callback", lambda: self._on_disconnect(_GONE))

    @property
    def peer(self) -> str:
        """Address of the other end, or what the system shows in its place."""
        return self._address

    @property
    def connected(self) -> bool:
        """Whether it still stands."""
        return self.client.is_connected

    @property
    def encrypted(self) -> bool:
        """Whether it was paired on this connection; a system does not tell more."""
        return self._paired

    @property
    def bonded(self) -> bool:
        """Likewise."""
        return self._paired

    async def pair(self) -> None:
        """Pair, with the system's dialogs. Raises PairingError."""
        try:
            await self.client.pair()
        except (BleakError, OSError, NotImplementedError) as exc:
            remedy = "look at the dialogs of the system, and remove an old bond in its settings"
            failure = Failure("here", "the system's pairing", None, str(exc), remedy)
            raise PairingError(self._phone.name, self._address, failure) from exc
        self._paired = True

    async def encrypt(self) -> bool:
        """True: the system encrypts when it has a bond."""
        return True

    def _characteristic(self, handle: int) -> BleakGATTCharacteristic:
        found = self.client.services.get_characteristic(handle)
        if found is None:
            raise LinkError(f"{self._phone.name}: handle {handle:#06x} was not discovered")
        return found

    async def discover(self) -> list[RemoteCharacteristic]:
        """All services and characteristics, as the system discovered them when it connected."""
        with _translated(self._phone.name, "discovering"):
            services = list(self.client.services)
        return [
            RemoteCharacteristic(
                uuid_text(_uuid(service.uuid)),
                uuid_text(_uuid(one.uuid)),
                one.handle,
                tuple(_PROPERTIES[name] for name in one.properties if name in _PROPERTIES),
            )
            for service in services
            for one in service.characteristics
        ]

    @property
    def discovered(self) -> Discovered:
        """Nothing to keep: the system has a cache of its own."""
        return Discovered({}, {})

    def reuse(self, discovered: Discovered) -> None:
        """Left to the system."""

    def listen(self, handle: int, callback: Callable[[bytes], None], *, indicate: bool) -> None:
        """Left to the system: it restores subscriptions, and tells only who subscribed."""

    async def read(self, handle: int) -> bytes:
        """Read a value. Raises AttError, LinkError."""
        with _translated(self._phone.name, "reading"):
            return bytes(await self.client.read_gatt_char(self._characteristic(handle)))

    async def write(self, handle: int, value: bytes, *, response: bool = True) -> None:
        """Write a value. Raises AttError, LinkError."""
        with _translated(self._phone.name, "writing"):
            await self.client.write_gatt_char(
                self._characteristic(handle), value, response=response
            )

    async def subscribe(
        self, handle: int, callback: Callable[[bytes], None], *, indicate: bool
    ) -> None:
        """Subscribe; the system chooses where a characteristic offers both. Raises AttError, LinkError."""

        def arrived(_: BleakGATTCharacteristic, value: bytearray) -> None:
            _attempt(self._phone, "its subscription callback", lambda: callback(bytes(value)))

        with _translated(self._phone.name, "subscribing"):
            await self.client.start_notify(self._characteristic(handle), arrived)

    async def unsubscribe(self, handle: int) -> None:
        """Undo a subscription. Raises AttError, LinkError."""
        with _translated(self._phone.name, "unsubscribing"):
            await self.client.stop_notify(self._characteristic(handle))

    async def disconnect(self) -> None:
        """Close it; harmless when it is gone."""
        if self.connected:
            with _translated(self._phone.name, "disconnecting"):
                await self.client.disconnect()
