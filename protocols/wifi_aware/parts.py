"""What an attribute, an element or a KDE is to the codec: a `Part`, whose body is decoded when it is looked at.

One decode path: `look` gives the fields of a body with its tree, and remembers them (the same few attributes
fill every frame of a cluster); trees of whole frames are put together from it by `placed`. Offsets inside a part
count from its body, `placed` and `moved` move them to where the body stands. No clock, no randomness, no IO.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec
from msgspec import UNSET

from protocols.errors import DecodeError, EncodeError, UnknownNameError
from protocols.format import Example, Fields, Keys, Reader, as_fields, to_plain
from protocols.layout import Codec, Node, build

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from protocols.registry import Folder

__all__ = [
    "Example",
    "Part",
    "behind_fragments",
    "choice_of",
    "defragmented",
    "join",
    "listed",
    "look",
    "moved",
    "opaque",
    "placed",
    "shown_plain",
    "spread",
    "told",
    "written",
    "written_plain",
]

REMEMBERED = 512
"""Bodies whose decoding is kept: more than the attributes that all neighbours of a busy cluster repeat."""
_NO_KEYS = Keys()
_SHORT = "frame_length"


class Part(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Definition of one kind of body. The file that holds it exports it as ATTRIBUTE."""

    id: int
    name: str
    """as in plain fields, `master_indication`; an attribute's file has this name."""
    title: str
    source: str
    """document and clause."""
    fields: Any
    """the Fields struct that the body decodes to."""
    layout: Codec | None = None
    decode: Callable[[Reader], Any] | None = None
    """for bodies that one layout cannot say: gives `fields`, or the mapping of their values."""
    encode: Callable[[Any], bytes] | None = None
    minimum: int = 0
    """octets of the shortest body."""
    maximum: int | None = None
    """octets of the longest body, None when it may grow."""
    multiple: bool = False
    """whether a frame may carry several."""
    keyed: bool = False
    """whether keys of the context show more of it."""
    examples: tuple[Example, ...] = ()
    """valid bodies (without the header)."""
    strategy: Callable[[], Any] | None = None
    """hypothesis strategy of valid `fields`; None: drawn from the types of the fields."""
    length_code: str = "attribute_length"
    doubts: Callable[[Any], Iterable[tuple[str, str]]] | None = None
    """what is doubtful about `fields`: (path of a node such as "entries.[0].type", the doubt in words)."""


P = TypeVar("P", bound=Part)


def look(part: Part, octets: bytes, keys: Keys | None = None) -> tuple[Fields, tuple[Node, ...]]:
    """Fields and tree of a body, offsets counted from its first octet. Raises DecodeError.

    Codes: `attribute_length` (or `element_length`) when octets are missing or left over, and those of the part.
    """
    if part.keyed and keys is not None:
        return _look(part, octets, keys)
    return _remembered(part, octets)


@functools.lru_cache(maxsize=REMEMBERED)
def _remembered(part: Part, octets: bytes) -> tuple[Fields, tuple[Node, ...]]:
    return _look(part, octets, _NO_KEYS)


def _look(part: Part, octets: bytes, keys: Keys) -> tuple[Fields, tuple[Node, ...]]:
    size = len(octets)
    if size < part.minimum or (part.maximum is not None and size > part.maximum):
        most = "or more" if part.maximum is None else f"to {part.maximum}"
        wanted = f"{part.minimum}" if part.minimum == part.maximum else f"{part.minimum} {most}"
        raise DecodeError(part.length_code, 0, f"{size} octets, needs {wanted}")
    reader = Reader(octets, keys)
    try:
        found = part.decode(reader) if part.decode is not None else reader.read(_layout(part))
        fields = found if isinstance(found, Fields) else _typed(part, found)
    except DecodeError as exc:
        code = part.length_code if exc.code == _SHORT else exc.code
        raise DecodeError(code, _place(exc, reader), exc.message, path=exc.path) from exc
    nodes = told(tuple(reader.walk.nodes), part.source)
    if part.doubts is None:
        return fields, nodes
    said: dict[str, list[str]] = {}
    for path, doubt in part.doubts(fields):
        said.setdefault(path, []).append(doubt)
    return fields, _doubted(nodes, said, "") if said else nodes


