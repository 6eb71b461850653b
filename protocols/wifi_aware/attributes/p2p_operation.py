"""P2P Operation (0x06, legacy): a Wi-Fi Direct device or group where the sender can also be met.

Wi-Fi Aware 4.0, P2P Operation attribute; as in Wireshark packet-wifi-nan.c. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

from protocols.format import Example
from protocols.layout import U8, Mac, Record
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.post_discovery import INTERVALS, MAP_CONTROL, P2P_ROLES, MapControl
from protocols.wifi_aware.vocabulary import Bitmap, Body, HexText, Int8, MacText

ID = 0x06


class P2pOperation(Body, frozen=True, kw_only=True):
    """A Wi-Fi Direct device, and when it is there."""

    device_role: Int8
    """bit mask."""
    mac: MacText
    map_control: MapControl
    intervals: HexText
    """one bit each; one octet or more."""


def strategy() -> Any:
    """Valid values: one octet of intervals or more."""
    from protocols.wifi_aware import strategies as draw  # tests only: hypothesis

    return draw.fields_of(P2pOperation, intervals=draw.hexes(1, 4))


ATTRIBUTE = Attribute(
    id=ID,
    name="p2p_operation",
    title="P2P Operation",
    source="Wi-Fi Aware 4.0, P2P Operation attribute",
    fields=P2pOperation,
    layout=Record(
        "device_role" / Bitmap(U8, P2P_ROLES),
        "mac" / Mac,
        "map_control" / MAP_CONTROL,
        "intervals" / INTERVALS,
    ),
    minimum=9,
    multiple=True,
    strategy=strategy,
    examples=(Example("02" + "020000000002" + "11" + "0300", note="group owner, 32 TU intervals"),),
)
