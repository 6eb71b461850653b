"""ATC firmware by atc1441 for Xiaomi thermometers (service data, UUID 0x181A, big-endian).

README of the ATC_MiThermometer firmware, "Advertising format". The pvvx firmware shares the UUID; its 15 octets tell
them apart. No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.format import Example, Fields, Format, Keys, Reader, as_fields
from protocols.layout import S16BE, U8, U16BE, Mac, Record, Scaled, build

KEYS = ("service_data/181a",)


class Atc(Fields, frozen=True):
    """One reading."""

    mac: str
    temperature_c: float
    humidity_pct: int
    battery_pct: int
    battery_mv: int
    counter: int


LAYOUT = Record(
    "mac" / Mac,
    "temperature_c" / Scaled(S16BE, 0.1),
    "humidity_pct" / U8,
    "battery_pct" / U8,
    "battery_mv" / U16BE,
    "counter" / U8,
)


def decode(reader: Reader) -> Atc:
    """Codes: `frame_length` unless 13 octets."""
    reader.length(13)
    fields: Atc = as_fields(Atc, reader.read(LAYOUT))
    return fields


def encode(fields: Atc, keys: Keys) -> bytes:
    """The 13 octets; the temperature goes to the nearest 0.1 °C."""
    return build(LAYOUT, fields)


FORMAT = Format(
    name="atc1441",
    title="ATC thermometer (atc1441)",
    source="atc1441 ATC_MiThermometer README, advertising format",
    fields=Atc,
    decode=decode,
    encode=encode,
    keys=KEYS,
    examples=(
        Example("a4c13840523800f325550b9fde", note="24.3 °C"),
        Example("a4c138405238ff9c00000000ff", note="-10 °C, everything else at its border"),
    ),
)
