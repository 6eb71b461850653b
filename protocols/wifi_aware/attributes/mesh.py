"""Mesh (0x08, legacy): a mesh network where the sender can also be met.

Wi-Fi Aware 4.0, Mesh attribute; as in Wireshark packet-wifi-nan.c: the length of an interval says how many octets
the intervals take, the Mesh ID is the rest. With the reserved length the border is unknown, so that all of it
stands in `intervals`. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any, cast

from protocols.format import Example
from protocols.layout import REST, Choice, Hex, Mac, Record
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.post_discovery import (
    INTERVAL_OCTETS,
    INTERVALS,
    MAP_CONTROL,
    MapControl,
    intervals,
)
from protocols.wifi_aware.vocabulary import Body, HexText, MacText

ID = 0x08


class Mesh(Body, frozen=True, kw_only=True):
    """A mesh network, and when the sender is there."""

    mac: MacText
    map_control: MapControl
    intervals: HexText
    """one bit each; 4, 2 or 1 octets by the length of an interval."""
    mesh_id: HexText


def _duration(fields: Any) -> int:
    """The code in `map_control`: a mapping while parsing, the typed field while building."""
    control = fields.map_control
    if isinstance(control, MapControl):
        return control.interval_duration
    return cast("dict[str, int]", control)["interval_duration"]


def strategy() -> Any:
    """Valid values: as many octets of intervals as their length asks for."""
    from protocols.wifi_aware import strategies as draw  # tests only: hypothesis

    def one(code: int, octets: int) -> Any:
        control = draw.fields_of(MapControl, interval_duration=draw.just(code))
        return draw.fields_of(Mesh, map_control=control, intervals=draw.hexes(octets, octets))

    return draw.one_of(*(one(code, octets) for code, octets in INTERVAL_OCTETS.items()))


ATTRIBUTE = Attribute(
    id=ID,
    name="mesh",
    title="Mesh",
    source="Wi-Fi Aware 4.0, Mesh attribute",
    fields=Mesh,
    layout=Record(
        "mac" / Mac,
        "map_control" / MAP_CONTROL,
        "intervals"
        / Choice(
            _duration,
            {code: intervals(octets) for code, octets in INTERVAL_OCTETS.items()},
            INTERVALS,
        ),
        "mesh_id" / Hex(REST),
    ),
    minimum=8,
    multiple=True,
    strategy=strategy,
    examples=(
        Example("020000000002" + "20" + "81" + "6d657368", note="64 TU intervals, Mesh ID mesh"),
        Example("020000000002" + "00" + "01000000" + "6d", note="16 TU intervals, Mesh ID m"),
    ),
)
