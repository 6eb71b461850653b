"""Fast reading of records whose members all have a fixed size: one unpacking made from the definition.

The definition in `protocols.layout` stays the single source: `fixed` walks it once and gives a function that reads
the same values without tree and without spans, or None for a record that it does not know how to read (members that
may be missing, or whose size or meaning depends on others). A test compares both on random octets. Like
`protocols/layout/` this file knows how construct's objects are made. No clock, no randomness, no IO.
"""

# construct is untyped: what leaves this file is typed.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

import functools
import struct
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import construct

from protocols.layout import Codec, Const, Flags, Record
from protocols.layout.values import Adapt

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Fixed", "fixed"]


class Fixed(NamedTuple):
    """Octets of the record, and its values from the octets at an offset (enough of them are there)."""

    size: int
    read: Callable[[bytes, int], dict[str, Any]]


class _Plan:
    """What was found in a record: the form for `struct`, and what to make of each number."""

    def __init__(self) -> None:
        self.form = ""
        self.count = 0
        self.whole: list[tuple[str, int, Callable[[Any], Any] | None]] = []
        self.bits: list[tuple[str, int, int, int, Callable[[Any], Any] | None]] = []

    def add(self, name: str, codec: Any) -> bool:
        """Take one member in; False when it is of no fixed form."""
        if isinstance(codec, Flags):
            return self._add_flags(codec)
        convert: Callable[[Any], Any] | None = None
        while type(codec) is Adapt:  # its own class maps a value and looks at nothing else
            convert = codec.from_wire if convert is None else _chain(codec.from_wire, convert)
            codec = codec.subcon
        form = _form(codec)
        if form is None:
            return False
        self.form += form
        if name and not name.startswith("_"):
            self.whole.append((name, self.count, convert))
        self.count += 1
        return True

    def _add_flags(self, codec: Any) -> bool:
        form = _form(codec.base)
        if form is None or codec.whole:
            return False
        self.form += form
        for name, (low, width, adapter) in codec.fields.items():
            if not name.startswith("_"):
                convert = None if adapter is None else adapter.from_wire
                self.bits.append((name, self.count, low, (1 << width) - 1, convert))
        self.count += 1
        return True


def _chain(first: Callable[[Any], Any], then: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: then(first(value))


def _form(codec: Any) -> str | None:
    """The member's form for a little-endian `struct`."""
    if isinstance(codec, construct.FormatField):
        order, kind = codec.fmtstr[0], codec.fmtstr[1:]
        return kind if order == "<" or codec.length == 1 else None
    if isinstance(codec, Const):
        return f"{len(codec.octets)}s"
    if isinstance(codec, construct.Bytes):
        return f"{codec.length}s" if isinstance(codec.length, int) else None
    return None


def fixed(record: Codec) -> Fixed | None:
    """The fast reader of a record, None when it has none. Constants are passed over, not compared."""
    return _fixed(cast("Any", record))


@functools.cache
def _fixed(record: Any) -> Fixed | None:
    if not isinstance(record, Record):
        return None
    plan = _Plan()
    for member in record.subcons:
        codec = member.subcon if isinstance(member, construct.Renamed) else member
        if not plan.add(member.name or "", codec):
            return None
    packed = struct.Struct(f"<{plan.form}")
    unpack, whole, bits = packed.unpack_from, tuple(plan.whole), tuple(plan.bits)

    def read(data: bytes, offset: int) -> dict[str, Any]:
        numbers = unpack(data, offset)
        values: dict[str, Any] = {}
        for name, index, convert in whole:
            value = numbers[index]
            values[name] = value if convert is None else convert(value)
        for name, index, low, mask, convert in bits:
            value = numbers[index] >> low & mask
            values[name] = value if convert is None else convert(value)
        return values

    return Fixed(packed.size, read)
