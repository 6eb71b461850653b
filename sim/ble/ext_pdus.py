"""PDUs with the common extended advertising payload, and the pointers in it.

Bluetooth Core specification 5.4, Vol 6 Part B, 2.3.1.5 to 2.3.1.9 (ADV_EXT_IND, AUX_*), 2.3.4 (payload). Values as in
`sim.ble.pdus`: exact octets, no clock, no chance, no radio.
"""

from __future__ import annotations

import struct

import msgspec

from sim.ble.pdus import ADV_ACCESS_ADDRESS, ADV_CRC_INIT, Addr, LLPacket, PduType, pdu_header

__all__ = ["AuxPtr", "ExtPdu", "SyncInfo", "extended_header", "extended_pdu"]

NEAR_US = 245_700  # offsets from here on are in units of 300 us instead of 30
ADJUSTED_US = 2_457_600  # what the adjust bit of SyncInfo adds


class AuxPtr(msgspec.Struct, frozen=True, gc=False):
    """AuxPtr: where the next packet of the event is."""

    channel: int
    phy: int
    offset_us: int
    """From the start of the packet that carries it, rounded down to the unit (30 or 300 us)."""

    @property
    def unit_us(self) -> int:
        """Resolution of the offset: the packet starts within one unit of it."""
        return 30 if self.offset_us < NEAR_US else 300

    def to_bytes(self) -> bytes:
        """Three octets; clock accuracy bit 0 (51 to 500 ppm)."""
        unit = self.unit_us
        value = (
            self.channel | (unit == 300) << 7 | self.offset_us // unit << 8 | (self.phy - 1) << 21
        )
        return value.to_bytes(3, "little")


class SyncInfo(msgspec.Struct, frozen=True, gc=False):
    """SyncInfo: where the next packet of a periodic train is."""

    offset_us: int
    """From the start of the packet that carries it."""
    interval: int
    """1.25 ms units."""
    channel_map: bytes
    sca: int
    access_address: int
    crc_init: int
    event_counter: int

    def to_bytes(self) -> bytes:
        """Eighteen octets."""
        offset_us = self.offset_us
        adjust = offset_us >= ADJUSTED_US
        if adjust:
            offset_us -= ADJUSTED_US
        unit = 30 if offset_us < NEAR_US else 300
        head = offset_us // unit | (unit == 300) << 13 | adjust << 14
        channels = bytearray(self.channel_map)
        channels[4] = channels[4] & 0x1F | self.sca << 5
        return struct.pack(
            "<HH5sI3sH",
            head,
            self.interval,
            bytes(channels),
            self.access_address,
            self.crc_init.to_bytes(3, "little"),
            self.event_counter,
        )


class ExtPdu(LLPacket, frozen=True, gc=False):
    """A PDU with the common extended payload: ADV_EXT_IND, AUX_* and AUX_CONNECT_RSP."""

    kind: int = PduType.EXTENDED
    mode: int = 0
    """AdvMode: 0 neither, 1 connectable, 2 scannable."""
    adv_a: Addr = b""
    """Empty = not in this PDU."""
    peer_a: Addr = b""
    did: int | None = None
    sid: int | None = None
    aux: AuxPtr | None = None
    sync: SyncInfo | None = None
    tx_power_dbm: int | None = None
    body: bytes = b""


def extended_header(
    *,
    adv_a: Addr,
    peer_a: Addr,
    did: int | None,
    sid: int | None,
    aux: AuxPtr | None,
    sync: SyncInfo | None,
    tx_power_dbm: int | None,
) -> bytes:
    """The extended header: flags octet and fields, empty when no field is present (Vol 6 Part B, 2.3.4)."""
    flags = 0
    fields = b""
    if adv_a:
        flags |= 0x01
        fields += adv_a[1:]
    if peer_a:
        flags |= 0x02
        fields += peer_a[1:]
    if did is not None and sid is not None:
        flags |= 0x08
        fields += struct.pack("<H", did | sid << 12)
    if aux is not None:
        flags |= 0x10
        fields += aux.to_bytes()
    if sync is not None:
        flags |= 0x20
        fields += sync.to_bytes()
    if tx_power_dbm is not None:
        flags |= 0x40
        fields += struct.pack("<b", tx_power_dbm)
    return bytes((flags,)) + fields if flags else b""


def extended_pdu(
    *,
    mode: int = 0,
    adv_a: Addr = b"",
    peer_a: Addr = b"",
    did: int | None = None,
    sid: int | None = None,
    aux: AuxPtr | None = None,
    sync: SyncInfo | None = None,
    tx_power_dbm: int | None = None,
    body: bytes = b"",
    phy: int = 1,
    kind: int = PduType.EXTENDED,
    access_address: int = ADV_ACCESS_ADDRESS,
    crc_init: int = ADV_CRC_INIT,
) -> ExtPdu:
    """Build a PDU with the common extended payload."""
    header = extended_header(
        adv_a=adv_a, peer_a=peer_a, did=did, sid=sid, aux=aux, sync=sync, tx_power_dbm=tx_power_dbm
    )
    payload = bytes((len(header) | mode << 6,)) + header + body
    return ExtPdu(
        data=pdu_header(kind, payload, adv_a, peer_a) + payload,
        access_address=access_address,
        crc_init=crc_init,
        phy=phy,
        kind=kind,
        mode=mode,
        adv_a=adv_a,
        peer_a=peer_a,
        did=did,
        sid=sid,
        aux=aux,
        sync=sync,
        tx_power_dbm=tx_power_dbm,
        body=body,
    )
