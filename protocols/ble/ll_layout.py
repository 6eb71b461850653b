"""Link-layer packets: the layouts of all PDUs and of the capture header before them.

Core Specification 5.4 Vol 6 Part B clause 2 (packet, advertising, extended, data and control PDUs);
LINKTYPE_BLUETOOTH_LE_LL_WITH_PHDR of the tcpdump.org link-type registry (pseudo-header). Multi-octet values are
little-endian. Reading and writing is in `protocols.ble.link_layer`. No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.ble.ll_radio import CRC_OCTETS
from protocols.data.hci_names import error_name
from protocols.data.ll_control import control_name
from protocols.layout import (
    REST,
    S8,
    U8,
    U16LE,
    U24LE,
    U32LE,
    Body,
    Codec,
    Flags,
    Hex,
    MacLE,
    Mapped,
    Named,
    Optional,
    Record,
    Scaled,
    When,
)

__all__ = [
    "ADDRESSES",
    "ADVERTISING_HEADER",
    "ADVERTISING_PDUS",
    "AUX_TYPES",
    "CONTROL_BODIES",
    "CONTROL_LLID",
    "CRC",
    "CTE_INFO",
    "DATA_HEADER",
    "EXTENDED",
    "EXTENDED_HEADER",
    "EXTENDED_TYPE",
    "NUMBER32",
    "PDU_KINDS",
    "PHDR",
    "PHYS",
    "USUAL_ADDRESSES",
]

EXTENDED_TYPE = 0x7
CONTROL_LLID = 3

PHYS = {0: "1M", 1: "2M", 2: "coded"}
PDU_KINDS = {
    0: "unspecified",
    1: "auxiliary",
    2: "central to peripheral",
    3: "peripheral to central",
    4: "isochronous, central to peripheral",
    5: "isochronous, peripheral to central",
    6: "isochronous, broadcast",
}
AUX_TYPES = {0: "AUX_ADV_IND", 1: "AUX_CHAIN_IND", 2: "AUX_SYNC_IND", 3: "AUX_SCAN_RSP"}

NUMBER32 = Mapped(U32LE, lambda n: f"{n:08x}", lambda text: int(text, 16))
_ERROR = Named(U8, error_name)
CRC: Codec = Record("crc" / Hex(CRC_OCTETS))

PHDR: Codec = Record(
    "rf_channel" / U8,
    "signal_dbm" / S8,
    "noise_dbm" / S8,
    "access_address_offenses" / U8,
    "reference_access_address" / NUMBER32,
    Flags(
        U16LE,
        dewhitened=0,
        signal_valid=1,
        noise_valid=2,
        decrypted=3,
        reference_valid=4,
        offenses_valid=5,
        channel_aliased=6,
        kind=(7, 3),
        crc_checked=10,
        crc_valid=11,
        aux_type=(12, 2),
        phy=(14, 2),
    ),
)
"""The MIC bits (12 checked, 13 valid) are `aux_type` of auxiliary advertising."""

ADVERTISING_HEADER: Codec = Record(
    Flags(U8, type=(0, 4), reserved=4, ch_sel=5, tx_add=6, rx_add=7), "length" / U8
)
DATA_HEADER: Codec = Record(
    Flags(U8, llid=(0, 2), nesn=(2, 1), sn=(3, 1), md=4, cte=5, reserved=(6, 2)), "length" / U8
)
CTE_INFO: Codec = Record(Flags(U8, time=(0, 5), reserved=5, kind=(6, 2)))

_ADV_A, _TARGET_A = "adv_address" / MacLE, "target_address" / MacLE
_ADVERTISED = Record(_ADV_A, "data" / Hex(REST))
CONNECT_DATA: Codec = Record(
    "access_address" / NUMBER32,
    "crc_init" / U24LE,
    "window_size_ms" / Scaled(U8, 1.25),
    "window_offset_ms" / Scaled(U16LE, 1.25),
    "interval_ms" / Scaled(U16LE, 1.25),
    "latency" / U16LE,
    "timeout_ms" / Scaled(U16LE, 10),
    "channel_map" / Hex(5),
    Flags(U8, hop=(0, 5), sleep_clock_accuracy=(5, 3)),
)
SYNC_INFO: Codec = Record(
    Flags(U16LE, offset=(0, 13), long_units=13, adjusted=14, reserved=15),
    "interval_ms" / Scaled(U16LE, 1.25),
    "map_and_clock" / Hex(5),
    "access_address" / NUMBER32,
    "crc_init" / U24LE,
    "event_counter" / U16LE,
)
AUX_POINTER: Codec = Record(
    Flags(U24LE, channel=(0, 6), accurate=6, long_units=7, offset=(8, 13), phy=(21, 3))
)
EXTENDED_HEADER: Codec = Record(
    Flags(
        U8,
        has_adv=0, has_target=1, has_cte=2, has_adi=3, has_aux=4, has_sync=5, has_power=6, reserved=7,
    ),
    "adv_address" / When(lambda f: f.has_adv, MacLE),
    "target_address" / When(lambda f: f.has_target, MacLE),
    "cte_info" / When(lambda f: f.has_cte, CTE_INFO),
    When(lambda f: f.has_adi, Flags(U16LE, did=(0, 12), sid=(12, 4))),
    "aux_pointer" / When(lambda f: f.has_aux, AUX_POINTER),
    "sync_info" / When(lambda f: f.has_sync, SYNC_INFO),
    "tx_power_dbm" / When(lambda f: f.has_power, S8),
    "acad" / Optional(Hex(REST)),
)  # fmt: skip
EXTENDED: Codec = Record(
    Flags(U8, header_length=(0, 6), adv_mode=(6, 2)),
    When(lambda f: f.header_length, Body(lambda f: f.header_length, EXTENDED_HEADER)),
    "data" / Hex(REST),
)

# PDU type -> (names on primary and on secondary channels, layout)
ADVERTISING_PDUS: dict[int, tuple[str, str, Codec]] = {
    0x0: ("ADV_IND", "ADV_IND", _ADVERTISED),
    0x1: ("ADV_DIRECT_IND", "ADV_DIRECT_IND", Record(_ADV_A, _TARGET_A)),
    0x2: ("ADV_NONCONN_IND", "ADV_NONCONN_IND", _ADVERTISED),
    0x3: ("SCAN_REQ", "AUX_SCAN_REQ", Record("scan_address" / MacLE, _ADV_A)),
    0x4: ("SCAN_RSP", "SCAN_RSP", _ADVERTISED),
    0x5: (
        "CONNECT_IND",
        "AUX_CONNECT_REQ",
        Record("init_address" / MacLE, _ADV_A, "ll_data" / CONNECT_DATA),
    ),
    0x6: ("ADV_SCAN_IND", "ADV_SCAN_IND", _ADVERTISED),
    0x7: ("ADV_EXT_IND", "AUX_ADV_IND", EXTENDED),
    0x8: ("AUX_CONNECT_RSP", "AUX_CONNECT_RSP", EXTENDED),
    0x9: ("AUX_SYNC_SUBEVENT_RSP", "AUX_SYNC_SUBEVENT_RSP", EXTENDED),
}

ADDRESSES = {0x3: ("scan_address", "adv_address"), 0x5: ("init_address", "adv_address")}
"""PDU type -> the members whose address types TxAdd and RxAdd say; of the others USUAL_ADDRESSES."""
USUAL_ADDRESSES = ("adv_address", "target_address")

_TIMING = (
    "window_size_ms" / Scaled(U8, 1.25),
    "window_offset_ms" / Scaled(U16LE, 1.25),
    "interval_ms" / Scaled(U16LE, 1.25),
    "latency" / U16LE,
    "timeout_ms" / Scaled(U16LE, 10),
)
_RANGE = Record(
    "interval_min_ms" / Scaled(U16LE, 1.25),
    "interval_max_ms" / Scaled(U16LE, 1.25),
    "latency" / U16LE,
    "timeout_ms" / Scaled(U16LE, 10),
    "preferred_periodicity" / U8,
    "reference_event" / U16LE,
    "offsets" / Hex(12),
)
_LENGTHS = Record(
    "max_rx_octets" / U16LE,
    "max_rx_time_us" / U16LE,
    "max_tx_octets" / U16LE,
    "max_tx_time_us" / U16LE,
)
_PHY_SETS = Record("tx_phys" / U8, "rx_phys" / U8)
_FEATURES = Record("features" / Hex(8))
_NOTHING = Record()

CONTROL_BODIES: dict[int, Codec] = {
    0x00: Record(*_TIMING, "instant" / U16LE),
    0x01: Record("channel_map" / Hex(5), "instant" / U16LE),
    0x02: Record("error" / _ERROR),
    0x03: Record("random" / Hex(8), "ediv" / U16LE, "skd_central" / Hex(8), "iv_central" / Hex(4)),
    0x04: Record("skd_peripheral" / Hex(8), "iv_peripheral" / Hex(4)),
    **dict.fromkeys((0x05, 0x06, 0x0A, 0x0B, 0x12, 0x13), _NOTHING),
    0x07: Record("unknown_type" / Named(U8, control_name)),
    **dict.fromkeys((0x08, 0x09, 0x0E), _FEATURES),
    0x0C: Record("version" / U8, "company" / U16LE, "subversion" / U16LE),
    0x0D: Record("error" / _ERROR),
    **dict.fromkeys((0x0F, 0x10), _RANGE),
    0x11: Record("reject_opcode" / Named(U8, control_name), "error" / _ERROR),
    **dict.fromkeys((0x14, 0x15), _LENGTHS),
    **dict.fromkeys((0x16, 0x17), _PHY_SETS),
    0x18: Record("phy_central_to_peripheral" / U8, "phy_peripheral_to_central" / U8, "instant" / U16LE),
    0x19: Record("phys" / U8, "min_used_channels" / U8),
}  # fmt: skip
"""Control opcode -> layout of its parameters; the others stay hex."""
