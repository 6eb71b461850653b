"""Vendor Specific element (221) that is no NAN element: OUI, type, and octets that only the vendor explains.

IEEE 802.11-2020 9.4.2.25. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from protocols.format import Example
from protocols.layout import REST, U8, Hex, Mapped, Optional, Record
from protocols.wifi_aware.elements import ElementPart
from protocols.wifi_aware.vocabulary import UNSET, Body, HexText, Int8, UnsetType

KEY = "dd"
VENDORS = {
    "506f9a": "Wi-Fi Alliance",
    "0050f2": "Microsoft",
    "000fac": "IEEE 802.11",
    "001018": "Broadcom",
}
Oui = Annotated[str, Meta(pattern=r"^[0-9a-f]{6}$")]


class VendorSpecific(Body, frozen=True, kw_only=True):
    """What a vendor added."""

    oui: Oui
    type: Int8 | UnsetType = UNSET
    """by custom; nobody but the vendor defines it."""
    octets: HexText | UnsetType = UNSET


def _same(value: str) -> str:
    return value


def strategy() -> object:
    """Valid values: octets only behind a type."""
    from protocols.wifi_aware import strategies as draw  # tests only: hypothesis

    oui = draw.hexes(3, 3).filter(lambda text: text != "506f9a")
    none = draw.just(UNSET)
    return draw.one_of(
        draw.fields_of(VendorSpecific, oui=oui, octets=none),
        draw.fields_of(VendorSpecific, oui=oui, type=draw.integers(8), octets=draw.hexes(1)),
    )


ELEMENT = ElementPart(
    id=221,
    name="vendor_specific",
    title="Vendor Specific element",
    source="IEEE 802.11-2020 9.4.2.25",
    fields=VendorSpecific,
    layout=Record(
        "oui" / Mapped(Hex(3), _same, _same, VENDORS.get),
        "type" / Optional(U8),
        "octets" / Optional(Hex(REST)),
    ),
    minimum=3,
    multiple=True,
    strategy=strategy,
    examples=(Example("0050f2020101", note="WMM"), Example("112233")),
)
