"""Parameters of the HCI commands this project looks into: typed values and layouts.

Core Specification 5.4 Vol 4 Part E clauses 7.1.6, 7.3.2 and 7.8; little-endian. Lists are sent behind a count, or a
bit per PHY, that has as many as they have items. Other commands keep their parameters as hex. No clock, no
randomness, no IO.
"""

from __future__ import annotations

from protocols.format import Fields
from protocols.hci.vocabulary import (
    ADDRESS_TYPE,
    CODE,
    ERROR,
    HANDLE,
    INTERVAL,
    LATENCY_AND_TIMEOUT,
    LONG_SLOTS,
    PEER,
    POWER,
    SLOTS,
    TENS_OF_MS,
    AddressType,
    Empty,
    Kind,
)
from protocols.layout import (
    REST,
    U8,
    U16LE,
    Body,
    Hex,
    MacLE,
    Named,
    Record,
    Records,
    Scaled,
    Sized,
)

__all__ = [
    "COMMAND_BODIES",
    "AdvertisingData",
    "AdvertisingParameters",
    "AdvertisingSet",
    "CreateConnection",
    "Disconnect",
    "Empty",
    "Enable",
    "ExtendedAdvertisingData",
    "ExtendedAdvertisingEnable",
    "ExtendedAdvertisingParameters",
    "ExtendedCreateConnection",
    "ExtendedScanEnable",
    "ExtendedScanParameters",
    "InitiatingPhy",
    "ScanEnable",
    "ScanParameters",
    "ScanningPhy",
    "SetRandomAddress",
    "SetSetRandomAddress",
]


class Disconnect(Fields, frozen=True):
    """Disconnect."""

    handle: int
    reason: int


class SetRandomAddress(Fields, frozen=True):
    """LE Set Random Address."""

    address: str


class SetSetRandomAddress(Fields, frozen=True):
    """LE Set Advertising Set Random Address."""

    advertising_handle: int
    address: str


class AdvertisingParameters(Fields, frozen=True):
    """LE Set Advertising Parameters."""

    interval_min_ms: float
    interval_max_ms: float
    advertising_type: int
    """0 ADV_IND, 1 directed high duty, 2 ADV_SCAN_IND, 3 ADV_NONCONN_IND, 4 directed low duty."""
    own_address_type: AddressType
    peer_address_type: AddressType
    peer_address: str
    channel_map: int
    filter_policy: int


class AdvertisingData(Fields, frozen=True):
    """LE Set Advertising Data, LE Set Scan Response Data; the filling up to 31 octets is zero."""

    data: str


class Enable(Fields, frozen=True):
    """LE Set Advertising Enable."""

    enable: int


class ScanParameters(Fields, frozen=True):
    """LE Set Scan Parameters."""

    scan_type: int
    """0 passive, 1 active."""
    interval_ms: float
    window_ms: float
    own_address_type: AddressType
    filter_policy: int


class ScanEnable(Fields, frozen=True):
    """LE Set Scan Enable."""

    enable: int
    filter_duplicates: int


class CreateConnection(Fields, frozen=True):
    """LE Create Connection."""

    scan_interval_ms: float
    scan_window_ms: float
    filter_policy: int
    peer_address_type: AddressType
    peer_address: str
    own_address_type: AddressType
    interval_min_ms: float
    interval_max_ms: float
    latency: int
    timeout_ms: int
    event_length_min_ms: float
    event_length_max_ms: float


class ExtendedAdvertisingParameters(Fields, frozen=True):
    """LE Set Extended Advertising Parameters [v1]."""

    advertising_handle: int
    properties: int
    """bits: connectable, scannable, directed, high duty, legacy PDUs, anonymous, include TX power."""
    interval_min_ms: float
    interval_max_ms: float
    channel_map: int
    own_address_type: AddressType
    peer_address_type: AddressType
    peer_address: str
    filter_policy: int
    tx_power_dbm: int | None
    """None: the host has no preference."""
    primary_phy: int
    secondary_max_skip: int
    secondary_phy: int
    sid: int
    scan_request_notification: int


class ExtendedAdvertisingData(Fields, frozen=True):
    """LE Set Extended Advertising Data, LE Set Extended Scan Response Data."""

    advertising_handle: int
    operation: int
    """0 intermediate, 1 first, 2 last, 3 complete, 4 unchanged."""
    fragment_preference: int
    data: str


class AdvertisingSet(Fields, frozen=True):
    """What to do with one set."""

    advertising_handle: int
    duration_ms: int
    max_events: int


class ExtendedAdvertisingEnable(Fields, frozen=True):
    """LE Set Extended Advertising Enable; disabling without sets stops all."""

    enable: int
    sets: list[AdvertisingSet]


class ScanningPhy(Fields, frozen=True):
    """Scanning on one PHY."""

    scan_type: int
    interval_ms: float
    window_ms: float


class ExtendedScanParameters(Fields, frozen=True):
    """LE Set Extended Scan Parameters; `phys` bit 0 is 1M, bit 2 coded, `scanning` in this order."""

    own_address_type: AddressType
    filter_policy: int
    phys: int
    scanning: list[ScanningPhy]


class ExtendedScanEnable(Fields, frozen=True):
    """LE Set Extended Scan Enable; 0 is without end."""

    enable: int
    filter_duplicates: int
    duration_ms: int
    period_ms: int


