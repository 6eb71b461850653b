"""Link-layer packets as typed values.

Core Specification 5.4 Vol 6 Part B clause 2; LINKTYPE_BLUETOOTH_LE_LL_WITH_PHDR of the tcpdump.org link-type
registry (pseudo-header). The layouts are in `protocols.ble.ll_layout`. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET, UnsetType

from protocols.format import Fields

__all__ = [
    "PACKETS",
    "AdvDirectInd",
    "AdvExtInd",
    "AdvInd",
    "AdvNonconnInd",
    "AdvScanInd",
    "AuxAdvInd",
    "AuxChainInd",
    "AuxConnectReq",
    "AuxConnectRsp",
    "AuxPointer",
    "AuxScanReq",
    "AuxScanRsp",
    "AuxSyncInd",
    "AuxSyncSubeventInd",
    "AuxSyncSubeventRsp",
    "ConnectData",
    "ConnectInd",
    "ControlPdu",
    "CteInfo",
    "DataPdu",
    "Extended",
    "IsochronousPdu",
    "Packet",
    "PseudoHeader",
    "ScanReq",
    "ScanRsp",
    "SyncInfo",
]

AddressType = Literal["public", "random"]


class PseudoHeader(Fields, frozen=True, kw_only=True):
    """What a capture says about a packet; None where it says it does not know."""

    rf_channel: int
    """0 to 39 by frequency, 2402 MHz + 2 MHz each; `channel_of_rf` gives the channel index."""
    signal_dbm: int | None = None
    noise_dbm: int | None = None
    access_address_offenses: int | None = None
    reference_access_address: str | None = None
    kind: str = "unspecified"
    """one of PDU_KINDS: who sent it, or that it is auxiliary advertising."""
    phy: str = "1M"
    dewhitened: bool = True
    decrypted: bool = False
    channel_aliased: bool = False
    crc_checked: bool = True
    crc_valid: bool = True
    mic_checked: bool = False
    mic_valid: bool = False
    aux_type: str | UnsetType = UNSET
    """of auxiliary advertising: one of AUX_TYPES; it takes the place of the MIC bits."""


class Packet(Fields, frozen=True, kw_only=True, tag_field="pdu"):
    """What every packet has; the PDU's own name is `pdu`."""

    access_address: str | UnsetType = UNSET
    """8 hex digits of the number; advertising channels have 8e89bed6."""
    coding: int | UnsetType = UNSET
    """coding indicator of the LE Coded PHY: 0 is S=8, 1 is S=2."""
    crc: str | UnsetType = UNSET
    """hex, as sent; computed when not given."""
    crc_ok: bool | UnsetType = UNSET
    """absent when the initial value is not known."""
    phdr: PseudoHeader | UnsetType = UNSET


class _FromAdvertiser(Packet, frozen=True, kw_only=True):
    ch_sel: bool = False
    """channel selection algorithm 2 is supported."""
    adv_address: str
    adv_address_type: AddressType = "public"


class _WithData(_FromAdvertiser, frozen=True, kw_only=True):
    data: str = ""
    """hex of AdvData (ScanRspData), a run of AD structures."""


class AdvInd(_WithData, frozen=True, kw_only=True, tag="ADV_IND"):
    """Connectable and scannable, undirected."""


class AdvNonconnInd(_WithData, frozen=True, kw_only=True, tag="ADV_NONCONN_IND"):
    """Neither connectable nor scannable."""


class AdvScanInd(_WithData, frozen=True, kw_only=True, tag="ADV_SCAN_IND"):
    """Scannable, not connectable."""


class ScanRsp(_WithData, frozen=True, kw_only=True, tag="SCAN_RSP"):
    """Answer to a scan request."""


class AdvDirectInd(_FromAdvertiser, frozen=True, kw_only=True, tag="ADV_DIRECT_IND"):
    """Connectable, for one device."""

    target_address: str
    target_address_type: AddressType = "public"


class _ScanReq(Packet, frozen=True, kw_only=True):
    scan_address: str
    scan_address_type: AddressType = "public"
    adv_address: str
    adv_address_type: AddressType = "public"


class ScanReq(_ScanReq, frozen=True, kw_only=True, tag="SCAN_REQ"):
    """A scanner asks for scan response data."""


class AuxScanReq(_ScanReq, frozen=True, kw_only=True, tag="AUX_SCAN_REQ"):
    """The same on a secondary channel."""


class ConnectData(Fields, frozen=True, kw_only=True):
    """LLData of a connection request."""

    access_address: str
    crc_init: int
    window_size_ms: float
    window_offset_ms: float
    interval_ms: float
    latency: int
    timeout_ms: int
    channel_map: str
    """hex of 5 octets; bit n of the little-endian number is channel n."""
    hop: int
    sleep_clock_accuracy: int
    """0 (251 to 500 ppm) to 7 (0 to 20 ppm)."""


class _Connect(Packet, frozen=True, kw_only=True):
    ch_sel: bool = False
    init_address: str
    init_address_type: AddressType = "public"
    adv_address: str
    adv_address_type: AddressType = "public"
    ll_data: ConnectData


