"""802.11 elements as Wi-Fi Aware frames carry them, one file each: one octet ID, one octet length, body.

IEEE 802.11-2020 9.4.2. A file is registered by being here and defining KEY and ELEMENT: `KEY = "ff64"` on a line
of its own is the element ID and the first octets of the body that tell it from others. Only the files of elements
that are met are imported. An element whose body goes on in Fragment elements (10.28.11) is one element here, and
is cut again when built. An element that no file describes keeps its octets. Codes: `element_length`, and those of
the bodies. No clock, no randomness, no IO.
"""

from __future__ import annotations

import functools
import re
import sys
from typing import TYPE_CHECKING, Any

import msgspec

from protocols.errors import DecodeError, EncodeError
from protocols.layout import Node, Walk
from protocols.registry import Folder
from protocols.wifi_aware import parts, walker
from protocols.wifi_aware.attributes import Attr, Opaque
from protocols.wifi_aware.element_names import EXTENSION_NAMES, NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from protocols.format import Keys

__all__ = [
    "ELEMENTS",
    "EXTENSION",
    "VENDOR",
    "WFA_NAN",
    "Element",
    "ElementPart",
    "attributes_of",
    "find",
    "key_of",
    "make",
    "nan_attributes",
    "table",
    "trees",
]

HEADER = 2
LONGEST = 255
FRAGMENT = 242
_MOST_JOINED = 8
"""NAN elements whose attributes are read as one list: more than a beacon has room for."""
VENDOR = 221
EXTENSION = 255
WFA_NAN = bytes.fromhex("506f9a13")
_GENERAL = "IEEE 802.11-2020 9.4.2.1"


class ElementPart(parts.Part, frozen=True, kw_only=True, eq=False):
    """Definition of one element, exported by its file as ELEMENT."""

    prefix: bytes = b""
    """first octets of the body that tell it from others of the same ID; not part of what `decode` gets."""
    length_code: str = "element_length"


ELEMENTS: Folder[ElementPart] = Folder("protocols.wifi_aware.elements", "ELEMENT", "element")
_KEY = re.compile(r'^KEY = "([0-9a-f]{2})([0-9a-f]*)"$', re.MULTILINE)


def key_of(file: Path) -> tuple[int, bytes] | None:
    """Element ID and first octets of an element file, read as text."""
    found = _KEY.search(file.read_text(encoding="utf-8"))
    return (int(found.group(1), 16), bytes.fromhex(found.group(2))) if found else None


@functools.cache
def _names() -> dict[int, tuple[tuple[bytes, str], ...]]:
    """ID -> (first octets, name) of every registered element, the longest first; imports none of them."""
    out: dict[int, list[tuple[bytes, str]]] = {}
    for file in ELEMENTS.files():
        if (key := key_of(file)) is not None:
            out.setdefault(key[0], []).append((key[1], file.stem))
    return {number: tuple(sorted(rows, reverse=True)) for number, rows in out.items()}


def _name(number: int, octets: bytes) -> str | None:
    """Name of the file for an element, None when it is opaque."""
    for prefix, name in _names().get(number, ()):
        if octets.startswith(prefix):
            return name
    return None


def find(number: int, octets: bytes) -> ElementPart | None:
    """The definition for an element ID and the octets behind the length, None when it is opaque."""
    name = _name(number, octets)
    return None if name is None else ELEMENTS.get(name)


def attributes_of(plain: Any, path: str) -> tuple[Attr, ...]:
    """Attributes of a JSON-like list. Raises EncodeError with their path."""
    return tuple(Attr.of_plain(item, where) for where, item in parts.listed(plain, path))


