"""LE link-layer PDUs in flight: built once, carried as `Transmission.meta`, parsed never.

Bluetooth Core specification 5.4, Vol 6 Part B, 2.1 (packet format, air time), 2.3 (advertising physical channel
PDUs), 2.4 (data physical channel PDUs). Rules of the file:
* Every value holds its exact octets in `data`: PDU header and payload, without preamble, access address and CRC.
  `access_address`, `crc_init` and `phy` beside it say what the receiver (and an air capture) needs besides.
* `Addr` is seven octets: the address type (0 public, 1 random) and the address in its order on the air. This is
  also the order of HCI reports, hashes quickly and sorts the same everywhere.
* No clock, no chance, no radio.
"""

from __future__ import annotations

import enum
import functools
import struct
from typing import TypeAlias

import msgspec
from bumble import hci

from protocols.ble import ll_radio

__all__ = [
    "ADV_ACCESS_ADDRESS",
    "ADV_CRC_INIT",
    "T_IFS_US",
    "Addr",
    "AdvPdu",
    "ConnectParams",
    "ConnectionRole",
    "DataPdu",
    "LLPacket",
    "PduType",
    "Phy",
    "addr_from_hci",
    "addr_to_hci",
    "advertising_pdu",
    "air_time_us",
    "connect_pdu",
    "parse_legacy",
    "pdu_header",
]

ADV_ACCESS_ADDRESS = ll_radio.ADVERTISING_ACCESS_ADDRESS
ADV_CRC_INIT = ll_radio.ADVERTISING_CRC_INIT
T_IFS_US = 150

Addr: TypeAlias = bytes


class Phy(enum.IntEnum):
    """PHYs as HCI numbers them; coded is S=8."""

    LE_1M = 1
    LE_2M = 2
    LE_CODED = 3


class ConnectionRole(enum.IntEnum):
    """Role of the local device in a connection, as HCI numbers it."""

    CENTRAL = 0
    PERIPHERAL = 1


class PduType(enum.IntEnum):
    """PDU types of the advertising physical channels (Vol 6 Part B, 2.3)."""

    ADV_IND = 0x0
    ADV_DIRECT_IND = 0x1
    ADV_NONCONN_IND = 0x2
    SCAN_REQ = 0x3
    SCAN_RSP = 0x4
    CONNECT_IND = 0x5
    ADV_SCAN_IND = 0x6
    EXTENDED = 0x7
    AUX_CONNECT_RSP = 0x8


_PHY_NAMES = {1: "1M", 2: "2M", 3: "coded"}


@functools.cache
def air_time_us(octets: int, phy: int) -> int:
    """Microseconds on the air of a PDU of `octets` (header and payload, no CRC) on `phy`; coded is S=8."""
    return ll_radio.air_time_us(octets, _PHY_NAMES[phy])


def addr_from_hci(address: hci.Address) -> Addr:
    """Seven octets of a bumble address; identity types (2, 3) become the device types (0, 1)."""
    return bytes((address.address_type & 1,)) + bytes(address)


def addr_to_hci(address: Addr) -> hci.Address:
    """The bumble address of seven octets; the type octet may also be an identity type."""
    return hci.Address(address[1:], hci.AddressType(address[0]))


class LLPacket(msgspec.Struct, frozen=True, gc=False):
    """What every packet on the air carries as `Transmission.meta`."""

    data: bytes
    """PDU header and payload, exact."""
    access_address: int = ADV_ACCESS_ADDRESS
    crc_init: int = ADV_CRC_INIT
    phy: int = 1
    """1 = 1M, 2 = 2M, 3 = coded (S=8)."""

    @property
    def duration_us(self) -> int:
        """Time on the air."""
        return air_time_us(len(self.data), self.phy)


class DataPdu(LLPacket, frozen=True, gc=False):
    """A data physical channel PDU; `payload` is as on the air (ciphertext and MIC when `encrypted`)."""

    llid: int = 1
    nesn: int = 0
    sn: int = 0
    md: int = 0
    payload: bytes = b""
    encrypted: bool = False
    plaintext: bytes | None = None
    """Of an encrypted payload, for captures that are told to reveal it."""


