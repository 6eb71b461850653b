"""A framed part of a screen: title at the left of the upper edge, a note at its right, lines inside.

The frame of the pane that has the focus is heavy, so that the focus shows without colour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.text import cells, cut, fit
from tui.widgets.lined import Lined

if TYPE_CHECKING:
    from tui.models.lanes import Piece

__all__ = ["Pane"]


class Pane(Lined, can_focus=True):
    """Subclasses write `inside`."""

    title_text = ""
    note_text = ""
    focusable_frame = True
    """whether the frame shows the focus."""

    @property
    def inner_width(self) -> int:
        """Columns inside of the frame, without the space at both sides."""
        return max(0, self.size.width - 4)

    @property
    def inner_height(self) -> int:
        """Lines inside of the frame."""
        return max(0, self.size.height - 2)

    def inside(self, y: int, width: int) -> list[Piece]:
        """The pieces of the inner line `y`."""
        raise NotImplementedError

    def say(self, title: str, note: str = "") -> None:
        """Set what stands on the upper edge; redraws when it is new."""
        if (title, note) != (self.title_text, self.note_text):
            self.title_text, self.note_text = title, note
            self.refresh()

    def on_focus(self) -> None:
        """Draw the frame anew."""
        self.refresh()

    def on_blur(self) -> None:
        """Draw the frame anew."""
        self.refresh()

    def _edge(self, name: str) -> str:
        heavy = self.has_focus and self.focusable_frame
        return self.signs[name.upper() if heavy else name]

    def line(self, y: int, width: int) -> list[Piece]:
        """Edges and what is between them."""
        style = "focus" if self.has_focus and self.focusable_frame else "frame"
        if width < 4:
            return []
        if y == 0:
            return self._top(width, style)
        if y >= self.size.height - 1:
            return [(self._edge("bl") + self._edge("h") * (width - 2) + self._edge("br"), style)]
        inner = width - 4
        pieces = _clipped(self.inside(y - 1, inner), inner)
        used = sum(cells(text) for text, _ in pieces)
        behind = self.base_style(y)
        v = self._edge("v")
        return [
            (f"{v}", style),
            (" ", behind),
            *pieces,
            (" " * (inner - used), behind),
            (" ", behind),
            (v, style),
        ]

    def _top(self, width: int, style: str) -> list[Piece]:
        h = self._edge("h")
        note = cut(self.note_text, max(0, width - 8))
        room = width - 6 - (cells(note) + 3 if note else 0)
        title = cut(self.title_text, max(0, room))
        left: list[Piece] = [(self._edge("tl") + h, style)]
        used = 2
        if title:
            left.append((f" {title} ", "title"))
            used += cells(title) + 2
        right: list[Piece] = [(h + self._edge("tr"), style)]
        used += 2
        if note:
            right.insert(0, (f" {note} ", style))
            used += cells(note) + 2
        return [*left, (h * max(0, width - used), style), *right]


def _clipped(pieces: list[Piece], width: int) -> list[Piece]:
    """The pieces, at most `width` columns of them."""
    used = 0
    for at, (text, style) in enumerate(pieces):
        size = cells(text)
        if used + size > width:
            return [*pieces[:at], (fit(text, width - used), style)] if width > used else pieces[:at]
        used += size
    return pieces
