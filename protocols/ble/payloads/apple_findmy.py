"""Apple Find My offline finding (manufacturer data, company 0x004C, type 0x12 with 25 octets).

Reverse engineered (seemoo-lab, OpenHaystack; furiousMAC, "continuity"). The 28 octets of the public key are
split: octets 0..5 travel in the address, whose top two bits are always 1, the rest in the frame. The short
form near the owner is a plain Continuity message. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

import msgspec

from protocols.errors import UsageError
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
from protocols.layout import U8, Const, Flags, Hex, Record, build

KEYS = ("manufacturer_data/004c/1219",)


class OfflineFinding(Fields, frozen=True, kw_only=True):
    """What a lost device says."""

    status: int
    maintained: bool | UnsetType = UNSET
    """bit 2 of `status`; an encoder need not be told."""
    battery_state: int | UnsetType = UNSET
    """bits 7..6 of `status`: 0 full, 1 medium, 2 low, 3 critical; likewise."""
    public_key_6_27: str
    public_key_0_bits_6_7: int
    hint: int


TYPE = b"\x12"
SIZE = 27
LAYOUT = Record(
    "_type" / Const(TYPE, "frame_type"),
    "_length" / Const(b"\x19", "subtype_length", fatal=False),
    Flags(U8, whole="status", maintained=2, battery_state=(6, 2)),
    "public_key_6_27" / Hex(22),
    Flags(U8, public_key_0_bits_6_7=(0, 2), _ignored=(2, 6)),
    "hint" / U8,
)


def claims(data: bytes, keys: Keys) -> bool:
    """The whole frame; with any other length it is a Continuity block."""
    return len(data) == SIZE


def decode(reader: Reader) -> Fields:
    """Codes: `frame_type` at 0, `frame_length`, `subtype_length` at 1 (lenient: all fields).

    The upper six bits of the key-bits octet are shown in the tree only.
    """
    reader.expect(TYPE, "frame_type")
    reader.length(SIZE)
    fields: Fields = as_fields(OfflineFinding, reader.read(LAYOUT))
    return fields


def encode(fields: Any, keys: Keys) -> bytes:
    """The 27 octets; the ignored bits of octet 25 are zero."""
    agree("maintained", fields.maintained, bool(fields.status & 4))
    agree("battery_state", fields.battery_state, fields.status >> 6)
    return build(LAYOUT, {**msgspec.structs.asdict(fields), "_ignored": 0})


def address_of(public_key: bytes) -> str:
    """Random static address of a 28-octet public key: octets 0..5, the top two bits set."""
    if len(public_key) != 28:
        raise UsageError(f"public key: {len(public_key)} octets given, 28 needed")
    return bytes((public_key[0] | 0xC0, *public_key[1:6])).hex(":")


def public_key_of(fields: OfflineFinding, address: str) -> bytes:
    """The 28-octet public key that a frame and its address carry together. Raises UsageError: malformed address."""
    try:
        head = bytes.fromhex(address.replace(":", ""))
    except ValueError:
        head = b""
    if len(head) != 6:
        raise UsageError(f"address {address!r}: six octets in hex are needed")
    first = head[0] & 0x3F | fields.public_key_0_bits_6_7 << 6
    return bytes((first, *head[1:])) + bytes.fromhex(fields.public_key_6_27)


FORMAT = Format(
    name="apple-findmy",
    title="Apple Find My offline finding",
    source="seemoo-lab/openhaystack and furiousMAC/continuity (reverse engineered)",
    fields=OfflineFinding,
    decode=decode,
    encode=encode,
    keys=KEYS,
    claims=claims,
    examples=(
        Example("12190057364dc7fb77866c40c91076603cb37c1f59f923ab3a0300", note="status 0"),
        Example(
            "1219d457364dc7fb77866c40c91076603cb37c1f59f923ab3a02a5",
            note="maintained, battery critical",
        ),
    ),
)
