"""Google Fast Pair (service data 0xFE2C).

Google Fast Pair Service specification, "Advertising: when discoverable / not discoverable" and "Battery
notification". Three octets are a model id. Anything else is a version octet and fields, each with a header
octet of length (high nibble) and type (low nibble). No clock, no randomness, no IO.
"""

from __future__ import annotations

import hashlib
from typing import Any

from protocols.errors import EncodeError
from protocols.format import UNSET, Example, Fields, Format, Keys, Reader, UnsetType, as_fields
from protocols.layout import (
    REST,
    U8,
    Body,
    Choice,
    Fault,
    Flags,
    Hex,
    Nullable,
    Record,
    Records,
    Sized,
    build,
)

KEYS = ("service_data/fe2c",)


class Discoverable(Fields, frozen=True, kw_only=True, tag_field="mode", tag="discoverable"):
    """A provider in pairing mode."""

    model_id: str


class Battery(Fields, frozen=True, kw_only=True):
    """Charge of one part; `level_pct` None is unknown."""

    charging: bool
    level_pct: int | None


class NotDiscoverable(Fields, frozen=True, kw_only=True, tag_field="mode", tag="not_discoverable"):
    """A provider that only its owners recognise."""

    version_flags: int
    account_key_filter: str | UnsetType = UNSET
    """an encoder makes it of the context `account_keys` when only `show_ui` is given."""
    show_ui: bool | UnsetType = UNSET
    """comes with a filter."""
    salt: str | UnsetType = UNSET
    battery_show_ui: bool | UnsetType = UNSET
    """comes with `battery`."""
    battery: list[Battery] | UnsetType = UNSET
    """left, right, case."""


FILTER, SALT, FILTER_HIDDEN, BATTERY, BATTERY_HIDDEN = range(5)
_UNKNOWN_LEVEL = 127

MODEL = Record("model_id" / Hex(3))
_FILTER = Record("account_key_filter" / Hex(REST))
_LEVEL = (0, 7, Nullable(U8, _UNKNOWN_LEVEL))
_BATTERY = Record(
    "battery" / Sized(Records(Record(Flags(U8, charging=7, level_pct=_LEVEL))), "field_length", 3)
)
CASES = {
    FILTER: _FILTER,
    FILTER_HIDDEN: _FILTER,
    SALT: Record("salt" / Sized(Hex(REST), "field_length", 1, 2)),
    BATTERY: _BATTERY,
    BATTERY_HIDDEN: _BATTERY,
}
FIELD = Record(
    Flags(U8, length=(4, 4), type=(0, 4)),
    Body(
        lambda field: field.length,
        Choice(lambda field: field.type, CASES, Fault("unknown_field", "type above 4")),
        "field_overrun",
    ),
)
LAYOUT = Record("version_flags" / U8, "fields" / Records(FIELD, "field_overrun"))


def decode(reader: Reader) -> Fields:
    """Codes: `frame_length`, `version` at 0; at the field `field_overrun`, `unknown_field`, `field_length`.

    Lenient: the fields before an overrun, and all that are not at fault. Of a repeated field the last counts.
    """
    if len(reader.data) == 3:
        model: Fields = as_fields(Discoverable, {"mode": "discoverable", **reader.read(MODEL)})
        return model
    if (first := reader.select(1)[0]) >> 4:
        reader.fatal("version", 0, f"version {first >> 4} is not 0", "version_flags")
    raw = reader.read(LAYOUT)
    plain = {"mode": "not_discoverable", "version_flags": raw["version_flags"]}
    for field in raw["fields"]:
        plain |= _plain(field)
    fields: Fields = as_fields(NotDiscoverable, plain)
    return fields


def _plain(field: dict[str, Any]) -> dict[str, Any]:
    if "salt" in field:
        return {"salt": field["salt"]}
    if "account_key_filter" in field:
        shown = field["type"] == FILTER
        return {"account_key_filter": field["account_key_filter"], "show_ui": shown}
    return {"battery": field["battery"], "battery_show_ui": field["type"] == BATTERY}


def encode(fields: Any, keys: Keys) -> bytes:
    """A model id, or filter, salt and battery in this order. See `account_key_filter`."""
    if isinstance(fields, Discoverable):
        return build(MODEL, fields)
    if not 0 <= fields.version_flags <= 0x0F:
        raise EncodeError("version_flags", f"{fields.version_flags} is not 0..15 (version 0)")
    octets = bytes((fields.version_flags,))
    octets += _filter_field(fields, keys) + _salt_field(fields) + battery_field(fields)
    if len(octets) == 3:
        raise EncodeError("", f"{octets.hex()} has 3 octets and would be read as a model id")
    return octets


