"""Parameters of the HCI events this project looks into: typed values and layouts.

Core Specification 5.4 Vol 4 Part E clause 7.7; little-endian. Other events keep their parameters as hex. No clock,
no randomness, no IO.
"""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from protocols.data.hci_names import command_name
from protocols.format import Fields
from protocols.hci.vocabulary import (
    ADDRESS_TYPE,
    CODE,
    ERROR,
    HANDLE,
    INTERVAL,
    LATENCY_AND_TIMEOUT,
    PEER,
    POWER,
    AddressType,
    Empty,
    Kind,
)
from protocols.layout import (
    REST,
    U8,
    U16LE,
    Body,
    Codec,
    Hex,
    MacLE,
    Named,
    Nullable,
    Optional,
    Record,
    Records,
)

__all__ = [
    "EVENT_BODIES",
    "LEGACY_TYPES",
    "LE_BODIES",
    "AdvertisingReport",
    "AdvertisingReports",
    "AdvertisingSetTerminated",
    "ChannelSelection",
    "CommandComplete",
    "CommandStatus",
    "CompletedPackets",
    "ConnectionComplete",
    "ConnectionUpdateComplete",
    "DataLengthChange",
    "DirectedReport",
    "DirectedReports",
    "DisconnectionComplete",
    "EncryptionChange",
    "EnhancedConnectionComplete",
    "ExtendedReport",
    "ExtendedReports",
    "HandleCount",
    "PhyUpdateComplete",
    "extended_type_words",
]


class DisconnectionComplete(Fields, frozen=True):
    """Disconnection Complete."""

    status: int
    handle: int
    reason: int


class EncryptionChange(Fields, frozen=True):
    """Encryption Change [v1]."""

    status: int
    handle: int
    enabled: int


class CommandComplete(Fields, frozen=True):
    """Command Complete; opcode 0 only gives credits."""

    credits: int
    opcode: int
    status: int | UnsetType = UNSET
    return_parameters: str | UnsetType = UNSET
    """hex of what follows the status."""


class CommandStatus(Fields, frozen=True):
    """Command Status."""

    status: int
    credits: int
    opcode: int


class HandleCount(Fields, frozen=True):
    """Packets of one connection that left the controller."""

    handle: int
    packets: int


class CompletedPackets(Fields, frozen=True):
    """Number Of Completed Packets."""

    connections: list[HandleCount]


class ConnectionComplete(Fields, frozen=True, kw_only=True):
    """LE Connection Complete."""

    status: int
    handle: int
    role: int
    """0 central, 1 peripheral."""
    peer_address_type: AddressType
    peer_address: str
    interval_ms: float
    latency: int
    timeout_ms: int
    clock_accuracy: int


class EnhancedConnectionComplete(ConnectionComplete, frozen=True, kw_only=True):
    """LE Enhanced Connection Complete; [v2] has the last two members."""

    local_resolvable_address: str
    peer_resolvable_address: str
    advertising_handle: int | UnsetType = UNSET
    sync_handle: int | UnsetType = UNSET


class ConnectionUpdateComplete(Fields, frozen=True):
    """LE Connection Update Complete."""

    status: int
    handle: int
    interval_ms: float
    latency: int
    timeout_ms: int


class DataLengthChange(Fields, frozen=True):
    """LE Data Length Change."""

    handle: int
    max_tx_octets: int
    max_tx_time_us: int
    max_rx_octets: int
    max_rx_time_us: int


class PhyUpdateComplete(Fields, frozen=True):
    """LE PHY Update Complete; 1 is 1M, 2 2M, 3 coded."""

    status: int
    handle: int
    tx_phy: int
    rx_phy: int


class AdvertisingSetTerminated(Fields, frozen=True):
    """LE Advertising Set Terminated."""

    status: int
    advertising_handle: int
    handle: int
    completed_events: int


class ChannelSelection(Fields, frozen=True):
    """LE Channel Selection Algorithm; 0 is #1, 1 is #2."""

    handle: int
    algorithm: int


class AdvertisingReport(Fields, frozen=True):
    """One legacy report."""

    event_type: int
    """0 ADV_IND, 1 ADV_DIRECT_IND, 2 ADV_SCAN_IND, 3 ADV_NONCONN_IND, 4 SCAN_RSP."""
    address_type: AddressType
    address: str
    data: str
    rssi_dbm: int | None


class AdvertisingReports(Fields, frozen=True):
    """LE Advertising Report."""

    reports: list[AdvertisingReport]


class DirectedReport(Fields, frozen=True):
    """One directed advertisement whose target address was not resolved."""

    event_type: int
    address_type: AddressType
    address: str
    direct_address_type: AddressType
    direct_address: str
    rssi_dbm: int | None


class DirectedReports(Fields, frozen=True):
    """LE Directed Advertising Report."""

    reports: list[DirectedReport]


class ExtendedReport(Fields, frozen=True):
    """One extended report, of a legacy or an extended PDU."""

    event_type: int
    """bits: connectable, scannable, directed, scan response, legacy PDU, 2 bits data status."""
    address_type: AddressType
    address: str
    primary_phy: int
    secondary_phy: int
    sid: int | None
    tx_power_dbm: int | None
    rssi_dbm: int | None
    periodic_interval_ms: float
    direct_address_type: AddressType
    direct_address: str
    data: str


class ExtendedReports(Fields, frozen=True):
    """LE Extended Advertising Report."""

    reports: list[ExtendedReport]


