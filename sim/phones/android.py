"""An Android phone: ScanFilter, ScanRecord, scan limits and the Companion Device Manager, on the neutral radio.

Rules AB-xx (`nearbench list rules`) and the public reference of android.bluetooth.le.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import msgspec

from protocols.errors import UsageError
from sim.device import command
from sim.explain.ab_02 import LONG_US, STARTS, WINDOW_US
from sim.explain.ab_03 import PRIORITIES_MS
from sim.explain.ad import is_uuid, uuid_key
from sim.phones._advertisement import scan_record
from sim.phones._aware_android_commands import AwareAndroidCommands
from sim.phones._aware_android_settings import MODELS, AwareAndroidSettings
from sim.units import Duration  # msgspec reads the annotations

if TYPE_CHECKING:
    from sim.device import Settings
    from sim.explain.observations import Advert
    from sim.phones import Report

Version = Literal["14", "15", "16", "17"]
Mode = Literal["low_power", "balanced", "low_latency"]
_DUTY_MS: dict[str, tuple[float, float]] = {
    "low_power": (5120.0, 512.0), "balanced": (4096.0, 1024.0), "low_latency": (4096.0, 4096.0),
}  # fmt: skip
"""scan mode -> interval, window: about 10, 25 and 100 % (unverified)."""


class ScanFilter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """android.bluetooth.le.ScanFilter: all fields that are set must match."""

    name: str = ""
    """equal to the advertised name."""
    address: str = ""
    service: str = ""
    """any UUID of the service lists is equal."""
    solicited: str = ""
    service_data_uuid: str = ""
    service_data_hex: str = ""
    service_data_mask_hex: str = ""
    company: str = ""
    """manufacturer id, 4 hex digits."""
    manufacturer_hex: str = ""
    manufacturer_mask_hex: str = ""

    def __post_init__(self) -> None:
        for what, data, mask in (
            ("service_data", self.service_data_hex, self.service_data_mask_hex),
            ("manufacturer", self.manufacturer_hex, self.manufacturer_mask_hex),
        ):
            if mask and len(mask) != len(data):
                raise ValueError(f"{what}_mask_hex: a mask needs data of the same length")
            _octets(f"{what}_hex", data)
            _octets(f"{what}_mask_hex", mask)
        for what, uuid in (
            ("service", self.service),
            ("solicited", self.solicited),
            ("service_data_uuid", self.service_data_uuid),
        ):
            if uuid and not is_uuid(uuid):
                raise ValueError(f"{what}: {uuid!r} is no UUID; write 4, 8 or 32 hex digits")

    def admits(self, address: str, ads: list[Any]) -> bool:
        """Whether an advertiser with these AD structures passes."""
        listed = {uuid for ad in ads for uuid in ad.service_uuids}
        asked = {uuid for ad in ads for uuid in ad.solicited}
        services = [
            data
            for ad in ads
            for uuid, data in ad.service_data
            if uuid == uuid_key(self.service_data_uuid)
        ]
        makers = [
            data
            for ad in ads
            for company, data in ad.manufacturer
            if company == self.company.lower()
        ]
        return all(
            (
                not self.name or any(ad.name == self.name for ad in ads),
                not self.address or self.address.lower() == address,
                not self.service or uuid_key(self.service) in listed,
                not self.solicited or uuid_key(self.solicited) in asked,
                not self.service_data_uuid
                or any(
                    _under(self.service_data_hex, self.service_data_mask_hex, one)
                    for one in services
                ),
                not self.company
                or any(
                    _under(self.manufacturer_hex, self.manufacturer_mask_hex, one) for one in makers
                ),
            )
        )


def _octets(what: str, text: str) -> bytes:
    """Octets of the argument `what`. Raises ValueError that names it."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueError(f"{what}: {text!r} is not hexadecimal") from None


def _under(data_hex: str, mask_hex: str, found: bytes) -> bool:
    """`mask & data == mask & value` from the start; no data asks for presence alone."""
    data = bytes.fromhex(data_hex)
    mask = bytes.fromhex(mask_hex) or b"\xff" * len(data)
    same = all(a & m == b & m for a, m, b in zip(data, mask, found, strict=False))
    return len(found) >= len(data) and same


