"""AltBeacon (manufacturer data of any company; 0x0118 is Radius Networks).

AltBeacon Protocol Specification v1.0; all big-endian. Frames without the last octet exist: a strict decoder
refuses them, a lenient one reads the missing octet as 0. No clock, no randomness, no IO.
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
from protocols.layout import S8, U8, U16BE, Const, Hex, Optional, Record, Uuid128, build

KEYS = ("manufacturer_data/0118", "manufacturer_data/*/beac")


class Beacon(Fields, frozen=True, kw_only=True):
    """One frame. To encode, `beacon_id` or its three parts are enough; given both, they must agree."""

    id1: str | UnsetType = UNSET
    id2: int | UnsetType = UNSET
    id3: int | UnsetType = UNSET
    beacon_id: str | UnsetType = UNSET
    """20 octets: `id1`, `id2` and `id3` together."""
    ref_rssi_1m_dbm: int
    mfg_reserved: int


CODE = b"\xbe\xac"
SHORT = 23
_CODE = "_beacon_code" / Const(CODE, "beacon_code")
_TAIL = ("ref_rssi_1m_dbm" / S8, "mfg_reserved" / Optional(U8, 0))
SPLIT = Record(_CODE, "id1" / Uuid128, "id2" / U16BE, "id3" / U16BE, *_TAIL)
WHOLE = Record(_CODE, "beacon_id" / Hex(20), *_TAIL)


def decode(reader: Reader) -> Fields:
    """Codes: `beacon_code` at 0, `frame_length` (lenient, 23 octets: all fields, `mfg_reserved` 0)."""
    reader.expect(CODE, "beacon_code")
    if len(reader.data) == SHORT:
        reader.fault("frame_length", None, "23 octets, needs 24: the reserved octet is missing")
    else:
        reader.length(24)
    raw = reader.read(SPLIT)
    fields: Fields = as_fields(Beacon, {**raw, "beacon_id": reader.data[2:22].hex()})
    return fields


def encode(fields: Any, keys: Keys) -> bytes:
    """The 24 octets. Raises EncodeError when `beacon_id` contradicts its parts."""
    if (fields.id1, fields.id2, fields.id3) == (UNSET, UNSET, UNSET):
        return build(WHOLE, fields)
    octets = build(SPLIT, fields)
    if fields.beacon_id is not UNSET:
        agree("beacon_id", fields.beacon_id.lower(), octets[2:22].hex())
    return octets


FORMAT = Format(
    name="altbeacon",
    title="AltBeacon",
    source="AltBeacon Protocol Specification v1.0",
    fields=Beacon,
    decode=decode,
    encode=encode,
    keys=KEYS,
    examples=(
        Example("beac2f234454cf6d4a0fadf2f4911ba9ffa600010002c509", note="Radius Networks"),
        Example("beacd3162f5af3ee494799db09756062d0fc005a00057f00", note="RSSI out of range, kept"),
    ),
)
