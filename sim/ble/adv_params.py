"""Parameters of an advertising set, and the property bits they are made of.

Bluetooth Core specification 5.4, Vol 4 Part E, 7.8.5 and 7.8.53. One set of bits serves legacy and extended commands.
"""

from __future__ import annotations

import msgspec

from sim.ble.pdus import Addr, PduType

__all__ = [
    "ANONYMOUS",
    "CONNECTABLE",
    "DIRECTED",
    "HIGH_DUTY",
    "LEGACY",
    "LEGACY_KINDS",
    "SCANNABLE",
    "TX_POWER",
    "AdvParams",
]

CONNECTABLE, SCANNABLE, DIRECTED, HIGH_DUTY, LEGACY, ANONYMOUS, TX_POWER = 1, 2, 4, 8, 16, 32, 64

LEGACY_KINDS = {
    CONNECTABLE | SCANNABLE: PduType.ADV_IND,
    CONNECTABLE | DIRECTED: PduType.ADV_DIRECT_IND,
    SCANNABLE: PduType.ADV_SCAN_IND,
    0: PduType.ADV_NONCONN_IND,
}
"""Bits of a legacy set -> its PDU type."""


class AdvParams(msgspec.Struct, frozen=True, gc=False):
    """Parameters of a set; `properties` are the bits of the extended command, also for legacy PDUs."""

    properties: int
    interval_us: int
    channels: tuple[int, ...]
    own_type: int
    peer: Addr
    filter_policy: int
    power_dbm: int | None = None
    primary_phy: int = 1
    secondary_phy: int = 1
    sid: int = 0
    notify_scans: bool = False
