"""A link-layer packet as LINKTYPE_BLUETOOTH_LE_LL_WITH_PHDR (256) keeps it, made fast for recorders.

tcpdump.org link-type registry; the Construct definition is `ll_layout.PHDR`, which a test holds against this
file: a recorder writes tens of thousands of these, so the ten octets are packed in one go. No clock, no IO.
"""

from __future__ import annotations

import struct

from protocols.ble.ll_radio import (
    ADVERTISING_ACCESS_ADDRESS,
    ADVERTISING_CRC_INIT,
    crc24,
    rf_of_channel,
)

__all__ = ["captured_packet"]

_HEADER = struct.Struct("<BbbBIH")
_DEWHITENED, _SIGNAL, _DECRYPTED, _REFERENCE = 0x0001, 0x0002, 0x0008, 0x0010
_CRC_CHECKED, _CRC_VALID = 0x0400, 0x0800
_KIND_SHIFT, _AUX_SHIFT, _PHY_SHIFT = 7, 12, 14
_PHY_NUMBERS = {1: 0, 2: 1, 3: 2}  # HCI numbers to those of the header
_CODING_S8 = b"\x00"


def captured_packet(
    pdu: bytes,
    *,
    channel: int,
    rssi_dbm: int,
    access_address: int = ADVERTISING_ACCESS_ADDRESS,
    crc_init: int = ADVERTISING_CRC_INIT,
    phy: int = 1,
    kind: int = 0,
    aux_type: int = 0,
    decrypted: bool = False,
) -> bytes:
    """Pseudo-header, access address, `pdu` and its CRC. `channel` is the index 0..39, `phy` as HCI numbers it.

    `kind`: 0 advertising, 1 auxiliary (then `aux_type`: 0 AUX_ADV_IND, 1 AUX_CHAIN_IND, 2 AUX_SYNC_IND,
    3 AUX_SCAN_RSP), 2 central to peripheral, 3 peripheral to central. A `decrypted` PDU stands without its MIC.
    """
    flags = _DEWHITENED | _SIGNAL | _REFERENCE | _CRC_CHECKED | _CRC_VALID
    flags |= kind << _KIND_SHIFT | _PHY_NUMBERS[phy] << _PHY_SHIFT | aux_type << _AUX_SHIFT
    if decrypted:
        flags |= _DECRYPTED
    rssi = max(-128, min(127, rssi_dbm))
    header = _HEADER.pack(rf_of_channel(channel), rssi, 0, 0, access_address, flags)
    address = access_address.to_bytes(4, "little") + (_CODING_S8 if phy == 3 else b"")
    return header + address + pdu + crc24(pdu, crc_init)
