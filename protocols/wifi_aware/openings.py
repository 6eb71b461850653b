"""When data may go: the committed slots of an NDL as spans of time, and the next one in which a frame fits.

Wi-Fi Aware 4.0, NDL schedules; digest 4.8 (no data in discovery windows, nothing in the last 256 µs of a slot, after which
a radio may change channels). Neighbouring slots on one channel are one span. Times are TSF in microseconds. No clock, no
randomness, no IO.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from protocols.wifi_aware.timing import (
    ALL_SLOTS,
    BAND_2_4,
    BAND_5,
    DW0_INTERVAL_US,
    SLOT_US,
    SLOTS,
    dw_slots,
    ranges,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["GUARD_US", "Opening", "Openings", "without_windows"]

GUARD_US = 256
"""No frame reaches into the last part of a window or slot: radios change channels (digest 4.8)."""


class Opening(NamedTuple):
    """A span in which frames may be sent on a channel; the guard is no part of it."""

    channel: int
    start_us: int
    end_us: int


def without_windows(
    slots: Mapping[int, Iterable[int]], wake_2_4: int = 1, wake_5: int = 1
) -> dict[int, frozenset[int]]:
    """Slots by channel less the discovery windows that a device with these committed wake values attends.

    A window takes a device from every channel, whatever band it is of.
    """
    windows = dw_slots(BAND_2_4, wake_2_4) | dw_slots(BAND_5, wake_5)
    return {channel: frozenset(given) - windows for channel, given in slots.items()}


class Openings:
    """The spans of a schedule: channel number -> slots 0 to 511 from DW0."""

    def __init__(self, slots: Mapping[int, Iterable[int]], guard_us: int = GUARD_US) -> None:
        self._guard_us = guard_us
        self._spans = {channel: _spans(slots[channel]) for channel in sorted(slots)}
        lengths = [end - start for spans in self._spans.values() for start, end in spans]
        self.longest_us = max(lengths, default=0) - guard_us
        """what the longest span has room for; below 0 without any."""

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels that it has slots on."""
        return tuple(self._spans)

    def next(self, tsf_us: int, needed_us: int) -> Opening | None:
        """The span, from `tsf_us` on, in which something that takes `needed_us` can begin first; None: it never fits.

        It begins at `tsf_us` when that is inside. Of two channels the one that is open earlier, then longer, counts.
        """
        if needed_us > self.longest_us:
            return None
        found = [self._on(channel, tsf_us, needed_us) for channel in self._spans]
        open_ = [one for one in found if one is not None]
        return min(open_, key=lambda one: (one.start_us, -one.end_us), default=None)

    def _on(self, channel: int, tsf_us: int, needed_us: int) -> Opening | None:
        """The next one on a channel; the search begins with the last span that has begun, if need be a round ago."""
        spans = self._spans[channel]
        base_us = tsf_us // DW0_INTERVAL_US * DW0_INTERVAL_US
        begun = bisect_right(spans, tsf_us - base_us, key=lambda span: span[0]) - 1
        for number in range(begun, begun + len(spans) + 1) if spans else ():
            rounds, index = divmod(number, len(spans))
            start, end = (base_us + rounds * DW0_INTERVAL_US + edge for edge in spans[index])
            begin, last = max(start, tsf_us), end - self._guard_us
            if last - begin >= needed_us:
                return Opening(channel, begin, last)
        return None


def _spans(slots: Iterable[int]) -> list[tuple[int, int]]:
    """(start, end) in microseconds from DW0 of runs of slots; one over the end of the round goes on behind it."""
    marked = frozenset(slots)
    if marked >= ALL_SLOTS:
        return [(0, 2 * DW0_INTERVAL_US)]  # the next round takes over before it ends
    runs = ranges(marked)
    if len(runs) > 1 and runs[0][0] == 0 and runs[-1][1] == SLOTS - 1:
        runs[-1] = (runs[-1][0], SLOTS + runs[0][1])
        del runs[0]
    return [(first * SLOT_US, (last + 1) * SLOT_US) for first, last in runs]
