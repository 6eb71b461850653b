"""From advertising reports to bleak's AdvertisementData, merged as the emulated system merges them.

Core Specification Supplement Part A section 1 (AD types); the differences are those of `systems`. A run of AD
structures is read as the systems read it: leniently, up to the first structure that does not fit. Rules of the file:
no loop, no radio; a merger belongs to one scan, the `Book` of known devices to the computer.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec
from bleak.uuids import normalize_uuid_str

from protocols.data.ad_types import SERVICE_DATA, SERVICE_UUIDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hw_bridge.bleak_air.systems import System
    from sim.phones import Report

__all__ = ["Book", "Known", "Merger", "Parts", "RawPair", "Sight", "merger_for", "read_parts"]

_SHORT_NAME, _NAME, _TX_POWER, _MANUFACTURER, _FLAGS = 0x08, 0x09, 0x0A, 0xFF, 0x01
_NO_RSSI_DBM = -127
_LIST_SIZES = {kind: size for size, last in SERVICE_UUIDS.items() for kind in (last - 1, last)}
_DATA_SIZES = {kind: size for size, kind in SERVICE_DATA.items()}
ADAPTER = "/org/bluez/hci0"


class Parts(msgspec.Struct, frozen=True):
    """What one run of AD structures says; UUIDs in their 128-bit form."""

    local_name: str | None = None
    name_complete: bool = False
    manufacturer: dict[int, bytes] = {}  # msgspec copies mutable defaults
    service_data: dict[str, bytes] = {}  # likewise
    uuids: tuple[str, ...] = ()
    tx_power_dbm: int | None = None
    flags: int | None = None
    structures: tuple[tuple[int, bytes], ...] = ()
    """(AD type, data) in order."""


def _structures(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data) and data[at] and at + data[at] < len(data):
        yield data[at + 1], data[at + 2 : at + 1 + data[at]]
        at += 1 + data[at]


def _uuid(octets: bytes) -> str:
    digits = octets[::-1].hex()
    if len(octets) == 16:
        digits = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    return normalize_uuid_str(digits)


@functools.lru_cache(maxsize=4096)
def read_parts(data: bytes) -> Parts:
    """Read a run of AD structures; a later one of a kind replaces an earlier one, UUID lists are joined."""
    found: dict[str, Any] = {
        "manufacturer": {},
        "service_data": {},
        "structures": tuple(_structures(data)),
    }
    uuids: list[str] = []
    for kind, value in found["structures"]:
        if kind in (_NAME, _SHORT_NAME):
            found["local_name"] = value.decode("utf-8", "replace")
            found["name_complete"] = kind == _NAME
        elif kind == _TX_POWER and len(value) == 1:
            found["tx_power_dbm"] = int.from_bytes(value, signed=True)
        elif kind == _FLAGS and value:
            found["flags"] = value[0]
        elif kind == _MANUFACTURER and len(value) >= 2:
            found["manufacturer"][int.from_bytes(value[:2], "little")] = value[2:]
        elif kind in _DATA_SIZES and len(value) >= (size := _DATA_SIZES[kind]):
            found["service_data"][_uuid(value[:size])] = value[size:]
        elif kind in _LIST_SIZES:
            size = _LIST_SIZES[kind]
            uuids += [_uuid(value[at : at + size]) for at in range(0, len(value) - size + 1, size)]
    return Parts(uuids=tuple(dict.fromkeys(uuids)), **found)


class Known:
    """A device as the system knows it: `key` is how programs address it."""

    def __init__(self, address: str, address_type: str, key: str) -> None:
        self.address = address
        self.address_type = address_type
        self.key = key
        self.name: str | None = None
        self.heard_us = 0
        self.bonded = False
        self.connected = False
        self.manufacturer: dict[int, bytes] = {}
        self.service_data: dict[str, bytes] = {}
        self.uuids: list[str] = []
        self.tx_power_dbm: int | None = None
        self.flags: int | None = None
        self.rssi_dbm = _NO_RSSI_DBM

    @property
    def path(self) -> str:
        """D-Bus object path."""
        return f"{ADAPTER}/dev_{self.address.upper().replace(':', '_')}"

    def take_name(self, parts: Parts) -> None:
        """A complete name replaces the one known, a shortened one only fills the gap."""
        if parts.local_name and (parts.name_complete or self.name is None):
            self.name = parts.local_name

    def properties(self) -> dict[str, Any]:
        """As BlueZ's interface org.bluez.Device1 has them."""
        address = self.address.upper()
        optional = {
            "Name": self.name,
            "TxPower": self.tx_power_dbm,
            "ManufacturerData": dict(self.manufacturer) or None,
            "ServiceData": dict(self.service_data) or None,
            "AdvertisingFlags": None if self.flags is None else bytes((self.flags,)),
        }
        return {
            "Address": address,
            "AddressType": "public" if self.address_type.startswith("public") else "random",
            "Alias": self.name or address.replace(":", "-"),
            "Paired": self.bonded,
            "Bonded": self.bonded,
            "Trusted": self.bonded,
            "Blocked": False,
            "LegacyPairing": False,
            "Connected": self.connected,
            "UUIDs": list(self.uuids),
            "Adapter": ADAPTER,
            "ServicesResolved": self.connected,
            "RSSI": self.rssi_dbm,
        } | {key: value for key, value in optional.items() if value is not None}


