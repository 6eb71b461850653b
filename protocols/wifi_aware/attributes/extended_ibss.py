"""Extended IBSS (0x20): an ad-hoc network where the sender can also be met, with its channel and beacons.

Wi-Fi Aware 4.0, Extended IBSS attribute; as in Wireshark packet-wifi-nan.c. No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.format import Example
from protocols.layout import Mac, Record
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.post_discovery import (
    BEACON_INFO,
    CHANNEL_INFO,
    BeaconInfo,
    ChannelInfo,
)
from protocols.wifi_aware.vocabulary import Body, MacText

ID = 0x20


class ExtendedIbss(Body, frozen=True, kw_only=True):
    """An ad-hoc network, its channel and its beacons."""

    bssid: MacText
    mac: MacText
    """the sender's address there."""
    channel_info: ChannelInfo
    beacon_info: BeaconInfo


ATTRIBUTE = Attribute(
    id=ID,
    name="extended_ibss",
    title="Extended IBSS",
    source="Wi-Fi Aware 4.0, Extended IBSS attribute",
    fields=ExtendedIbss,
    layout=Record(
        "bssid" / Mac,
        "mac" / Mac,
        "channel_info" / CHANNEL_INFO,
        "beacon_info" / BEACON_INFO,
    ),
    minimum=19,
    maximum=19,
    multiple=True,
    examples=(
        Example(
            "020000000001" + "020000000002" + "510b00" + "10002003",
            note="on channel 11, beacons every 800 TU",
        ),
    ),
)