LEGACY_TYPES = {
    0: "ADV_IND",
    1: "ADV_DIRECT_IND",
    2: "ADV_SCAN_IND",
    3: "ADV_NONCONN_IND",
    4: "SCAN_RSP",
}
# event type of an extended report that stands for a legacy PDU
_EXTENDED_LEGACY = {
    0x13: "ADV_IND",
    0x15: "ADV_DIRECT_IND",
    0x12: "ADV_SCAN_IND",
    0x10: "ADV_NONCONN_IND",
    0x1B: "SCAN_RSP to ADV_IND",
    0x1A: "SCAN_RSP to ADV_SCAN_IND",
}
_TYPE_BITS = ("connectable", "scannable", "directed", "scan response", "legacy")
_DATA_STATUS = {0: "", 1: "more to come", 2: "truncated", 3: "data status 3"}


def extended_type_words(event_type: int) -> str:
    """The event type of an extended report in words."""
    if event_type in _EXTENDED_LEGACY:
        return _EXTENDED_LEGACY[event_type]
    words = [name for bit, name in enumerate(_TYPE_BITS) if event_type >> bit & 1]
    words.append(_DATA_STATUS[event_type >> 5 & 3])
    return ", ".join(filter(None, words)) or "not connectable"


_STATUS = "status" / ERROR
_OPCODE = "opcode" / Named(U16LE, command_name)
_TIMING = ("interval_ms" / INTERVAL, *LATENCY_AND_TIMEOUT)
_CONNECTED = (
    _STATUS,
    HANDLE,
    "role" / Named(U8, {0: "central", 1: "peripheral"}),
    *PEER,
)
_RESOLVABLE = ("local_resolvable_address" / MacLE, "peer_resolvable_address" / MacLE)
_ACCURACY = "clock_accuracy" / U8
_SENDER = ("address_type" / ADDRESS_TYPE, "address" / MacLE)
_DIRECT = ("direct_address_type" / ADDRESS_TYPE, "direct_address" / MacLE)
_RSSI = "rssi_dbm" / POWER
_LEGACY_TYPE = "event_type" / Named(U8, LEGACY_TYPES)
_EXTENDED_TYPE = "event_type" / Named(U16LE, extended_type_words)
_DATA = "data" / Body(U8, Hex(REST), CODE)


def _reports(*members: Codec) -> Codec:
    return Record("count" / U8, "reports" / Records(Record(*members), CODE))


EVENT_BODIES: dict[int, Kind] = {
    0x05: Kind(DisconnectionComplete, Record(_STATUS, HANDLE, "reason" / ERROR)),
    0x08: Kind(EncryptionChange, Record(_STATUS, HANDLE, "enabled" / U8)),
    0x0E: Kind(
        CommandComplete,
        Record(
            "credits" / U8, _OPCODE, "status" / Optional(ERROR), "return_parameters" / Optional(Hex(REST))
        ),
    ),
    0x0F: Kind(CommandStatus, Record(_STATUS, "credits" / U8, _OPCODE)),
    0x13: Kind(
        CompletedPackets,
        Record("count" / U8, "connections" / Records(Record(HANDLE, "packets" / U16LE), CODE)),
        "connections",
    ),
}  # fmt: skip
"""Event code -> parameters."""

LE_BODIES: dict[int, Kind] = {
    0x01: Kind(ConnectionComplete, Record(*_CONNECTED, *_TIMING, _ACCURACY)),
    0x02: Kind(AdvertisingReports, _reports(_LEGACY_TYPE, *_SENDER, _DATA, _RSSI), "reports"),
    0x03: Kind(ConnectionUpdateComplete, Record(_STATUS, HANDLE, *_TIMING)),
    0x07: Kind(
        DataLengthChange,
        Record(
            HANDLE,
            "max_tx_octets" / U16LE,
            "max_tx_time_us" / U16LE,
            "max_rx_octets" / U16LE,
            "max_rx_time_us" / U16LE,
        ),
    ),
    0x0A: Kind(EnhancedConnectionComplete, Record(*_CONNECTED, *_RESOLVABLE, *_TIMING, _ACCURACY)),
    0x0B: Kind(DirectedReports, _reports(_LEGACY_TYPE, *_SENDER, *_DIRECT, _RSSI), "reports"),
    0x0C: Kind(PhyUpdateComplete, Record(_STATUS, HANDLE, "tx_phy" / U8, "rx_phy" / U8)),
    0x0D: Kind(
        ExtendedReports,
        _reports(
            _EXTENDED_TYPE,
            *_SENDER,
            "primary_phy" / U8,
            "secondary_phy" / U8,
            "sid" / Nullable(U8, 0xFF),
            "tx_power_dbm" / POWER,
            _RSSI,
            "periodic_interval_ms" / INTERVAL,
            *_DIRECT,
            _DATA,
        ),
        "reports",
    ),
    0x11: Kind(Empty, Record()),
    0x12: Kind(
        AdvertisingSetTerminated,
        Record(_STATUS, "advertising_handle" / U8, HANDLE, "completed_events" / U8),
    ),
    0x14: Kind(ChannelSelection, Record(HANDLE, "algorithm" / U8)),
    0x29: Kind(
        EnhancedConnectionComplete,
        Record(
            *_CONNECTED,
            *_RESOLVABLE,
            *_TIMING,
            _ACCURACY,
            "advertising_handle" / U8,
            "sync_handle" / U16LE,
        ),
    ),
}
"""Subevent code of the LE Meta event -> parameters."""