class Book:
    """All devices the computer knows. `make_key(address)` names a device towards programs."""

    def __init__(self, make_key: Callable[[str], str], forget_us: int | None) -> None:
        self._make_key = make_key
        self._forget_us = forget_us
        self._known: dict[str, Known] = {}

    def note(self, report: Report) -> Known:
        """The device that sent `report`."""
        known = self._known.get(report.address)
        if known is None or self._is_stale(known, report.t_us):
            key = self._make_key(report.address)
            known = self._known[report.address] = Known(report.address, report.address_type, key)
        known.heard_us = report.t_us
        known.rssi_dbm = _NO_RSSI_DBM if report.rssi_dbm is None else report.rssi_dbm
        return known

    def find(self, key: str, now_us: int) -> Known | None:
        """The device that programs call `key` (or whose address it is), None when unknown or forgotten."""
        wanted = key.lower()
        for known in self._known.values():
            if wanted in (known.key.lower(), known.address) and not self._is_stale(known, now_us):
                return known
        return None

    def forget(self, known: Known) -> None:
        """Remove a device."""
        self._known.pop(known.address, None)

    def _is_stale(self, known: Known, now_us: int) -> bool:
        kept = self._forget_us is None or known.bonded or known.connected
        return not kept and now_us - known.heard_us > (self._forget_us or 0)


class Sight(NamedTuple):
    """One callback: the device, the merged `parts` and what belongs to bleak's platform-specific members."""

    known: Known
    parts: Parts
    advertised: tuple[str, ...]
    """service UUIDs of this report itself, for the system's own filter."""
    rssi_dbm: int
    name: str | None
    details: Any
    platform_data: tuple[Any, ...]


class Merger(Protocol):
    """Reports of one scan in, callbacks out."""

    def feed(self, report: Report) -> Iterator[Sight]:
        """Take one report."""
        ...


class _Accumulated:
    """BlueZ: advert and scan response as one report; the device keeps what it ever said."""

    def __init__(self, book: Book, *, active: bool, replace: bool) -> None:
        self._book = book
        self._active = active
        self._replace = replace
        self._pending: Report | None = None

    def feed(self, report: Report) -> Iterator[Sight]:
        pending, self._pending = self._pending, None
        if report.scan_response:
            if pending is not None and pending.address == report.address:
                yield self._sight(report, pending.data + report.data)
            return
        if pending is not None:
            yield self._sight(pending, pending.data)
        if self._active and report.scannable and report.legacy:
            self._pending = report
        else:
            yield self._sight(report, report.data)

    def _sight(self, report: Report, data: bytes) -> Sight:
        known, parts = self._book.note(report), read_parts(data)
        known.take_name(parts)
        if self._replace and parts.manufacturer:
            known.manufacturer.clear()
        if self._replace and parts.service_data:
            known.service_data.clear()
        known.manufacturer.update(parts.manufacturer)
        known.service_data.update(parts.service_data)
        fresh = (*parts.uuids, *parts.service_data)
        known.uuids += [uuid for uuid in dict.fromkeys(fresh) if uuid not in known.uuids]
        if parts.tx_power_dbm is not None:
            known.tx_power_dbm = parts.tx_power_dbm
        known.flags = parts.flags if parts.flags is not None else known.flags
        shown = Parts(
            local_name=known.name,
            manufacturer=dict(known.manufacturer),
            service_data=dict(known.service_data),
            uuids=tuple(known.uuids),
            tx_power_dbm=known.tx_power_dbm,
            structures=parts.structures,
        )
        properties = known.properties()
        details = {"path": known.path, "props": properties}
        platform = (known.path, properties)
        return Sight(known, shown, parts.uuids, known.rssi_dbm, known.name, details, platform)


