"""Spans of committed slots: compared with walking through time slot by slot."""

from __future__ import annotations

import random

import pytest

from protocols.wifi_aware.openings import GUARD_US, Opening, Openings, without_windows
from protocols.wifi_aware.schedule import TimeBitmap, slots_of
from protocols.wifi_aware.timing import ALL_SLOTS, DW0_INTERVAL_US, SLOT_US, SLOTS, slot_of


def walked(slots, tsf, needed):
    """The definition: from slot to slot, until what is needed fits before the guard of the run; None after two rounds."""
    begin = tsf
    while begin < tsf + 2 * DW0_INTERVAL_US + SLOT_US:
        if slot_of(begin) in slots:
            end = (begin // SLOT_US + 1) * SLOT_US
            while slot_of(end) in slots and end < begin + 3 * DW0_INTERVAL_US:
                end += SLOT_US
            if end - GUARD_US - begin >= needed:
                return begin
        begin = (begin // SLOT_US + 1) * SLOT_US
    return None


@pytest.mark.parametrize("seed", range(30))
def test_openings_are_those_of_a_walk_through_time(seed):
    rng = random.Random(seed)
    share = rng.choice((0.02, 0.3, 0.9, 1.0))
    slots = frozenset(s for s in range(SLOTS) if rng.random() < share)
    openings = Openings({6: slots})
    for _ in range(20):
        tsf = rng.randrange(3 * DW0_INTERVAL_US)
        needed = rng.choice((1, 500, SLOT_US - GUARD_US, SLOT_US, 3 * SLOT_US))
        found = openings.next(tsf, needed)
        assert (found and found.start_us) == walked(slots, tsf, needed)


def test_one_slot_of_each_interval():
    """Slot 9 of 32 (that of hostap on channel 149): 147,456 µs after the window, 16,384 µs long."""
    bitmap = TimeBitmap(bit_duration=0, period=3, start_offset_slots=0, bitmap="00020000")
    openings = Openings({149: slots_of(bitmap)})
    assert openings.next(0, 1000) == Opening(149, 147_456, 163_840 - 256)
    assert openings.next(150_000, 1000) == Opening(149, 150_000, 163_584)
    assert openings.next(163_000, 1000) == Opening(149, 524_288 + 147_456, 524_288 + 163_584)
    assert openings.next(0, SLOT_US) is None


def test_of_two_channels_the_first_that_is_open_counts():
    openings = Openings({6: {1, 2}, 149: {2, 3, 4}})
    assert openings.next(0, 1000).channel == 6
    assert openings.next(3 * SLOT_US - 500, 1000) == Opening(
        149, 3 * SLOT_US - 500, 5 * SLOT_US - 256
    )
    assert openings.next(2 * SLOT_US, 1000).channel == 149


def test_a_run_over_the_end_of_the_round_is_one():
    openings = Openings({6: {510, 511, 0, 1}})
    start = 510 * SLOT_US
    assert openings.next(0, 3 * SLOT_US) == Opening(6, start, start + 4 * SLOT_US - 256)
    assert openings.next(DW0_INTERVAL_US + 5, 1000).start_us == DW0_INTERVAL_US + 5


def test_nothing_is_open_without_slots():
    assert Openings({}).next(0, 1) is None
    assert Openings({6: ()}).next(0, 1) is None


def test_windows_are_no_slots_for_data():
    """Slot 0 of each interval, and slot 8 where windows of 5 GHz are attended."""
    found = without_windows({6: ALL_SLOTS}, 1, 1)[6]
    assert {slot % 32 for slot in ALL_SLOTS - found} == {0, 8}
    some = without_windows({6: ALL_SLOTS}, 2, 0)[6]
    assert ALL_SLOTS - some == set(range(0, 512, 64))
