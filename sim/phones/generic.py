"""A neutral phone: hears everything, hides nothing, has no opinion.

It is what a radio and a GATT client can know, nothing a maker added: no background limits, no filters, no name
cache, no retries but those of the link layer. Decoding is by `protocols.dissect`, strict, once per distinct payload.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar

from protocols.ble.gatt_values import decode_value, value_text
from protocols.data.gatt_names import UUIDS, att_error_name, reason_name, uuid_name
from protocols.errors import UnknownNameError, UsageError
from sim.device import check_address, command
from sim.gatt import AttError, LinkError
from sim.phones._heard import Heard, HeardBook, Payload
from sim.phones._secure import SecurePhone, SecureSettings
from sim.units import Duration

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sim.device import Settings
    from sim.phones import Link, RemoteCharacteristic, Report

_SCAN_INTERVAL, _WAIT, _CONNECT = Duration(100_000), Duration(30_000_000), Duration(10_000_000)
_VALUES = ("indication", "notification", "disconnected", "paired", "not_paired")


class GenericSettings(SecureSettings, frozen=True, kw_only=True):
    """Settings of the neutral phone."""


class _Connection:
    """A link and what was discovered on it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.link: Link
        self.table: list[RemoteCharacteristic] = []


class Generic(SecurePhone):
    """Scans, connects, discovers, reads, writes and subscribes as told, and says what came of it."""

    Settings: ClassVar[type[Settings]] = GenericSettings
    about = "Bluetooth Core 5.4; no phone in particular. confidence: documented"
    settings: GenericSettings  # pyright: ignore[reportIncompatibleVariableOverride]  # a subclass narrows it

    async def start(self) -> None:
        """Be on, with nothing heard."""
        await super().start()
        self._book = HeardBook(self.place.formats)
        self._connections: dict[str, _Connection] = {}
        self._waiting: list[tuple[str, asyncio.Future[None]]] = []

    # Hearing

    @command
    async def scan(
        self,
        active: bool = True,
        for_: Duration | None = None,
        interval: Duration = _SCAN_INTERVAL,
        window: Duration = _SCAN_INTERVAL,
        duplicates: bool = True,
    ) -> None:
        """Scan: `for` a time and wait for its end, or until stop_scan; `active` asks for scan responses.

        `duplicates` = false reports each advertiser once.
        """
        await self.ble.scan(
            self._on_report,
            active=active,
            interval_ms=interval / 1000,
            window_ms=window / 1000,
            filter_duplicates=not duplicates,
        )
        if for_ is not None:
            await asyncio.sleep(for_ / 1e6)
            await self.ble.stop_scan()

    @command
    async def stop_scan(self) -> None:
        """Stop scanning; harmless when not scanning."""
        await self.ble.stop_scan()

    def _on_report(self, report: Report) -> None:
        node = self.place.name_of(report.address)
        heard = self._book.add(node, report)
        payload = heard.payload
        self.emit(
            "heard",
            direction="rx",
            peer=node,
            data=report.data,
            note=f"{node}, {report.rssi_dbm} dBm, {payload.note}",
            label=f"heard {_what(report, payload)}",
            often=True,
            rssi_dbm=report.rssi_dbm,
            address=report.address,
            connectable=report.connectable,
            scannable=report.scannable,
            scan_response=report.scan_response,
            formats=payload.formats,
            decoded=payload.decoded,
            **payload.named,
        )
        if self._waiting:
            self._wake(self._book.names(node, report, payload))

    @command
    async def wait_for(self, what: str, timeout: Duration = _WAIT) -> None:  # noqa: ASYNC109  # simulated time, as users write it
        """Wait for `what`: a node, address, local name or format to be heard; or indication, notification,
        disconnected, paired, not_paired.

        What was heard before counts, values that came before do not.
        """
        if what not in _VALUES and self._book.find(what) is not None:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (what.lower(), future)
        self._waiting.append(entry)
        try:
            await asyncio.wait_for(future, timeout / 1e6)
        except TimeoutError:
            heard = "" if what in _VALUES else f"; {self._book.told()}"
            raise LinkError(
                f"{self.name} waited {timeout / 1e6:g} s for {what}, in vain{heard}"
            ) from None
        finally:
            self._waiting.remove(entry)

    def _wake(self, names: set[str]) -> None:
        for what, future in self._waiting:
            if what in names and not future.done():
                future.set_result(None)

    @command
    async def wait(self, for_: Duration) -> None:
        """Do nothing for a time."""
        await asyncio.sleep(for_ / 1e6)

    # Connecting

    @command
    async def connect(self, to: str, timeout: Duration = _CONNECT) -> None:  # noqa: ASYNC109  # likewise
        """Connect to a node, an address or a local name."""
        address, address_type, heard = self._target(to)
        connection = _Connection(self.place.name_of(address))
        try:
            connection.link = await self.ble.connect(
                address,
                address_type,
                timeout,
                lambda reason: self._on_disconnect(connection, reason),
            )
        except TimeoutError:
            why = _why_nobody(heard)
            self.emit("connect_timeout", peer=connection.name, note=why, address=address)
            raise LinkError(
                f"{self.name}: connecting to {to}: {why} within {timeout / 1e6:g} s"
            ) from None
        except LinkError as exc:
            self.emit("connect_refused", peer=connection.name, note=str(exc), address=address)
            raise
        self._connections.pop(connection.name, None)
        self._connections[connection.name] = connection
        self.emit("connected", peer=connection.name, note=f"as {address}", address=address)
        await self._connected(connection)

    def _target(self, to: str) -> tuple[str, str, Heard | None]:
        heard = self._book.find(to)
        if heard is not None and heard.report.connectable:
            return heard.report.address, heard.report.address_type, heard
        try:
            address, _, kind = self.place.address_of(to).partition(" ")
        except UnknownNameError:
            if heard is not None:
                return heard.report.address, heard.report.address_type, heard
            try:
                return *check_address(to), None
            except ValueError:
                pass
            raise
        return address, kind, heard

    def _on_disconnect(self, connection: _Connection, reason: int) -> None:
        if self._connections.get(connection.name) is connection:
            del self._connections[connection.name]
        note = f"{reason:#04x} {reason_name(reason)}"
        self.emit("disconnected", peer=connection.name, note=note, reason=reason)
        self._wake({"disconnected"})

    @command
    async def disconnect(self, peer: str = "") -> None:
        """End the connection (to `peer`, or the latest one)."""
        await self._connection(peer).link.disconnect()

    def _connection(self, peer: str) -> _Connection:
        if not self._connections:
            raise LinkError(f"{self.name} is not connected")
        if not peer:
            return next(reversed(self._connections.values()))
        if peer not in self._connections:
            raise UnknownNameError(f"connection of {self.name}", peer, self._connections)
        return self._connections[peer]

    # The table of the other side

    @command
    async def discover(self, peer: str = "") -> None:
        """Find all services and characteristics."""
        connection = self._connection(peer)
        connection.table = await self._asked(
            "discovering services", connection, connection.link.discover()
        )

    @command
    async def read(self, uuid: str, peer: str = "") -> None:
        """Read a characteristic given by UUID, service/UUID or name."""
        connection, one = await self._characteristic(uuid, peer)
        value = await self._asked_securely(
            f"reading {uuid_name(one.uuid)}", connection, lambda: connection.link.read(one.handle)
        )
        self._value("read", connection, one, value)

    @command
    async def write(self, uuid: str, hex: str, response: bool = True, peer: str = "") -> None:  # noqa: A002  # what users write
        """Write octets given as `hex`; `response` = false is a write without response."""
        try:
            value = bytes.fromhex(hex)
        except ValueError:
            raise UsageError(f"{self.name}.write: hex: {hex!r} is not hexadecimal") from None
        connection, one = await self._characteristic(uuid, peer)
        await self._asked_securely(
            f"writing {uuid_name(one.uuid)}",
            connection,
            lambda: connection.link.write(one.handle, value, response=response),
        )
        self._value("written", connection, one, value)

    @command
    async def subscribe(self, uuid: str, mode: str = "auto", peer: str = "") -> None:
        """Subscribe to a characteristic; `mode` notify, indicate, or auto: what it offers, notifications first."""
        connection, one = await self._characteristic(uuid, peer)
        if mode not in ("auto", "notify", "indicate"):
            raise UsageError(
                f"{self.name}.subscribe: mode {mode!r}: write auto, notify or indicate"
            )
        indicate = mode == "indicate" or (mode == "auto" and "notify" not in one.properties)
        event = "indication" if indicate else "notification"

        def arrived(value: bytes) -> None:
            self._value(event, connection, one, value)
            self._wake({event})

        await self._asked_securely(
            f"subscribing to {uuid_name(one.uuid)}",
            connection,
            lambda: connection.link.subscribe(one.handle, arrived, indicate=indicate),
        )
        self.emit(
            "subscribed",
            peer=connection.name,
            note=f"{uuid_name(one.uuid)} by {event}",
            uuid=one.uuid,
        )

    @command
    async def unsubscribe(self, uuid: str, peer: str = "") -> None:
        """Undo a subscription."""
        connection, one = await self._characteristic(uuid, peer)
        request = connection.link.unsubscribe(one.handle)
        await self._asked(f"unsubscribing from {uuid_name(one.uuid)}", connection, request)
        self.emit("unsubscribed", peer=connection.name, note=uuid_name(one.uuid), uuid=one.uuid)

    async def _characteristic(
        self, name: str, peer: str
    ) -> tuple[_Connection, RemoteCharacteristic]:
        """The connection and its characteristic called `name`; discovers first when nobody did."""
        connection = self._connection(peer)
        if not connection.table:
            await self.discover(peer)
        wanted = _NAMES.get(name.lower(), name.lower())
        for one in connection.table:
            if wanted in (one.uuid, f"{one.service}/{one.uuid}"):
                return connection, one
        raise UnknownNameError(
            f"characteristic of {connection.name}", name, [one.uuid for one in connection.table]
        )

    async def _asked(self, action: str, connection: _Connection, request: Awaitable[Any]) -> Any:
        """The answer; an ATT error becomes the event `refused` and a LinkError."""
        try:
            return await request
        except AttError as exc:
            words = f"{exc.code:#04x} {att_error_name(exc.code)}"
            self.emit("refused", peer=connection.name, note=f"{action}: {words}", code=exc.code)
            raise LinkError(f"{self.name}: {action} of {connection.name}: {words}") from None

    async def _asked_securely(
        self, action: str, connection: _Connection, ask: Callable[[], Awaitable[Any]]
    ) -> Any:
        """As `_asked`, with a refusal for lack of security met as the settings say."""
        return await self._asked(action, connection, self._secured(action, connection, ask))

    def _value(
        self, event: str, connection: _Connection, one: RemoteCharacteristic, value: bytes
    ) -> None:
        name = uuid_name(one.uuid)
        self.emit(
            event,
            peer=connection.name,
            note=f"{name}: {value_text(one.uuid, value)}",
            uuid=one.uuid,
            name=name,
            value=decode_value(one.uuid, value),
            value_hex=value.hex(),
        )


_NAMES = {name.lower(): uuid for uuid, name in UUIDS.items()}


def _what(report: Report, payload: Payload) -> str:
    if payload.kinds:
        return ", ".join(payload.kinds)
    return "scan response" if report.scan_response else "advert"


def _why_nobody(heard: Heard | None) -> str:
    if heard is not None and not heard.report.connectable:
        return "nobody connectable answered: what was heard of it is not connectable"
    return "nobody connectable answered"


PHONE = Generic
