"""Committed slots: when a channel's begin and end, and the run in which both sides of a frame are awake.

Wi-Fi Aware 4.0, digest 4.8. Slots are 0 to 511 from DW0, by channel number; times are local, the offset is that of
the TSF. No clock, no chance.
"""

from __future__ import annotations

import functools
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from protocols.wifi_aware import timing
from protocols.wifi_aware.timing import SLOT_US, SLOTS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Run", "change_us", "common_run", "meeting_us"]

_NONE: frozenset[int] = frozenset()
_LONGEST = 32
"""Slots of a run that are looked at, in each direction: one discovery window interval."""


class Run(NamedTuple):
    """Neighbouring slots on a channel, in local time."""

    channel: int
    since_us: int
    until_us: int


def change_us(slots: Mapping[int, frozenset[int]], now: int, offset_us: int) -> int | None:
    """When a committed slot of any channel begins that follows none, or ends that none follows."""
    tsf_us = now + offset_us
    changes = (_next_edge(own, tsf_us) for own in slots.values())
    return min((at - offset_us for at in changes if at is not None), default=None)


def common_run(
    own: Mapping[int, frozenset[int]],
    theirs: Mapping[int, frozenset[int]],
    now: int,
    offset_us: int,
) -> Run | None:
    """The run that goes on, in which both sides are on one channel; None when there is none."""
    tsf_us = now + offset_us
    slot = timing.slot_of(tsf_us)
    for channel, slots in own.items():
        common = _common(slots, theirs.get(channel, _NONE))
        if slot in common:
            before, after = _around(slot, common)
            start_us = tsf_us // SLOT_US * SLOT_US - offset_us
            return Run(channel, start_us - before * SLOT_US, start_us + after * SLOT_US)
    return None


def meeting_us(
    own: Mapping[int, frozenset[int]],
    theirs: Mapping[int, frozenset[int]],
    now: int,
    offset_us: int,
) -> int | None:
    """When the next run begins in which both are on one channel; None: never."""
    tsf_us = now + offset_us
    found: list[int] = []
    for channel, slots in own.items():
        common = _common(slots, theirs.get(channel, _NONE))
        at = _next_edge(common, tsf_us)
        if at is not None and timing.slot_of(tsf_us) not in common:
            found.append(at - offset_us)
    return min(found, default=None)


@functools.lru_cache(maxsize=256)
def _common(a: frozenset[int], b: frozenset[int]) -> frozenset[int]:
    return a & b


@functools.lru_cache(maxsize=256)
def _edges(slots: frozenset[int]) -> tuple[int, ...]:
    """Slots at which a run begins or has ended."""
    return tuple(slot for slot in range(SLOTS) if (slot in slots) != ((slot - 1) % SLOTS in slots))


def _next_edge(slots: frozenset[int], tsf_us: int) -> int | None:
    """TSF of the next beginning or end of a run, after that of the slot that goes on; None: there is none."""
    edges = _edges(slots)
    if not edges:
        return None
    slot = timing.slot_of(tsf_us)
    at = bisect_right(edges, slot)
    ahead = edges[at] - slot if at < len(edges) else edges[0] + SLOTS - slot
    return (tsf_us // SLOT_US + ahead) * SLOT_US


def _around(slot: int, slots: frozenset[int]) -> tuple[int, int]:
    """Slots of the run around `slot`: how many lie before it, and how many from it on."""
    around = [(slot + step) % SLOTS in slots for step in range(-_LONGEST, _LONGEST)]
    before, after = around[:_LONGEST][::-1], around[_LONGEST:]
    return (
        before.index(False) if False in before else _LONGEST,
        after.index(False) if False in after else _LONGEST,
    )
