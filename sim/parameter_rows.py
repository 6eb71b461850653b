"""The parameters of a device or fault one by one, as people are shown them: name, type, allowed values, default, meaning.

Rules: a table inside the settings is told by its own parameters, called `table.KEY` as in `--set`; a default stands as it
would be typed. No clock, no IO but the source of the settings, whose doc lines say what they mean.
"""

from __future__ import annotations

import types
import typing
from typing import TYPE_CHECKING, Any, cast

import msgspec

from sim.device import field_docs
from sim.typed import members, type_text
from sim.units import Duration, duration_text

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["parameter_rows"]

_LISTS = (tuple, list)


def parameter_rows(kind: type[msgspec.Struct]) -> list[dict[str, Any]]:
    """A row for each parameter: `name`, `type`, `values` where only some are allowed, `default`, `about`."""
    return list(_rows(kind, None, ""))


def _rows(
    kind: type[msgspec.Struct], given: msgspec.Struct | None, prefix: str
) -> Iterator[dict[str, Any]]:
    docs = field_docs(kind)
    for field in msgspec.structs.fields(kind):
        default = _default(field) if given is None else getattr(given, field.name)
        table = _table(field.type)
        name = f"{prefix}{field.encode_name}"
        if table is None or default is None:
            row = {"name": name, "type": _type(field.type), "values": _values(field.type)}
            row |= {"default": _written(default), "about": docs.get(field.name, "")}
            yield {key: value for key, value in row.items() if key != "values" or value}
        if table is not None:
            yield from _rows(table, default, f"{name}.")


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return None if field.default is msgspec.NODEFAULT else field.default


def _table(kind: Any) -> type[msgspec.Struct] | None:
    """The struct that a field is, or may be."""
    for one in members(kind):
        if isinstance(one, type) and issubclass(one, msgspec.Struct):
            return one
    return None


def _values(kind: Any) -> list[Any]:
    """What may be given, of a list what may stand in it; empty when that is not a few values."""
    found: list[Any] = []
    for one in members(kind):
        origin, inside = typing.get_origin(one), typing.get_args(one)
        if origin is typing.Literal:
            found += inside
        elif origin in _LISTS:
            found += _values(inside[0])
        elif one is not types.NoneType:
            return []
    return found


def _type(kind: Any) -> str:
    """Its name; that of what may be one of a few values says only what they are in."""
    if not _values(kind):
        return type_text(kind)
    return "list" if any(typing.get_origin(one) in _LISTS for one in members(kind)) else "choice"


def _written(value: Any) -> Any:
    """A default as it would be typed, in types that JSON has."""
    if isinstance(value, Duration):
        return duration_text(value)
    if isinstance(value, _LISTS):
        return [_written(one) for one in cast("tuple[Any, ...]", value)]
    return msgspec.to_builtins(value, enc_hook=str)
