"""Custom format of the pvvx firmware for Xiaomi thermometers (service data, UUID 0x181A, little-endian).

README of pvvx ATC_MiThermometer, "Custom format". 15 octets; any other length is atc1441's. No clock, no randomness,
no IO.
"""

from __future__ import annotations

from protocols.format import Example, Fields, Format, Keys, Reader, as_fields
from protocols.layout import S16LE, U8, U16LE, MacLE, Record, Scaled, build

KEYS = ("service_data/181a",)

_SIZE = 15


class Pvvx(Fields, frozen=True):
    """One reading."""

    mac: str
    temperature_c: float
    humidity_pct: float
    battery_mv: int
    battery_pct: int
    counter: int
    flags: int


LAYOUT = Record(
    "mac" / MacLE,
    "temperature_c" / Scaled(S16LE, 0.01),
    "humidity_pct" / Scaled(U16LE, 0.01),
    "battery_mv" / U16LE,
    "battery_pct" / U8,
    "counter" / U8,
    "flags" / U8,
)


def _claims(data: bytes, keys: Keys) -> bool:
    return len(data) == _SIZE


def decode(reader: Reader) -> Pvvx:
    """Codes: `frame_length` unless 15 octets."""
    reader.length(_SIZE)
    fields: Pvvx = as_fields(Pvvx, reader.read(LAYOUT))
    return fields


def encode(fields: Pvvx, keys: Keys) -> bytes:
    """The 15 octets; temperature and humidity go to the nearest 0.01."""
    return build(LAYOUT, fields)


FORMAT = Format(
    name="pvvx",
    title="ATC thermometer (pvvx custom format)",
    source="pvvx ATC_MiThermometer README, custom format",
    confidence="unverified: no independent recording of this layout was at hand",
    fields=Pvvx,
    decode=decode,
    encode=encode,
    keys=KEYS,
    claims=_claims,
    examples=(
        Example("38524038c1a4f6097b0e9f0b55de04", note="25.5 °C, 37.07 %"),
        Example("ffeeddccbbaa18fc000000000000ff", note="-10 °C"),
    ),
)