class Element(msgspec.Struct, frozen=True, gc=False):
    """One element of a frame, fragments joined; `octets` (after ID and length) are decoded when looked at."""

    id: int
    octets: bytes

    @property
    def part(self) -> ElementPart | None:
        """Its definition, None when it is opaque."""
        return find(self.id, self.octets)

    @property
    def name(self) -> str:
        """Name of its definition, "element_2d" when it has none ("element_ff_23" with an ID extension)."""
        found = _name(self.id, self.octets)
        if found is not None:
            return found
        more = f"_{self.octets[:1].hex()}" if self.id == EXTENSION and self.octets else ""
        return f"element_{self.id:02x}{more}"

    @property
    def title(self) -> str:
        """What it is called."""
        part = self.part
        if part is not None:
            return part.title
        if self.id == EXTENSION and self.octets:
            return EXTENSION_NAMES.get(self.octets[0], "unknown element")
        return NAMES.get(self.id, "unknown element")

    @property
    def fields(self) -> Any:
        """Its typed fields; `Opaque` without definition. Raises DecodeError, offsets from its first octet."""
        part = self.part
        if part is None:
            return Opaque(octets=self.octets.hex())
        return parts.look(part, self.octets[len(part.prefix) :])[0]

    @property
    def attributes(self) -> tuple[Attr, ...]:
        """Attributes of a NAN element, none decoded; empty for others. Raises DecodeError."""
        if self.id != VENDOR or not self.octets.startswith(WFA_NAN):
            return ()
        return walker.table(self.octets, len(WFA_NAN))

    def as_plain(self) -> dict[str, Any]:
        """JSON-like form: {"element": name, fields...}; {"element": ID, "octets"} when it cannot be decoded."""
        part = self.part
        skip = len(part.prefix) if part is not None else 0
        return parts.shown_plain("element", self.id, part, self.octets, skip)

    @classmethod
    def of_plain(cls, plain: Any, path: str) -> Element:
        """The inverse of `as_plain`. Raises EncodeError with the path of the field."""
        part, rest = parts.choice_of(ELEMENTS, plain, path)
        if isinstance(part, int):
            return cls(part, parts.opaque(rest, path))
        octets = part.prefix + parts.written_plain(part, rest, path)
        if find(part.id, octets) is not part:
            raise EncodeError(path, f"these octets are no {part.name} element on the air")
        return cls(part.id, octets)

    def written(self) -> bytes:
        """ID, length and octets, cut into Fragment elements when they are too many."""
        out = bytearray((self.id, min(len(self.octets), LONGEST))) + self.octets[:LONGEST]
        for start in range(LONGEST, len(self.octets), LONGEST):
            piece = self.octets[start : start + LONGEST]
            out += bytes((FRAGMENT, len(piece))) + piece
        return bytes(out)


class Run(msgspec.Struct, frozen=True):
    """Elements in order, the offset of each one's header, and what is wrong behind them."""

    found: tuple[Element, ...]
    starts: tuple[int, ...]
    fault: DecodeError | None


def scan(data: bytes, start: int, end: int) -> Run:
    """Elements of `data[start:end]`, fragments joined."""
    found: list[Element] = []
    starts: list[int] = []
    at, whole = start, False
    while at < end:
        body = at + HEADER
        size = data[at + 1] if body <= end else 0
        if body + size > end:
            message = f"element {data[at]} reaches past the end: {end - at} octets remain"
            fault = DecodeError("element_length", at, message)
            return Run(tuple(found), tuple(starts), fault)
        octets = data[body : body + size]
        if data[at] == FRAGMENT and whole and size:
            found[-1] = Element(found[-1].id, found[-1].octets + octets)
        else:
            found.append(Element(data[at], octets))
            starts.append(at)
        whole = size == LONGEST
        at = body + size
    return Run(tuple(found), tuple(starts), None)


def table(data: bytes, start: int = 0, end: int | None = None) -> tuple[Element, ...]:
    """Elements of `data[start:end]`, none of them decoded. Raises DecodeError: `element_length`."""
    run = scan(data, start, len(data) if end is None else end)
    if run.fault is not None:
        raise run.fault
    return run.found


def trees(
    data: bytes, start: int, end: int, walk: Walk, keys: Keys | None, path: str = ""
) -> tuple[tuple[Element, ...], tuple[Node, ...]]:
    """Elements of `data[start:end]`, all decoded, with their nodes. Faults go to `walk`; what it lets pass is kept."""
    run = scan(data, start, end)
    stops = (*run.starts[1:], end if run.fault is None else run.fault.offset or end)
    nodes: list[Node] = []
    index = 0
    while index < len(run.found):
        where = parts.join(path, f"elements[{index}]")
        count = _joined(run.found, index)
        place = slice(index, index + count)
        if count > 1:
            nodes.append(
                _joined_tree(run.found[place], run.starts[place], stops[place], walk, keys, where)
            )
        else:
            element = run.found[index]
            nodes.append(_tree(data, element, run.starts[index], stops[index], walk, keys, where))
        index += count
    if run.fault is not None:
        where = parts.join(path, f"elements[{len(run.found)}]")
        walk.fault(run.fault.code, run.fault.offset, run.fault.message, where)
    return run.found, tuple(nodes)


def nan_attributes(found: Sequence[Element]) -> tuple[Attr, ...]:
    """Attributes of the NAN elements among `found`, none decoded. Raises DecodeError: `attribute_length`.

    A list that one element cuts goes on in the next, when that is a NAN element too (unverified).
    """
    out: list[Attr] = []
    index = 0
    while index < len(found):
        count = _joined(found, index)
        octets = b"".join(
            element.octets[len(WFA_NAN) :] for element in found[index : index + count]
        )
        out.extend(walker.table(octets) if count > 1 else found[index].attributes)
        index += count
    return tuple(out)


