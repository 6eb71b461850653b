"""Members with an extent of their own: a body behind its length, octets of a set number, records until the end.

Rule: every octet inside the extent is read, or named by a fault. No clock, no randomness, no IO.
"""

# construct is untyped: what leaves this folder is typed as `Codec`.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, cast

import construct
import msgspec

from protocols.errors import DecodeError, EncodeError
from protocols.layout.values import Adapt
from protocols.layout.walk import OMIT, Codec, LengthNode, Node, Walk, field_path, walk_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Body(construct.Construct):  # type: ignore[misc]  # construct is untyped
    """`subcon` inside a length-prefixed body: `length` octets (a codec, or a function of the fields so far).

    A length that reaches past the end is the fault `code` at the body's first octet (the length's, when it
    is a codec). Octets that `subcon` leaves over are the fault `leftover`, when named. A length that is a codec
    is a node of the tree, called `called`.
    """

    def __init__(
        self,
        length: Codec | Callable[[Any], int],
        subcon: Codec,
        code: str = "frame_length",
        *,
        leftover: str = "",
        called: str = "length",
    ) -> None:
        super().__init__()
        self.length: Any = length
        self.called = called
        self.subcon: Any = subcon
        self.code = code
        self.leftover = leftover

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        walk = walk_of(context)
        first = stream.tell()
        is_codec = isinstance(self.length, construct.Construct)
        size = self.length._parsereport(stream, context, path) if is_codec else self.length(context)
        start = stream.tell()
        data = stream.read(max(size, 0))
        if len(data) != size:
            message = f"length {size} needs {size} octets, {len(data)} remain"
            walk.fatal(self.code, walk.base + first, message, field_path(path))
        if is_codec:
            number = self.length.to_wire(size) if isinstance(self.length, Adapt) else size
            place = (walk.base + first, walk.base + start)
            walk.nodes.append(LengthNode(self.called, number, None, *place, ()))
        base, walk.base = walk.base, walk.base + start
        inner = io.BytesIO(data)
        try:
            value = self.subcon._parsereport(inner, context, path)
            if self.leftover and inner.tell() < size:
                message = f"{size - inner.tell()} octets left over"
                walk.fault(self.leftover, walk.base + inner.tell(), message, field_path(path))
        finally:
            walk.base = base
        return value

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        inner = io.BytesIO()
        self.subcon._build(obj, inner, context, path)
        data = inner.getvalue()
        if isinstance(self.length, construct.Construct):
            self.length._build(len(data), stream, context, path)
        stream.write(data)
        return obj


class Sized(construct.Construct):  # type: ignore[misc]  # construct is untyped
    """`subcon` over all octets that remain, whose number must be right: else the fault `code` at the first.

    Right is one of `sizes`, or `at_least` that many, or a multiple of `step`. The lenient walk leaves the
    member out. With `code=None` a wrong number is no fault either: the octets read as `otherwise`.
    """

    def __init__(
        self,
        subcon: Codec,
        code: str | None,
        *sizes: int,
        at_least: int = 0,
        step: int = 1,
        otherwise: Codec | None = None,
    ) -> None:
        super().__init__()
        self.subcon: Any = subcon
        self.code = code
        self.sizes = sizes
        self.at_least = at_least
        self.step = step
        self.otherwise: Any = otherwise

    def fits(self, size: int) -> bool:
        """Whether that many octets are right."""
        if self.sizes:
            return size in self.sizes
        return size >= self.at_least and size % self.step == 0

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        start = stream.tell()
        size = _end(stream) - start
        if self.fits(size):
            return self.subcon._parsereport(stream, context, path)
        if self.code is None:
            return self.otherwise._parsereport(stream, context, path) if self.otherwise else OMIT
        walk = walk_of(context)
        walk.fault(
            self.code, walk.base + start, f"{size} octets, {self._wanted()}", field_path(path)
        )
        stream.read()
        return OMIT

    def _wanted(self) -> str:
        if self.sizes:
            return f"needs {' or '.join(map(str, self.sizes))}"
        return (
            f"needs a multiple of {self.step}"
            if self.step > 1
            else f"needs {self.at_least} or more"
        )

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        self.subcon._build(obj, stream, context, path)
        return obj


