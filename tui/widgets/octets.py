"""Fields and octets of one packet, tied both ways: the field that is selected has its octets in brackets, and the octet
that is selected has its narrowest field under the cursor.

The brackets say without colour what is selected. Spans come from the decoder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from textual.message import Message

from tui.filters import condition
from tui.models.decoding import path_of
from tui.text import cells, clean, cut, fit
from tui.widgets.event_list import EventList
from tui.widgets.pane import Pane

if TYPE_CHECKING:
    from protocols.layout import Node
    from tui.models.decoding import Decoded
    from tui.models.lanes import Piece

__all__ = [
    "FieldRow", "FieldsPane", "OctetsPane", "bits_text", "filter_for", "span_text", "value_text",
]  # fmt: skip

_SPAN = 8


class FieldRow(NamedTuple):
    """A line of the tree."""

    node: Node
    path: tuple[str, ...]
    depth: int


def value_text(node: Node) -> str:
    """Value, unit and meaning of a field."""
    value: Any = node.value
    if value is None:
        return clean(node.meaning or "")
    text = ("yes" if value else "no") if isinstance(value, bool) else str(value)
    if node.unit:
        text = f"{text} {node.unit}"
    return clean(f"{text}  {node.meaning}" if node.meaning else text)


def span_text(node: Node) -> str:
    """Octets of a field, and its bits where it has not all of them."""
    if node.end <= node.start:
        return "-"
    span = f"{node.start}" if node.end - node.start == 1 else f"{node.start}-{node.end - 1}"
    if node.bits is not None:
        low, width = node.bits
        span += f".{low}" if width == 1 else f".{low}-{low + width - 1}"
    return span


class FieldsPane(EventList):
    """The tree of fields."""

    class Selected(Message):
        """A field is under the cursor."""

        def __init__(self, row: FieldRow) -> None:
            super().__init__()
            self.row = row

    def __init__(self) -> None:
        super().__init__(id="fields")
        self._tree: tuple[Node, ...] = ()
        self._rows: list[FieldRow] = []
        self._folded: set[tuple[str, ...]] = set()
        self._wrong: list[str] = []

    def show_packet(self, found: Decoded | None) -> None:
        """Another packet; what was folded stays folded."""
        self._tree = () if found is None else found.tree
        self._wrong = (
            [] if found is None else [text for text in (found.wrong, *found.doubts) if text]
        )
        keep = self.selected()
        self._build()
        self.cursor = 0
        if keep is not None:
            same = next((at for at, row in enumerate(self._rows) if row.path == keep.path), 0)
            self.cursor = same
        self.top = 0
        self._key = None
        self.sync()

    def _build(self) -> None:
        self._rows = []
        self._add(self._tree, (), 0)

    def _add(self, nodes: tuple[Node, ...], path: tuple[str, ...], depth: int) -> None:
        for node in nodes:
            here = (*path, node.name)
            self._rows.append(FieldRow(node, here, depth))
            if node.children and here not in self._folded:
                self._add(node.children, here, depth + 1)

    def selected(self) -> FieldRow | None:
        """The field under the cursor."""
        return self._rows[self.cursor] if self.cursor < len(self._rows) else None

    def fold(self) -> None:
        """Fold or open the field; from a leaf, its group."""
        row = self.selected()
        if row is None:
            return
        path = row.path if row.node.children else row.path[:-1]
        if not path:
            return
        self._folded ^= {path}
        self._build()
        self.cursor = next((at for at, one in enumerate(self._rows) if one.path == path), 0)
        self._key = None
        self.sync()

    def select_octet(self, offset: int) -> None:
        """Put the cursor on the narrowest field that contains an octet."""
        best: int | None = None
        for at, row in enumerate(self._rows):
            node = row.node
            if node.start <= offset < node.end:
                size = node.end - node.start
                if best is None or size <= self._rows[best].node.end - self._rows[best].node.start:
                    best = at
        if best is not None and best != self.cursor:
            self.go(best)

    def count(self) -> int:
        """Lines of the tree, and what is wrong."""
        return len(self._rows)

    def empty_text(self) -> str:
        """Without a tree."""
        return "no packet, or none that is decoded"

    def tails(self, width: int) -> list[list[Piece]]:
        """Faults behind the fields."""
        return [
            [(cut(f"{self.signs['malformed']} {clean(text)}", width - 2), "bad")]
            for text in self._wrong
        ]

    def row(self, index: int, width: int) -> list[Piece]:
        """Fold sign, name, value, octets."""
        node, path, depth = self._rows[index]
        fold = " "
        if node.children:
            fold = self.signs["folded" if path in self._folded else "open"]
        name = f"{'  ' * depth}{fold} {node.name.replace('_', ' ')}"
        span = span_text(node)
        text = value_text(node)
        room = width - max(_SPAN, cells(span)) - 1
        doubt = f"{self.signs['malformed']} " if node.doubts else ""
        shown = cut(f"{doubt}{name}  {text}" if text else f"{doubt}{name}", room)
        return [(fit(shown, room), "bad" if node.doubts else ""), (f" {span:>{_SPAN}}", "dim")]


class OctetsPane(Pane):
    """The octets of a packet with the selected ones in brackets."""

    class Selected(Message):
        """An octet was chosen."""

        def __init__(self, offset: int) -> None:
            super().__init__()
            self.offset = offset

    def __init__(self) -> None:
        super().__init__(id="octets")
        self.data = b""
        self.span = (0, 0)
        self.place = 0
        self._notes: list[str] = []
        self._first = 0

    def show_packet(self, data: bytes) -> None:
        """Other octets."""
        self.data = data
        self.place = 0
        self._first = 0
        self.say(f"Octets ({len(data)})")
        self.refresh()

    def select(self, row: FieldRow | None, notes: list[str]) -> None:
        """Bracket the octets of a field."""
        self.span = (0, 0) if row is None else (row.node.start, row.node.end)
        if row is not None and not row.node.start <= self.place < row.node.end:
            self.place = min(row.node.start, max(0, len(self.data) - 1))
        self._notes = notes
        self._show(self.place)
        self.refresh()

    @property
    def per_line(self) -> int:
        """Octets in a line: 8 or 16, as fit."""
        return 16 if self.inner_width >= 72 else 8

    def _lines(self) -> int:
        return -(-len(self.data) // self.per_line)

    def _room(self) -> int:
        """Lines of octets that are shown."""
        return max(
            1,
            min(
                self._lines(),
                self.inner_height - min(len(self._notes), max(0, self.inner_height - 3)),
            ),
        )

    def _show(self, offset: int) -> None:
        line = offset // self.per_line
        if line < self._first:
            self._first = line
        elif line >= self._first + self._room():
            self._first = line - self._room() + 1

    def move(self, delta: int) -> None:
        """Move by octets."""
        if self.data:
            self.place = max(0, min(len(self.data) - 1, self.place + delta))
            self._show(self.place)
            self.post_message(self.Selected(self.place))
            self.refresh()

    def inside(self, y: int, width: int) -> list[Piece]:
        """Octets, then what there is to say about the selected ones."""
        room = self._room()
        line = y + self._first
        if y < room and line < self._lines():
            return self._octets(line, width)
        at = y - room - (1 if self.inner_height > room + len(self._notes) else 0)
        return [(cut(self._notes[at], width), "dim")] if 0 <= at < len(self._notes) else []

    def _octets(self, line: int, width: int) -> list[Piece]:
        start = line * self.per_line
        octets = self.data[start : start + self.per_line]
        first, last = self.span
        pieces: list[Piece] = [(f"{start:04x} ", "dim")]
        for at in range(self.per_line):
            here = start + at
            gap = "[" if here == first < last else "]" if here == last > first and at else " "
            if at < len(octets):
                inside = first <= here < last
                pieces += [(gap, "key"), (f"{octets[at]:02x}", "key" if inside else "bytes")]
            else:
                pieces.append((f"{gap if here <= len(self.data) else ' '}  ", "key"))
        closes = last > first and last == start + self.per_line
        pieces.append(("]" if closes else " ", "key"))
        text = "".join(chr(one) if 32 <= one < 127 else self.signs["dot"] for one in octets)
        used = 6 + self.per_line * 3
        if width - used > self.per_line:
            pieces.append((f" {text}", "dim"))
        return pieces


def filter_for(row: FieldRow, protocol: str) -> str:
    """A filter for packets with the same value in that field; empty where there is no value."""
    if row.node.value is None:
        return ""
    path = path_of(row.path)
    name = path if "." in path else f"{protocol.lower()}.{path}"
    return condition(name, row.node.value)


def bits_text(node: Node, data: bytes) -> str:
    """The octets of a field in bits with its own in brackets; empty for fields that are whole octets."""
    octets = data[node.start : node.end]
    if node.bits is None or not octets or len(octets) > 2:
        return ""
    low, width = node.bits
    total = len(octets) * 8
    text = f"{int.from_bytes(octets, 'little'):0{total}b}"
    end, start = total - low, total - low - width
    return f"  bits {text[:start]}[{text[start:end]}]{text[end:]}"