def _joined(found: Sequence[Element], index: int) -> int:
    """How many elements from `index` on share one list of attributes: 1, more when the first ends inside one."""
    octets = b""
    for count, element in enumerate(found[index : index + _MOST_JOINED], 1):
        if element.id != VENDOR or not element.octets.startswith(WFA_NAN):
            return 1
        if len(element.octets) > LONGEST:  # it goes on in Fragment elements
            return 1
        octets += element.octets[len(WFA_NAN) :]
        if walker.scan(octets, 0, len(octets))[2] is None:
            return count
    return 1


def _joined_tree(
    found: Sequence[Element],
    starts: Sequence[int],
    stops: Sequence[int],
    walk: Walk,
    keys: Keys | None,
    path: str,
) -> Node:
    """One node for NAN elements that share a list of attributes."""
    skip = HEADER + len(WFA_NAN)
    places = [
        at for start, stop in zip(starts, stops, strict=True) for at in range(start + skip, stop)
    ]
    octets = b"".join(element.octets[len(WFA_NAN) :] for element in found)
    inside = Walk(strict=False)
    _, inner = walker.trees(octets, 0, len(octets), inside, keys, path)
    for doubt in inside.doubts:
        at = places[min(doubt.offset or 0, len(places) - 1)]
        walk.fault(doubt.code, at, doubt.message, doubt.path)
    heads = [head for one, start in zip(found, starts, strict=True) for head in _heads(one, start)]
    kids = sorted((*heads, *parts.spread(inner, places)), key=lambda node: node.start)
    whole = _node(found[0], starts[0], stops[-1], ())
    doubts = ("its attributes go on in the next NAN element (unverified)",)
    return msgspec.structs.replace(whole, children=tuple(kids), doubts=doubts)


def _tree(
    data: bytes, element: Element, start: int, stop: int, walk: Walk, keys: Keys | None, path: str
) -> Node:
    """The node of one element, its header at octet `start`, the next one at `stop`."""
    part = element.part
    skip = len(part.prefix) if part is not None else 0
    base = start + HEADER + skip
    joined = stop - start - HEADER > LONGEST
    doubts: tuple[str, ...] = ()
    octets = element.octets[skip:]
    inner: tuple[Node, ...] = (Node("octets", octets.hex(), None, 0, len(octets), ()),)
    if part is not None and part.prefix == WFA_NAN and not joined:
        return _node(element, start, stop, walker.trees(data, base, stop, walk, keys, path)[1])
    if part is not None:
        try:
            inner = parts.look(part, octets, keys)[1]
        except DecodeError as exc:
            at = exc.offset or 0
            at = parts.behind_fragments(at, base, start) if joined else at + base
            walk.fault(exc.code, at, f"{part.title}: {exc.message}", parts.join(path, exc.path))
            doubts = (exc.message,)
    shown = parts.defragmented(inner, base, start) if joined else parts.placed(inner, base)
    return _node(element, start, stop, shown, doubts)


def _node(
    element: Element, start: int, stop: int, inner: tuple[Node, ...], doubts: tuple[str, ...] = ()
) -> Node:
    part = element.part
    source = part.source if part is not None else _GENERAL
    kids = (*_heads(element, start), *inner)
    return Node(element.name, None, None, start, stop, kids, element.title, None, source, doubts)


def _heads(element: Element, start: int) -> list[Node]:
    """The nodes of what stands before the body of an element at octet `start`."""
    part = element.part
    title = element.title
    source = part.source if part is not None else _GENERAL
    body = start + HEADER

    def head(name: str, value: Any, first: int, end: int, meaning: str | None = None) -> Node:
        return Node(name, value, None, first, end, (), meaning, None, source)

    nodes = [
        head("id", element.id, start, start + 1, NAMES.get(element.id)),
        head("length", len(element.octets), start + 1, body),
    ]
    prefix = part.prefix if part is not None else b""
    if element.id == EXTENSION and prefix:
        nodes.append(head("id_extension", prefix[0], body, body + 1, title))
    elif prefix:
        nodes.append(head("oui", prefix[:3].hex(), body, body + 3, "Wi-Fi Alliance"))
        nodes.append(head("type", prefix[3], body + 3, body + 4, title))
    return nodes


def make(fields: Any) -> Element:
    """The element that carries these typed fields. Raises EncodeError."""
    part: ElementPart = sys.modules[type(fields).__module__].ELEMENT
    return Element(part.id, part.prefix + parts.written(part, fields))
