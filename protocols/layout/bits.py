"""Bit fields of one number.

Rule: bits count from the lowest of the number, whatever its byte order; the fields belong to the record around
them. No clock, no randomness, no IO.
"""

# construct is untyped: what leaves this folder is typed as `Codec`.
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import construct

from protocols.errors import EncodeError
from protocols.layout.values import BIT, Adapt
from protocols.layout.walk import Codec, Node, has, joined, unit_of, value_of

if TYPE_CHECKING:
    from collections.abc import Mapping


class Flags(construct.Construct):  # type: ignore[misc]  # construct is untyped
    """Bit fields of one number, merged into the surrounding record: `Flags(U8, encrypted=0, version=(5, 3))`.

    An int names one bit (bool), a pair (lowest bit, width) a number, a triple (lowest bit, width, codec) a
    number read through `Scaled`, `Nullable`, `Mapped` or `Coded` without a code. `whole` also gives the number
    itself that name. Bits no field names are kept in `whole`, else built as zero, as is a field with an underscore that is
    not given. A pair (bit, name of a member) is the bit that says whether that member is there: it is built
    from the member's presence, and `Flagged` reads it.
    """

    def __init__(
        self,
        base: Codec,
        *,
        whole: str = "",
        fixed: Mapping[int, int] | None = None,
        **fields: int | tuple[int, int] | tuple[int, int, Codec] | tuple[int, str],
    ) -> None:
        super().__init__()
        self.base: Any = base
        self.whole = whole
        self.fixed = sum(value << shift for shift, value in (fixed or {}).items())
        self.members: dict[str, str] = {}
        self.fields: dict[str, tuple[int, int, Adapt | None]] = {}
        for name, place in fields.items():
            member = place[1] if isinstance(place, tuple) else None
            if isinstance(member, str):
                self.members[name] = member
            self.fields[name] = _bits(place)

    def _parse(self, stream: Any, context: Any, path: str) -> dict[str, Any]:
        number = self.base._parsereport(stream, context, path)
        values: dict[str, Any] = {self.whole: number} if self.whole else {}
        for name, (low, width, codec) in self.fields.items():
            bits = number >> low & ((1 << width) - 1)
            values[name] = codec.from_wire(bits) if codec else bits
        return values

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        whole_given = bool(self.whole) and has(obj, self.whole)
        number = _bit_number(
            value_of(obj, self.whole, path) if whole_given else self.fixed, path, self.whole
        )
        for name, (low, width, codec) in self.fields.items():
            if name in self.members:
                value = int(has(obj, self.members[name]))
            elif (whole_given or name.startswith("_")) and not has(obj, name):
                continue
            else:
                value = _bit_number(value_of(obj, name, path), path, name, codec)
            if not 0 <= value < 1 << width:
                raise EncodeError(joined(path, name), f"{value} does not fit in {width} bits")
            number = number & ~(((1 << width) - 1) << low) | value << low
        try:
            self.base._build(number, stream, context, path)
        except construct.ConstructError as exc:
            raise EncodeError(joined(path, self.whole), f"{number} does not fit the field") from exc
        return obj

    def nodes(self, values: Mapping[str, Any], start: int, end: int) -> list[Node]:
        """Tree nodes of the decoded bit fields."""
        name = self.whole.lstrip("_")
        out = [Node(name, values[self.whole], None, start, end, ())] if self.whole else []
        for field, (low, width, codec) in self.fields.items():
            value, name = values[field], field.lstrip("_")
            meaning = codec.meaning(value) if codec and codec.meaning else None
            place = (low, width)
            out.append(
                Node(name, value, unit_of(name), start, end, (), meaning=meaning, bits=place)
            )
        return out


def _bits(
    place: int | tuple[int, int] | tuple[int, int, Codec] | tuple[int, str],
) -> tuple[int, int, Adapt | None]:
    """(lowest bit, width, codec of the number) of a bit field."""
    if isinstance(place, int):
        return place, 1, BIT
    low, width, *codec = place
    if isinstance(width, str):
        return low, 1, BIT
    return low, width, cast("Adapt", codec[0]) if codec else None


def _bit_number(value: Any, path: str, name: str, codec: Adapt | None = None) -> int:
    """`value` as the number that goes into its bits. Raises EncodeError when it is none."""
    try:
        number = codec.to_wire(value) if codec else int(value)
    except (TypeError, ValueError, OverflowError, AttributeError) as exc:
        raise EncodeError(joined(path, name), str(exc)) from exc
    if not isinstance(number, int) or (codec is None and number != value):
        raise EncodeError(joined(path, name), f"{value!r} is not an integer")
    return number