class RawPair(NamedTuple):
    """Last advert and last scan response of a device, as bleak's Windows backend keeps them."""

    adv: Report | None
    scan: Report | None


class _Paired:
    """WinRT: every packet counts, joined with the last one of the other kind."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._pairs: dict[str, RawPair] = {}

    def feed(self, report: Report) -> Iterator[Sight]:
        known = self._book.note(report)
        pair = self._pairs.get(report.address, RawPair(None, None))
        pair = pair._replace(**{"scan" if report.scan_response else "adv": report})
        self._pairs[report.address] = pair
        each = [read_parts(one.data) for one in pair if one is not None]
        shown = Parts(
            local_name=next((one.local_name for one in reversed(each) if one.local_name), None),
            manufacturer={key: value for one in each for key, value in one.manufacturer.items()},
            service_data={key: value for one in each for key, value in one.service_data.items()},
            uuids=tuple(uuid for one in each for uuid in one.uuids),
            tx_power_dbm=next(
                (one.tx_power_dbm for one in reversed(each) if one.tx_power_dbm is not None), None
            ),
            structures=read_parts(report.data).structures,
        )
        known.name = shown.local_name or known.name
        yield Sight(known, shown, shown.uuids, known.rssi_dbm, shown.local_name, pair, (None, pair))


class _Latest:
    """CoreBluetooth: one callback per device, more only when there is something new to say."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._told: dict[str, dict[tuple[int, bytes], bytes]] = {}

    def feed(self, report: Report) -> Iterator[Sight]:
        known = self._book.note(report)
        fresh: dict[tuple[int, bytes], bytes] = {}
        for kind, value in read_parts(report.data).structures:
            fresh.setdefault((kind, value[: _DATA_SIZES.get(kind, 0)]), value)
        before = self._told.get(report.address)
        merged = {**(before or {}), **fresh}
        if merged == before:
            return
        self._told[report.address] = merged
        run = b"".join(bytes((len(data) + 1, kind)) + data for (kind, _), data in merged.items())
        parts = read_parts(run)
        known.take_name(parts)
        platform = (known, _dictionary(parts, report), known.rssi_dbm)
        yield Sight(known, parts, parts.uuids, known.rssi_dbm, known.name, (known, None), platform)


def _dictionary(parts: Parts, report: Report) -> dict[str, Any]:
    """The advertisement dictionary of CoreBluetooth, with Python's types for values."""
    manufacturer = [key.to_bytes(2, "little") + value for key, value in parts.manufacturer.items()]
    given = {
        "kCBAdvDataLocalName": parts.local_name,
        "kCBAdvDataManufacturerData": manufacturer[0] if manufacturer else None,
        "kCBAdvDataServiceData": parts.service_data or None,
        "kCBAdvDataServiceUUIDs": list(parts.uuids) or None,
        "kCBAdvDataTxPowerLevel": parts.tx_power_dbm,
        "kCBAdvDataIsConnectable": int(report.connectable),
    }
    return {key: value for key, value in given.items() if value is not None}


def merger_for(system: System, book: Book, *, active: bool, replace: bool = False) -> Merger:
    """A merger for one scan; `replace` is BlueZ's filter DuplicateData: new data drop the old."""
    if system.merging == "accumulated":
        return _Accumulated(book, active=active, replace=replace)
    return _Paired(book) if system.merging == "paired" else _Latest(book)
