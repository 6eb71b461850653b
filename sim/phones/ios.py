"""An iPhone: CoreBluetooth and AccessorySetupKit as apps meet them, on top of the neutral radio and GATT client.

Rules AK-xx and IB-xx (`nearbench list rules`) decide what an app is shown; where sources leave something open, a
setting has the choice and its confidence is in `nearbench show rule`. Numbers nobody published (scan duty) are
settings that say so. Of the pairing rules IB-31 to IB-34 and IB-37 are carried out, the others diagnose. Wi-Fi Aware is in
`_aware_ios.py`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from protocols.errors import UsageError
from sim.device import command
from sim.explain.ad import check_uuid
from sim.explain.app import App, Descriptor, Plist, Timeout
from sim.explain.ib_25 import INTERVAL_MS, TIMEOUT_MS
from sim.gatt import LinkError
from sim.phones._advertisement import core_bluetooth
from sim.phones._aware_ios import AwareIos
from sim.phones._aware_ios_settings import AwareIosSettings
from sim.phones._picker import PickerSheet, check_descriptor
from sim.units import Duration

if TYPE_CHECKING:
    from sim.device import Settings
    from sim.phones import RemoteCharacteristic, Report
    from sim.phones._judged import Judgement

_WAIT, _CONNECT = Duration(30_000_000), Duration(10_000_000)
_GAP_NAME = "2a00"
_STATES = {
    "foreground": "in the foreground",
    "background": "in the background",
    "suspended": "suspended",
}
PEER_REMOVED_PAIRING = 14
Version = Literal["18.2", "18.7.2", "26.0", "26.1", "26.4", "26.6", "27.0"]


class IosSettings(AwareIosSettings, frozen=True, kw_only=True):
    """Settings of the iPhone."""

    version: Version = "26.1"
    """iOS version; they differ in AK-07, AK-08, AK-09, IA-01 and IA-63."""
    connection_interval_ms: float = INTERVAL_MS
    """connection interval it starts with, ms (IB-25)."""
    supervision_timeout_ms: int = TIMEOUT_MS
    """supervision timeout it starts with, ms (IB-25)."""
    plist: Plist | None = None
    """AccessorySetupKit keys of the app's Info.plist: supports, services, names, companies."""
    bluetooth_permission: bool | None = None
    """whether the app holds the global Bluetooth permission; when not given, if it has no AccessorySetupKit keys."""
    scan_interval_ms: float = 100.0
    """scan interval of a foreground scan, ms (made up: nobody published it)."""
    scan_window_ms: float = 100.0
    """scan window of a foreground scan, ms (made up)."""
    background_scan_interval_ms: float = 1000.0
    """scan interval of a background scan, ms (made up; documented is only that it is longer)."""
    background_scan_window_ms: float = 100.0
    """scan window of a background scan, ms (made up)."""
    merges_scan_response: bool = True
    """callbacks after the scan response carry its data too (unverified)."""
    repeats_on_new_data: bool = True
    """without AllowDuplicates a callback is repeated when new data arrive (unverified)."""
    service_data_matches: bool = False
    """a service filter matches the UUID of service data alone (unverified)."""
    service_data_hidden: Literal["tlm", "all"] = "tlm"
    """which service data of non-connectable adverts IB-07 withholds."""
    ibeacon: Literal["drop", "hide"] = "drop"
    """what IB-08 takes away: the whole advert, or its manufacturer data."""
    supervision_window: Literal["either", "r7_r21", "r30_plus"] = "either"
    """edition of the guidelines for the supervision timeout (IB-21)."""
    plist_mismatch: Literal["crash", "no_discovery"] = "crash"
    """what an undeclared descriptor does (AK-02)."""
    when_refused: Literal["report", "secure"] = "secure"
    """what it does when a value wants security: report the error, or encrypt or pair and ask again (IB-31)."""
    when_bonded: Literal["wait", "encrypt"] = "encrypt"
    """what it does when it has connected to a bonded device: wait until a value wants it, or encrypt at once (IB-34)."""
    when_asked: Literal["secure", "ignore"] = "ignore"
    """what it does with a Security Request (IB-31; nobody published it: US-17 tells only that pairing fails)."""
    when_bond_lost: Literal["report", "repair"] = "report"
    """what it does when the other side has lost the bond: report it, or forget the bond and pair anew (IB-34)."""
    bad_identity: Literal["ignore", "refuse"] = "refuse"
    """what it does with an identity address of zeros: go on without, or end the pairing (IB-33)."""