class ConnectInd(_Connect, frozen=True, kw_only=True, tag="CONNECT_IND"):
    """An initiator connects."""


class AuxConnectReq(_Connect, frozen=True, kw_only=True, tag="AUX_CONNECT_REQ"):
    """The same on a secondary channel."""


class AuxPointer(Fields, frozen=True, kw_only=True):
    """Where the next auxiliary packet starts, counted from the start of this one."""

    channel: int
    offset_us: int
    offset_unit_us: Literal[30, 300] = 30
    clock_accuracy_ppm: Literal[50, 500] = 500
    phy: str = "1M"


class SyncInfo(Fields, frozen=True, kw_only=True):
    """Timing of a periodic advertising train."""

    offset_us: int
    """0: too far away to be said."""
    offset_unit_us: Literal[30, 300] = 30
    offset_adjusted: bool = False
    """2.4576 s are added to the offset."""
    interval_ms: float
    channel_map: str
    """hex of 5 octets; their three highest bits are zero here."""
    sleep_clock_accuracy: int
    access_address: str
    crc_init: int
    event_counter: int


class CteInfo(Fields, frozen=True, kw_only=True):
    """Constant tone extension behind the packet."""

    time_us: int
    kind: int
    """0 AoA, 1 AoD with 1 us slots, 2 AoD with 2 us slots."""


class Extended(Packet, frozen=True, kw_only=True):
    """Common extended advertising payload."""

    adv_mode: int = 0
    """0 neither, 1 connectable, 2 scannable."""
    adv_address: str | UnsetType = UNSET
    """absent: anonymous, or told by an earlier packet."""
    adv_address_type: AddressType | UnsetType = UNSET
    target_address: str | UnsetType = UNSET
    target_address_type: AddressType | UnsetType = UNSET
    cte_info: CteInfo | UnsetType = UNSET
    did: int | UnsetType = UNSET
    """advertising data identifier."""
    sid: int | UnsetType = UNSET
    """advertising set identifier."""
    aux_pointer: AuxPointer | UnsetType = UNSET
    sync_info: SyncInfo | UnsetType = UNSET
    tx_power_dbm: int | UnsetType = UNSET
    acad: str | UnsetType = UNSET
    """hex of additional controller advertising data."""
    data: str = ""
    """hex of AdvData."""


class AdvExtInd(Extended, frozen=True, kw_only=True, tag="ADV_EXT_IND"):
    """On a primary channel: points to the auxiliary packet."""


class AuxAdvInd(Extended, frozen=True, kw_only=True, tag="AUX_ADV_IND"):
    """What ADV_EXT_IND points to."""


class AuxScanRsp(Extended, frozen=True, kw_only=True, tag="AUX_SCAN_RSP"):
    """Answer to AUX_SCAN_REQ."""


class AuxSyncInd(Extended, frozen=True, kw_only=True, tag="AUX_SYNC_IND"):
    """Periodic advertising."""


class AuxChainInd(Extended, frozen=True, kw_only=True, tag="AUX_CHAIN_IND"):
    """More data of the packet before."""


class AuxSyncSubeventInd(Extended, frozen=True, kw_only=True, tag="AUX_SYNC_SUBEVENT_IND"):
    """Periodic advertising with responses."""


class AuxConnectRsp(Extended, frozen=True, kw_only=True, tag="AUX_CONNECT_RSP"):
    """Answer to AUX_CONNECT_REQ."""


class AuxSyncSubeventRsp(Extended, frozen=True, kw_only=True, tag="AUX_SYNC_SUBEVENT_RSP"):
    """Response in periodic advertising with responses."""


class _Connected(Packet, frozen=True, kw_only=True):
    nesn: int = 0
    sn: int = 0
    md: bool = False
    """more data follows in this event."""
    cte_info: CteInfo | UnsetType = UNSET


class DataPdu(_Connected, frozen=True, kw_only=True, tag="DATA"):
    """L2CAP data (also encrypted); an empty one with llid 1 keeps the link alive."""

    llid: Literal[0, 1, 2] = 1
    """1 continuation or empty, 2 start or whole."""
    data: str = ""


class ControlPdu(_Connected, frozen=True, kw_only=True, tag="CONTROL"):
    """LL control PDU; give `parameters`, or `values` where the table CONTROL_BODIES has a layout."""

    opcode: int
    name: str | UnsetType = UNSET
    parameters: str | UnsetType = UNSET
    values: dict[str, Any] | UnsetType = UNSET


class IsochronousPdu(Packet, frozen=True, kw_only=True, tag="ISO"):
    """Of a connected or broadcast isochronous stream, as the pseudo-header says; not looked into."""

    header: int
    """first header octet."""
    data: str = ""


PACKETS: Any = (
    AdvInd | AdvDirectInd | AdvNonconnInd | ScanReq | AuxScanReq | ScanRsp | ConnectInd | AuxConnectReq | AdvScanInd
    | AdvExtInd | AuxAdvInd | AuxScanRsp | AuxSyncInd | AuxChainInd | AuxSyncSubeventInd | AuxConnectRsp
    | AuxSyncSubeventRsp | DataPdu | ControlPdu | IsochronousPdu
)  # fmt: skip
