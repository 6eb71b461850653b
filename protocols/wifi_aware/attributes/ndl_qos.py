"""NDL QoS (0x15): how many slots a data link needs, and how close together.

Wi-Fi Aware 4.0, NDL QoS attribute; as in Wireshark packet-wifi-nan.c. The latency is little-endian (hostap writes it in
the order of its machine). No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.format import Example
from protocols.layout import U8, U16LE, Record
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.vocabulary import Body, Int8, Int16, Words

ID = 0x15
NO_LATENCY = 0xFFFF


class NdlQos(Body, frozen=True, kw_only=True):
    """Needs of the sender."""

    min_slots: Int8
    """slots of 16 TU in each 512 TU; 0: no preference."""
    max_latency_slots: Int16
    """slots between common ones that do not touch; NO_LATENCY: no preference."""


ATTRIBUTE = Attribute(
    id=ID,
    name="ndl_qos",
    title="NDL QoS",
    source="Wi-Fi Aware 4.0, NDL QoS attribute",
    fields=NdlQos,
    layout=Record(
        "min_slots" / Words(U8, {0: "no preference"}, "16-TU slots in 512 TU"),
        "max_latency_slots" / Words(U16LE, {NO_LATENCY: "no preference"}, "16-TU slots"),
    ),
    minimum=3,
    maximum=3,
    examples=(
        Example("00ffff", note="no preference"),
        Example("020a00", note="2 slots, 10 apart at most"),
    ),
)
