"""One line per HCI packet, for lists of packets and the ladder. No clock, no randomness, no IO."""

from __future__ import annotations

from typing import Any

from protocols.ble.advertising import ad_words
from protocols.ble.l2cap import l2cap_nodes
from protocols.data.hci_names import command_name, error_name
from protocols.format import UNSET, Fields
from protocols.hci.command_bodies import (
    AdvertisingData,
    Disconnect,
    Enable,
    ExtendedAdvertisingData,
    ExtendedAdvertisingEnable,
    ExtendedScanEnable,
    ScanEnable,
)
from protocols.hci.event_bodies import (
    LEGACY_TYPES,
    AdvertisingReport,
    AdvertisingReports,
    CommandComplete,
    CommandStatus,
    ConnectionComplete,
    DisconnectionComplete,
    ExtendedReport,
    ExtendedReports,
    extended_type_words,
)
from protocols.hci.packets import Acl, Command, Event

__all__ = ["summary"]


def summary(packet: Fields) -> str:
    """What the packet is and the values one looks for first."""
    if isinstance(packet, (Command, Event)):
        said = [str(packet.name), *_body(packet.body)]
        if packet.parameters is not UNSET and packet.parameters:
            said.append(f"{len(packet.parameters) // 2} octets")
        return ", ".join(said)
    plain: Any = packet
    size = len(plain.data) // 2
    what = f"{size} octets"
    if isinstance(packet, Acl):
        is_start = packet.boundary != 1
        what = l2cap_nodes(bytes.fromhex(packet.data), 0)[1] if is_start else f"{what}, continued"
        return f"ACL {packet.handle:#06x}, {what}"
    return f"{type(packet).__name__.upper()} {plain.handle:#06x}, {what}"


def _body(body: Any) -> list[str]:
    if isinstance(body, (AdvertisingReports, ExtendedReports)):
        return [_report(report) for report in body.reports]
    if isinstance(body, CommandComplete):
        status = [] if body.status is UNSET else [error_name(body.status)]
        return [command_name(body.opcode), *status]
    if isinstance(body, CommandStatus):
        return [command_name(body.opcode), error_name(body.status)]
    if isinstance(body, (AdvertisingData, ExtendedAdvertisingData)):
        data = bytes.fromhex(body.data)
        return [ad_words(data) if data else "empty"]
    if isinstance(body, (Enable, ScanEnable, ExtendedAdvertisingEnable, ExtendedScanEnable)):
        return ["on" if body.enable else "off"]
    if isinstance(body, ConnectionComplete):
        if body.status:
            return [error_name(body.status)]
        role = "peripheral" if body.role else "central"
        return [f"handle {body.handle:#06x}", f"{role} of {body.peer_address}"]
    if isinstance(body, (DisconnectionComplete, Disconnect)):
        return [f"handle {body.handle:#06x}", error_name(body.reason)]
    return _others(body)


def _others(body: Any) -> list[str]:
    status = getattr(body, "status", 0)
    handle = getattr(body, "handle", None)
    out = [error_name(status)] if status else []
    if (address := getattr(body, "address", None)) is not None:
        out.append(str(address))
    return out if handle is None else [*out, f"handle {handle:#06x}"]


def _report(report: AdvertisingReport | ExtendedReport) -> str:
    if isinstance(report, ExtendedReport):
        kind = extended_type_words(report.event_type)
    else:
        kind = LEGACY_TYPES.get(report.event_type, f"type {report.event_type}")
    level = "RSSI unknown" if report.rssi_dbm is None else f"{report.rssi_dbm} dBm"
    data = bytes.fromhex(report.data)
    return f"{kind} {report.address} {level} {ad_words(data) if data else 'empty'}"
