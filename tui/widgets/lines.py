"""A pane of prepared lines: a screen fills it, the pane cuts and shows them. Moves when there are more than fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.widgets.pane import Pane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

    from tui.models.lanes import Piece

__all__ = ["LinesPane"]


class LinesPane(Pane):
    """Lines from a screen."""

    def __init__(self, *, id: str) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self._lines: list[list[Piece]] = []
        self._first = 0

    def fill(self, title: str, lines: Sequence[Sequence[Piece] | str], note: str = "") -> None:
        """Set title and lines; redraws when they are new."""
        found: list[list[Piece]] = [
            [(one, "")] if isinstance(one, str) else list(one) for one in lines
        ]
        self.say(title, note)
        if found != self._lines:
            self._lines = found
            self._first = max(0, min(self._first, len(found) - 1))
            self.refresh()

    def scroll(self, delta: int) -> None:
        """Show further lines."""
        most = max(0, len(self._lines) - self.inner_height)
        self._first = max(0, min(most, self._first + delta))
        self.refresh()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Down."""
        event.stop()
        self.scroll(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Up."""
        event.stop()
        self.scroll(-1)

    def inside(self, y: int, width: int) -> list[Piece]:
        """One line."""
        at = y + self._first
        return self._lines[at] if at < len(self._lines) else []
