"""Further NAN Service Discovery (0x09, legacy): when the sender answers more questions about its services.

Wi-Fi Aware 4.0, Further NAN Service Discovery attribute; as in Wireshark packet-wifi-nan.c. No clock, no
randomness, no IO.
"""

from __future__ import annotations

from protocols.format import Example
from protocols.layout import Record
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.post_discovery import INTERVALS, MAP_CONTROL, MapControl
from protocols.wifi_aware.vocabulary import Body, HexText

ID = 0x09


class FurtherServiceDiscovery(Body, frozen=True, kw_only=True):
    """When the sender is there."""

    map_control: MapControl
    intervals: HexText
    """one bit each."""


ATTRIBUTE = Attribute(
    id=ID,
    name="further_service_discovery",
    title="Further NAN Service Discovery",
    source="Wi-Fi Aware 4.0, Further NAN Service Discovery attribute",
    fields=FurtherServiceDiscovery,
    layout=Record("map_control" / MAP_CONTROL, "intervals" / INTERVALS),
    minimum=1,
    examples=(Example("42" + "fe000000", note="map 2, 16 TU intervals 1 to 7 of every 512 TU"),),
)
