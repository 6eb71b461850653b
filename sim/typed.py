"""Values as people type them behind `=`: TOML (3, true, [1, 2], "text"), or else plain text.

A PIN of digits or a version like 26.0 is a number to TOML; what it is meant to be, the type of the setting says. No
clock, no IO.
"""

from __future__ import annotations

import re
import tomllib
import types
import typing
from typing import TYPE_CHECKING, Any, cast

import msgspec

from protocols.conversion import as_typed
from protocols.errors import UnknownNameError
from sim.units import Duration, parse_duration_us

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Typed",
    "as_declared",
    "duration_hook",
    "in_words",
    "members",
    "plain",
    "type_text",
    "typed",
]


class Typed(msgspec.Struct, frozen=True):
    """Something that TOML takes for a value other than text; which of the two is meant is not known yet."""

    text: str
    value: Any


def typed(text: str) -> Any:
    """`text` as it is when TOML takes it for text or for nothing, else a `Typed`."""
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    return value if isinstance(value, str) else Typed(text, value)


def plain(value: Any) -> Any:
    """`value` without the text behind it."""
    return value.value if isinstance(value, Typed) else value


def as_declared(value: Any, kind: Any) -> Any:
    """`value` with each `Typed` replaced by its value where `kind` takes that, else by its text where `kind` takes that."""
    if isinstance(value, dict):
        given = cast("dict[str, Any]", value)
        kinds = {field.encode_name: field.type for field in _struct_fields(kind)}
        return {key: as_declared(one, kinds.get(key, Any)) for key, one in given.items()}
    if not isinstance(value, Typed):
        return value
    wrong = _wrong(kind, value.value)
    wants_text = "`str" in wrong or (wrong and not _wrong(kind, value.text))
    return value.text if wants_text else value.value


def duration_hook(wanted: type, given: Any) -> Any:
    """The types that msgspec does not know: durations with their unit."""
    if wanted is Duration:
        return parse_duration_us(given)
    raise NotImplementedError(wanted)


def _wrong(kind: Any, value: Any) -> str:
    """Why `kind` does not take `value`; empty when it does."""
    try:
        as_typed(value, kind, hook=duration_hook)
    except msgspec.ValidationError as exc:
        return str(exc)
    return ""


_ITEM = re.compile(r"\.?([A-Za-z_]\w*)|\[(?:\d+|\.\.\.)\]")


def in_words(message: str, kind: Any, path: str) -> str:
    """What msgspec says about a value of type `kind` at `path` (".plist.services[0]"), with what would be right."""
    if found := re.fullmatch(r"Object contains unknown field `(.*)`", message):
        names = [name for one in _at(kind, path) for name in _fields(one)]
        return str(UnknownNameError("setting", found.group(1), names)) if names else message
    if found := re.fullmatch(r"Invalid enum value (.*)", message):
        allowed = [str(one) for place in _at(kind, path) for one in _choices(place)]
        return f"{message}; allowed: {', '.join(allowed)}" if allowed else message
    return message


def _struct_fields(kind: Any) -> tuple[msgspec.structs.FieldInfo, ...]:
    """Fields of a struct type, none of any other."""
    is_struct = isinstance(kind, type) and issubclass(kind, msgspec.Struct)
    return msgspec.structs.fields(cast("type[msgspec.Struct]", kind)) if is_struct else ()


def _fields(kind: Any) -> list[str]:
    return [field.encode_name for field in _struct_fields(kind)]


def _choices(kind: Any) -> tuple[Any, ...]:
    return typing.get_args(kind) if typing.get_origin(kind) is typing.Literal else ()


def _at(kind: Any, path: str) -> list[Any]:
    """The types that stand at `path` inside of `kind`; the members of a union each."""
    found = members(kind)
    for name in (item.group(1) for item in _ITEM.finditer(path)):
        inner: list[Any] = []
        for one in found:
            if not name:
                inner += [arg for arg in typing.get_args(one) if arg is not ...]
            else:
                inner += [f.type for f in _struct_fields(one) if f.encode_name == name]
        found = [member for one in inner for member in members(one)]
    return found


def members(kind: Any) -> list[Any]:
    """The types of a union, also of unions in it; a type that is none alone."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return [member for one in typing.get_args(kind) for member in members(one)]
    return [kind]


_LISTS = (tuple, list)


def type_text(kind: Any) -> str:
    """A type for people: `int`, `Duration | None`, `foreground | background`, `list of str`, `table`."""
    return " | ".join(dict.fromkeys(text for one in members(kind) for text in _named(one)))


def _named(kind: Any) -> Iterator[str]:
    origin = typing.get_origin(kind)
    if origin is typing.Literal:
        yield from (str(one) or '""' for one in _choices(kind))
    elif origin in _LISTS:
        yield f"list of {type_text(typing.get_args(kind)[0])}"
    elif origin is dict or _struct_fields(kind):
        yield "table"
    else:
        yield "None" if kind is types.NoneType else getattr(kind, "__name__", str(kind))