def _doubted(nodes: tuple[Node, ...], said: dict[str, list[str]], above: str) -> tuple[Node, ...]:
    """The nodes under the path `above` with the doubts that `said` has for their paths."""
    return tuple(
        msgspec.structs.replace(
            node,
            doubts=(*node.doubts, *said.get(f"{above}{node.name}", ())),
            children=_doubted(node.children, said, f"{above}{node.name}."),
        )
        for node in nodes
    )


def _place(exc: DecodeError, reader: Reader) -> int:
    """Where the fault is: without an offset of its own, behind the last member that was read whole."""
    if exc.offset is not None:
        return exc.offset
    return max((node.end for node in reader.walk.nodes), default=0)


def _layout(part: Part) -> Codec:
    if part.layout is None:
        raise TypeError(f"{part.name} has neither layout nor decode")
    return part.layout


def _typed(part: Part, values: Mapping[str, Any]) -> Fields:
    try:
        fields: Fields = as_fields(part.fields, values)
    except EncodeError as exc:
        raise DecodeError(part.length_code, 0, exc.message, path=exc.path) from exc
    return fields


def told(nodes: tuple[Node, ...], source: str) -> tuple[Node, ...]:
    """Nodes with their source, and a doubt where something reserved is in use; reserved bits that are zero go."""
    return tuple(
        msgspec.structs.replace(
            node,
            source=node.source or source,
            doubts=node.doubts or _doubts(node),
            children=told(node.children, source) if node.children else (),
        )
        for node in nodes
        if not (node.name.startswith("reserved") and node.bits and not node.value)
    )


def _doubts(node: Node) -> tuple[str, ...]:
    if node.name.startswith("reserved") and _used(node.value):
        return ("reserved bit set" if node.bits else "reserved octet in use",)
    if node.meaning is not None and "reserved" in node.meaning:
        return ("reserved value",)
    return ()


def _used(value: Any) -> bool:
    return any(bytes.fromhex(value)) if isinstance(value, str) else bool(value)


def written(part: Part, fields: Any) -> bytes:
    """Octets of typed fields. Raises EncodeError (path of the field)."""
    return part.encode(fields) if part.encode is not None else build(_layout(part), fields)


def written_plain(part: Part, plain: Mapping[str, Any], path: str) -> bytes:
    """Octets of JSON-like fields. Raises EncodeError; also when a field would be lost on the air."""
    try:
        fields = as_fields(part.fields, plain)
        octets = written(part, fields)
    except EncodeError as exc:
        raise EncodeError(join(path, exc.path), exc.message) from exc
    try:
        again = look(part, octets)[0]
    except DecodeError as exc:
        raise EncodeError(join(path, exc.path), f"gives a malformed {part.name}: {exc}") from exc
    if again != fields:
        lost = _first_difference(to_plain(fields), to_plain(again))
        raise EncodeError(join(path, lost), "does not go with the other fields: it would be lost")
    return octets


def _first_difference(given: Any, read: Any) -> str:
    """Path of the first member that two plain values do not share."""
    if not (isinstance(given, dict) and isinstance(read, dict)):
        return ""
    one, two = cast("dict[str, Any]", given), cast("dict[str, Any]", read)
    for name in (*one, *two):
        if one.get(name, UNSET) != two.get(name, UNSET):
            return join(name, _first_difference(one.get(name), two.get(name)))
    return ""


def join(path: str, name: str) -> str:
    """`name` inside `path`: "a" and "b" is "a.b", "a" and "[1]" is "a[1]"."""
    if not path or not name:
        return path or name
    return f"{path}{name}" if name.startswith("[") else f"{path}.{name}"


def placed(nodes: tuple[Node, ...], base: int) -> tuple[Node, ...]:
    """The nodes of a body that starts at octet `base`."""
    return tuple(
        Node(
            node.name,
            node.value,
            node.unit,
            node.start + base,
            node.end + base,
            placed(node.children, base) if node.children else (),
            node.meaning,
            node.bits,
            node.source,
            node.doubts,
        )
        for node in nodes
    )


