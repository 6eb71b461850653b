"""Cluster Discovery (0x0D): another cluster that the sender has heard.

Wi-Fi Aware 4.0, Cluster Discovery attribute. The last eight octets are an anchor master rank, octets in the order
of the Cluster attribute. Which TSF is taken from which in the time offset is unverified. No clock, no randomness,
no IO.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from protocols.format import Example
from protocols.layout import U8, U64LE, Mac, Mapped, Record
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.vocabulary import Body, Int8, MacText

ID = 0x0D
SignedInt64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]


class ClusterDiscovery(Body, frozen=True, kw_only=True):
    """The other cluster, and whom it follows."""

    cluster_id: MacText
    time_offset_us: SignedInt64
    """the difference of the two clusters' TSF."""
    anchor_master: MacText
    """its NMI."""
    random_factor: Int8
    master_preference: Int8


def _signed(number: int) -> int:
    return number - 2**64 if number >> 63 else number


ATTRIBUTE = Attribute(
    id=ID,
    name="cluster_discovery",
    title="Cluster Discovery",
    source="Wi-Fi Aware 4.0, Cluster Discovery attribute",
    fields=ClusterDiscovery,
    layout=Record(
        "cluster_id" / Mac,
        "time_offset_us" / Mapped(U64LE, _signed, lambda value: value % 2**64),
        "anchor_master" / Mac,
        "random_factor" / U8,
        "master_preference" / U8,
    ),
    minimum=22,
    maximum=22,
    multiple=True,
    examples=(
        Example(
            "506f9a017f01" + "00fcffffffffffff" + "025f5a1ae301" + "bc" + "01",
            note="1024 µs apart, anchor master 02:5f:5a:1a:e3:01",
        ),
    ),
)