class ConnectParams(msgspec.Struct, frozen=True, gc=False):
    """LLData of CONNECT_IND and AUX_CONNECT_REQ, and what else both sides then know of the connection."""

    access_address: int
    crc_init: int
    win_size: int
    """1.25 ms units."""
    win_offset: int
    """1.25 ms units."""
    interval: int
    """1.25 ms units."""
    latency: int
    timeout: int
    """10 ms units."""
    channel_map: bytes
    """Five octets, little endian; bit n = data channel n in use."""
    hop: int
    sca: int
    """Sleep clock accuracy of the central, 0 (worst, 500 ppm) .. 7 (20 ppm)."""
    phy: int = 1
    csa2: bool = True

    def to_bytes(self) -> bytes:
        """The 22 octets of LLData."""
        return struct.pack(
            "<I3sBHHHH5sB",
            self.access_address,
            self.crc_init.to_bytes(3, "little"),
            self.win_size,
            self.win_offset,
            self.interval,
            self.latency,
            self.timeout,
            self.channel_map,
            self.hop | self.sca << 5,
        )


class AdvPdu(LLPacket, frozen=True, gc=False):
    """A legacy PDU of the advertising channels; also SCAN_REQ and CONNECT_IND and their AUX_ twins."""

    kind: int = PduType.ADV_IND
    adv_a: Addr = b""
    peer_a: Addr = b""
    """TargetA, ScanA or InitA; empty where the PDU has none."""
    body: bytes = b""
    """AdvData or ScanRspData."""
    ch_sel: bool = False
    connect: ConnectParams | None = None


def pdu_header(
    kind: int, payload: bytes, adv_a: Addr, peer_a: Addr, *, ch_sel: bool = False
) -> bytes:
    """Two octets; TxAdd is the type of the sender's address, which `adv_a` is where the caller puts it first."""
    first = kind | ch_sel << 5 | (adv_a[0] << 6 if adv_a else 0) | (peer_a[0] << 7 if peer_a else 0)
    return bytes((first, len(payload)))


def advertising_pdu(
    kind: int,
    adv_a: Addr,
    body: bytes = b"",
    peer_a: Addr = b"",
    *,
    ch_sel: bool = False,
    phy: int = 1,
) -> AdvPdu:
    """Build ADV_IND, ADV_DIRECT_IND, ADV_NONCONN_IND, ADV_SCAN_IND, SCAN_RSP or SCAN_REQ (its sender is `peer_a`)."""
    if kind == PduType.SCAN_REQ:
        payload = peer_a[1:] + adv_a[1:]
        data = pdu_header(kind, payload, peer_a, adv_a) + payload
    else:
        payload = adv_a[1:] + peer_a[1:] + body
        data = pdu_header(kind, payload, adv_a, peer_a, ch_sel=ch_sel) + payload
    return AdvPdu(
        data=data, phy=phy, kind=kind, adv_a=adv_a, peer_a=peer_a, body=body, ch_sel=ch_sel
    )


def connect_pdu(
    init_a: Addr, adv_a: Addr, params: ConnectParams, *, ch_sel: bool, phy: int = 1
) -> AdvPdu:
    """Build CONNECT_IND or AUX_CONNECT_REQ."""
    payload = init_a[1:] + adv_a[1:] + params.to_bytes()
    data = pdu_header(PduType.CONNECT_IND, payload, init_a, adv_a, ch_sel=ch_sel) + payload
    return AdvPdu(
        data=data,
        phy=phy,
        kind=PduType.CONNECT_IND,
        adv_a=adv_a,
        peer_a=init_a,
        ch_sel=ch_sel,
        connect=params,
    )


@functools.lru_cache(maxsize=4096)
def parse_legacy(data: bytes) -> AdvPdu | None:
    """The value of legacy advertising octets that came without one (crowd members); None for anything else."""
    if len(data) < 8 or len(data) != data[1] + 2:
        return None
    kind = data[0] & 0x0F
    adv_a = bytes((data[0] >> 6 & 1,)) + data[2:8]
    ch_sel = bool(data[0] & 0x20)
    if kind in (PduType.ADV_IND, PduType.ADV_NONCONN_IND, PduType.SCAN_RSP, PduType.ADV_SCAN_IND):
        return AdvPdu(data=data, kind=kind, adv_a=adv_a, body=data[8:], ch_sel=ch_sel)
    if kind == PduType.ADV_DIRECT_IND and len(data) == 14:
        peer_a = bytes((data[0] >> 7,)) + data[8:14]
        return AdvPdu(data=data, kind=kind, adv_a=adv_a, peer_a=peer_a, ch_sel=ch_sel)
    return None
