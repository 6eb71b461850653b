"""S3 (0x2D): its body is in no document or implementation that is open, so its octets are kept.

hostap src/common/nan_defs.h and the MTK headers name the ID and nothing more. That it goes with bit 4 of the
capabilities in Device Capability ("S3 capable") is unverified. No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.format import Example
from protocols.wifi_aware import unexplained
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.vocabulary import Body, HexText

ID = 0x2D


class S3(Body, frozen=True, kw_only=True):
    """Octets whose meaning is not known."""

    octets: HexText


ATTRIBUTE = Attribute(
    id=ID,
    name="s3",
    title="S3",
    source="hostap src/common/nan_defs.h (ID only)",
    fields=S3,
    layout=unexplained.kept("layout unknown"),
    examples=(Example("0102"),),
)