def account_key_filter(account_keys: list[bytes], salt: bytes, battery: bytes = b"") -> bytes:
    """Bloom filter of 16-octet keys; `battery` is the whole battery field. Without keys it is empty."""
    if not account_keys:
        return b""
    filter_octets = bytearray((6 * len(account_keys) + 15) // 5)
    for key in account_keys:
        for bit in _bits(key + salt + battery, 8 * len(filter_octets)):
            filter_octets[bit // 8] |= 1 << bit % 8
    return bytes(filter_octets)


def matches(fields: NotDiscoverable, account_key: bytes) -> bool:
    """Whether the filter may hold `account_key` (never wrong when it says no)."""
    if isinstance(fields.account_key_filter, UnsetType) or isinstance(fields.salt, UnsetType):
        return False
    held = bytes.fromhex(fields.account_key_filter)
    seed = account_key + bytes.fromhex(fields.salt) + battery_field(fields)
    return bool(held) and all(held[bit // 8] >> bit % 8 & 1 for bit in _bits(seed, 8 * len(held)))


def battery_field(fields: NotDiscoverable) -> bytes:
    """The battery field with its header octet, as the filter takes it in; empty when there is none."""
    if isinstance(fields.battery, UnsetType):
        _absent("battery_show_ui", fields.battery_show_ui, "battery")
        return b""
    if len(fields.battery) != 3:
        raise EncodeError("battery", f"{len(fields.battery)} parts, 3 needed: left, right, case")
    shown = _present("battery_show_ui", fields.battery_show_ui, "battery")
    for index, part in enumerate(fields.battery):
        if part.level_pct == _UNKNOWN_LEVEL:
            raise EncodeError(f"battery[{index}].level_pct", "127 is the code of null")
    kind = BATTERY if shown else BATTERY_HIDDEN
    return build(FIELD, {"length": 3, "type": kind, "battery": fields.battery})


def _filter_field(fields: NotDiscoverable, keys: Keys) -> bytes:
    if not isinstance(fields.account_key_filter, UnsetType):
        text = fields.account_key_filter
    elif "account_keys" in keys and fields.show_ui is not UNSET:
        salt = _octets("salt", _present("salt", fields.salt, "account_key_filter"))
        account_keys = keys.all_octets("account_keys", 16)
        text = account_key_filter(account_keys, salt, battery_field(fields)).hex()
    else:
        _absent("show_ui", fields.show_ui, "account_key_filter")
        return b""
    shown = _present("show_ui", fields.show_ui, "account_key_filter")
    size = len(_octets("account_key_filter", text))
    if size > 15:
        raise EncodeError("account_key_filter", f"{size} octets, at most 15 fit (10 account keys)")
    kind = FILTER if shown else FILTER_HIDDEN
    return build(FIELD, {"length": size, "type": kind, "account_key_filter": text})


def _salt_field(fields: NotDiscoverable) -> bytes:
    if isinstance(fields.salt, UnsetType):
        return b""
    size = len(_octets("salt", fields.salt))
    if size not in (1, 2):
        raise EncodeError("salt", f"{size} octets, needs 1 or 2")
    return build(FIELD, {"length": size, "type": SALT, "salt": fields.salt})


def _bits(seed: bytes, size: int) -> list[int]:
    """The eight bits of a filter of `size` bits that one key sets."""
    digest = hashlib.sha256(seed).digest()
    return [int.from_bytes(digest[at : at + 4]) % size for at in range(0, 32, 4)]


def _octets(path: str, text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise EncodeError(path, f"{text!r} is not hexadecimal") from None


def _present(path: str, value: Any, needed_by: str) -> Any:
    if value is UNSET:
        raise EncodeError(path, f"is missing; {needed_by} needs it")
    return value


def _absent(path: str, value: Any, without: str) -> None:
    if value is not UNSET:
        raise EncodeError(path, f"has no place without {without}")


FORMAT = Format(
    name="fast-pair",
    title="Google Fast Pair",
    source="Google Fast Pair Service specification, provider advertising and battery notification",
    fields=Discoverable | NotDiscoverable,
    decode=decode,
    encode=encode,
    keys=KEYS,
    examples=(
        Example("aabbcc", note="discoverable: model id"),
        Example(
            "00400a42881011c7",
            {"account_keys": ["11223344556677889900aabbccddeeff"]},
            note="filter of one key",
        ),
        Example("0050102256c04d11c733404040", note="filter of two keys, battery"),
        Example("00420a42881021c7a834e47fff", note="UI hidden, two octets of salt, unknown level"),
        Example("0000", note="empty filter"),
        Example("05", note="flags only"),
    ),
)
