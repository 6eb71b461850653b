"""Records of named members, and the members whose presence or kind depends on the others.

Rule: `Record` notes the span of each named member; a name that starts with an underscore is shown in the tree and
kept out of the fields. No clock, no randomness, no IO.
"""

# construct is untyped: what leaves this folder is typed as `Codec`.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportIncompatibleMethodOverride=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import construct
import msgspec

from protocols.layout.bits import Flags
from protocols.layout.extents import Body, Sized
from protocols.layout.walk import OMIT, Codec, LengthNode, Node, has, unit_of, value_of, walk_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Record(construct.Struct):  # type: ignore[misc]  # construct is untyped
    """Named members in order; the dict it gives holds those whose name has no leading underscore."""

    def _parse(self, stream: Any, context: Any, path: str) -> dict[str, Any]:
        walk = walk_of(context)
        inner = construct.Container(_=context, _params=context._params)
        outer_nodes = walk.nodes
        here: list[Node] = []
        try:
            for member in self.subcons:
                start = walk.base + stream.tell()
                kids: list[Node] = []
                walk.nodes = kids
                value = member._parsereport(stream, inner, path)
                _note(here, inner, member, value, start, walk.base + stream.tell(), kids)
        finally:
            outer_nodes.extend(here)
            walk.nodes = outer_nodes
        return {k: v for k, v in inner.items() if not k.startswith("_")}

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        inner = construct.Container(_=context, _params=context._params, _fields=obj)
        view = _View(obj)
        for member in self.subcons:
            codec = _unnamed(member)
            if isinstance(codec, When):
                if not codec.condition(view):
                    continue
                codec = codec.subcon
            if member.name is None:
                codec._build(obj, stream, inner, path)
                continue
            optional = getattr(codec, "flagbuildnone", False) and not has(obj, member.name)
            value = None if optional else value_of(obj, member.name, path)
            codec._build(value, stream, inner, f"{path} -> {member.name}")
        return obj


def _unnamed(member: Any) -> Any:
    return member.subcon if isinstance(member, construct.Renamed) else member


def _note(
    here: list[Node], inner: Any, member: Any, value: Any, start: int, end: int, kids: list[Node]
) -> None:
    """Put one member into the record's values and its tree."""
    codec = _unnamed(member)
    while isinstance(codec, (When, Optional, Body, Choice, Sized)):
        codec = _unnamed(codec.chosen if isinstance(codec, Choice) else codec.subcon)
    if value is OMIT:
        here.extend(kids)
    elif isinstance(codec, Flags):
        inner.update(value)
        here.extend(codec.nodes(value, start, end))
    elif member.name is None:
        if isinstance(value, dict):
            inner.update(value)
        here.extend(kids)
    else:
        inner[member.name] = value
        name = member.name.lstrip("_")
        meaning_of = getattr(codec, "meaning", None)
        meaning = meaning_of(value) if meaning_of else None
        if len(kids) == 1 and isinstance(kids[0], LengthNode):
            length = kids.pop()
            here.append(msgspec.structs.replace(length, name=f"{name}_{length.name}"))
            start = length.end
        shown = None if kids else value.hex() if isinstance(value, bytes) else value
        here.append(Node(name, shown, unit_of(name), start, end, tuple(kids), meaning=meaning))


class When(construct.Construct):  # type: ignore[misc]  # construct is untyped
    """A member of a record that is there only when `condition(fields)` holds, in parsing and in building.

    When parsing, `fields` are those before it; when building, all that were given (others read as None).
    """

    def __init__(self, condition: Callable[[Any], bool], subcon: Codec) -> None:
        super().__init__()
        self.condition = condition
        self.subcon: Any = subcon

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        if not self.condition(context):
            return OMIT
        return self.subcon._parsereport(stream, context, path)


class _View:
    """Fields being built, read as attributes by conditions; what is not given reads as None."""

    def __init__(self, fields: Any) -> None:
        self._fields = fields

    def __getattr__(self, name: str) -> Any:
        fields = self._fields
        return (
            (fields[name] if isinstance(fields, dict) else getattr(fields, name))
            if has(fields, name)
            else None
        )


class Optional(construct.Construct):  # type: ignore[misc]  # construct is untyped
    """A trailing member: at the end of the data it is `absent` (OMIT: left out, None: "not available")."""

    def __init__(self, subcon: Codec, absent: Any = OMIT) -> None:
        super().__init__()
        self.subcon: Any = subcon
        self.absent = absent
        self.flagbuildnone = True

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        here = stream.tell()
        more = stream.read(1)
        stream.seek(here)
        return self.subcon._parsereport(stream, context, path) if more else self.absent

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        if obj is not None and obj is not OMIT:
            self.subcon._build(obj, stream, context, path)
        return obj


class Flagged(Optional):
    """A member that is there when the bit `flag` of an earlier `Flags` is set; built when it is given."""

    def __init__(self, flag: str, subcon: Codec) -> None:
        super().__init__(subcon)
        self.flag = flag

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        return self.subcon._parsereport(stream, context, path) if context[self.flag] else OMIT


class Choice(construct.Construct):  # type: ignore[misc]  # construct is untyped
    """One of several codecs, picked by `select(fields so far)`; the same function picks when building."""

    def __init__(
        self, select: Callable[[Any], Any], cases: Mapping[Any, Codec], default: Codec
    ) -> None:
        super().__init__()
        self.select = select
        self.cases: Any = cases
        self.default: Any = default
        self.chosen: Any = default

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        chosen = self.cases.get(self.select(context), self.default)
        value = chosen._parsereport(stream, context, path)
        self.chosen = chosen  # after the walk: a case may hold this choice again
        return value

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        chosen = self.cases.get(self.select(_View(context._fields)), self.default)
        chosen._build(obj, stream, context, path)
        return obj
