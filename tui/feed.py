"""Events for the screens: pulled from a run's trace with a cursor, kept in a bounded list, what was missed is counted.

Rules of the file: nothing is pushed; a slow screen slows nobody. A row has a position that never changes (0 for the
first event of the run), so lists of positions stay true when old rows leave. No screen, no clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.trace import TraceEvent, TraceLog

__all__ = ["CAPACITY", "PULL_LIMIT", "Feed", "Source"]

CAPACITY = 200_000
"""Events kept for the screens."""
PULL_LIMIT = 20_000
"""Events taken at once: more than come in a twentieth of a second, and few enough for the keyboard."""


class Source(Protocol):
    """Rows by position: [first, end) are there."""

    @property
    def first(self) -> int:
        """Position of the oldest row that is there."""
        ...

    @property
    def end(self) -> int:
        """Position behind the newest row."""
        ...

    @property
    def skipped(self) -> int:
        """Events that are gone without having been seen."""
        ...

    @property
    def done(self) -> bool:
        """Whether nothing more will come."""
        ...

    @property
    def is_all_packets(self) -> bool:
        """Whether every row is a packet, as in a capture."""
        ...

    def span(self, start: int, end: int) -> Sequence[TraceEvent]:
        """The events at [start, end), for those who go through many."""
        ...

    def pull(self) -> Sequence[TraceEvent]:
        """What has come since the last call; may be empty for sources that are asked by position alone."""
        ...

    def at(self, position: int) -> TraceEvent:
        """The event at a position of [first, end)."""
        ...

    def position_of(self, seq: int) -> int | None:
        """Position of the event with a sequence number; None when it is not kept."""
        ...


class Feed:
    """The events of a run, the last `capacity` of them."""

    is_all_packets = False

    def __init__(self, trace: TraceLog, capacity: int = CAPACITY) -> None:
        self.first = 0
        self.end = 0
        self.done = False
        self._cursor = trace.cursor()
        self._capacity = capacity
        self._slack = max(1, capacity // 10)
        self._kept: list[TraceEvent] = []

    @property
    def skipped(self) -> int:
        """Events that left the trace before they were read."""
        return self._cursor.missed

    def pull(self) -> Sequence[TraceEvent]:
        """What has come since the last call, at most PULL_LIMIT."""
        events = self._cursor.read(PULL_LIMIT)
        if events:
            kept = self._kept
            kept.extend(events)
            self.end += len(events)
            if len(kept) > self._capacity + self._slack:
                del kept[: len(kept) - self._capacity]
                self.first = self.end - len(kept)
        return events

    def at(self, position: int) -> TraceEvent:
        """The event at a position of [first, end)."""
        return self._kept[position - self.first]

    def span(self, start: int, end: int) -> Sequence[TraceEvent]:
        """The events at [start, end)."""
        return self._kept[start - self.first : end - self.first]

    def position_of(self, seq: int) -> int | None:
        """Position of the event with a sequence number; None when it is not kept."""
        low, high = self.first, self.end
        while low < high:
            middle = (low + high) // 2
            if self.at(middle).seq < seq:
                low = middle + 1
            else:
                high = middle
        return low if low < self.end and self.at(low).seq == seq else None