def moved(error: DecodeError, base: int, path: str) -> DecodeError:
    """The error of a body that starts at octet `base` and is called `path`."""
    offset = None if error.offset is None else error.offset + base
    return DecodeError(error.code, offset, error.message, path=join(path, error.path))


def shown_plain(
    key: str, number: int, part: Part | None, octets: bytes, skip: int = 0
) -> dict[str, Any]:
    """JSON-like form of `octets`: {key: name, fields...}; {key: number, "octets"} when no part decodes them.

    `skip` octets stand before the body.
    """
    if part is not None:
        try:
            return {key: part.name, **to_plain(look(part, octets[skip:])[0])}
        except DecodeError:
            pass  # malformed: its octets say all there is to say
    return {key: number, "octets": octets.hex()}


def choice_of(folder: Folder[P], plain: Any, path: str) -> tuple[P | int, dict[str, Any]]:
    """The part, or the ID, that a JSON-like object names, and its other members. Raises EncodeError.

    The name stands under the kind of the folder: "attribute", "element".
    """
    key = folder.kind
    which, rest = _which(plain, key, path)
    if isinstance(which, int):
        return which, rest
    try:
        return folder.registered(which), rest
    except UnknownNameError as exc:
        raise EncodeError(join(path, key), str(exc)) from exc


def _which(plain: Any, key: str, path: str) -> tuple[str | int, dict[str, Any]]:
    members = cast("dict[str, Any]", plain) if isinstance(plain, dict) else {}
    which = members.get(key)
    if not isinstance(which, (str, int)) or isinstance(which, bool):
        raise EncodeError(path, f'needs "{key}" with a name, or with an ID beside "octets"')
    if isinstance(which, int) and not 0 <= which <= 0xFF:
        raise EncodeError(join(path, key), f"{which} is no ID (0 to 255)")
    return which, {name: value for name, value in members.items() if name != key}


def listed(plain: Any, path: str) -> list[tuple[str, Any]]:
    """(path, item) of a JSON-like list. Raises EncodeError."""
    if not isinstance(plain, (list, tuple)):
        raise EncodeError(path, "is not a list")
    items = cast("list[Any]", plain)
    return [(f"{path}[{index}]", item) for index, item in enumerate(items)]


def opaque(plain: Mapping[str, Any], path: str) -> bytes:
    """The octets of an opaque body, {"octets": hex}. Raises EncodeError."""
    try:
        if set(plain) != {"octets"}:
            raise ValueError('needs "octets" and nothing else')  # noqa: TRY301  # both faults read alike
        return bytes.fromhex(plain["octets"])
    except (TypeError, ValueError) as exc:
        raise EncodeError(join(path, "octets"), str(exc)) from exc


def defragmented(nodes: tuple[Node, ...], base: int, start: int) -> tuple[Node, ...]:
    """As `placed`, for an element at octet `start` whose body goes on behind Fragment headers."""
    return tuple(
        msgspec.structs.replace(
            node,
            start=behind_fragments(node.start, base, start),
            end=behind_fragments(max(node.end - 1, node.start), base, start)
            + (node.end > node.start),
            children=defragmented(node.children, base, start),
        )
        for node in nodes
    )


def spread(nodes: tuple[Node, ...], places: Sequence[int]) -> tuple[Node, ...]:
    """The nodes of octets that stand apart: octet n of them is octet `places[n]` of the frame."""

    def place(offset: int) -> int:
        return places[offset] if offset < len(places) else places[-1] + 1

    return tuple(
        msgspec.structs.replace(
            node,
            start=place(node.start),
            end=place(node.end - 1) + 1 if node.end > node.start else place(node.start),
            children=spread(node.children, places),
        )
        for node in nodes
    )


def behind_fragments(offset: int, base: int, start: int) -> int:
    """Where octet `offset` of a body stands that starts at `base`, in a fragmented element at `start`."""
    return offset + base + 2 * ((offset + base - start - 2) // 255)
