"""HomeKit regular advertisement (manufacturer data, company 0x004C, type 0x06).

HomeKit Accessory Protocol Specification R14, 7.4.2.1; numbers are little-endian. The second
octet is subtype 1 (top three bits) and the length of the rest. No clock, no randomness, no IO.
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal

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
from protocols.layout import U8, U16LE, Coded, Const, Flags, Hex, Mac, Named, Record, build

KEYS = ("manufacturer_data/004c/06",)


class Accessory(Fields, frozen=True, kw_only=True):
    """What an accessory says while it is not connected."""

    type: Literal["regular"] = "regular"
    unpaired: bool | UnsetType = UNSET
    """bit 0 of `status_flags`; an encoder need not be told."""
    status_flags: int
    device_id: str
    category: int
    global_state_number: int
    config_number: int
    compatible_version: int
    setup_hash: str | UnsetType = UNSET
    """`setup_hash` of the setup id and device id; absent in the short form."""


CATEGORIES = {
    1: "other", 2: "bridge", 3: "fan", 4: "garage", 5: "lighting", 6: "lock", 7: "outlet", 8: "switch",
    9: "thermostat", 10: "sensor", 11: "security", 12: "door", 13: "window", 14: "covering",
    15: "programmable switch", 16: "range extender", 17: "camera", 19: "air purifier", 20: "heater",
    21: "air conditioner", 22: "humidifier", 23: "dehumidifier", 28: "sprinkler", 29: "faucet", 30: "shower",
}  # fmt: skip

TYPE = b"\x06"
_MEMBERS = (
    Flags(U8, whole="status_flags", unpaired=0),
    "device_id" / Mac,
    "category" / Named(U16LE, CATEGORIES),
    "global_state_number" / U16LE,
    "config_number" / U8,
    "compatible_version" / U8,
)
_TYPE = "type" / Coded(U8, {TYPE[0]: "regular"}, code="frame_type")
SHORT = Record(_TYPE, "_length" / Const(b"\x2d", "subtype_length", fatal=False), *_MEMBERS)
LONG = Record(
    _TYPE,
    "_length" / Const(b"\x31", "subtype_length", fatal=False),
    *_MEMBERS,
    "setup_hash" / Hex(4),
)


def setup_hash(setup_id: str, device_id: str) -> str:
    """Setup hash as hex: first 4 octets of SHA-512 of the setup id and the device id in upper case (7.4.2.1.2)."""
    return hashlib.sha512((setup_id + device_id.upper()).encode()).digest()[:4].hex()


def decode(reader: Reader) -> Fields:
    """Codes: `frame_type` at 0, `frame_length`, `subtype_length` at 1 (lenient: fields by the total length)."""
    reader.expect(TYPE, "frame_type")
    reader.length(15, 19)
    raw = reader.read(SHORT if len(reader.data) == 15 else LONG)
    fields: Fields = as_fields(Accessory, raw)
    return fields


def encode(fields: Any, keys: Keys) -> bytes:
    """15 octets, or 19 when `setup_hash` is given."""
    agree("unpaired", fields.unpaired, bool(fields.status_flags & 1))
    return build(SHORT if fields.setup_hash is UNSET else LONG, fields)


FORMAT = Format(
    name="homekit-ble",
    title="HomeKit regular advertisement",
    source="HomeKit Accessory Protocol Specification R14, 7.4.2.1",
    fields=Accessory,
    decode=decode,
    encode=encode,
    keys=KEYS,
    examples=(
        Example("06310080e7146a373406009f2104023cb9eb0e", note="paired lock, with setup hash"),
        Example("062d0180e7146a3734060001000102", note="not paired, without setup hash"),
    ),
)
