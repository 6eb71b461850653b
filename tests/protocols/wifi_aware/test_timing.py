"""NAN time: known instants of the constants' document, edges of windows and slots."""

from __future__ import annotations

import pytest

from protocols.wifi_aware import timing as t

CAPTURED_US = 105_660_055
"""TSF of the discovery beacon in OpenNAN tests/test_crc32.cpp."""


def test_constants_are_those_of_the_document():
    """512 TU = 524288 us, 16 TU = 16384 us, 8192 TU = 8388608 us (2**23)."""
    assert (t.DW_INTERVAL_US, t.DW_US, t.SLOT_US) == (524_288, 16_384, 16_384)
    assert t.DW0_INTERVAL_US == 8_388_608 == 1 << 23
    assert t.SLOTS * t.SLOT_US == t.DW0_INTERVAL_US


def test_a_captured_discovery_beacon_is_outside_the_windows():
    """105660055 us = 201 whole intervals and 278167 us: DW 9, past both windows, slot 16 of 32."""
    assert CAPTURED_US - 201 * 524_288 == 278_167
    assert t.dw_index(CAPTURED_US) == 201 % 16 == 9
    assert not t.in_dw(CAPTURED_US, t.BAND_2_4)
    assert not t.in_dw(CAPTURED_US, t.BAND_5)
    assert t.slot_of(CAPTURED_US) == 9 * 32 + 16
    assert t.next_dw(CAPTURED_US) == 202 * 524_288


@pytest.mark.parametrize(
    ("tsf_us", "band", "inside"),
    [
        (0, t.BAND_2_4, True),
        (16_383, t.BAND_2_4, True),
        (16_384, t.BAND_2_4, False),
        (524_287, t.BAND_2_4, False),
        (524_288, t.BAND_2_4, True),
        (0, t.BAND_5, False),
        (131_071, t.BAND_5, False),
        (131_072, t.BAND_5, True),
        (147_455, t.BAND_5, True),
        (147_456, t.BAND_5, False),
        (524_288 + 131_072, t.BAND_5, True),
    ],
)
def test_edges_of_the_windows(tsf_us, band, inside):
    """The 5 GHz window starts 128 TU after that at 2.4 GHz."""
    assert t.in_dw(tsf_us, band) is inside


def test_the_next_window_may_start_now():
    assert t.next_dw(524_288) == 524_288
    assert t.next_dw(524_289) == 1_048_576
    assert t.next_dw(131_072, t.BAND_5) == 131_072
    assert t.next_dw(131_073, t.BAND_5) == 131_072 + 524_288
    assert t.next_dw(0, t.BAND_5) == 131_072


@pytest.mark.parametrize(
    ("wake", "indices"),
    [
        (0, []),
        (1, list(range(16))),
        (2, [0, 2, 4, 6, 8, 10, 12, 14]),
        (3, [0, 4, 8, 12]),
        (4, [0, 8]),
        (5, [0]),
        (6, []),
        (7, []),
    ],
)
def test_wake_values_are_exponents(wake, indices):
    """1, 2, 3, 4, 5 are every 1st, 2nd, 4th, 8th, 16th window, not every n-th."""
    assert [index for index in range(16) if t.attends(index, wake)] == indices
    assert t.dw_slots(t.BAND_5, wake) == {32 * index + 8 for index in indices}
    if not indices:
        assert t.next_dw(5, wake=wake) is None


def test_a_sleepy_device_is_met_at_dw0():
    assert t.next_dw(1, wake=5) == t.DW0_INTERVAL_US
    assert t.next_dw(1, t.BAND_5, wake=5) == 131_072
    assert t.next_dw(131_073, t.BAND_5, wake=5) == t.DW0_INTERVAL_US + 131_072


def test_slots_wrap_after_dw0_interval():
    assert t.slot_of(t.DW0_INTERVAL_US - 1) == 511
    assert t.slot_of(t.DW0_INTERVAL_US) == 0


def test_only_more_than_four_tu_is_a_jump():
    assert not t.is_jump(4096)
    assert not t.is_jump(-4096)
    assert t.is_jump(4097)
    assert t.is_jump(-4097)


def test_runs_of_slots():
    assert t.ranges([5, 1, 2, 9, 3]) == [(1, 3), (5, 5), (9, 9)]
    assert t.ranges([]) == []
