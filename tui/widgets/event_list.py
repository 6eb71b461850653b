"""A list of any length with a cursor: only the lines that are seen are made.

Rules of the file: no child widgets, no layout per row; rows are asked for by index. The cursor belongs to a row, not to
a place: when rows come and go the cursor stays on what it is on. Moving up ends following, `end` begins it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.message import Message

from tui.widgets.pane import Pane

if TYPE_CHECKING:
    from textual import events

    from tui.models.lanes import Piece

__all__ = ["EventList"]

_WHEEL = 3


class EventList(Pane):
    """Subclasses write `count`, `row`, and where rows move `key` and `find`."""

    class Moved(Message):
        """The cursor is on another row."""

        def __init__(self, sender: EventList) -> None:
            super().__init__()
            self.sender = sender

    def __init__(self, *, id: str, follow: bool = False) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self.cursor = 0
        self.top = 0
        self.follow = follow
        self._key: Any = None

    # For subclasses

    def count(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    def row(self, index: int, width: int) -> list[Piece]:
        """The pieces of a row, without the sign of the cursor."""
        raise NotImplementedError

    def heads(self, width: int) -> list[list[Piece]]:
        """Lines that stay above the rows."""
        return []

    def tails(self, width: int) -> list[list[Piece]]:
        """Lines behind the last row."""
        return []

    def empty_text(self) -> str:
        """What stands there without rows."""
        return "nothing yet"

    def key(self, index: int) -> Any:
        """What the row is about."""
        return index

    def find(self, key: Any) -> int | None:
        """The row about `key`; None when it is gone."""
        return key if key < self.count() else None

    # Moving

    @property
    def rows_seen(self) -> int:
        """Rows that fit."""
        return max(1, self.inner_height - len(self.heads(self.inner_width)))

    def sync(self) -> None:
        """Rows came or went: keep the cursor on its row, or follow the last one."""
        count = self.count()
        before = self.cursor, self._key
        if self.follow and count:
            self.cursor = count - 1
        elif self._key is not None and count:
            found = self.find(self._key)
            if found is not None:
                self.top = max(0, self.top + found - self.cursor)
                self.cursor = found
        self._settle()
        if before != (self.cursor, self._key):
            self.post_message(self.Moved(self))
        self.refresh()

    def go(self, index: int) -> None:
        """Put the cursor on a row."""
        self.cursor = index
        self._settle()
        self.post_message(self.Moved(self))
        self.refresh()

    def _settle(self) -> None:
        count, seen = self.count(), self.rows_seen
        self.cursor = max(0, min(self.cursor, count - 1))
        self._key = self.key(self.cursor) if count else None
        if not self.size.height:
            return  # hidden, or not laid out yet: what fits is known when the size comes
        if self.cursor < self.top:
            self.top = self.cursor
        elif self.cursor >= self.top + seen:
            self.top = self.cursor - seen + 1
        self.top = max(0, min(self.top, count - seen))

    def move(self, delta: int) -> None:
        """Move the cursor; up ends following."""
        if delta < 0:
            self.follow = False
        self.go(self.cursor + delta)

    def page(self, delta: int) -> None:
        """Move by what is seen."""
        self.move(delta * max(1, self.rows_seen - 1))

    def home(self) -> None:
        """To the first row."""
        self.follow = False
        self.go(0)

    def end(self) -> None:
        """To the last row, and follow."""
        self.follow = True
        self.go(self.count() - 1)

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self._settle()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move down."""
        event.stop()
        self.move(_WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move up."""
        event.stop()
        self.move(-_WHEEL)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the row that was clicked."""
        row = event.y - 1 - len(self.heads(self.inner_width)) + self.top
        if 0 <= row < self.count():
            self.follow = False
            self.go(row)

    # Drawing

    def _row_at(self, y: int) -> int:
        """Row of a line of the widget; may be none."""
        return y - 1 - len(self.heads(self.inner_width)) + self.top

    def base_style(self, y: int) -> str:
        """The row of the cursor stands out where the focus is."""
        return (
            "cursor"
            if self.has_focus and 0 < y < self.size.height - 1 and self._is_cursor(y)
            else ""
        )

    def _is_cursor(self, y: int) -> bool:
        return (
            self.count() > 0
            and self._row_at(y) == self.cursor
            and y > len(self.heads(self.inner_width))
        )

    def inside(self, y: int, width: int) -> list[Piece]:
        """Heads, rows, tails."""
        heads = self.heads(width)
        if y < len(heads):
            return heads[y]
        count = self.count()
        row = y - len(heads) + self.top
        if row >= count:
            if not count and y == len(heads):
                return [(self.empty_text(), "dim")]
            tails = self.tails(width) if count else []
            return tails[row - count] if row - count < len(tails) else []
        is_cursor = row == self.cursor
        pieces = self.row(row, width - 2)
        if is_cursor and self.has_focus:
            pieces = [(text, "cursor") for text, _ in pieces]
        sign = self.signs["cursor"] if is_cursor else " "
        return [(f"{sign} ", "cursor" if is_cursor and self.has_focus else ""), *pieces]
