"""Public Availability (0x27): slots in which the sender is there for anybody.

Wi-Fi Aware 4.0, Public Availability attribute. Wireshark packet-wifi-nan.c reads the body as a list of schedule entries
and nothing else; whether a control field comes first is unverified, and no open implementation builds it. So the
octets are kept, and schedule entries are a view of them, when they fit to the last octet. No clock, no randomness,
no IO.
"""

from __future__ import annotations

from typing import Any

from protocols.errors import DecodeError
from protocols.format import Example, Reader, as_fields
from protocols.layout import REST, Hex, Record, Walk, build, parse
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.schedule import SCHEDULE, ScheduleEntry
from protocols.wifi_aware.vocabulary import Body, HexText

ID = 0x27
_OCTETS = Record("octets" / Hex(REST))
_SCHEDULE = Record("schedule" / SCHEDULE)


class PublicAvailability(Body, frozen=True, kw_only=True):
    """The body as it is."""

    octets: HexText

    @property
    def schedule(self) -> tuple[ScheduleEntry, ...] | None:
        """The octets as schedule entries, None when they are none."""
        found = _entries(bytes.fromhex(self.octets))
        return None if found is None else tuple(as_fields(ScheduleEntry, one) for one in found)

    @classmethod
    def of_schedule(cls, entries: tuple[ScheduleEntry, ...]) -> PublicAvailability:
        """The inverse of `schedule`."""
        return cls(octets=build(_SCHEDULE, {"schedule": entries}).hex())


def _entries(data: bytes) -> list[dict[str, Any]] | None:
    try:
        found: list[dict[str, Any]] = parse(_SCHEDULE, data, Walk())["schedule"]
    except DecodeError:
        return None
    return found


def decode(reader: Reader) -> dict[str, Any]:
    """The octets; the tree also shows schedule entries, when they are some."""
    found = reader.read(_OCTETS)
    if _entries(reader.data) is not None:
        reader.inside("octets", _SCHEDULE, reader.data)
    return found


def strategy() -> Any:
    """Any octets that are enough."""
    from protocols.wifi_aware import strategies as draw  # tests only: hypothesis

    return draw.fields_of(PublicAvailability, octets=draw.hexes(4))


ATTRIBUTE = Attribute(
    id=ID,
    name="public_availability",
    title="Public Availability",
    source="Wi-Fi Aware 4.0, Public Availability attribute",
    fields=PublicAvailability,
    layout=_OCTETS,
    decode=decode,
    minimum=4,
    strategy=strategy,
    examples=(
        Example("0118000400020000", note="as schedule entries: map 1, slot 9 of 32"),
        Example("0102030405", note="no schedule entries"),
    ),
)
