"""Device Capability (0x0F): bands, wake pattern and abilities of the sender.

Wi-Fi Aware 4.0, Device Capability attribute; as in hostap src/common/nan_defs.h and Wireshark packet-wifi-nan.c. The map
ID stands in bits 1 to 4 behind its flag; those of the overrides stand unshifted. The switch time is in microseconds
(Wireshark, OpenNAN; a comment in hostap says TU). No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.format import Example
from protocols.layout import U8, U16LE, Flags, Record
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.channels import BANDS
from protocols.wifi_aware.schedule import ONE_MAP
from protocols.wifi_aware.vocabulary import (
    Bitmap,
    Body,
    Int1,
    Int2,
    Int3,
    Int4,
    Int8,
    Int16,
    Words,
)

ID = 0x0F
WAKES = {
    0: "never",
    1: "every discovery window",
    **{code: f"every {1 << code - 1}th discovery window, DW0 among them" for code in (3, 4, 5)},
    2: "every 2nd discovery window, DW0 among them",
}
"""Committed wake values; 6 and 7 are reserved."""


class DeviceCapability(Body, frozen=True, kw_only=True):
    """Capabilities of a device, or of one of its maps."""

    one_map: bool
    """they hold for the map `map_id` only."""
    map_id: Int4
    reserved_map_5: Int3 = 0
    wake_2_4: Int3
    """committed discovery windows at 2.4 GHz: n is every 2**(n - 1)th, 0 none."""
    wake_5: Int3
    """the same at 5 GHz."""
    override_map_2_4: Int4
    """map that the 2.4 GHz discovery windows come before."""
    override_map_5: Int4
    reserved_dw_14: Int2 = 0
    supported_bands: Int8
    """bit mask, bit = band ID."""
    phy: Int1
    """1: VHT, 0: HT."""
    he_vht_80_80: bool
    he_vht_160: bool
    reserved_mode_3: Int1 = 0
    """was: paging NDL."""
    he: bool
    reserved_mode_5: Int3 = 0
    tx_antennas: Int4
    """0: unknown."""
    rx_antennas: Int4
    max_channel_switch_us: Int16
    """0: unknown."""
    dfs_master: bool
    extended_key_id: bool
    simultaneous_ndp_reception: bool
    ndpe: bool
    """knows NDP Extension."""
    s3: bool
    reserved_capability_5: Int3 = 0


_COUNT = Words(U8, {0: "unknown"}, "antennas")

ATTRIBUTE = Attribute(
    id=ID,
    name="device_capability",
    title="Device Capability",
    source="Wi-Fi Aware 4.0, Device Capability attribute",
    fields=DeviceCapability,
    layout=Record(
        Flags(U8, one_map=(0, 1, ONE_MAP), map_id=(1, 4), reserved_map_5=(5, 3)),
        Flags(
            U16LE,
            wake_2_4=(0, 3, Words(U8, WAKES)),
            wake_5=(3, 3, Words(U8, WAKES)),
            override_map_2_4=(6, 4),
            override_map_5=(10, 4),
            reserved_dw_14=(14, 2),
        ),
        "supported_bands" / Bitmap(U8, BANDS),
        Flags(
            U8,
            phy=(0, 1, Words(U8, {0: "HT", 1: "VHT"})),
            he_vht_80_80=1,
            he_vht_160=2,
            reserved_mode_3=(3, 1),
            he=4,
            reserved_mode_5=(5, 3),
        ),
        Flags(U8, tx_antennas=(0, 4, _COUNT), rx_antennas=(4, 4, _COUNT)),
        "max_channel_switch_us" / Words(U16LE, {0: "unknown"}, "at most"),
        Flags(
            U8,
            dfs_master=0,
            extended_key_id=1,
            simultaneous_ndp_reception=2,
            ndpe=3,
            s3=4,
            reserved_capability_5=(5, 3),
        ),
    ),
    minimum=9,
    maximum=9,
    multiple=True,
    examples=(
        Example("004904140122000008", note="all maps, awake in every window, 2.4 and 5 GHz, NDPE"),
        Example("054904941322f40118", note="map 2 only, 6 GHz too, HE"),
    ),
)
