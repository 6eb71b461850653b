"""Extended WLAN Infrastructure (0x1E): an access point where the sender can also be met, with its channel and beacons.

Wi-Fi Aware 4.0, Extended WLAN Infrastructure attribute; as in Wireshark packet-wifi-nan.c. No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.format import Example
from protocols.layout import U8, Mac, Record
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.post_discovery import (
    BEACON_INFO,
    CHANNEL_INFO,
    WLAN_ROLES,
    BeaconInfo,
    ChannelInfo,
)
from protocols.wifi_aware.vocabulary import Body, Int8, MacText, Words

ID = 0x1E


class ExtendedWlanInfrastructure(Body, frozen=True, kw_only=True):
    """An access point, its channel and its beacons."""

    bssid: MacText
    mac: MacText
    """the sender's address there."""
    device_role: Int8
    channel_info: ChannelInfo
    beacon_info: BeaconInfo


ATTRIBUTE = Attribute(
    id=ID,
    name="extended_wlan_infrastructure",
    title="Extended WLAN Infrastructure",
    source="Wi-Fi Aware 4.0, Extended WLAN Infrastructure attribute",
    fields=ExtendedWlanInfrastructure,
    layout=Record(
        "bssid" / Mac,
        "mac" / Mac,
        "device_role" / Words(U8, WLAN_ROLES),
        "channel_info" / CHANNEL_INFO,
        "beacon_info" / BEACON_INFO,
    ),
    minimum=20,
    maximum=20,
    multiple=True,
    examples=(
        Example(
            "020000000001" + "020000000002" + "01" + "732c00" + "05006400",
            note="associated on channel 44, beacons every 100 TU",
        ),
    ),
)
