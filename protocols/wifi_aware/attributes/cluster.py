"""Cluster (0x01): the anchor master that the sender follows, and how far away it is.

Wi-Fi Aware 4.0, Cluster attribute. The first eight octets, read as one little-endian number, are the anchor
master rank (Linux include/linux/ieee80211-nan.h; a captured beacon in OpenNAN tests/test_crc32.cpp). Wireshark
shows rank and AMBTT with the octets the other way round. No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.format import Example
from protocols.layout import U8, U32LE, Mac, Record
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.vocabulary import Body, Int8, Int32, MacText, Words

ID = 0x01


class Cluster(Body, frozen=True, kw_only=True):
    """Anchor master as the sender knows it."""

    anchor_master: MacText
    """its NMI."""
    random_factor: Int8
    master_preference: Int8
    hop_count: Int8
    """0: the sender is the anchor master."""
    ambtt_us: Int32
    """low 32 bits of the TSF of the anchor master beacon behind this; 0 from the anchor master itself."""


ATTRIBUTE = Attribute(
    id=ID,
    name="cluster",
    title="Cluster",
    source="Wi-Fi Aware 4.0, Cluster attribute",
    fields=Cluster,
    layout=Record(
        "anchor_master" / Mac,
        "random_factor" / U8,
        "master_preference" / U8,
        "hop_count" / Words(U8, {0: "sent by the anchor master"}, "hops to the anchor master"),
        "ambtt_us" / U32LE,
    ),
    minimum=13,
    maximum=13,
    examples=(
        Example("025f5a1ae301bc010000000000", note="anchor master 02:5f:5a:1a:e3:01 itself"),
    ),
)