class Ios(AwareIos):
    """An iPhone with one app: scans as CoreBluetooth, picks as AccessorySetupKit, and says which rule hid what."""

    Settings: ClassVar[type[Settings]] = IosSettings
    about = (
        "Apple documentation, Accessory Design Guidelines, and what developers observed: each rule names its own "
        "source and confidence (`nearbench list rules`)"
    )
    settings: IosSettings  # pyright: ignore[reportIncompatibleVariableOverride]  # a subclass narrows it
    profiles: ClassVar[tuple[str, ...]] = ("ios-ble", "ios-ask", "ios-aware")
    security_rules: ClassVar[dict[str, str]] = {
        "when_asked": "IB-31",
        "when_refused": "IB-31",
        "when_bond_lost": "IB-34",
        "bad_identity": "IB-33",
    }

    async def start(self) -> None:
        """Be on, with an app in the foreground."""
        await super().start()
        self._identifiers: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._delivered: dict[str, dict[str, Any]] = {}
        self._shown: set[str] = set()
        self._finding: list[tuple[str, asyncio.Future[None]]] = []
        self._sheet: PickerSheet | None = None

    def version(self) -> str:
        """iOS version."""
        return self.settings.version

    def options(self) -> dict[str, str]:
        """What the sources leave open, as set."""
        settings = self.settings
        return {
            "service_data_hidden": settings.service_data_hidden,
            "service_data_matches": "yes" if settings.service_data_matches else "no",
            "ibeacon": settings.ibeacon,
            "supervision_window": settings.supervision_window,
            "plist_mismatch": settings.plist_mismatch,
        } | self.aware_options()

    def first_app(self) -> App:
        """An app in the foreground that has done nothing yet."""
        plist, permission = self.settings.plist, self.settings.bluetooth_permission
        return App(
            known=True,
            plist=plist,
            bluetooth_permission=plist is None if permission is None else permission,
            aware=self.first_aware_app(),
        )

    def overrides_parameters(self) -> bool:
        """IB-24, when switched on."""
        return self.keeps("IB-24")

    def identifier(self, address: str) -> str:
        """The UUID this phone gives an address (IB-12)."""
        known = self._identifiers.get(address)
        if known is None:
            octets = bytearray(self.draw(f"identifier/{address}", 16))
            octets[6], octets[8] = octets[6] & 0x0F | 0x40, octets[8] & 0x3F | 0x80
            text = octets.hex().upper()
            known = "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
            self._identifiers[address] = known
        return known

    # The app

    @command
    async def app_state(self, state: Literal["foreground", "background", "suspended"]) -> None:
        """Bring the app to the foreground, send it to the background (a scan goes on accordingly), or suspend it."""
        app = self.set_app(background=state != "foreground")
        self.emit("app_state", note=f"the app is {_STATES[state]}", label=state, app=app)
        if state == "suspended":
            self.suspend_aware()
        if self.app.scanning:
            await self._scan()

    @command
    async def app_scan(
        self,
        services: list[str] | None = None,
        allow_duplicates: bool = False,
        for_: Duration | None = None,
    ) -> None:
        """scanForPeripherals: `services` is the UUID filter; `for` a time and wait for its end, or until stop_scan."""
        where = f"{self.name}.app_scan: services"
        filters = None if services is None else tuple(check_uuid(one, where) for one in services)
        app = self.set_app(
            scanning=True, central_alive=True, services=filters, allow_duplicates=allow_duplicates
        )
        self._delivered.clear()
        wanted = "any service" if filters is None else ", ".join(filters) or "no service"
        where = "background" if self.app.background else "foreground"
        self.emit("app_scan", note=f"for {wanted}, in the {where}", label="app scans", app=app)
        await self._scan()
        if for_ is not None:
            await asyncio.sleep(for_ / 1e6)
            await self.stop_scan()

    async def _scan(self) -> None:
        settings, background = self.settings, self.app.background
        await self.ble.scan(
            self._on_report,
            active=True,
            interval_ms=settings.background_scan_interval_ms
            if background
            else settings.scan_interval_ms,
            window_ms=settings.background_scan_window_ms if background else settings.scan_window_ms,
            filter_duplicates=False,
        )

    @command
    async def stop_scan(self) -> None:
        """Stop scanning; harmless when not scanning."""
        self.set_app(scanning=False)
        await super().stop_scan()

    @command
    async def release_central(self) -> None:
        """Let go of the CBCentralManager."""
        await self.stop_scan()
        self.emit(
            "central_released", label="central released", app=self.set_app(central_alive=False)
        )

    @command
    async def wait_discovered(self, what: str, timeout: Duration = _WAIT) -> None:  # noqa: ASYNC109  # simulated time, as users write it
        """Wait until the app is shown `what`: a node or a local name."""
        if any(what in (self.place.name_of(one), self._names.get(one)) for one in self._shown):
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (what, future)
        self._finding.append(entry)
        try:
            await asyncio.wait_for(future, timeout / 1e6)
        except TimeoutError:
            raise LinkError(
                f"{self.name}: the app was not shown {what} within {timeout / 1e6:g} s; {self._book.told()}"
            ) from None
        finally:
            self._finding.remove(entry)

    # What becomes of a report

    def _on_report(self, report: Report) -> None:
        super()._on_report(report)
        self.hear(report)
        peer = self.place.name_of(report.address)
        if self._sheet is not None:
            self._sheet.on_report(report, peer)
        elif self.app.scanning:
            self._to_app(report, peer)

    def _to_app(self, report: Report, peer: str) -> None:
        advert, response = self._air[report.address]
        if advert is None:
            return  # a scan response whose advert was missed
        if not self.settings.merges_scan_response and not report.scan_response:
            response = None
        found = self.judge_advert(report.address, "ios-ble")
        dropped = next((one for one in found if one.verdict.effect == "drop"), None)
        if dropped is not None:
            self.refuse_advert(report, peer, dropped)
            return
        hiding = [one for one in found if one.verdict.effect.startswith("hide:")]
        hidden = [one.verdict.effect.removeprefix("hide:") for one in hiding]
        fields = core_bluetooth(advert, response, hidden)
        before = self._delivered.get(report.address)
        duplicates = self.app.allow_duplicates and not self.app.background
        if (
            before is not None
            and not duplicates
            and not (self.settings.repeats_on_new_data and fields != before)
        ):
            rule = "IB-10" if self.app.background and self.app.allow_duplicates else ""
            note = f"heard again, not reported again{f' ({rule})' if rule else ''}"
            self.emit("coalesced", peer=peer, note=note, often=True, rule=rule)
            return
        self._delivered[report.address] = fields
        self._discovered(report, peer, fields, hiding)

    def _discovered(
        self, report: Report, peer: str, fields: dict[str, Any], hiding: list[Judgement]
    ) -> None:
        self._shown.add(report.address)
        cached = self._names.get(report.address) if self.keeps("IB-13") else None
        name = cached or fields.get("kCBAdvDataLocalName")
        because = hiding[0] if hiding else None
        is_other_name = cached is not None and cached != fields.get("kCBAdvDataLocalName", cached)
        rule = because.rule if because else "IB-13" if is_other_name else ""
        words = (
            because.verdict.short if because else "name from an earlier connection" if rule else ""
        )
        note = f"{name or 'no name'}, {report.rssi_dbm} dBm" + (
            f"; {words} ({rule})" if rule else ""
        )
        self.emit(
            "discovered",
            peer=peer,
            note=note,
            label=f"discovered{f': {rule}' if rule else ''}",
            rule=rule,
            often=True,
            identifier=self.identifier(report.address),
            name=name,
            rssi_dbm=report.rssi_dbm,
            advertisement_data=fields,
        )
        for what, future in self._finding:
            if what in (peer, name, fields.get("kCBAdvDataLocalName")) and not future.done():
                future.set_result(None)

    # AccessorySetupKit

    @command
    async def ask_picker(
        self,
        descriptors: list[Descriptor],
        plist: Plist | None = None,
        filter: bool = False,  # noqa: A002  # as the API has it
        discovery_timeout: Timeout = "",
        choose: str = "",
        for_: Duration | None = None,
    ) -> None:
        """showPicker: `descriptors` of {name, service, company, ...}; `choose` is the node or shown name to tap.

        `filter` asks for filterDiscoveryResults (26.1). Without `choose` the user looks on and cancels after `for`.
        """
        if self._sheet is not None:
            self.emit(
                "picker_failed", note="500 pickerAlreadyActive (AK-19)", code=500, rule="AK-19"
            )
            return
        if plist is not None:
            self.set_app(plist=plist)
        for one in descriptors:
            check_descriptor(self.name, one)
        sheet = PickerSheet(
            self, tuple(descriptors), filters=filter, timeout=discovery_timeout, choose=choose
        )
        if not sheet.allowed():
            return
        self._sheet = sheet
        try:
            await sheet.run(for_)
        finally:
            self._sheet = None
            self.set_app(picker=None)
        if self.app.scanning:
            await self._scan()

    @command
    async def remove_accessory(self, peer: str) -> None:
        """The user removes an accessory in Settings: the app hears of it, the accessory does not (AK-16)."""
        address = self.place.address_of(peer).partition(" ")[0]
        left = tuple(one for one in self.app.authorised if one != address)
        if left == self.app.authorised:
            raise UsageError(
                f"{self.name}: {peer} is not among the accessories the picker has set up"
            )
        note = "accessoryRemoved; nothing was sent to the accessory (AK-16)"
        self.emit(
            "accessory_removed",
            peer=peer,
            note=note,
            rule="AK-16",
            app=self.set_app(authorised=left),
        )

    # Connecting

    async def _bond_lost(self, connection: Any) -> None:
        """CBError 14: the connection fails, and nothing is paired anew (IB-34)."""
        if self.keeps("IB-34"):
            peer, code = connection.name, PEER_REMOVED_PAIRING
            note = f"CBError {code}: peer removed pairing information (IB-34)"
            self.emit("connect_failed", peer=peer, note=note, rule="IB-34", code=code)
            await connection.link.disconnect()
        await super()._bond_lost(connection)

    @command
    async def connect(self, to: str, timeout: Duration = _CONNECT) -> None:  # noqa: ASYNC109  # likewise
        """Connect to what the app was shown or the picker has set up, given by node or local name."""
        address, _, _ = self._target(to)
        if address not in self._shown and address not in self.app.authorised:
            raise self.no_connection(self.place.name_of(address), address)
        await super().connect(to, timeout)

    @command
    async def discover(self, peer: str = "") -> None:
        """Find all services and characteristics; the GAP name that is there is remembered (IB-13)."""
        await super().discover(peer)
        connection = self._connection(peer)
        one = next(
            (c for c in connection.table if c.uuid == _GAP_NAME and "read" in c.properties), None
        )
        if one is not None:
            await self._remember_name(connection, one)

    async def _remember_name(self, connection: Any, one: RemoteCharacteristic) -> None:
        value = await self._asked("reading its name", connection, connection.link.read(one.handle))
        self._names[connection.link.peer] = value.decode("utf-8", "replace")


PHONE = Ios
