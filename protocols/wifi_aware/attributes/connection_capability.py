"""NAN Connection Capability (0x04): over which other kinds of connection the sender can be reached.

Wi-Fi Aware 4.0, NAN Connection Capability attribute; as in Wireshark packet-wifi-nan.c. No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.format import Example
from protocols.layout import U16LE, Record
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.vocabulary import Bitmap, Body, Int16

ID = 0x04
KINDS = {
    0: "Wi-Fi Direct",
    1: "P2P services",
    2: "TDLS",
    3: "WLAN infrastructure",
    4: "IBSS",
    5: "mesh",
}


class ConnectionCapability(Body, frozen=True, kw_only=True):
    """Kinds of connection."""

    kinds: Int16
    """bit mask."""


ATTRIBUTE = Attribute(
    id=ID,
    name="connection_capability",
    title="NAN Connection Capability",
    source="Wi-Fi Aware 4.0, NAN Connection Capability attribute",
    fields=ConnectionCapability,
    layout=Record("kinds" / Bitmap(U16LE, KINDS)),
    minimum=2,
    maximum=2,
    examples=(Example("0900", note="Wi-Fi Direct, WLAN infrastructure"),),
)
