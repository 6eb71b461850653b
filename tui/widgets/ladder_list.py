"""The rungs of a ladder as a list: heads with the parties and their states, folded rungs with their members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.models.lanes import Lanes
from tui.models.rungs import Rung
from tui.text import clean
from tui.widgets.event_list import EventList

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.trace import TraceEvent
    from tui.models.lanes import Piece
    from tui.screens.ladder import LadderScreen

__all__ = ["LadderList"]


class LadderList(EventList):
    """The rungs of the chosen parties; members of open rungs come below them."""

    def __init__(self, screen: LadderScreen) -> None:
        super().__init__(id="ladder", follow=True)
        self._owner = screen
        self.rows: list[tuple[Rung, int]] = []  # (rung, member; -1 the rung itself)
        self._states_key: tuple[int, int, int] | None = None
        self._states_there: dict[str, str] = {}

    def rebuild(self) -> None:
        """Take over the rungs of the session."""
        rungs = self._owner.session.rungs.between(self._owner.parties())
        rows = [(rung, -1) for rung in rungs]
        if any(rung.open for rung in rungs):
            rows = [
                (rung, at)
                for rung in rungs
                for at in range(-1, len(rung.members) if rung.open else 0)
            ]
        self.rows = rows
        self.sync()

    def count(self) -> int:
        """Rungs and shown members."""
        return len(self.rows)

    def key(self, index: int) -> Any:
        """The rung and member."""
        rung, member = self.rows[index]
        return rung, member

    def find(self, key: Any) -> int | None:
        """Where they are now; the rung itself when its members are folded."""
        wanted, member = key
        if self.cursor < len(self.rows):
            here, its_member = self.rows[self.cursor]
            if here is wanted and its_member == member:
                return self.cursor
        same = [at for at, row in enumerate(self.rows) if row[0] is wanted]
        exact = [at for at in same if self.rows[at][1] == member]
        found = exact or same
        return found[0] if found else None

    def shown_at(self, index: int) -> TraceEvent:
        """The event that a row shows; of folded ones the first."""
        rung, member = self.rows[index]
        return rung.members[member] if member >= 0 else rung.event

    def events_at(self, index: int) -> Sequence[TraceEvent]:
        """The events that a row stands for: of a folded rung all that are kept."""
        rung, member = self.rows[index]
        is_folded = member < 0 and bool(rung.members) and not rung.open
        return rung.members if is_folded else (self.shown_at(index),)

    def selected(self) -> Rung | None:
        """The rung under the cursor; of a member, a rung of its own."""
        if not self.rows:
            return None
        rung, member = self.rows[min(self.cursor, len(self.rows) - 1)]
        return rung if member < 0 else Rung(rung.members[member], {})

    def lanes(self, width: int) -> Lanes:
        """The layout."""
        return Lanes(self._owner.parties(), max(40, width), self.signs)

    def heads(self, width: int) -> list[list[Piece]]:
        """Names and states of the parties."""
        session = self._owner.session
        if not self._owner.parties():
            return []
        lanes = self.lanes(width - 2)
        about = {name: clean(text) for name, text in session.about.items()}
        return [
            [("  ", ""), *lanes.header(about, self._owner.times.head)],
            [("  ", ""), *lanes.states(self._states())],
        ]

    def _states(self) -> dict[str, str]:
        """The states of the parties after the rung under the cursor; while following, as they are now."""
        rungs = self._owner.session.rungs
        if self.follow:
            return dict(rungs.states)
        key = (self.cursor, len(self.rows), rungs.version)
        if key != self._states_key:
            found: dict[str, str] = {}
            for rung, _ in self.rows[: self.cursor + 1]:
                if rung.states:
                    found |= rung.states
            self._states_key, self._states_there = key, found
        return self._states_there

    def tails(self, width: int) -> list[list[Piece]]:
        """Lifelines go on."""
        return [[("  ", ""), *self.lanes(width - 2).empty()]] * 2

    def empty_text(self) -> str:
        """Before anything has happened."""
        if self._owner.session.control is None and not self._owner.parties():
            return "a capture holds packets, and nothing of who did what and why: 3 shows them"
        return "nothing has happened yet"

    def row(self, index: int, width: int) -> list[Piece]:
        """One rung."""
        rung, member = self.rows[index]
        if member >= 0:
            rung = Rung(rung.members[member], {})
        before = self.shown_at(index - 1) if index else None
        time = self._owner.times.text(rung.event, before)
        marked = self._owner.is_marked(index)
        return self.lanes(width).draw(rung, time=time, reveal=self._owner.reveal, is_marked=marked)
