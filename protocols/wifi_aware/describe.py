"""What there is to say about an attribute: identity, sizes, and its fields with their types and ranges.

Field types are read from the structs, so that a new attribute's file is all that is needed. No clock, no
randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from protocols.wifi_aware.attributes import ATTRIBUTES, find
from protocols.wifi_aware.vocabulary import Body

if TYPE_CHECKING:
    from collections.abc import Iterator

    from protocols.wifi_aware.attributes import Attribute

__all__ = ["describe", "named", "rows"]

_TEXTS = {
    r"^([0-9a-f]{2}:){5}[0-9a-f]{2}$": "address aa:bb:cc:dd:ee:ff",
    r"^([0-9a-f]{2})*$": "octets as hex",
}
_HEX_DIGITS = r"^[0-9a-f]{"


def rows() -> list[dict[str, Any]]:
    """Every registered attribute, by ID."""
    parts = sorted((part for _, part in ATTRIBUTES), key=lambda part: part.id)
    return [
        {
            "name": part.name,
            "title": f"{part.id:#04x} {part.title}",
            "id": part.id,
            "source": part.source,
            **_sizes(part),
            "multiple": part.multiple,
            "fields": [name for name, _, _ in _fields(part.fields, "")],
        }
        for part in parts
    ]


def named(name: str) -> Attribute:
    """The attribute of that name, or of that ID ("0x2c", "44"). Raises UnknownNameError."""
    try:
        part = find(int(name, 0))
    except ValueError:
        part = None
    return part if part is not None else ATTRIBUTES.get(name)


def describe(part: Attribute) -> dict[str, Any]:
    """What `nearbench show attribute` prints."""
    return {
        "name": part.name,
        "title": part.title,
        "id": part.id,
        "id_hex": f"{part.id:#04x}",
        "source": part.source,
        **_sizes(part),
        "multiple": part.multiple,
        "fields": [
            {"name": name, "about": f"{words}, may be left out" if optional else words}
            for name, words, optional in _fields(part.fields, "")
        ],
        "examples": [{"hex": e.hex, "note": e.note} for e in part.examples],
    }


def _sizes(part: Attribute) -> dict[str, int | None]:
    return {"minimum_octets": part.minimum, "maximum_octets": part.maximum}


def _fields(kind: Any, prefix: str) -> Iterator[tuple[str, str, bool]]:
    """(path, type in words, whether it may be left out) of the fields of a struct, those inside it included."""
    info = msgspec.inspect.type_info(kind)
    if not isinstance(info, msgspec.inspect.StructType):
        raise TypeError(f"{kind} is no struct")
    for field in info.fields:
        path = f"{prefix}{field.name}"
        inner, words = _words(field.type)
        yield path, words, not field.required
        if inner is not None:
            yield from _fields(inner, f"{path}[]." if words.startswith("list") else f"{path}.")


def _words(info: Any) -> tuple[Any, str]:
    """(the struct inside or None, the type in words) of a msgspec type."""
    types = msgspec.inspect
    match info:
        case types.Metadata():
            return _words(info.type)
        case types.BoolType():
            return None, "true or false"
        case types.IntType():
            return None, f"number {info.ge} to {2**64 - 1 if info.le is None else info.le}"
        case types.StrType():
            return None, _text(info.pattern)
        case types.UnionType():
            kinds = [_words(one) for one in info.types]
            inner = next((inner for inner, _ in kinds if inner is not None), None)
            return inner, " or ".join(words for _, words in kinds)
        case types.ListType() | types.VarTupleType():
            inner, words = _words(info.item_type)
            return inner, f"list of {words}"
        case types.StructType():
            return (info.cls if issubclass(info.cls, Body) else None), "object"
        case _:
            return None, type(info).__name__.removesuffix("Type").lower()


def _text(pattern: str | None) -> str:
    if pattern is None:
        return "text"
    if pattern.startswith(_HEX_DIGITS):
        digits = int(pattern.removeprefix(_HEX_DIGITS).partition("}")[0])
        return f"{digits // 2} octets as hex"
    return _TEXTS.get(pattern, f"text like {pattern}")
