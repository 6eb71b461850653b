"""Further Availability Map (0x0A, legacy): on which channels the sender is between discovery windows.

Wi-Fi Aware 4.0, Further Availability Map attribute; as in Wireshark packet-wifi-nan.c, which reads one entry. More
than one (unverified) is read here too; an entry with the reserved interval length takes all that remains. No
clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

from protocols.format import Example
from protocols.layout import U8, Choice, Flags, Mapped, Record, Records
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.post_discovery import (
    DURATIONS,
    INTERVAL_OCTETS,
    INTERVALS,
    intervals,
)
from protocols.wifi_aware.vocabulary import Body, HexText, Int2, Int6, Int8, Words

ID = 0x0A


class MapEntry(Body, frozen=True, kw_only=True):
    """One channel, and when the sender is on it."""

    interval_duration: Int2
    """0: 16 TU, 1: 32 TU, 2: 64 TU."""
    reserved_2: Int6 = 0
    operating_class: Int8
    channel: Int8
    intervals: HexText
    """one bit each; 4, 2 or 1 octets by the length of an interval."""


class FurtherAvailabilityMap(Body, frozen=True, kw_only=True):
    """Channels of the sender."""

    map_id: Int8
    """0 to 15."""
    entries: list[MapEntry]


def _map_meaning(number: int) -> str | None:
    return None if number <= 15 else "reserved"


ENTRY = Record(
    Flags(U8, interval_duration=(0, 2, Words(U8, DURATIONS)), reserved_2=(2, 6)),
    "operating_class" / U8,
    "channel" / U8,
    "intervals"
    / Choice(
        lambda fields: fields.interval_duration,
        {code: intervals(octets) for code, octets in INTERVAL_OCTETS.items()},
        INTERVALS,
    ),
)


def strategy() -> Any:
    """Valid values: one entry or more, with as many octets of intervals as their length asks for."""
    from protocols.wifi_aware import strategies as draw  # tests only: hypothesis

    def one(code: int, octets: int) -> Any:
        bits = draw.hexes(octets, octets)
        return draw.fields_of(MapEntry, interval_duration=draw.just(code), intervals=bits)

    entry = draw.one_of(*(one(code, octets) for code, octets in INTERVAL_OCTETS.items()))
    some = draw.lists(entry, min_size=1, max_size=4)
    return draw.fields_of(FurtherAvailabilityMap, entries=some)


ATTRIBUTE = Attribute(
    id=ID,
    name="further_availability_map",
    title="Further Availability Map",
    source="Wi-Fi Aware 4.0, Further Availability Map attribute",
    fields=FurtherAvailabilityMap,
    layout=Record(
        "map_id" / Mapped(U8, lambda raw: raw, lambda value: value, _map_meaning),
        "entries" / Records(ENTRY, "attribute_length"),
    ),
    minimum=4,
    strategy=strategy,
    examples=(
        Example("01" + "00" + "51" + "06" + "feffffff", note="map 1, channel 6, 16 TU intervals"),
        Example("00" + "025106fe" + "01732cff00", note="64 TU on channel 6, 32 TU on channel 44"),
    ),
)
