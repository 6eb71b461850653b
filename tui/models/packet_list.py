"""The packets of a source that a filter lets through, as positions: kept up as packets come, made anew in slices.

Rules of the file: a filter over many packets never takes long at a time; `progress` says how far it is. Positions of
packets that have left the source leave the list. No screen, no clock of its own.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING

from tui.feed import PULL_LIMIT
from tui.filters import Filter, compile_filter
from tui.models.clear_forms import ClearForms
from tui.models.packet_words import packet_vocabulary
from tui.models.packets import Ends, is_packet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sim.trace import TraceEvent
    from tui.feed import Source

__all__ = ["DEFAULT_FILTER", "PacketList"]

DEFAULT_FILTER = "!hci && !empty"
"""Of a run: what was said, once, and without the packets that only keep a connection alive."""
_SLICE = 256
"""Packets between two looks at the time."""


class PacketList:
    """What the screen Packets lists. `source` is the run's or the file's."""

    def __init__(self, source: Source, text: str = "") -> None:
        self.source = source
        self.ends = Ends()
        self.clear = ClearForms(source)
        self.marks: set[int] = set()
        """sequence numbers of marked packets."""
        self.vocabulary = packet_vocabulary(self.ends, self.marks)
        self._total = 0
        self.filter: Filter[TraceEvent] = compile_filter(text, self.vocabulary)
        self._shown = array("q")
        self._looked = 0  # positions before this one have been looked at
        self._counted = 0  # positions before this one are in `_total`
        self._gone = 0  # entries of _shown before this one have left the source

    @property
    def total(self) -> int:
        """Packets so far, whatever the filter."""
        return self.source.end if self.source.is_all_packets else self._total

    @property
    def _is_plain(self) -> bool:
        """Whether every row of the source is shown, so that no list is needed."""
        return self.source.is_all_packets and not self.filter.text

    def __len__(self) -> int:
        if self._is_plain:
            return self.source.end - self.source.first
        return len(self._shown) - self._gone

    def event(self, row: int) -> TraceEvent:
        """The packet of a row."""
        return self.source.at(self.position(row))

    def position(self, row: int) -> int:
        """Position of a row in the source."""
        return self.source.first + row if self._is_plain else self._shown[self._gone + row]

    def positions(self) -> Sequence[int]:
        """Positions of all rows, as they are now."""
        if self._is_plain:
            return range(self.source.first, self.source.end)
        return self._shown[self._gone :]

    def row_of(self, position: int) -> int | None:
        """The row of a position, else of the first one behind it; None when there is none."""
        if self._is_plain:
            row = max(0, position - self.source.first)
            return row if row < len(self) else None
        row = bisect_left(self._shown, position, self._gone) - self._gone
        return row if row < len(self) else None

    def set_filter(self, text: str) -> None:
        """Filter anew, from the oldest packet on. Raises FilterError."""
        self.filter = compile_filter(text, self.vocabulary)
        del self._shown[:]
        self._gone = 0
        self._looked = self.source.first

    @property
    def progress(self) -> float:
        """Part of the source that the filter has seen, 0 to 1."""
        whole = self.source.end - self.source.first
        return 1.0 if whole <= 0 else (self._looked - self.source.first) / whole

    def take(self, events: Sequence[TraceEvent]) -> None:
        """Learn from what the source has just given, whatever the filter."""
        learn = self.ends.learn
        for event in events:
            if event.data is not None:
                learn(event)
            elif event.event == "derived":
                self.clear.learn(event)

    def look(self, enough: Callable[[], bool]) -> bool:
        """Let the filter see more; far behind (it is a new one) until `enough()`; whether rows came or went."""
        if self._is_plain:
            before_end, self._looked = self._looked, self.source.end
            return before_end != self._looked
        source, before = self.source, (len(self._shown), self._gone)
        first = source.first
        while self._gone < len(self._shown) and self._shown[self._gone] < first:
            self._gone += 1
        if self._gone > 100_000:
            del self._shown[: self._gone]
            self._gone = 0
        at, end = max(self._looked, first), source.end
        while at < end:
            stop = min(end, at + _SLICE)
            self._look_at(at, stop)
            at = stop
            self._looked = at
            if (end - at > PULL_LIMIT or source.is_all_packets) and enough():
                break
        return before != (len(self._shown), self._gone)

    def _look_at(self, start: int, end: int) -> None:
        matches, append = self.filter.matches, self._shown.append
        new = start >= self._counted
        for position, event in enumerate(self.source.span(start, end), start):
            if is_packet(event):
                if new or position >= self._counted:
                    self._total += 1
                if matches(event):
                    append(position)
        self._counted = max(self._counted, end)

    def next_mark(self, row: int) -> int | None:
        """The next row behind `row` that is marked, from the top again at the end; None without one."""
        rows = sorted(
            found
            for seq in self.marks
            if (position := self.source.position_of(seq)) is not None
            and (found := self.row_of(position)) is not None
            and self.position(found) == position
        )
        return next((one for one in rows if one > row), rows[0] if rows else None)
