"""Extended Mesh (0x21): a mesh network where the sender can also be met, with its channel and beacons.

Wi-Fi Aware 4.0, Extended Mesh attribute; as in Wireshark packet-wifi-nan.c. No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.format import Example
from protocols.layout import REST, Hex, Mac, Record
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.post_discovery import (
    BEACON_INFO,
    CHANNEL_INFO,
    BeaconInfo,
    ChannelInfo,
)
from protocols.wifi_aware.vocabulary import Body, HexText, MacText

ID = 0x21


class ExtendedMesh(Body, frozen=True, kw_only=True):
    """A mesh network, its channel and its beacons."""

    mac: MacText
    channel_info: ChannelInfo
    beacon_info: BeaconInfo
    mesh_id: HexText


ATTRIBUTE = Attribute(
    id=ID,
    name="extended_mesh",
    title="Extended Mesh",
    source="Wi-Fi Aware 4.0, Extended Mesh attribute",
    fields=ExtendedMesh,
    layout=Record(
        "mac" / Mac,
        "channel_info" / CHANNEL_INFO,
        "beacon_info" / BEACON_INFO,
        "mesh_id" / Hex(REST),
    ),
    minimum=13,
    multiple=True,
    examples=(
        Example(
            "020000000002" + "802a2a" + "00006400" + "6d657368",
            note="80 MHz around channel 42, Mesh ID mesh",
        ),
    ),
)
