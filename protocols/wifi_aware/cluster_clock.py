"""The TSF of a device and its discovery windows: when the next one opens, and what a correction of the clock does.

Wi-Fi Aware 4.0, NAN synchronisation; digest 4.1. The TSF is local time plus an offset. A correction beyond 4 TU ends
the window that goes on, and the next one is that of the new clock (hwsim). The engine on top is `cluster.py`. No
clock of its own, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.wifi_aware import timing
from protocols.wifi_aware.cluster_events import TsfAdjusted, WindowClosed, WindowOpened
from protocols.wifi_aware.timing import BAND_2_4, BAND_5, DW_INTERVAL_US, DW_US

if TYPE_CHECKING:
    from protocols.wifi_aware.cluster_settings import ClusterSettings
    from protocols.wifi_aware.events import Event

__all__ = ["NEVER", "ClusterClock"]

NEVER = 1 << 62
"""A due time that does not come."""


class ClusterClock:
    """TSF and windows; the TSF is `first_tsf_us` at local time `now`. Windows begin with `start_windows`."""

    __slots__ = (
        "_adjusted_in", "_events", "_index", "_window_due", "offset_us", "settings", "window",
    )  # fmt: skip

    def __init__(self, settings: ClusterSettings, first_tsf_us: int, now: int) -> None:
        self.settings = settings
        self.window = 0
        """Band ID of the discovery window that goes on, 0 between them."""
        self.offset_us = first_tsf_us - now
        self._events: list[Event] = []
        self._index = 0
        self._window_due = NEVER
        self._adjusted_in = -1
        self._events.append(TsfAdjusted(by_us=0, offset_us=self.offset_us, jump=False))

    def tsf_us(self, now: int) -> int:
        """The TSF at local time `now`."""
        return now + self.offset_us

    @property
    def closing_us(self) -> int:
        """When the window that goes on closes; `NEVER` between windows."""
        return self._window_due if self.window else NEVER

    def next_event(self) -> Event | None:
        """The next event, None when there is none."""
        return self._events.pop(0) if self._events else None

    # Windows

    def start_windows(self, now: int) -> None:
        """Attend windows from the next one on."""
        self.shut_window()
        self._window_due = self._next_opening(now)

    def open_window(self) -> int:
        """Open the window that is due; its channel."""
        tsf_us = self.tsf_us(self._window_due)
        self.window = band = BAND_2_4 if tsf_us % DW_INTERVAL_US == 0 else BAND_5
        channel = self.settings.channel(band)
        self._index = index = timing.dw_index(tsf_us)
        self._window_due += DW_US
        self._events.append(
            WindowOpened(band=band, channel=channel, index=index, until_us=self._window_due)
        )
        return channel

    def close_window(self, now: int) -> bool:
        """Close the window that goes on; whether it was the last one this device attends in its interval."""
        more = self.window == BAND_2_4 and timing.attends(self._index, self.settings.wake_5)
        self.shut_window()
        self._window_due = self._next_opening(now)
        return not more

    def shut_window(self) -> None:
        """The window that goes on, if any, is over."""
        if self.window:
            band, self.window = self.window, 0
            channel = self.settings.channel(band)
            self._events.append(WindowClosed(band=band, channel=channel, index=self._index))

    def _next_opening(self, now: int) -> int:
        """Local time at which the next window that this device attends begins."""
        tsf_us, settings = self.tsf_us(now), self.settings
        starts = (timing.next_dw(tsf_us, band, settings.wake(band)) for band in settings.bands)
        return min(start for start in starts if start is not None) - self.offset_us

    # TSF

    def correct(self, by_us: int, now: int, *, always: bool = False) -> bool:
        """Move the TSF by `by_us`, once per discovery window interval (hwsim); whether it moved.

        A small correction is halved; one that is `always` due (after joining) is neither halved nor refused.
        """
        if not always:
            if self.tsf_us(now) // DW_INTERVAL_US == self._adjusted_in:
                return False
            if abs(by_us) <= self.settings.halve_up_to_us:
                by_us = by_us // 2 if by_us > 0 else -(-by_us // 2)
        if not by_us:
            return False
        self.offset_us += by_us
        self._adjusted_in = self.tsf_us(now) // DW_INTERVAL_US
        jump = timing.is_jump(by_us)
        self._events.append(TsfAdjusted(by_us=by_us, offset_us=self.offset_us, jump=jump))
        if jump:
            self.shut_window()
        if self.window:
            self._window_due -= by_us
        elif self._window_due != NEVER:
            self._window_due = self._next_opening(now)
        return True
