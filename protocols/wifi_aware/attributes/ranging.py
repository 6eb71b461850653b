"""Ranging (0x0C, legacy): when and how the distance to the sender can be measured.

Wi-Fi Aware 4.0, Ranging attribute; as in Wireshark packet-wifi-nan.c. That bit 0 of the protocol is fine timing
measurement is unverified. No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.format import Example
from protocols.layout import U8, Mac, Record
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.post_discovery import INTERVALS, MAP_CONTROL, MapControl
from protocols.wifi_aware.vocabulary import Bitmap, Body, HexText, Int8, MacText

ID = 0x0C


class Ranging(Body, frozen=True, kw_only=True):
    """Who measures, how and when."""

    mac: MacText
    map_control: MapControl
    ranging_protocol: Int8
    """bit mask."""
    intervals: HexText
    """one bit each."""


ATTRIBUTE = Attribute(
    id=ID,
    name="ranging",
    title="Ranging",
    source="Wi-Fi Aware 4.0, Ranging attribute",
    fields=Ranging,
    layout=Record(
        "mac" / Mac,
        "map_control" / MAP_CONTROL,
        "ranging_protocol" / Bitmap(U8, {0: "fine timing measurement"}),
        "intervals" / INTERVALS,
    ),
    minimum=8,
    examples=(Example("020000000002" + "00" + "01" + "02000000", note="16 TU interval 1"),),
)
