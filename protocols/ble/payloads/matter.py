"""Matter commissioning advertisement (service data 0xFFF6).

Matter Core Specification 5.4.2.5.6, Matter BLE Service Data payload; little-endian. No clock, no randomness,
no IO.
"""

from __future__ import annotations

from typing import Any

import msgspec

from protocols.format import Example, Fields, Format, Keys, Reader, as_fields
from protocols.layout import U8, U16LE, Coded, Flags, Record, build

KEYS = ("service_data/fff6",)


class Commissionable(Fields, frozen=True, kw_only=True):
    """A device that waits for a commissioner; vendor or product 0 is withheld and stays 0."""

    opcode: int = 0
    discriminator: int
    adv_version: int = 0
    vendor_id: int
    product_id: int
    additional_data: bool
    extended_announcement: bool


OPCODE = b"\x00"
LAYOUT = Record(
    "opcode" / Coded(U8, {OPCODE[0]: OPCODE[0]}, code="opcode"),
    Flags(U16LE, discriminator=(0, 12), adv_version=(12, 4)),
    "vendor_id" / U16LE,
    "product_id" / U16LE,
    Flags(U8, additional_data=0, extended_announcement=1, _ignored=(2, 6)),
)


def decode(reader: Reader) -> Fields:
    """Codes: `frame_length`, `opcode` at 0. Flag bits 2..7 are shown in the tree only."""
    reader.expect(OPCODE, "opcode")
    reader.length(8)
    fields: Fields = as_fields(Commissionable, reader.read(LAYOUT))
    return fields


def encode(fields: Any, keys: Keys) -> bytes:
    """The 8 octets; flag bits 2..7 are zero."""
    return build(LAYOUT, {**msgspec.structs.asdict(fields), "_ignored": 0})


FORMAT = Format(
    name="matter",
    title="Matter commissioning",
    source="Matter Core Specification 5.4.2.5.6",
    fields=Commissionable,
    decode=decode,
    encode=encode,
    keys=KEYS,
    examples=(
        Example("00ab03f1ff008001", note="discriminator 939, additional data"),
        Example("00000f0000000002", note="vendor and product withheld, extended announcement"),
    ),
)
