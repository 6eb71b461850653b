"""Events for the screens: pulled from a run's trace with a cursor, kept in a bounded list, what was missed is counted.

Rules of the file: nothing is pushed; a slow screen slows nobody. A row has a position that never changes (0 for the
first event of the run), so lists of positions stay true when old rows leave. No screen, no clock.
"""

from __future__ import annotations

import copy
import pickle
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol

import msgspec

from sim.trace import TraceEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.trace import TraceLog

__all__ = ["CAPACITY", "PULL_LIMIT", "RING", "Feed", "Source"]

CAPACITY = 200_000
"""Events kept for the screens."""
PULL_LIMIT = 20_000
"""Events taken at once: more than come in a twentieth of a second, and few enough for the keyboard."""
RING = 30_000
"""Events that the trace of a run on the screen keeps: more than comes in a second, and than a diagnosis looks at."""
_CHUNK = 512
_OPENED = 8
_PICKLE = 5


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
    """The events of a run, the last `capacity` of them; all but the newest are kept as octets, a seventh of the size."""

    is_all_packets = False

    def __init__(self, trace: TraceLog, capacity: int = CAPACITY) -> None:
        self.first = 0
        self.end = 0
        self.done = False
        self._cursor = trace.cursor()
        self._capacity = capacity
        self._size = max(1, min(_CHUNK, capacity // 10))
        self._chunks: list[bytes | list[TraceEvent]] = []  # of `_size` events each, from `first` on
        self._seqs: list[int] = []  # of the first event of each
        self._newest: list[TraceEvent] = []  # behind the chunks
        self._opened: OrderedDict[int, list[TraceEvent]] = OrderedDict()  # number -> a chunk's

    @property
    def skipped(self) -> int:
        """Events that left the trace before they were read."""
        return self._cursor.missed

    @property
    def _packed_end(self) -> int:
        return self.end - len(self._newest)

    def pull(self) -> Sequence[TraceEvent]:
        """What has come since the last call, at most PULL_LIMIT."""
        events = self._cursor.read(PULL_LIMIT)
        if events:
            self._newest.extend(events)
            self.end += len(events)
            if len(self._newest) >= 2 * self._size:
                self._pack()
        return events

    def _pack(self) -> None:
        """Put whole chunks away; the oldest ones leave."""
        size, newest = self._size, self._newest
        whole = len(newest) - len(newest) % size - size  # the screen is most often on the last ones
        for start in range(0, whole, size):
            events = newest[start : start + size]
            self._seqs.append(events[0].seq)
            self._chunks.append(_packed(events))
        del newest[:whole]
        gone = (self.end - self.first - self._capacity) // size
        if gone > 0:
            del self._chunks[:gone], self._seqs[:gone]
            self.first += gone * size

    def _chunk(self, number: int) -> list[TraceEvent]:
        """The events of a chunk, counted from the first one of the run."""
        found = self._opened.get(number)
        if found is None:
            found = _unpacked(self._chunks[number - self.first // self._size])
            self._opened[number] = found
            if len(self._opened) > _OPENED:
                self._opened.popitem(last=False)
        else:
            self._opened.move_to_end(number)
        return found

    def at(self, position: int) -> TraceEvent:
        """The event at a position of [first, end)."""
        packed_end = self._packed_end
        if position >= packed_end:
            return self._newest[position - packed_end]
        number, place = divmod(position, self._size)
        return self._chunk(number)[place]

    def span(self, start: int, end: int) -> Sequence[TraceEvent]:
        """The events at [start, end)."""
        found: list[TraceEvent] = []
        packed_end, size = self._packed_end, self._size
        while start < min(end, packed_end):
            number, place = divmod(start, size)
            part = self._chunk(number)[place : place + end - start]
            found += part
            start += len(part)
        if start < end:
            found += self._newest[start - packed_end : end - packed_end]
        return found

    def frozen(self) -> Feed:
        """What is there now, for another thread: takes in nothing more, and loses nothing."""
        copied = copy.copy(self)
        copied._chunks, copied._seqs = list(self._chunks), list(self._seqs)
        copied._newest, copied._opened = list(self._newest), OrderedDict()
        return copied

    def position_of(self, seq: int) -> int | None:
        """Position of the event with a sequence number; None when it is not kept."""
        if self._newest and seq >= self._newest[0].seq:
            events, start = self._newest, self._packed_end
        else:
            index = bisect_right(self._seqs, seq) - 1
            if index < 0:
                return None
            start = self.first + index * self._size
            events = self._chunk(start // self._size)
        place = bisect_left(events, seq, key=lambda event: event.seq)
        return start + place if place < len(events) and events[place].seq == seq else None


def _packed(events: list[TraceEvent]) -> bytes | list[TraceEvent]:
    """Events as octets: node names and keys of fields once per chunk, every value with its type."""
    try:
        return pickle.dumps([msgspec.structs.astuple(event) for event in events], _PICKLE)
    except (pickle.PicklingError, TypeError, AttributeError):  # a field holds what has no octets
        return events


def _unpacked(chunk: bytes | list[TraceEvent]) -> list[TraceEvent]:
    if isinstance(chunk, list):
        return chunk
    return [TraceEvent(*one) for one in pickle.loads(chunk)]  # noqa: S301  # our own octets, never out of a file
