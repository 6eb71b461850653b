"""Device Capability Extension, DCEA (0x2A): 6 GHz rules, and whether the sender can be paired.

Wi-Fi Aware 4.0, Device Capability Extension attribute; as in hostap src/common/nan_defs.h and Wireshark
packet-wifi-nan.c. A vendor's driver reserves three more octets, so what follows the two is kept. hostap passes over one
with less, and leaves it out when every bit would be zero. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

from protocols.format import Example
from protocols.layout import REST, U8, U16LE, Flags, Hex, Optional, Record
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.vocabulary import (
    UNSET,
    Body,
    HexText,
    Int3,
    Int4,
    Int6,
    UnsetType,
    Words,
)

ID = 0x2A
AP_TYPES = {
    0: "indoor",
    1: "standard power",
    2: "very low power",
    3: "indoor enabled",
    4: "indoor standard power",
}


class DeviceCapabilityExtension(Body, frozen=True, kw_only=True):
    """More capabilities of a device."""

    regulatory_info_valid: bool
    """`ap_type` counts."""
    ap_type: Int3
    """which 6 GHz access point the sender goes by."""
    reserved_4: Int4 = 0
    pairing_setup: bool
    npk_nik_caching: bool
    """keeps keys of pairings."""
    reserved_10: Int6 = 0
    trailing: HexText | UnsetType = UNSET
    """what follows, in no document."""


def strategy() -> Any:
    """Valid values: trailing octets are some or not there."""
    from protocols.wifi_aware import strategies as draw  # tests only: hypothesis

    trailing = draw.one_of(draw.just(UNSET), draw.hexes(1))
    return draw.fields_of(DeviceCapabilityExtension, trailing=trailing)


ATTRIBUTE = Attribute(
    id=ID,
    name="device_capability_extension",
    title="Device Capability Extension (DCEA)",
    source="Wi-Fi Aware 4.0, Device Capability Extension attribute",
    fields=DeviceCapabilityExtension,
    layout=Record(
        Flags(
            U16LE,
            regulatory_info_valid=0,
            ap_type=(1, 3, Words(U8, AP_TYPES)),
            reserved_4=(4, 4),
            pairing_setup=8,
            npk_nik_caching=9,
            reserved_10=(10, 6),
        ),
        "trailing" / Optional(Hex(REST)),
    ),
    minimum=2,
    strategy=strategy,
    examples=(
        Example("0003", note="pairing setup, keys are cached"),
        Example("0501000000", note="very low power; three more octets"),
    ),
)
