"""IBSS (0x07, legacy): an ad-hoc network where the sender can also be met.

Wi-Fi Aware 4.0, IBSS attribute; as in Wireshark packet-wifi-nan.c. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

from protocols.format import Example
from protocols.layout import Mac, Record
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.post_discovery import INTERVALS, MAP_CONTROL, MapControl
from protocols.wifi_aware.vocabulary import Body, HexText, MacText

ID = 0x07


class Ibss(Body, frozen=True, kw_only=True):
    """An ad-hoc network, and when the sender is there."""

    bssid: MacText
    mac: MacText
    """the sender's address there."""
    map_control: MapControl
    intervals: HexText
    """one bit each; one octet or more."""


def strategy() -> Any:
    """Valid values: one octet of intervals or more."""
    from protocols.wifi_aware import strategies as draw  # tests only: hypothesis

    return draw.fields_of(Ibss, intervals=draw.hexes(1, 4))


ATTRIBUTE = Attribute(
    id=ID,
    name="ibss",
    title="IBSS",
    source="Wi-Fi Aware 4.0, IBSS attribute",
    fields=Ibss,
    layout=Record("bssid" / Mac, "mac" / Mac, "map_control" / MAP_CONTROL, "intervals" / INTERVALS),
    minimum=14,
    multiple=True,
    strategy=strategy,
    examples=(
        Example("020000000001" + "020000000002" + "20" + "81", note="64 TU intervals 0 and 7"),
    ),
)
