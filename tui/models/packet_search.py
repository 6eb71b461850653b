"""Going from match to match in a list of packets, however long it is: a slice of rows at a time.

Rules of the file: no slice takes long; the search goes round once, and ends where it began. Pure; whoever calls has
the time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.trace import TraceEvent
    from tui.filters import Filter
    from tui.models.packet_list import PacketList

__all__ = ["Search"]

_SLICE = 64


class Search:
    """One way from a row to the next one that matches; `step` is 1 or -1."""

    def __init__(
        self, packets: PacketList, wanted: Filter[TraceEvent], row: int, step: int
    ) -> None:
        self.found: int | None = None
        """the row, once there is one."""
        self.done = not len(packets)
        self._packets = packets
        self._wanted = wanted
        self._row = row
        self._step = step
        self._looked = 0

    @property
    def progress(self) -> float:
        """Part of the list that was looked at, 0 to 1."""
        return min(1.0, self._looked / max(1, len(self._packets)))

    def look(self, enough: Callable[[], bool]) -> bool:
        """Look at more rows until `enough()`; whether the search is over."""
        packets, matches = self._packets, self._wanted.matches
        while not self.done:
            count = len(packets)
            for _ in range(_SLICE):
                if self._looked >= count:
                    self.done = True
                    break
                self._looked += 1
                self._row = (self._row + self._step) % count
                if matches(packets.event(self._row)):
                    self.found, self.done = self._row, True
                    break
            if not self.done and enough():
                break
        return self.done
