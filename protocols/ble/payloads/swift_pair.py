"""Microsoft Swift Pair (manufacturer data, company 0x0006, beacon id 0x03).

Microsoft, "Bluetooth Swift Pair", vendor sections for LE, for BR/EDR and for both; little-endian. No clock,
no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

import msgspec

from protocols.errors import EncodeError
from protocols.format import Example, Fields, Format, Keys, Reader, as_fields
from protocols.layout import U8, U24LE, Codec, Coded, MacLE, Optional, Record, Text, build

KEYS = ("manufacturer_data/0006/03",)


class LowEnergy(Fields, frozen=True, kw_only=True, tag_field="sub_scenario", tag=0):
    """Pairs over LE; `display_name` None: none sent."""

    beacon_id: int = 3
    reserved_rssi: int
    display_name: str | None


class Classic(Fields, frozen=True, kw_only=True, tag_field="sub_scenario", tag=1):
    """Pairs over BR/EDR, discovered over LE."""

    beacon_id: int = 3
    reserved_rssi: int
    bd_addr: str
    class_of_device: int
    display_name: str | None


class Dual(Fields, frozen=True, kw_only=True, tag_field="sub_scenario", tag=2):
    """Pairs over both with Secure Connections."""

    beacon_id: int = 3
    reserved_rssi: int
    class_of_device: int
    display_name: str | None


BEACON_ID = 3
_HEAD = (
    "beacon_id" / Coded(U8, {BEACON_ID: BEACON_ID}, code="frame_type"),
    "sub_scenario" / U8,
    "reserved_rssi" / U8,
)
_CLASS = "class_of_device" / U24LE
_NAME = "display_name" / Optional(Text(), None)
LAYOUTS: dict[int, tuple[int, type[Fields], Codec]] = {
    0: (3, LowEnergy, Record(*_HEAD, _NAME)),
    1: (12, Classic, Record(*_HEAD, "bd_addr" / MacLE, _CLASS, _NAME)),
    2: (6, Dual, Record(*_HEAD, _CLASS, _NAME)),
}


def decode(reader: Reader) -> Fields:
    """Codes: `frame_length`, `frame_type` at 0, `sub_scenario` at 1. A name that is not UTF-8 reads with U+FFFD."""
    beacon_id, sub_scenario = reader.select(2)
    if beacon_id != BEACON_ID:
        reader.fatal("frame_type", 0, f"beacon id {beacon_id:#04x} is not 03", "beacon_id")
    if sub_scenario not in LAYOUTS:
        message = f"sub-scenario {sub_scenario} is not 0, 1 or 2"
        reader.fatal("sub_scenario", 1, message, "sub_scenario")
    size, kind, codec = LAYOUTS[sub_scenario]
    reader.length(at_least=size)
    fields: Fields = as_fields(kind, reader.read(codec))
    return fields


def encode(fields: Any, keys: Keys) -> bytes:
    """The vendor section after the company id."""
    if fields.display_name == "":
        raise EncodeError("display_name", "an empty name is not sent; null says so")
    sub_scenario = fields.__struct_config__.tag
    raw = {**msgspec.structs.asdict(fields), "sub_scenario": sub_scenario}
    return build(LAYOUTS[sub_scenario][2], raw)


FORMAT = Format(
    name="swift-pair",
    title="Microsoft Swift Pair",
    source="Microsoft, Bluetooth Swift Pair, vendor sections",
    fields=LowEnergy | Classic | Dual,
    decode=decode,
    encode=encode,
    keys=KEYS,
    examples=(
        Example("0300804d6f757365", note="LE only, named"),
        Example("030080", note="LE only, without a name"),
        Example("030180b1ae15300ddc0404244d6f757365", note="BR/EDR only"),
        Example("0302800404244d6f757365", note="LE and BR/EDR"),
    ),
    confidence="unverified: no recording; the order of address and class in sub-scenarios 1 and 2 is second-hand",
)