class AndroidSettings(AwareAndroidSettings, frozen=True, kw_only=True):
    """Settings of the Android phone."""

    version: Version | Literal[""] = ""
    """Android version; that of the model when empty."""
    priority: Literal["high", "balanced", "low_power"] = "balanced"
    """connection priority the app asked for (AB-03); it sets the interval it connects with."""
    connection_interval_ms: float = 0.0
    """connection interval it asks for, ms; by the priority when 0."""
    pads_scan_record: bool = True
    """raw scan records of legacy adverts are filled up to 62 octets (unverified on newer stacks)."""
    when_refused: Literal["report", "secure"] = "secure"
    """what it does when a value wants security: report the error, or encrypt or pair and ask again."""
    when_bonded: Literal["wait", "encrypt"] = "encrypt"
    """what it does when it has connected to a bonded device: wait, or encrypt at once (AB-06)."""
    when_bond_lost: Literal["report", "repair"] = "repair"
    """what it does when the other side has lost the bond: report it, or forget the bond and pair anew (AB-05)."""
    long_scan: Duration = Duration(LONG_US)
    """time after which a scan is demoted to opportunistic (AB-02; 30 min, 10 min on newer phones, unverified)."""

    def __post_init__(self) -> None:
        if not self.connection_interval_ms:
            shortest_ms = PRIORITIES_MS[self.priority][0]
            msgspec.structs.force_setattr(self, "connection_interval_ms", shortest_ms)
        super().__post_init__()


