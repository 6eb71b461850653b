"""Valid values of attribute and element bodies for property-based tests, drawn from the types of their fields.

Only imported by tests and by `sim/testing.py`: hypothesis comes with the test extra. No clock, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import strategies as st

from protocols.wifi_aware import parts
from protocols.wifi_aware.attributes import ATTRIBUTES, Attr
from protocols.wifi_aware.vocabulary import UNSET

if TYPE_CHECKING:
    from protocols.wifi_aware.parts import Part

__all__ = [
    "attributes",
    "bodies",
    "fields_of",
    "hexes",
    "integers",
    "just",
    "lists",
    "macs",
    "members_of",
    "one_of",
]

_INT64 = 2**64 - 1


just = st.just
lists = st.lists
one_of = st.one_of


def integers(bits: int) -> st.SearchStrategy[int]:
    """Numbers of that many bits."""
    return st.integers(min_value=0, max_value=(1 << bits) - 1)


def hexes(least: int = 0, most: int = 24) -> st.SearchStrategy[str]:
    """`least` to `most` octets as hex."""
    return st.binary(min_size=least, max_size=most).map(bytes.hex)


def macs() -> st.SearchStrategy[str]:
    """Addresses."""
    return st.binary(min_size=6, max_size=6).map(lambda octets: octets.hex(":"))


def fields_of(kind: Any, **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Values of a Fields struct: members of `given` as told, the others from their types and ranges."""
    drawn = {field.name: _member(field) for field in _fields(kind) if field.name not in given}
    return st.builds(kind, **drawn, **given)


def members_of(kind: Any) -> dict[str, st.SearchStrategy[Any]]:
    """Values of each member of a Fields struct, UNSET not among them."""
    return {field.name: _of(field.type) for field in _fields(kind)}


def _fields(kind: Any) -> tuple[msgspec.inspect.Field, ...]:
    info = msgspec.inspect.type_info(kind)
    if not isinstance(info, msgspec.inspect.StructType):
        raise TypeError(f"{kind} is no struct")
    return info.fields


def _member(field: msgspec.inspect.Field) -> st.SearchStrategy[Any]:
    """Values of one field; one that may be UNSET has no default that msgspec would tell."""
    values = _of(field.type)
    may_be_unset = not field.required and field.default is msgspec.NODEFAULT
    return st.one_of(st.just(UNSET), values) if may_be_unset else values


def bodies(part: Part) -> st.SearchStrategy[Any]:
    """Valid fields of one attribute or element."""
    found: st.SearchStrategy[Any] = part.strategy() if part.strategy else fields_of(part.fields)
    return found


def attributes() -> st.SearchStrategy[Attr]:
    """Any registered attribute with a valid body."""
    return st.sampled_from([part for _, part in ATTRIBUTES]).flatmap(
        lambda part: bodies(part).map(lambda fields: Attr(part.id, parts.written(part, fields)))
    )


def _of(info: Any) -> st.SearchStrategy[Any]:
    """Values of a msgspec type."""
    types = msgspec.inspect
    match info:
        case types.Metadata():
            return _of(info.type)
        case types.IntType():
            most = _INT64 if info.le is None else info.le
            return st.integers(min_value=info.ge, max_value=most)
        case types.BoolType():
            return st.booleans()
        case types.StrType():
            return _text(info.pattern)
        case types.LiteralType():
            return st.sampled_from(info.values)
        case types.UnionType():
            return st.one_of(*(_of(one) for one in info.types))
        case types.ListType() | types.VarTupleType():
            items = st.lists(_of(info.item_type), max_size=4)
            return items.map(tuple) if isinstance(info, types.VarTupleType) else items
        case types.StructType():
            return fields_of(info.cls)
        case _:
            raise TypeError(f"no values known for {info}: give the attribute a strategy")


def _text(pattern: str | None) -> st.SearchStrategy[str]:
    if pattern is None:
        raise TypeError("text without pattern: give the attribute a strategy")
    if pattern.startswith("^([0-9a-f]{2}:)"):
        return macs()
    if pattern.endswith(")*$"):
        return hexes()
    return st.from_regex(pattern, fullmatch=True)
