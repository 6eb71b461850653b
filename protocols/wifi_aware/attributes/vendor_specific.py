"""Vendor Specific (0xDD): octets that only their vendor explains.

Wi-Fi Aware 4.0, Vendor Specific attribute. No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.format import Example
from protocols.layout import REST, Hex, Record
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.service_info import OUI, Hex3
from protocols.wifi_aware.vocabulary import Body, HexText

ID = 0xDD


class VendorSpecific(Body, frozen=True, kw_only=True):
    """What one vendor added."""

    oui: Hex3
    vendor_data: HexText


ATTRIBUTE = Attribute(
    id=ID,
    name="vendor_specific",
    title="Vendor Specific",
    source="Wi-Fi Aware 4.0, Vendor Specific attribute",
    fields=VendorSpecific,
    layout=Record("oui" / OUI, "vendor_data" / Hex(REST)),
    minimum=3,
    multiple=True,
    examples=(Example("0010180102", note="OUI 00-10-18 with two octets"),),
)
