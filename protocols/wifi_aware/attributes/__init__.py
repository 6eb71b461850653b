"""NAN attributes, one file each; a file is registered by being here and defining ID and ATTRIBUTE.

`ID = 0x2C` stands on a line of its own, so that the file for given octets is found by reading text: only that
file is imported. An ID that no file claims is opaque: it keeps its octets. No clock, no randomness, no IO.
"""

from __future__ import annotations

import functools
import re
import sys
from typing import TYPE_CHECKING, Any

import msgspec

from protocols.errors import DecodeError, EncodeError
from protocols.layout import Node
from protocols.registry import Folder
from protocols.wifi_aware import parts
from protocols.wifi_aware.vocabulary import Body, HexText

if TYPE_CHECKING:
    from pathlib import Path

    from protocols.format import Keys
    from protocols.layout import Walk

__all__ = [
    "ATTRIBUTES",
    "HEADER",
    "RESERVED",
    "Attr",
    "Attribute",
    "Opaque",
    "find",
    "ids",
    "make",
    "title_of",
]

HEADER = 3
"""Octets before a body: ID and little-endian length."""
RESERVED = {
    0x11: "reserved (was NMSG)",
    0x16: "reserved (was Multicast Schedule)",
    0x18: "reserved (was Paging Unicast)",
    0x19: "reserved (was Paging Multicast)",
    0x25: "reserved (was Multicast Schedule Change)",
    0x26: "reserved (was Multicast Schedule Owner Change)",
}
"""IDs that older documents used; their octets are kept."""

_ID = re.compile(r"^ID = (0x[0-9A-Fa-f]{2})$", re.MULTILINE)


class Attribute(parts.Part, frozen=True, kw_only=True, eq=False):
    """Definition of one attribute, exported by its file as ATTRIBUTE."""


ATTRIBUTES: Folder[Attribute] = Folder("protocols.wifi_aware.attributes", "ATTRIBUTE", "attribute")


class Opaque(Body, frozen=True, kw_only=True):
    """Body of an attribute or element that no file describes."""

    octets: HexText


def id_of(file: Path) -> int | None:
    """The literal ID of an attribute file, read as text."""
    found = _ID.search(file.read_text(encoding="utf-8"))
    return int(found.group(1), 16) if found else None


@functools.cache
def ids() -> dict[int, str]:
    """ID -> name of every registered attribute; imports none of them."""
    found = ((id_of(file), file.stem) for file in ATTRIBUTES.files())
    return {number: stem for number, stem in found if number is not None}


@functools.cache
def find(number: int) -> Attribute | None:
    """The definition for an ID, None when it is opaque."""
    name = ids().get(number)
    return None if name is None else ATTRIBUTES.get(name)


def title_of(number: int) -> str:
    """What to call an ID: title of its attribute, else "unknown" or "reserved (was ...)"."""
    part = find(number)
    return part.title if part is not None else RESERVED.get(number, "unknown")


class Attr(msgspec.Struct, frozen=True, gc=False):
    """One attribute of a frame; `octets` (after ID and length) are decoded when `fields` is looked at."""

    id: int
    octets: bytes

    @property
    def name(self) -> str:
        """Name of its file; "attribute_2f" when the ID has none."""
        return ids().get(self.id) or f"attribute_{self.id:02x}"

    @property
    def fields(self) -> Any:
        """Its typed fields; `Opaque` when the ID has no file. Raises DecodeError, offsets from its body."""
        part = find(self.id)
        return (
            Opaque(octets=self.octets.hex()) if part is None else parts.look(part, self.octets)[0]
        )

    def tree(
        self,
        start: int,
        walk: Walk,
        keys: Keys | None = None,
        path: str = "",
        doubts: tuple[str, ...] = (),
    ) -> Node:
        """Its node, header at octet `start` of the frame. A malformed body is a fault of `walk`; it stays octets."""
        part = find(self.id)
        base = start + HEADER
        inner: tuple[Node, ...] = (
            Node("octets", self.octets.hex(), None, 0, len(self.octets), ()),
        )
        if part is not None:
            try:
                inner = parts.look(part, self.octets, keys)[1]
            except DecodeError as exc:
                fault = parts.moved(exc, base, path)
                walk.fault(fault.code, fault.offset, f"{part.title}: {fault.message}", fault.path)
                doubts = (*doubts, fault.message)
        return self._node(start, parts.placed(inner, base), part, doubts)

    def _node(
        self, start: int, inner: tuple[Node, ...], part: Attribute | None, doubts: tuple[str, ...]
    ) -> Node:
        end = start + HEADER + len(self.octets)
        title = title_of(self.id)
        source = "Wi-Fi Aware 4.0, NAN attributes" if part is None else part.source
        head = (
            Node("id", self.id, None, start, start + 1, (), title, None, source),
            Node(
                "length", len(self.octets), None, start + 1, start + HEADER, (), None, None, source
            ),
        )
        unknown = () if part is not None else (f"{title.split(' (')[0]} attribute ID",)
        return Node(
            self.name,
            None,
            None,
            start,
            end,
            (*head, *inner),
            title,
            None,
            source,
            unknown + doubts,
        )

    def as_plain(self) -> dict[str, Any]:
        """JSON-like form: {"attribute": name, fields...}; {"attribute": ID, "octets"} when it cannot be decoded."""
        return parts.shown_plain("attribute", self.id, find(self.id), self.octets)

    @classmethod
    def of_plain(cls, plain: Any, path: str) -> Attr:
        """The inverse of `as_plain`. Raises EncodeError with the path of the field."""
        part, rest = parts.choice_of(ATTRIBUTES, plain, path)
        if isinstance(part, int):
            return cls(part, parts.opaque(rest, path))
        return cls(part.id, parts.written_plain(part, rest, path))

    def written(self) -> bytes:
        """Header and octets. Raises EncodeError when they are too many."""
        size = len(self.octets)
        if size > 0xFFFF:
            raise EncodeError(self.name, f"{size} octets do not fit an attribute")
        return bytes((self.id, size & 0xFF, size >> 8)) + self.octets


def make(fields: Any) -> Attr:
    """The attribute that carries these typed fields. Raises EncodeError."""
    part: Attribute = sys.modules[type(fields).__module__].ATTRIBUTE
    return Attr(part.id, parts.written(part, fields))
