"""The console of a device: what it did and what was typed at it, one line each, the newest last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.text import cut
from tui.widgets.event_list import EventList

if TYPE_CHECKING:
    from tui.models.accessory_log import DeviceLog, Line
    from tui.models.lanes import Piece

__all__ = ["ConsoleRows"]


class ConsoleRows(EventList):
    """The lines of a `DeviceLog`."""

    def __init__(self) -> None:
        super().__init__(id="console", follow=True)
        self.log_: DeviceLog | None = None
        self.empty = ""
        """what stands there without a log."""

    def show(self, log: DeviceLog | None) -> None:
        """Show another log, from its end."""
        self.log_ = log
        self.follow = True
        self._key = None
        self.cursor = self.top = 0
        self.sync()

    @property
    def lines(self) -> list[Line]:
        """The lines."""
        return [] if self.log_ is None else self.log_.rows

    def count(self) -> int:
        """Lines."""
        return len(self.lines)

    def key(self, index: int) -> Any:
        """Lines that have left are counted, so that a line keeps its number."""
        return index + (0 if self.log_ is None else self.log_.gone)

    def find(self, key: Any) -> int | None:
        """Where the line is now."""
        index = key - (0 if self.log_ is None else self.log_.gone)
        return index if 0 <= index < self.count() else None

    def selected(self) -> Line | None:
        """The line under the cursor."""
        lines = self.lines
        return lines[self.cursor] if self.cursor < len(lines) else None

    def empty_text(self) -> str:
        """Why there is nothing."""
        return self.empty

    def row(self, index: int, width: int) -> list[Piece]:
        """One line."""
        line = self.lines[index]
        return [(cut(line.text, width), line.style)]
