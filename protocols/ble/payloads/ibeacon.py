"""iBeacon (manufacturer data, company 0x004C).

Apple, Proximity Beacon Specification; all big-endian. What vendors hide in major and minor is not decoded.
No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

from protocols.format import Example, Fields, Format, Keys, Reader, as_fields
from protocols.layout import S8, U16BE, Const, Record, Uuid128, build

KEYS = ("manufacturer_data/004c/02",)


class Beacon(Fields, frozen=True, kw_only=True):
    """One frame; a measured power of 0 stays 0 and makes the distance undefined."""

    uuid: str
    major: int
    minor: int
    measured_power_1m_dbm: int


TYPE = b"\x02"
LAYOUT = Record(
    "_type" / Const(TYPE, "not_ibeacon"),
    "_length" / Const(b"\x15", "subtype_length", fatal=False),
    "uuid" / Uuid128,
    "major" / U16BE,
    "minor" / U16BE,
    "measured_power_1m_dbm" / S8,
)


def decode(reader: Reader) -> Fields:
    """Codes: `not_ibeacon` at 0, `frame_length`, `subtype_length` at 1 (lenient: all fields)."""
    reader.expect(TYPE, "not_ibeacon")
    reader.length(23)
    fields: Fields = as_fields(Beacon, reader.read(LAYOUT))
    return fields


def encode(fields: Any, keys: Keys) -> bytes:
    """The 23 octets."""
    return build(LAYOUT, fields)


FORMAT = Format(
    name="ibeacon",
    title="Apple iBeacon",
    source="Apple, Proximity Beacon Specification R1",
    fields=Beacon,
    decode=decode,
    encode=encode,
    keys=KEYS,
    examples=(
        Example("0215e2c56db5dffb48d2b060d0f5a71096e000640000c5", note="AirLocate UUID, -59 dBm"),
        Example("0215ffffffffffffffffffffffffffffffffffffffff00", note="measured power 0"),
    ),
)
