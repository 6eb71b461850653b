"""Kegtron keg monitor (manufacturer data, company 0xFFFF, 27 octets).

Layout of Bluetooth-Devices/kegtron-ble; big-endian. 0xFFFF is nobody's identifier: only the length and the
absence of the AltBeacon code tell the frame. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

from protocols.format import (
    UNSET,
    Example,
    Fields,
    Format,
    Keys,
    Reader,
    UnsetType,
    agree,
    as_fields,
)
from protocols.layout import U8, U16BE, Coded, Flags, Record, Scaled, Text, build

KEYS = ("manufacturer_data/ffff",)


class Port(Fields, frozen=True, kw_only=True):
    """One tap. The three fields behind `port_byte` repeat it; an encoder need not be told them."""

    keg_size_l: float
    volume_start_l: float
    volume_dispensed_l: float
    port_byte: int
    dual_port: bool | UnsetType = UNSET
    """bit 6."""
    port: int | UnsetType = UNSET
    """2 when bit 4 is set, else 1."""
    configured: bool | UnsetType = UNSET
    """bit 0."""
    port_name: str
    """at most 20 octets; trailing zero octets are padding."""


SIZE = 27
ALTBEACON = b"\xbe\xac"
_PORT = Coded(U8, {0: 1, 1: 2})
LITRES = Scaled(U16BE, 0.001, digits=3)
LAYOUT = Record(
    "keg_size_l" / LITRES,
    "volume_start_l" / LITRES,
    "volume_dispensed_l" / LITRES,
    Flags(U8, whole="port_byte", configured=0, port=(4, 1, _PORT), dual_port=6),
    "port_name" / Text(20, pad=b"\0"),
)


def claims(data: bytes, keys: Keys) -> bool:
    """27 octets that are no AltBeacon."""
    return len(data) == SIZE and not data.startswith(ALTBEACON)


def decode(reader: Reader) -> Fields:
    """Code: `frame_length`. A name that is not UTF-8 reads with U+FFFD."""
    reader.length(SIZE)
    fields: Fields = as_fields(Port, reader.read(LAYOUT))
    return fields


def encode(fields: Any, keys: Keys) -> bytes:
    """The 27 octets; volumes are rounded to millilitres."""
    agree("dual_port", fields.dual_port, bool(fields.port_byte & 0x40))
    agree("port", fields.port, 2 if fields.port_byte & 0x10 else 1)
    agree("configured", fields.configured, bool(fields.port_byte & 0x01))
    return build(LAYOUT, fields)


FORMAT = Format(
    name="kegtron",
    title="Kegtron keg monitor",
    source="Bluetooth-Devices/kegtron-ble, parser and tests",
    fields=Port,
    decode=decode,
    encode=encode,
    keys=KEYS,
    claims=claims,
    examples=(
        Example("49ef138802e20153696e676c6520506f7274000000000000000000", note="one port"),
        Example("49ef138802e2d1" + "416c65c3a9".ljust(40, "0"), note="second of two ports"),
    ),
)