class InitiatingPhy(Fields, frozen=True):
    """Connecting over one PHY."""

    scan_interval_ms: float
    scan_window_ms: float
    interval_min_ms: float
    interval_max_ms: float
    latency: int
    timeout_ms: int
    event_length_min_ms: float
    event_length_max_ms: float


class ExtendedCreateConnection(Fields, frozen=True):
    """LE Extended Create Connection [v1]; `phys` bit 0 is 1M, 1 2M, 2 coded, `initiating` in this order."""

    filter_policy: int
    own_address_type: AddressType
    peer_address_type: AddressType
    peer_address: str
    phys: int
    initiating: list[InitiatingPhy]


_ADVERTISING_TYPES = {
    0: "connectable, scannable",
    1: "directed, high duty cycle",
    2: "scannable",
    3: "not connectable",
    4: "directed, low duty cycle",
}
_ENABLE = "enable" / Named(U8, {0: "off", 1: "on"})
_RANGE = (
    "interval_min_ms" / INTERVAL,
    "interval_max_ms" / INTERVAL,
    *LATENCY_AND_TIMEOUT,
    "event_length_min_ms" / SLOTS,
    "event_length_max_ms" / SLOTS,
)
_SCAN = (
    "scan_type" / Named(U8, {0: "passive", 1: "active"}),
    "interval_ms" / SLOTS,
    "window_ms" / SLOTS,
)
_COUNT = "count" / U8

_DATA = Kind(
    AdvertisingData,
    Sized(
        Record(
            _COUNT,
            "data" / Body(lambda f: f.count, Hex(REST), CODE),
            "_filling" / Hex(REST),
        ),
        CODE,
        32,
    ),
    "data",
)
_EXTENDED_DATA = Kind(
    ExtendedAdvertisingData,
    Record(
        "advertising_handle" / U8,
        "operation" / U8,
        "fragment_preference" / U8,
        _COUNT,
        "data" / Body(lambda f: f.count, Hex(REST), CODE),
    ),
    "data",
)

COMMAND_BODIES: dict[int, Kind] = {
    0x0406: Kind(
        Disconnect,
        Record(HANDLE, "reason" / ERROR),
    ),
    0x0C03: Kind(Empty, Record()),
    0x2005: Kind(SetRandomAddress, Record("address" / MacLE)),
    0x2006: Kind(
        AdvertisingParameters,
        Record(
            "interval_min_ms" / SLOTS,
            "interval_max_ms" / SLOTS,
            "advertising_type" / Named(U8, _ADVERTISING_TYPES),
            "own_address_type" / ADDRESS_TYPE,
            *PEER,
            "channel_map" / U8,
            "filter_policy" / U8,
        ),
    ),
    0x2008: _DATA,
    0x2009: _DATA,
    0x200A: Kind(Enable, Record(_ENABLE)),
    0x200B: Kind(
        ScanParameters, Record(*_SCAN, "own_address_type" / ADDRESS_TYPE, "filter_policy" / U8)
    ),
    0x200C: Kind(ScanEnable, Record(_ENABLE, "filter_duplicates" / U8)),
    0x200D: Kind(
        CreateConnection,
        Record(
            "scan_interval_ms" / SLOTS,
            "scan_window_ms" / SLOTS,
            "filter_policy" / U8,
            *PEER,
            "own_address_type" / ADDRESS_TYPE,
            *_RANGE,
        ),
    ),
    0x200E: Kind(Empty, Record()),
    0x2035: Kind(SetSetRandomAddress, Record("advertising_handle" / U8, "address" / MacLE)),
    0x2036: Kind(
        ExtendedAdvertisingParameters,
        Record(
            "advertising_handle" / U8,
            "properties" / U16LE,
            "interval_min_ms" / LONG_SLOTS,
            "interval_max_ms" / LONG_SLOTS,
            "channel_map" / U8,
            "own_address_type" / ADDRESS_TYPE,
            *PEER,
            "filter_policy" / U8,
            "tx_power_dbm" / POWER,
            "primary_phy" / U8,
            "secondary_max_skip" / U8,
            "secondary_phy" / U8,
            "sid" / U8,
            "scan_request_notification" / U8,
        ),
    ),
    0x2037: _EXTENDED_DATA,
    0x2038: _EXTENDED_DATA,
    0x2039: Kind(
        ExtendedAdvertisingEnable,
        Record(
            _ENABLE,
            _COUNT,
            "sets"
            / Records(
                Record("advertising_handle" / U8, "duration_ms" / TENS_OF_MS, "max_events" / U8),
                CODE,
            ),
        ),
        "sets",
    ),
    0x2041: Kind(
        ExtendedScanParameters,
        Record(
            "own_address_type" / ADDRESS_TYPE,
            "filter_policy" / U8,
            "phys" / U8,
            "scanning" / Records(Record(*_SCAN), CODE),
        ),
        "scanning",
    ),
    0x2042: Kind(
        ExtendedScanEnable,
        Record(
            _ENABLE,
            "filter_duplicates" / U8,
            "duration_ms" / TENS_OF_MS,
            "period_ms" / Scaled(U16LE, 1280),
        ),
    ),
    0x2043: Kind(
        ExtendedCreateConnection,
        Record(
            "filter_policy" / U8,
            "own_address_type" / ADDRESS_TYPE,
            *PEER,
            "phys" / U8,
            "initiating"
            / Records(Record("scan_interval_ms" / SLOTS, "scan_window_ms" / SLOTS, *_RANGE), CODE),
        ),
        "initiating",
    ),
}
"""Opcode -> parameters."""
