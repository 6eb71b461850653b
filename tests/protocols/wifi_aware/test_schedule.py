"""Time bitmaps to slots and back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import DecodeError, EncodeError
from protocols.wifi_aware.schedule import TimeBitmap, bitmap_of, slots_of


def bitmap(octets, duration=0, period=3, offset=0):
    return TimeBitmap(
        bit_duration=duration, period=period, start_offset_slots=offset, bitmap=octets
    )


def every(period, *slots):
    return {start + slot for start in range(0, 512, period) for slot in slots}


def test_bit_0_of_the_first_octet_is_the_earliest():
    """Digest V12: bit 9 of 32; V10: all but the first."""
    assert slots_of(bitmap("00020000")) == every(32, 9)
    assert slots_of(bitmap("feffffff")) == every(32, *range(1, 32))


def test_no_bitmap_is_all_slots_and_an_empty_one_none():
    assert slots_of(None) == set(range(512))
    assert slots_of(bitmap("")) == set()
    assert slots_of(bitmap("", period=0), span_repeats=True) == set()


@pytest.mark.parametrize(
    ("duration", "slots"),
    [(0, [1]), (1, [2, 3]), (2, [4, 5, 6, 7]), (3, [8, 9, 10, 11, 12, 13, 14, 15])],
)
def test_a_bit_stands_for_16_to_128_tu(duration, slots):
    assert slots_of(bitmap("02", duration, 7)) == set(slots)


@pytest.mark.parametrize(
    ("period", "slots"), [(1, 8), (2, 16), (3, 32), (4, 64), (5, 128), (6, 256), (7, 512)]
)
def test_periods_double_from_128_tu(period, slots):
    assert slots_of(bitmap("01", 0, period)) == set(range(0, 512, slots))


def test_offset_moves_all_repetitions_and_the_end_is_cut():
    assert slots_of(bitmap("03", 0, 6, 255)) == {255, 256, 511}
    assert slots_of(bitmap("03", 0, 7, 511)) == {511}


def test_bits_past_the_period_do_not_count():
    """128 TU have 8 bits of 16 TU."""
    assert slots_of(bitmap("01ff", 0, 1)) == every(8, 0)


def test_without_period_once_or_span_by_span():
    """hostap reads a schedule entry without period as if it were as long as its bitmap."""
    assert slots_of(bitmap("0100", period=0)) == {0}
    assert slots_of(bitmap("0100", period=0), span_repeats=True) == every(16, 0)


def test_reserved_durations_have_no_slots():
    with pytest.raises(DecodeError, match="bit_duration"):
        slots_of(bitmap("01", 4))


@pytest.mark.parametrize(
    ("slots", "duration", "expected"),
    [
        (every(32, 9), 0, ("0002", 3)),
        (every(32, *range(1, 32)), 0, ("feffffff", 3)),
        (range(512), 0, ("ff", 1)),
        (range(512), 3, ("ff", 4)),
        ([511], 0, ("00" * 63 + "80", 7)),
        ([], 0, ("00", 1)),
        (every(64, 2, 3), 1, ("02", 4)),
    ],
)
def test_shortest_bitmaps(slots, duration, expected):
    found = bitmap_of(slots, duration)
    assert (found.bitmap, found.period) == expected
    assert (found.bit_duration, found.start_offset_slots) == (duration, 0)


@pytest.mark.parametrize(
    ("slots", "duration", "path"),
    [([1], 1, "bit_duration"), ([0], 4, "bit_duration"), ([512], 0, "slots"), ([-1], 0, "slots")],
)
def test_what_a_bitmap_cannot_say(slots, duration, path):
    with pytest.raises(EncodeError) as caught:
        bitmap_of(slots, duration)
    assert caught.value.path == path


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.sets(st.integers(0, 511)), st.integers(0, 3))
def test_slots_survive_any_way(slots, duration):
    """Any set at 16 TU; any set of whole intervals at the others. hostap's rules on lengths are kept."""
    width = 1 << duration
    whole = {slot // width * width + part for slot in slots for part in range(width)}
    found = bitmap_of(whole, duration)
    assert slots_of(found) == whole
    octets = len(found.bitmap) // 2
    assert 1 <= octets <= 64
    assert octets * 8 * width <= 4 << found.period


def test_bits_that_reach_no_slot_change_nothing():
    """A bitmap may have 255 octets of 128 TU each; the schedule has 512 slots."""
    for code in range(4):
        few = {"bit_duration": code, "period": 0, "start_offset_slots": 3}
        needed = "a5" * (64 >> code)
        long = TimeBitmap(**few, bitmap=needed + "ff" * (255 - (64 >> code)))
        assert slots_of(long) == slots_of(TimeBitmap(**few, bitmap=needed))
