"""Detecting Unwanted Location Trackers (service data 0xFCB2).

IETF draft-ietf-dult-accessory-protocol, location-enabled advertisement payload. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

from protocols.errors import EncodeError
from protocols.format import Example, Fields, Format, Keys, Reader, as_fields
from protocols.layout import REST, U8, Flags, Hex, Named, Record, build

KEYS = ("service_data/fcb2",)


class Tracker(Fields, frozen=True, kw_only=True):
    """What every tracker says, whoever's network it is in."""

    network_id: int
    near_owner: bool
    reserved: int = 0
    """bits 1..7 of octet 1, as a number."""
    proprietary: str
    """0..25 octets of the network."""


NETWORKS = {1: "Apple", 2: "Google"}
LAYOUT = Record(
    "network_id" / Named(U8, NETWORKS),
    Flags(U8, near_owner=0, reserved=(1, 7)),
    "proprietary" / Hex(REST),
)


def decode(reader: Reader) -> Fields:
    """Code: `frame_length` (2 to 27 octets). Unknown network ids and reserved bits are kept."""
    reader.length(at_least=2, at_most=27)
    fields: Fields = as_fields(Tracker, reader.read(LAYOUT))
    return fields


def encode(fields: Any, keys: Keys) -> bytes:
    """2 to 27 octets."""
    octets = build(LAYOUT, fields)
    if len(octets) > 27:
        raise EncodeError("proprietary", f"{len(octets) - 2} octets, at most 25 fit")
    return octets


FORMAT = Format(
    name="dult",
    title="Unwanted tracker detection (DULT)",
    source="draft-ietf-dult-accessory-protocol, advertisement payload",
    fields=Tracker,
    decode=decode,
    encode=encode,
    keys=KEYS,
    examples=(
        Example("0100000000000000", note="separated from its owner"),
        Example("0201a1b2c3d4e5f6", note="near its owner"),
        Example("7ffe", note="unknown network, reserved bits, nothing proprietary"),
        Example("0200" + "5a" * 25, note="the longest"),
    ),
    confidence="documented",
)
