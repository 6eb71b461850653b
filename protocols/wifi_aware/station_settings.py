"""Who a device is and what it shows on the air, as its maker configured it."""

from __future__ import annotations

import msgspec

from protocols.wifi_aware.attributes import Attr

__all__ = ["StationSettings", "attribute_of"]


def attribute_of(complete: str) -> Attr:
    """The attribute whose octets, header included, are written as hex."""
    octets = bytes.fromhex(complete)
    return Attr(octets[0], octets[3:])


class StationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Who a device is and what it shows on the air, as its maker configured it.

    The attributes are complete ones (hex, header included) whose variable octets are zero.
    """

    nmi: str
    ndi: str
    cluster_id: str = "50:6f:9a:01:00:00"
    device_capability: str = "0f09000049041400220a0008"
    availability: str = "121c000031000e00e112180004fefffeff11512000000700fa021151200000"
    dcea: str = "2a02000003"
    """empty: the device has none."""
    ndc: str = "130c0000000000000001011800010e"
    ndl: str = "140600000000141900"
    element_container: str = ""
    security_capabilities: int = 0
    """Capabilities octet of the CSIA."""
    ndpe: bool = True
    """data paths with NDPE attributes, otherwise NDP."""
    nik: str = ""
    """own identity key, 16 octets as hex; drawn when empty."""
    group_integrity: bool = False
    """protect own group-addressed frames by BIP from the start (an iPhone does, IA-11; hostap leaves it to the driver)."""
    link_protection: bool = True
    """encrypt unicast frames of category 9; without it they are only marked."""
    fresh_nira: bool = True
    """compute the NIRA anew for a new NMI; without it the tag of the old one goes on, which nobody can resolve (IA-55)."""
