"""Ranging Information (0x1A): what the sender knows of its place, and when it last moved.

Wi-Fi Aware 4.0, Ranging Information attribute; as in Wireshark packet-wifi-nan.c. The last movement is there only with
its bit; its unit is unverified. No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.format import Example
from protocols.layout import U8, U16LE, Flagged, Flags, Record
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.vocabulary import UNSET, Body, Int4, Int16, UnsetType

ID = 0x1A


class RangingInformation(Body, frozen=True, kw_only=True):
    """Kinds of location info that can be had."""

    local_coordinates: bool
    """LCI with local coordinates."""
    geospatial: bool
    """LCI in WGS 84."""
    civic_location: bool
    reserved_4: Int4 = 0
    last_movement: Int16 | UnsetType = UNSET
    """a time that goes with the TSF (unit unverified)."""


ATTRIBUTE = Attribute(
    id=ID,
    name="ranging_information",
    title="Ranging Information",
    source="Wi-Fi Aware 4.0, Ranging Information attribute",
    fields=RangingInformation,
    layout=Record(
        Flags(
            U8,
            local_coordinates=0,
            geospatial=1,
            civic_location=2,
            _last_movement_present=(3, "last_movement"),
            reserved_4=(4, 4),
        ),
        "last_movement" / Flagged("_last_movement_present", U16LE),
    ),
    minimum=1,
    maximum=3,
    examples=(
        Example("05", note="local coordinates and civic location"),
        Example("0a3412", note="WGS 84, last movement 0x1234"),
    ),
)
