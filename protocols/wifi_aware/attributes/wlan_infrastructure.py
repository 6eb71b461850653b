"""WLAN Infrastructure (0x05, legacy): an access point where the sender can also be met.

Wi-Fi Aware 4.0, WLAN Infrastructure attribute; as in Wireshark packet-wifi-nan.c: the role is the last octet, the
intervals are what stands before it. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

from protocols.format import Example, Reader
from protocols.layout import U8, Mac, Record, build
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.post_discovery import INTERVALS, MAP_CONTROL, WLAN_ROLES, MapControl
from protocols.wifi_aware.vocabulary import Body, HexText, Int8, MacText, Words

ID = 0x05


class WlanInfrastructure(Body, frozen=True, kw_only=True):
    """An access point, and when the sender is there."""

    bssid: MacText
    mac: MacText
    """the sender's address there."""
    map_control: MapControl
    intervals: HexText
    """one bit each; one octet or more."""
    device_role: Int8


HEAD = Record("bssid" / Mac, "mac" / Mac, "map_control" / MAP_CONTROL, "intervals" / INTERVALS)
TAIL = Record("device_role" / Words(U8, WLAN_ROLES))


def decode(reader: Reader) -> dict[str, Any]:
    """The role is read from the end, the rest from what remains."""
    size = len(reader.data) - 1
    return reader.read(HEAD, reader.data[:size]) | reader.read(TAIL, reader.data[size:], base=size)


def encode(fields: WlanInfrastructure) -> bytes:
    """Octets."""
    return build(HEAD, fields) + build(TAIL, fields)


def strategy() -> Any:
    """Valid values: one octet of intervals or more."""
    from protocols.wifi_aware import strategies as draw  # tests only: hypothesis

    return draw.fields_of(WlanInfrastructure, intervals=draw.hexes(1, 4))


ATTRIBUTE = Attribute(
    id=ID,
    name="wlan_infrastructure",
    title="WLAN Infrastructure",
    source="Wi-Fi Aware 4.0, WLAN Infrastructure attribute",
    fields=WlanInfrastructure,
    decode=decode,
    encode=encode,
    minimum=15,
    multiple=True,
    strategy=strategy,
    examples=(
        Example(
            "020000000001" + "020000000002" + "41" + "01000080" + "00",
            note="map 1, every 512 TU the first and the last 16 TU; access point",
        ),
    ),
)