class Android(AwareAndroidCommands):
    """An Android phone with one app: shows more than an iPhone, and limits how often an app may look."""

    Settings: ClassVar[type[Settings]] = AndroidSettings
    about = (
        "android.bluetooth.le and android.net.wifi.aware references, AOSP, and what developers observed: each rule "
        "names its own source and confidence (`nearbench list rules`)"
    )
    settings: AndroidSettings  # pyright: ignore[reportIncompatibleVariableOverride]  # a subclass narrows it
    profiles: ClassVar[tuple[str, ...]] = (
        "android-ble",
        *dict.fromkeys(facts.profile for facts in MODELS.values()),
    )
    security_rules: ClassVar[dict[str, str]] = {
        "when_bonded": "AB-06",
        "when_bond_lost": "AB-05",
    }

    async def _bond_lost(self, connection: Any) -> None:
        """Apps hear of it since Android 16 (AB-04); then mostly a new pairing (AB-05)."""
        if self.views["android-ble"].since("16") and self.keeps("AB-04"):
            note = "ACTION_KEY_MISSING (AB-04)"
            self.emit("key_missing", peer=connection.name, note=note, rule="AB-04")
        await super()._bond_lost(connection)

    async def start(self) -> None:
        """Be on, screen on, no scan."""
        await super().start()
        self._filters: list[ScanFilter] = []
        self._legacy = True
        self._starts_us: list[int] = []
        self._since_us: int | None = None
        self._blocked = ""
        self._companion: asyncio.Future[str] | None = None
        self._companion_filter: tuple[re.Pattern[str], bytes, bytes, ScanFilter | None] | None = (
            None
        )

    def version(self) -> str:
        """Android version."""
        return self.settings.version or MODELS[self.settings.model].version

    def options(self) -> dict[str, str]:
        """What the sources leave open, as set."""
        return self.aware_options()

    @command
    async def screen(self, on: bool) -> None:
        """Switch the screen on or off: it decides on unfiltered scans (AB-02) and on discovery windows (AA-28)."""
        self.screen_on = on
        self.power_changed()
        self.emit("screen", note="on" if on else "off", label=f"screen {'on' if on else 'off'}")

    @command
    async def app_scan(
        self,
        filters: list[ScanFilter] | None = None,
        mode: Mode = "low_latency",
        legacy: bool = True,
        for_: Duration | None = None,
    ) -> None:
        """startScan: `filters` are OR-ed; `legacy` = false reports extended adverts too; `for` a time, or until stop_scan."""
        self._filters, self._legacy, self._blocked = list(filters or ()), legacy, ""
        app = self.set_app(scanning=True)
        note = f"{len(self._filters)} filters, {mode}" if self._filters else f"unfiltered, {mode}"
        self.emit("app_scan", note=note, label="app scans", app=app)
        recent = [one for one in self._starts_us if one > self.now_us - WINDOW_US]
        self._starts_us = [*recent, self.now_us]
        if len(recent) >= STARTS and self.keeps("AB-02"):
            self._blocked = f"scan number {len(recent) + 1} within 30 s"
            note = f"{self._blocked}: starts, and delivers nothing (AB-02)"
            self.emit("scan_silent", note=note, rule="AB-02")
        self._since_us = self.now_us
        interval_ms, window_ms = _DUTY_MS[mode]
        await self.ble.scan(
            self._on_report, active=True, interval_ms=interval_ms, window_ms=window_ms, filter_duplicates=False
        )  # fmt: skip
        if for_ is not None:
            await asyncio.sleep(for_ / 1e6)
            await self.stop_scan()

    @command
    async def stop_scan(self) -> None:
        """Stop scanning; harmless when not scanning."""
        self.set_app(scanning=False)
        self._since_us = None
        await super().stop_scan()

    def _on_report(self, report: Report) -> None:
        super()._on_report(report)
        advert, response = self.hear(report)
        if advert is None:
            return
        peer = self.place.name_of(report.address)
        if self._companion is not None:
            self._to_companion(report, peer, advert, response)
        elif self.app.scanning:
            self._to_app(report, peer, advert, response)

    def _to_app(self, report: Report, peer: str, advert: Advert, response: Advert | None) -> None:
        why = self._silence()
        rule = "AB-02" if why else ""
        if not why and self._legacy and not report.legacy:
            why = "an extended advert in a scan for legacy ones (setLegacy)"
        ads = [one.ad for one in (advert, response) if one is not None]
        if (
            not why
            and self._filters
            and not any(one.admits(report.address, ads) for one in self._filters)
        ):
            why = "no ScanFilter of the app matches"
        if why:
            note = f"heard, not shown to the app: {why}{f' ({rule})' if rule else ''}"
            self.emit("not_shown", peer=peer, note=note, label=f"not shown{f': {rule}' if rule else ''}",
                      rule=rule, often=True, address=report.address)  # fmt: skip
            return
        found = self.judge_advert(report.address, "android-ble")
        told = next(
            (one for one in found if one.verdict.short and one.verdict.severity == "note"), None
        )
        name = next((ad.name for ad in ads if ad.name), None)
        note = f"{name or 'no name'}, {report.rssi_dbm} dBm" + (
            f"; {told.verdict.short} ({told.rule})" if told else ""
        )
        self.emit(
            "discovered",
            peer=peer,
            note=note,
            label=f"discovered{f': {told.rule}' if told else ''}",
            rule=told.rule if told else "",
            often=True,
            address=report.address,
            name=name,
            rssi_dbm=report.rssi_dbm,
            connectable=advert.connectable,
            scan_record=scan_record(
                advert, response, pad=self.settings.pads_scan_record and report.legacy
            ),
        )

    def _silence(self) -> str:
        """Why the app's scan delivers nothing now; empty when it does."""
        if not self.keeps("AB-02"):
            return ""
        if not self.screen_on and not self._filters:
            return "an unfiltered scan while the screen is off"
        since = self._since_us
        if since is not None and self.now_us - since > self.settings.long_scan:
            return "a scan that has run too long is opportunistic"
        return self._blocked

    # Companion Device Manager

    @command
    async def companion(
        self,
        name_regex: str = "",
        raw_hex: str = "",
        raw_mask_hex: str = "",
        filter: ScanFilter | None = None,  # noqa: A002  # as the API has it
        timeout: Duration = Duration(20_000_000),  # noqa: ASYNC109, B008  # simulated time, as users write it; a constant
    ) -> None:
        """associate() with one BluetoothLeDeviceFilter: ScanFilter, name (whole, as a regular expression) and raw octets."""
        try:
            raw, mask = _octets("raw_hex", raw_hex), _octets("raw_mask_hex", raw_mask_hex)
            pattern = re.compile(name_regex)
        except re.error as exc:
            raise UsageError(f"{self.name}.companion: name_regex: {exc}") from None
        except ValueError as exc:
            raise UsageError(f"{self.name}.companion: {exc}") from None
        if len(raw) != len(mask):
            raise UsageError(f"{self.name}.companion: raw_mask_hex needs the length of raw_hex")
        self._companion_filter = (pattern, raw, mask, filter)
        self._companion = asyncio.get_running_loop().create_future()
        self.emit("companion", label="app asks the companion manager", rule="AB-07")
        await self.ble.scan(
            self._on_report,
            active=True,
            interval_ms=100.0,
            window_ms=100.0,
            filter_duplicates=False,
        )
        try:
            peer = await asyncio.wait_for(self._companion, timeout / 1e6)
            self.emit(
                "companion_found", peer=peer, note="offered to the user (AB-07)", rule="AB-07"
            )
        except TimeoutError:
            self.emit("companion_nothing", note="no device passes the filter (AB-07)", rule="AB-07")
        finally:
            self._companion = None
            await self.ble.stop_scan()

    def _to_companion(
        self, report: Report, peer: str, advert: Advert, response: Advert | None
    ) -> None:
        if self._companion_filter is None or self._companion is None or self._companion.done():
            return
        pattern, raw, mask, scan_filter = self._companion_filter
        ads = [one.ad for one in (advert, response) if one is not None]
        record = advert.data + (response.data if response is not None else b"")
        name = next((ad.name for ad in ads if ad.name), "")
        why = ""
        if scan_filter is not None and not scan_filter.admits(report.address, ads):
            why = "the ScanFilter does not match"
        elif pattern.pattern and not pattern.fullmatch(name):
            why = f"the name {name!r} is not {pattern.pattern!r}"
        elif len(record) < len(raw) or any(
            a & m != b & m for a, m, b in zip(raw, mask, record, strict=False)
        ):
            why = "the raw filter, which begins at octet 0 of the scan record, does not match"
        if why:
            self.emit("not_shown", peer=peer, note=f"heard, not offered: {why} (AB-07)", label="not shown: AB-07",
                      rule="AB-07", often=True, address=report.address)  # fmt: skip
            return
        self._companion.set_result(peer)


PHONE = Android
