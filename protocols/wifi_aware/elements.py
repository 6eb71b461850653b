"""802.11 elements as Wi-Fi Aware frames carry them: one octet ID, one octet length, body.

IEEE 802.11-2020 9.4.2. An element whose body goes on in Fragment elements (10.28.11) is one element here, and is
cut again when built. Rule 1: what a body says is defined by a `Part` in `PARTS`, found by ID and first octets;
any other element keeps its octets. Codes: `element_length`, and those of the bodies. No clock, no randomness,
no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from protocols.errors import DecodeError, EncodeError
from protocols.format import to_plain
from protocols.layout import Node
from protocols.wifi_aware import parts, walker
from protocols.wifi_aware.attributes import Attr, Opaque
from protocols.wifi_aware.vocabulary import Body

if TYPE_CHECKING:
    from collections.abc import Mapping

    from protocols.format import Keys, Reader
    from protocols.layout import Walk

__all__ = ["NAN", "Element", "NanElement", "make", "table", "trees"]

HEADER = 2
LONGEST = 255
FRAGMENT = 242
VENDOR = 221
EXTENSION = 255
WFA_NAN = bytes.fromhex("506f9a13")


class ElementPart(parts.Part, frozen=True, kw_only=True, eq=False):
    """Definition of one element."""

    prefix: bytes = b""
    """first octets of the body that tell it from others of the same ID; not part of what `decode` gets."""
    length_code: str = "element_length"


class NanElement(Body, frozen=True, kw_only=True):
    """NAN attributes in a beacon or an Authentication frame."""

    attributes: tuple[Attr, ...] = ()

    def as_plain(self) -> dict[str, Any]:
        """As a JSON-like dict."""
        return {"attributes": [attr.as_plain() for attr in self.attributes]}

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> NanElement:
        """The inverse of `as_plain`. Raises EncodeError."""
        if unknown := set(plain) - {"attributes"}:
            raise EncodeError(min(unknown), "is no field of a NAN element")
        return cls(attributes=attributes_of(plain.get("attributes", []), "attributes"))


def attributes_of(plain: Any, path: str) -> tuple[Attr, ...]:
    """Attributes of a JSON-like list. Raises EncodeError with their path."""
    return tuple(Attr.of_plain(item, where) for where, item in parts.listed(plain, path))


def _nan_element(reader: Reader) -> NanElement:
    attributes, nodes = walker.trees(reader.data, 0, len(reader.data), reader.walk, reader.keys)
    reader.walk.nodes.extend(nodes)
    return NanElement(attributes=attributes)


NAN = ElementPart(
    id=VENDOR,
    prefix=WFA_NAN,
    name="nan",
    title="NAN element",
    source="Wi-Fi Aware 4.0, NAN IE",
    fields=NanElement,
    decode=_nan_element,
    encode=lambda fields: b"".join(attr.written() for attr in fields.attributes),
    multiple=True,
    keyed=True,
)

PARTS: dict[int, tuple[ElementPart, ...]] = {VENDOR: (NAN,)}
"""Element ID -> definitions, told apart by their prefix."""
NAMES = {part.name: part for rows in PARTS.values() for part in rows}


class Element(msgspec.Struct, frozen=True, gc=False):
    """One element of a frame, fragments joined; `octets` (after ID and length) are decoded when looked at."""

    id: int
    octets: bytes

    @property
    def part(self) -> ElementPart | None:
        """Its definition, None when it is opaque."""
        rows = PARTS.get(self.id, ())
        return next((part for part in rows if self.octets.startswith(part.prefix)), None)

    @property
    def name(self) -> str:
        """Name of its definition, "element_dd" when it has none."""
        part = self.part
        return part.name if part is not None else f"element_{self.id:02x}"

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
        if self.part is not NAN:
            return ()
        return walker.table(self.octets, len(WFA_NAN))

    def as_plain(self) -> dict[str, Any]:
        """JSON-like form: {"element": name, fields...}; {"element": ID, "octets"} when it cannot be decoded."""
        part = self.part
        if part is not None:
            try:
                return {"element": part.name, **to_plain(self.fields)}
            except DecodeError:
                pass  # malformed: its octets say all there is to say
        return {"element": self.id, "octets": self.octets.hex()}

    @classmethod
    def of_plain(cls, plain: Any, path: str) -> Element:
        """The inverse of `as_plain`. Raises EncodeError with the path of the field."""
        which, rest = parts.choice_of(plain, "element", path)
        if isinstance(which, int):
            return cls(which, parts.opaque(rest, path))
        part = NAMES.get(which)
        if part is None:
            raise EncodeError(
                parts.join(path, "element"), f"{which!r} is not one of {', '.join(NAMES)}"
            )
        return cls(part.id, part.prefix + parts.written_plain(part, rest, path))

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
    for index, element in enumerate(run.found):
        where = parts.join(path, f"elements[{index}]")
        nodes.append(_tree(data, element, run.starts[index], stops[index], walk, keys, where))
    if run.fault is not None:
        where = parts.join(path, f"elements[{len(run.found)}]")
        walk.fault(run.fault.code, run.fault.offset, run.fault.message, where)
    return run.found, tuple(nodes)


def _tree(
    data: bytes, element: Element, start: int, stop: int, walk: Walk, keys: Keys | None, path: str
) -> Node:
    """The node of one element, its header at octet `start`, the next one at `stop`."""
    part = element.part
    base = start + HEADER + (len(part.prefix) if part is not None else 0)
    joined = stop - start - HEADER > LONGEST
    doubts: tuple[str, ...] = ()
    octets = element.octets[len(part.prefix) :] if part is not None else element.octets
    inner: tuple[Node, ...] = (Node("octets", octets.hex(), None, 0, len(octets), ()),)
    if part is NAN and not joined:
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
    title = part.title if part is not None else "unknown element"
    source = part.source if part is not None else "IEEE 802.11-2020 9.4.2.1"
    head = (
        Node("id", element.id, None, start, start + 1, (), title, None, source),
        Node(
            "length", len(element.octets), None, start + 1, start + HEADER, (), None, None, source
        ),
    )
    return Node(element.name, None, None, start, stop, (*head, *inner), title, None, source, doubts)


def make(fields: Any) -> Element:
    """The element that carries these typed fields. Raises EncodeError."""
    part = next(part for part in NAMES.values() if part.fields is type(fields))
    return Element(part.id, part.prefix + parts.written(part, fields))
