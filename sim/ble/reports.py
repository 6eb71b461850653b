"""What a scanner tells the host: legacy, extended and directed advertising reports as HCI bytes.

Bluetooth Core specification 5.4, Vol 4 Part E, 7.7.65.2, 7.7.65.11, 7.7.65.13. Three numberings meet here (link-layer
PDU type, legacy event type, extended event type); the tables keep them apart.
"""

from __future__ import annotations

import struct

from sim.ble.pdus import Addr, PduType

__all__ = [
    "DIRECTED_REPORT",
    "EXTENDED_REPORT",
    "LEGACY_EVENT",
    "LEGACY_EXTENDED_EVENT",
    "LEGACY_REPORT",
    "MAX_EXTENDED_DATA",
    "NO_ADDRESS",
    "directed_report",
    "extended_report",
    "legacy_report",
]

LEGACY_REPORT, DIRECTED_REPORT, EXTENDED_REPORT = 0x02, 0x0B, 0x0D
MAX_EXTENDED_DATA = 229
NO_ADDRESS: Addr = b"\xff" + bytes(6)
"""Reported for an anonymous advertiser."""
_NO_TARGET = bytes(7)
_LEGACY_RSP_TO_IND, _LEGACY_RSP_TO_SCAN_IND = 0x001B, 0x001A

LEGACY_EVENT = {
    int(PduType.ADV_IND): 0x00,
    int(PduType.ADV_DIRECT_IND): 0x01,
    int(PduType.ADV_SCAN_IND): 0x02,
    int(PduType.ADV_NONCONN_IND): 0x03,
    int(PduType.SCAN_RSP): 0x04,
}
LEGACY_EXTENDED_EVENT = {
    int(PduType.ADV_IND): 0x0013,
    int(PduType.ADV_DIRECT_IND): 0x0015,
    int(PduType.ADV_SCAN_IND): 0x0012,
    int(PduType.ADV_NONCONN_IND): 0x0010,
}
_PACK = struct.Struct("<BH7sBBBbbH7sB").pack


def scan_response_event(asked: int) -> int:
    """Extended event type of a SCAN_RSP to the legacy PDU type `asked`."""
    return _LEGACY_RSP_TO_SCAN_IND if asked == PduType.ADV_SCAN_IND else _LEGACY_RSP_TO_IND


def legacy_report(event_type: int, address: Addr, data: bytes, rssi_dbm: int) -> bytes:
    """Parameters of one LE Advertising Report."""
    return bytes((1, event_type)) + address + bytes((len(data),)) + data + bytes((rssi_dbm & 0xFF,))


def directed_report(address: Addr, target: Addr, rssi_dbm: int) -> bytes:
    """Parameters of one LE Directed Advertising Report: the target is a private address that we cannot resolve."""
    return b"\x01\x01" + address + b"\x01" + target[1:] + bytes((rssi_dbm & 0xFF,))


def extended_report(
    event_type: int,
    address: Addr,
    data: bytes,
    rssi_dbm: int,
    *,
    primary_phy: int = 1,
    secondary_phy: int = 0,
    sid: int | None = None,
    tx_power_dbm: int | None = None,
    interval: int = 0,
    target: Addr = b"",
) -> bytes:
    """Parameters of one LE Extended Advertising Report with at most 229 octets of `data`."""
    return (
        _PACK(
            1,
            event_type,
            address,
            primary_phy,
            secondary_phy,
            0xFF if sid is None else sid,
            127 if tx_power_dbm is None else tx_power_dbm,
            rssi_dbm,
            interval,
            target or _NO_TARGET,
            len(data),
        )
        + data
    )
