"""From packets of the air to observations: what a sniffer heard of adverts, scan responses and connections.

Bluetooth Core 5.4 Vol 6 Part B 2 (packets), 4.1 (T_IFS), 5 (control procedures). Fixed places are read from the octets
(a capture has hundreds of thousands of packets), everything with a layout through `protocols.ble`. What is encrypted
stays unread unless the sniffer decrypted it. No clock, no IO.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import msgspec

from protocols.ble.link_layer import ADVERTISING_CRC_INIT, air_time_us, crc24, decode_packet
from protocols.ble.ll_radio import ADVERTISING_ACCESS_ADDRESS
from sim.explain.air_links import AirLink
from sim.explain.observations import Advert, Connection, Parameters, Timing

if TYPE_CHECKING:
    from sim.explain.observations import Scene

__all__ = ["AirPacket", "AirSource"]

ADVERTISING = ADVERTISING_ACCESS_ADDRESS
_ADVERTISING_OCTETS = ADVERTISING.to_bytes(4, "little")
_SCAN_REQ, _SCAN_RSP, _CONNECT, _EXTENDED = 3, 4, 5, 7
# PDU type -> name, connectable, scannable, directed
_LEGACY = {
    0: ("ADV_IND", True, True, False),
    1: ("ADV_DIRECT_IND", True, False, True),
    2: ("ADV_NONCONN_IND", False, False, False),
    4: ("SCAN_RSP", False, False, False),
    6: ("ADV_SCAN_IND", False, True, False),
}
_TX_RANDOM, _RX_RANDOM = 0x40, 0x80
_PRIMARY = (37, 38, 39)
_ANSWER_WITHIN_US = 1000


class AirPacket(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One packet of the air without preamble and CRC."""

    frame: int
    t_us: int
    """start of the packet."""
    access_address: int
    pdu: bytes
    channel: int | None = None
    rssi_dbm: int | None = None
    from_central: bool | None = None
    """None: the capture does not say."""
    decrypted: bool = False
    phy: str = "1M"


class AirSource:
    """Reads packets of the air into a scene."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._links: dict[int, AirLink] = {}
        self._asked: tuple[bytes, int, str] = (
            b"",
            0,
            "",
        )  # advertiser, end of the request, its PHY
        self._sets: dict[tuple[int, int], tuple[str, str]] = {}

    def packet(self, packet: AirPacket) -> None:
        """Take one packet. What makes no sense is counted and passed over."""
        if len(packet.pdu) < 2 or len(packet.pdu) < 2 + packet.pdu[1]:
            self._scene.skip("link-layer packet cut short")
        elif packet.access_address == ADVERTISING:
            self._advertising(packet)
        else:
            link = self._links.get(packet.access_address)
            if link is None:
                self._scene.skip("connection whose start was not captured")
            else:
                link.packet(packet)

    def finish(self) -> None:
        """The capture ended: connections that fell silent long before were lost."""
        for link in self._links.values():
            link.finish(self._scene.end_us)

    def _advertising(self, packet: AirPacket) -> None:
        pdu = packet.pdu
        kind = pdu[0] & 0x0F
        if kind in _LEGACY and len(pdu) >= 8:
            self._legacy(packet, kind)
        elif kind == _SCAN_REQ and len(pdu) >= 14:
            end_us = packet.t_us + air_time_us(len(pdu), packet.phy)
            self._asked = (pdu[8:14], end_us, packet.phy)
        elif kind == _CONNECT and len(pdu) >= 36:
            self._connect(packet)
        elif kind == _EXTENDED:
            self._extended(packet)

    def _legacy(self, packet: AirPacket, kind: int) -> None:
        pdu = packet.pdu
        name, connectable, scannable, directed = _LEGACY[kind]
        device = self._scene.device(_address(pdu[2:8]), _type(pdu[0], _TX_RANDOM))
        octets = b"" if directed else pdu[8 : 2 + pdu[1]]
        advert = Advert(name, octets, connectable, scannable, directed)
        device.add(advert, packet.frame, packet.t_us, packet.rssi_dbm)
        if kind == _SCAN_RSP:
            asked, end_us, _ = self._asked
            if asked == pdu[2:8] and 0 <= packet.t_us - end_us <= _ANSWER_WITHIN_US:
                device.timings.append(Timing(packet.frame, packet.t_us - end_us))
            self._asked = (b"", 0, "")
        elif packet.channel in _PRIMARY:
            device.channels.add(packet.channel)
            self._scene.channels.add(packet.channel)

    def _connect(self, packet: AirPacket) -> None:
        fields = _decoded(packet.pdu)
        if fields is None:
            self._scene.skip("connection request that does not decode")
            return
        data = fields.ll_data
        device = self._scene.device(fields.adv_address, fields.adv_address_type)
        central = self._scene.device(fields.init_address, fields.init_address_type)
        central.is_central = True
        parameters = Parameters(data.interval_ms, data.latency, data.timeout_ms)
        connection = Connection(packet.t_us, packet.frame, parameters)
        device.connections.append(connection)
        self._links[int(data.access_address, 16)] = AirLink(connection)

    def _extended(self, packet: AirPacket) -> None:
        fields = _decoded(packet.pdu)
        if fields is None:
            self._scene.skip("extended advert that does not decode")
            return
        key = (fields.sid, fields.did)
        address = (fields.adv_address, fields.adv_address_type)
        if fields.adv_address is msgspec.UNSET:
            address = self._sets.get(key, ("", ""))
        elif fields.sid is not msgspec.UNSET:
            self._sets[key] = address
        has_more = fields.aux_pointer is not msgspec.UNSET
        if not address[0] or (has_more and not fields.data):
            return
        mode = fields.adv_mode
        octets = bytes.fromhex(fields.data)
        directed = fields.target_address is not msgspec.UNSET
        advert = Advert("extended", octets, mode == 1, mode == 2, directed, not has_more)
        self._scene.device(*address).add(advert, packet.frame, packet.t_us, packet.rssi_dbm)


@functools.lru_cache(maxsize=4096)
def _decoded(pdu: bytes) -> Any:
    """Fields of an advertising PDU, None when it is malformed."""
    crc = crc24(pdu, ADVERTISING_CRC_INIT)
    outcome = decode_packet(_ADVERTISING_OCTETS + pdu + crc, phdr=False)
    return None if outcome.error is not None else outcome.fields


def _address(octets: bytes) -> str:
    return octets[::-1].hex(":")


def _type(header: int, bit: int) -> str:
    return "random" if header & bit else "public"
