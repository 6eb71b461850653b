"""Timeout Interval element (56): after how long to come back, or for how long a key lives.

IEEE 802.11-2020 9.4.2.48. No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.format import Example
from protocols.layout import U8, U32LE, Record
from protocols.wifi_aware.elements import ElementPart
from protocols.wifi_aware.vocabulary import Body, Int8, Int32, Words

KEY = "38"
TYPES = {
    1: "reassociation deadline, in TU",
    2: "key lifetime, in seconds",
    3: "association comeback, in TU",
    4: "time to start, in TU",
}


class TimeoutInterval(Body, frozen=True, kw_only=True):
    """An interval whose unit goes with its type."""

    type: Int8
    interval: Int32


ELEMENT = ElementPart(
    id=56,
    name="timeout_interval",
    title="Timeout Interval element",
    source="IEEE 802.11-2020 9.4.2.48",
    fields=TimeoutInterval,
    layout=Record("type" / Words(U8, TYPES), "interval" / U32LE),
    minimum=5,
    maximum=5,
    examples=(Example("0264000000", note="a key lives 100 s"), Example("0300040000")),
)
