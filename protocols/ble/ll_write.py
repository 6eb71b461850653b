"""Writing LE link-layer packets.

Core Specification 5.4 Vol 6 Part B clause 2. Lengths and, where the initial value is known, the CRC are computed;
unused and reserved header bits are zero. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from protocols.ble.advertising import LEGACY_LIMIT
from protocols.ble.ll_extended import cte_raw, extended_octets
from protocols.ble.ll_fields import ControlPdu, DataPdu, Extended, IsochronousPdu, Packet
from protocols.ble.ll_layout import (
    ADDRESSES,
    ADVERTISING_HEADER,
    ADVERTISING_PDUS,
    CONTROL_BODIES,
    CONTROL_LLID,
    CRC,
    CTE_INFO,
    DATA_HEADER,
    EXTENDED_TYPE,
    NUMBER32,
    PHDR,
    USUAL_ADDRESSES,
)
from protocols.ble.ll_phdr import header_raw
from protocols.ble.ll_radio import ADVERTISING_ADDRESS, crc24, crc_init_of
from protocols.data.ll_control import control_name
from protocols.errors import EncodeError
from protocols.format import UNSET, Keys, agree
from protocols.layout import REST, U8, Hex, Record, build

__all__ = ["encode_bare", "encode_with_header", "pdu_octets"]

_CODES = {
    name: code for code, names in ADVERTISING_PDUS.items() for name in names[:2]
} | dict.fromkeys(
    ("AUX_SCAN_RSP", "AUX_SYNC_IND", "AUX_CHAIN_IND", "AUX_SYNC_SUBEVENT_IND"), EXTENDED_TYPE
)


def encode_bare(fields: Any, keys: Keys) -> bytes:
    """Access address, PDU and CRC. Unused and reserved header bits are zero; they are not in the fields."""
    packet = cast("Packet", fields)
    pdu = pdu_octets(packet)
    advertising = not isinstance(packet, (DataPdu, ControlPdu, IsochronousPdu))
    address = packet.access_address
    if address is UNSET:
        if not advertising:
            raise EncodeError("access_address", "is missing: 8 hex digits of the connection's")
        address = ADVERTISING_ADDRESS
    coding = b"" if packet.coding is UNSET else _octet("coding", packet.coding)
    head = build(Record("access_address" / NUMBER32), {"access_address": address})
    return head + coding + pdu + _crc_octets(packet, pdu, address, keys)


def encode_with_header(fields: Any, keys: Keys) -> bytes:
    """The pseudo-header, then the packet; values it does not know are written as zero."""
    packet = cast("Packet", fields)
    if packet.phdr is UNSET:
        raise EncodeError("phdr", "is missing; format ll has none")
    head = build(Record("phdr" / PHDR), {"phdr": header_raw(packet.phdr)})
    if packet.phdr.phy == "coded" and packet.coding is UNSET:
        packet = msgspec.structs.replace(packet, coding=0)
    return head + encode_bare(packet, keys)


def _crc_octets(packet: Packet, pdu: bytes, address: str, keys: Keys) -> bytes:
    init = crc_init_of(keys, on_advertising=address == ADVERTISING_ADDRESS)
    computed = crc24(pdu, init) if init is not None else None
    if packet.crc is not UNSET:
        crc = build(CRC, {"crc": packet.crc})
        if computed is not None and packet.crc_ok not in (UNSET, crc == computed):
            message = f"{packet.crc} is not the CRC of these values, {computed.hex()}; leave crc and crc_ok out"
            raise EncodeError("crc", message)
        return crc
    if computed is None:
        raise EncodeError("crc", "is missing: give it, or crc_init in the context")
    return computed


def pdu_octets(packet: Packet) -> bytes:
    """Header and payload, without access address and CRC. Raises EncodeError with the path."""
    if isinstance(packet, IsochronousPdu):
        payload = build(Record("data" / Hex(REST)), packet)
        return _octet("header", packet.header) + _octet("length", len(payload)) + payload
    if isinstance(packet, (DataPdu, ControlPdu)):
        return _connected_octets(packet)
    code = _CODES[cast("str", packet.__struct_config__.tag)]
    if isinstance(packet, Extended):
        payload = extended_octets(packet)
    else:
        payload = build(ADVERTISING_PDUS[code][2], packet)
        if len(payload) > 6 + LEGACY_LIMIT and hasattr(packet, "data"):
            over = len(payload) - 6 - LEGACY_LIMIT
            raise EncodeError("data", f"{over} octets more than the {LEGACY_LIMIT} of a legacy PDU")
    sender, receiver = ADDRESSES.get(code, USUAL_ADDRESSES)
    head = {
        "type": code,
        "reserved": 0,
        "ch_sel": getattr(packet, "ch_sel", False),
        "tx_add": getattr(packet, f"{sender}_type", UNSET) == "random",
        "rx_add": getattr(packet, f"{receiver}_type", UNSET) == "random",
        "length": len(payload),
    }
    return build(ADVERTISING_HEADER, head) + payload


def _connected_octets(packet: DataPdu | ControlPdu) -> bytes:
    if isinstance(packet, ControlPdu):
        llid, payload = CONTROL_LLID, _control_octets(packet)
    else:
        llid, payload = packet.llid, build(Record("data" / Hex(REST)), {"data": packet.data})
    cte = b"" if packet.cte_info is UNSET else build(CTE_INFO, cte_raw(packet.cte_info))
    head = {
        "llid": llid,
        "nesn": packet.nesn,
        "sn": packet.sn,
        "md": packet.md,
        "cte": bool(cte),
        "reserved": 0,
        "length": len(payload),
    }
    return build(DATA_HEADER, head) + cte + payload


def _control_octets(packet: ControlPdu) -> bytes:
    agree("name", packet.name, control_name(packet.opcode))
    opcode = _octet("opcode", packet.opcode)
    layout = CONTROL_BODIES.get(packet.opcode)
    if packet.parameters is not UNSET:
        return opcode + build(Record("parameters" / Hex(REST)), {"parameters": packet.parameters})
    if layout is None or packet.values is UNSET:
        raise EncodeError("parameters", "is missing")
    return opcode + build(Record("values" / layout), {"values": packet.values})


def _octet(path: str, value: int) -> bytes:
    return build(Record(path / U8), {path: value})
