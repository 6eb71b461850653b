"""Reserved (0x16), in older documents Multicast Schedule: its octets are kept, and doubted.

Wi-Fi Aware 4.0 reserves the ID; no open implementation defines the body. No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.format import Example
from protocols.wifi_aware import unexplained
from protocols.wifi_aware.attributes import RESERVED, Attribute
from protocols.wifi_aware.vocabulary import Body, HexText

ID = 0x16


class MulticastSchedule(Body, frozen=True, kw_only=True):
    """Octets that 4.0 gives no meaning."""

    octets: HexText


ATTRIBUTE = Attribute(
    id=ID,
    name="multicast_schedule",
    title=RESERVED[ID],
    source="Wi-Fi Aware 4.0, NAN attribute IDs",
    fields=MulticastSchedule,
    layout=unexplained.kept(RESERVED[ID]),
    examples=(Example("0102"),),
)
