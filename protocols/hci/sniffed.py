"""A packet of the air as a sniffer reports it, whatever the sniffer, and as captures keep it.

Core Specification 5.4 Vol 6 Part B clause 2; LINKTYPE_BLUETOOTH_LE_LL_WITH_PHDR (256) of the tcpdump.org link-type
registry; digest 2.7. No clock, no chance, no IO.
"""

from __future__ import annotations

import struct
from typing import Final

import msgspec

from protocols.ble.ll_radio import ADVERTISING_ACCESS_ADDRESS, crc24, rf_of_channel

__all__ = ["LINK_TYPE", "Sniffed", "event_name", "in_capture"]

LINK_TYPE: Final = 256
_HEADER: Final = struct.Struct("<BbbBIH")
_DEWHITENED, _SIGNAL, _DECRYPTED, _REFERENCE = 0x0001, 0x0002, 0x0008, 0x0010
_CRC_CHECKED, _CRC_VALID = 0x0400, 0x0800
_KIND_SHIFT, _PHY_SHIFT = 7, 14
_ADVERTISING, _AUXILIARY, _TO_PERIPHERAL, _TO_CENTRAL = range(4)
_FIRST_ADVERTISING_CHANNEL: Final = 37
_CODED: Final = 3
_NAMES: Final = {
    0: "adv_ind", 1: "adv_direct_ind", 2: "adv_nonconn_ind", 3: "scan_req", 4: "scan_rsp", 5: "connect_ind",
    6: "adv_scan_ind", 7: "adv_ext", 8: "aux_connect_rsp",
}  # fmt: skip
_CONTROL: Final = 3


class Sniffed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One packet of the air."""

    t_us: int
    """Clock of the sniffer, without its wraps."""
    channel: int
    """Index 0 to 39; 37 to 39 are the primary advertising channels."""
    rssi_dbm: int
    phy: int
    """As HCI numbers it: 1 1M, 2 2M, 3 coded."""
    access_address: int
    pdu: bytes
    """Header and payload."""
    crc_ok: bool
    crc: bytes = b""
    """As received, in air order; empty where the sniffer keeps it to itself."""
    crc_init: int | None = None
    """Where it is known."""
    coding: int = 0
    """Coding indicator of a coded packet: 0 S=8, 1 S=2."""
    from_peripheral: bool | None = None
    """Who sent a packet of a connection; None where the sniffer does not say."""
    decrypted: bool = False

    @property
    def is_advertising(self) -> bool:
        """Whether it belongs to no connection."""
        return self.access_address == ADVERTISING_ACCESS_ADDRESS


def event_name(packet: Sniffed) -> str:
    """As events of the trace are called: `adv_ind`, `ll_data`, ..."""
    if packet.is_advertising:
        return _NAMES.get(packet.pdu[0] & 0x0F, "packet") if packet.pdu else "packet"
    if packet.pdu and packet.pdu[0] & 3 == _CONTROL:
        return "ll_control"
    return "ll_data" if len(packet.pdu) > 2 else "ll_empty"


def in_capture(packet: Sniffed) -> bytes:
    """Pseudo-header, access address, PDU and CRC of link type 256.

    A CRC that the sniffer kept to itself is computed again, and made wrong where it said so.
    """
    flags = _DEWHITENED | _SIGNAL | _REFERENCE | _kind(packet) << _KIND_SHIFT
    flags |= packet.phy - 1 << _PHY_SHIFT
    flags |= _DECRYPTED if packet.decrypted else 0
    crc = packet.crc
    if not crc and packet.crc_init is not None:
        crc = crc24(packet.pdu, packet.crc_init)
        crc = crc if packet.crc_ok else bytes(each ^ 0xFF for each in crc)
    if crc:
        flags |= _CRC_CHECKED | (_CRC_VALID if packet.crc_ok else 0)
    rssi_dbm = max(-128, min(127, packet.rssi_dbm))
    header = _HEADER.pack(
        rf_of_channel(packet.channel), rssi_dbm, 0, 0, packet.access_address, flags
    )
    coding = bytes((packet.coding,)) if packet.phy == _CODED else b""
    address = packet.access_address.to_bytes(4, "little")
    return header + address + coding + packet.pdu + (crc or bytes(3))


def _kind(packet: Sniffed) -> int:
    if packet.is_advertising:
        return _ADVERTISING if packet.channel >= _FIRST_ADVERTISING_CHANNEL else _AUXILIARY
    return _TO_CENTRAL if packet.from_peripheral else _TO_PERIPHERAL
