"""Feasycom general frame (service data 0xFFF0).

Feasycom FeasyBeacon Advertising Protocol v1.1, general frame. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

import msgspec

from protocols.errors import EncodeError
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
from protocols.layout import U8, Flags, Hex, Mac, Named, Nullable, Record, build

KEYS = ("service_data/fff0",)


class General(Fields, frozen=True, kw_only=True):
    """State of a beacon; `battery_pct` None: it runs on external power."""

    model: int
    firmware: str
    connectable_state: int
    """0 not connectable, 1 connectable, 2 connectable with a password."""
    led: bool
    buzzer: bool
    g_sensor: bool
    button: bool
    mac: str
    battery_pct: int | None
    external_power: bool | UnsetType = UNSET
    """`battery_pct` is None; an encoder need not be told."""


MODELS = {
    0x15: "BP102", 0x19: "BP109", 0x1A: "BP103", 0x1B: "BP104", 0x1C: "BP201", 0x1D: "BP106", 0x1E: "BP101",
    0x24: "BP120", 0x27: "BP108", 0x28: "BP108N", 0x36: "BP105N",
}  # fmt: skip
EXTERNAL_POWER = 0x65
LAYOUT = Record(
    "model" / Named(U8, MODELS),
    "firmware" / Hex(2),
    Flags(U8, connectable_state=(0, 2), _ignored=(2, 2), led=4, buzzer=5, g_sensor=6, button=7),
    "mac" / Mac,
    "battery_pct" / Nullable(U8, EXTERNAL_POWER),
)


def decode(reader: Reader) -> Fields:
    """Code: `frame_length`. Unknown models are kept; feature bits 2 and 3 are shown in the tree only."""
    reader.length(11)
    raw = reader.read(LAYOUT)
    fields: Fields = as_fields(General, {**raw, "external_power": raw["battery_pct"] is None})
    return fields


def encode(fields: Any, keys: Keys) -> bytes:
    """The 11 octets; feature bits 2 and 3 are zero."""
    agree("external_power", fields.external_power, fields.battery_pct is None)
    if fields.battery_pct == EXTERNAL_POWER:
        raise EncodeError("battery_pct", "101 is the code of external power; null says so")
    return build(LAYOUT, {**msgspec.structs.asdict(fields), "_ignored": 0})


FORMAT = Format(
    name="feasycom",
    title="Feasycom general frame",
    source="Feasycom FeasyBeacon Advertising Protocol v1.1, general frame",
    fields=General,
    decode=decode,
    encode=encode,
    keys=KEYS,
    examples=(
        Example("36021892dc0d3015aeb164", note="BP105N, battery 100 %"),
        Example("1c0100f1dc0d3000000165", note="BP201, external power"),
    ),
)
