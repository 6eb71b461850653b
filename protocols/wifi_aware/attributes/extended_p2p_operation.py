"""Extended P2P Operation (0x1F): a Wi-Fi Direct device or group where the sender can also be met, with its channel and beacons.

Wi-Fi Aware 4.0, Extended P2P Operation attribute; as in Wireshark packet-wifi-nan.c. No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.format import Example
from protocols.layout import U8, Mac, Record
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.post_discovery import (
    BEACON_INFO,
    CHANNEL_INFO,
    P2P_ROLES,
    BeaconInfo,
    ChannelInfo,
)
from protocols.wifi_aware.vocabulary import Bitmap, Body, Int8, MacText

ID = 0x1F


class ExtendedP2pOperation(Body, frozen=True, kw_only=True):
    """A Wi-Fi Direct device or group, its channel and its beacons."""

    device_role: Int8
    """bit mask."""
    mac: MacText
    channel_info: ChannelInfo
    beacon_info: BeaconInfo


ATTRIBUTE = Attribute(
    id=ID,
    name="extended_p2p_operation",
    title="Extended P2P Operation",
    source="Wi-Fi Aware 4.0, Extended P2P Operation attribute",
    fields=ExtendedP2pOperation,
    layout=Record(
        "device_role" / Bitmap(U8, P2P_ROLES),
        "mac" / Mac,
        "channel_info" / CHANNEL_INFO,
        "beacon_info" / BEACON_INFO,
    ),
    minimum=14,
    maximum=14,
    multiple=True,
    examples=(
        Example(
            "03" + "020000000002" + "510600" + "00006400",
            note="device and group owner on channel 6",
        ),
    ),
)