class Records(construct.Construct):  # type: ignore[misc]  # construct is untyped
    """`element` again and again until the octets end, as a list.

    Any fault inside an element that has no code of its own (data cut off) is `overrun` at the element's
    first octet. With `pin`, every fault inside an element is moved to its first octet (inner records of
    section 5.1). Lenient: what came before an overrun is kept; an element with another fault is left out,
    unless all its faults are in `keep`.

    With `pad` = (octet, code), an element that would start with that octet ends the list: what follows is
    padding, and anything else in it is the fault `code` (lenient: the list goes on there).
    `meaning` puts an element into words for the tree.
    """

    def __init__(
        self,
        element: Codec,
        overrun: str = "frame_length",
        *,
        pin: bool = True,
        stop: Sequence[str] = (),
        keep: Sequence[str] = (),
        pad: tuple[int, str] | None = None,
        meaning: Callable[[Any], str | None] | None = None,
    ) -> None:
        super().__init__()
        self.element: Any = element
        self.overrun = overrun
        self.pin = pin
        self.stop = tuple(stop)
        self.keep = frozenset(keep)
        self.pad = pad
        self.meaning_of = meaning

    def _parse(self, stream: Any, context: Any, path: str) -> list[Any]:
        walk = walk_of(context)
        out: list[Any] = []
        outer = walk.nodes
        while (start := stream.tell()) < _end(stream):
            if self.pad is not None and self._padding(stream, walk, outer, path):
                continue
            kids: list[Node] = []
            walk.nodes = kids
            found = self._one(stream, context, f"{path} -> [{len(out)}]", walk, start)
            if found is None:
                stream.seek(0, io.SEEK_END)  # nothing behind the fault can be trusted
                break
            value, faulty = found
            if not faulty:
                begin, end = walk.base + start, walk.base + stream.tell()
                if len(kids) == 1 and isinstance(kids[0], LengthNode):
                    kids.append(Node("value", value, None, kids[0].end, end, ()))
                shown = None if kids else value
                meaning = self.meaning_of(value) if self.meaning_of else None
                outer.append(
                    Node(f"[{len(out)}]", shown, None, begin, end, tuple(kids), meaning=meaning)
                )
                out.append(value)
        walk.nodes = outer
        return out

    def _one(
        self, stream: Any, context: Any, path: str, walk: Walk, start: int
    ) -> tuple[Any, bool] | None:
        """(value, faulty), or None when the walk must stop. Faults inside are judged here."""
        noted = len(walk.doubts)
        try:
            value = self.element._parsereport(stream, context, path)
        except construct.StreamError:
            walk.fault(self.overrun, walk.base + start, "reaches past the end", field_path(path))
            return None
        except DecodeError as exc:
            offset = walk.base + start if self.pin else exc.offset
            walk.fault(exc.code, offset, exc.message, exc.path)
            return None
        fresh = walk.doubts[noted:]
        if self.pin and fresh:
            walk.doubts[noted:] = [
                msgspec.structs.replace(d, offset=walk.base + start) for d in fresh
            ]
        if any(doubt.code in self.stop for doubt in fresh):
            return None
        if stream.tell() == start:
            walk.fault(self.overrun, walk.base + start, "takes no octets", field_path(path))
            return None
        return value, any(doubt.code not in self.keep for doubt in fresh)

    def _padding(self, stream: Any, walk: Walk, nodes: list[Node], path: str) -> bool:
        """Whether padding starts here; if so it is passed over."""
        octet, code = cast("tuple[int, str]", self.pad)
        start = stream.tell()
        rest = cast("bytes", stream.read())
        length = len(rest) - len(rest.lstrip(bytes((octet,))))
        stream.seek(start + length)
        if length == 0:
            return False
        if length < len(rest):
            message = f"octet {rest[length]:#04x} in the padding that starts here"
            walk.fault(code, walk.base + start, message, field_path(path))
        begin = walk.base + start
        nodes.append(Node("padding", rest[:length].hex(), None, begin, begin + length, ()))
        return True

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        if not isinstance(obj, (list, tuple)):
            raise EncodeError(field_path(path), f"{obj!r} is not a list")
        for index, item in enumerate(obj):
            self.element._build(item, stream, context, f"{path} -> [{index}]")
        return obj


def _end(stream: Any) -> int:
    here = stream.tell()
    end = stream.seek(0, io.SEEK_END)
    stream.seek(here)
    return cast("int", end)
