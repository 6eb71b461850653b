"""Who may send when: a back-off that counts down while the channel is idle.

IEEE 802.11-2020 10.3 (distributed coordination function), as far as a discovery window needs it. A sender draws a
number of slots, 9 µs each, and counts them down while it senses nothing; what it could receive it senses. Two whose
slots run out together collide, which is the air's business. Beacons say from which slots they draw
(`ClusterSettings.back_off_slots`). The first other frame of a radio in a discovery window or further slot draws from
those behind the beacons' (`spread`); later frames draw from 16, doubled with each retry. No clock, no chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.wifi_aware.airtime import SLOT_TIME_US

if TYPE_CHECKING:
    from collections.abc import Iterable

    from protocols.wifi_aware.cluster_settings import ClusterSettings

__all__ = ["Backoff", "again", "spread"]

_LEAST, _MOST = 16, 1024


def again(retries: int) -> tuple[int, int]:
    """Slots from which a frame draws after that many retries: least, and one more than most."""
    return 0, min(_LEAST << retries, _MOST)


def spread(settings: ClusterSettings) -> tuple[int, int]:
    """Slots from which the first service frame of a window draws: those behind the beacons."""
    return settings.back_off_slots[2], settings.spread_slots


class Backoff:
    """A countdown of `slots` that begins at `start_us`, on a channel with that DIFS."""

    __slots__ = ("base_us", "difs_us", "slots")

    def __init__(self, slots: int, start_us: int, difs_us: int) -> None:
        self.slots = slots
        self.difs_us = difs_us
        self.base_us = start_us + difs_us

    def due_us(self, busy: Iterable[tuple[int, int]]) -> int:
        """When it runs out, by what was sensed so far: spans [start, end) in order of start.

        A span that begins at the due time does not count: both chose the same slot.
        """
        for start_us, end_us in busy:
            free_us = end_us + self.difs_us
            if free_us <= self.base_us:
                continue
            if start_us >= self.base_us + self.slots * SLOT_TIME_US:
                break
            self.slots -= max(0, start_us - self.base_us) // SLOT_TIME_US
            self.base_us = free_us
        return self.base_us + self.slots * SLOT_TIME_US
