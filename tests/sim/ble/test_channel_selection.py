"""Channel selection against the sample data of the Core specification and against plain counting."""

from __future__ import annotations

import pytest

from sim.ble.channel_selection import (
    DATA_CHANNELS,
    Hop1,
    Hop2,
    channel_identifier,
    event_prn,
    used_channels,
)

ADV_ADDRESS = 0x8E89BED6
ALL = bytes.fromhex("ffffffff1f")
NINE = bytes.fromhex("0006e0001e")  # 9, 10, 21, 22, 23, 33, 34, 35, 36


def test_channel_identifier_sample() -> None:
    """Core 5.4 Vol 6 Part C, 3: access address 0x8E89BED6."""
    assert channel_identifier(ADV_ADDRESS) == 0x305F


@pytest.mark.parametrize(
    ("counter", "prn", "channel"), [(0, 56857, 25), (1, 1685, 20), (2, 38301, 6), (3, 27475, 21)]
)
def test_csa2_sample_all_channels(counter: int, prn: int, channel: int) -> None:
    """Vol 6 Part C, 3.1: 37 channels in use."""
    assert event_prn(counter, 0x305F) == prn
    assert Hop2(ADV_ADDRESS, ALL).channel(counter) == channel


@pytest.mark.parametrize(("counter", "channel"), [(6, 23), (7, 9), (8, 34)])
def test_csa2_sample_nine_channels(counter: int, channel: int) -> None:
    """Vol 6 Part C, 3.2: the second and third are remapped."""
    assert used_channels(NINE) == (9, 10, 21, 22, 23, 33, 34, 35, 36)
    assert Hop2(ADV_ADDRESS, NINE).channel(counter) == channel


def test_csa2_never_leaves_the_map_and_uses_all_of_it() -> None:
    hop = Hop2(0x71764129, NINE)
    assert {hop.channel(counter) for counter in range(2000)} == set(used_channels(NINE))


def test_csa1_visits_every_channel_once_per_round() -> None:
    """4.5.8.2: with all channels in use and any hop 5..16, 37 events visit 37 channels; the first is the hop."""
    for step in range(5, 17):
        hop = Hop1(step, ALL)
        seen = [hop.channel(counter) for counter in range(DATA_CHANNELS)]
        assert seen[:3] == [step, 2 * step % 37, 3 * step % 37]
        assert sorted(seen) == list(range(DATA_CHANNELS))


def test_csa1_remaps_by_remainder_and_keeps_the_unmapped_channel() -> None:
    """Unmapped 7, 14, 21: index 7 mod 9 = 7 -> 35, 14 mod 9 = 5 -> 33, and 21 is in use."""
    hop = Hop1(7, NINE)
    assert [hop.channel(counter) for counter in range(3)] == [35, 33, 21]


def test_csa1_skipped_events_and_the_wrap_of_the_counter() -> None:
    """A peripheral that sleeps through events, also over 65535, is on the central's channel afterwards."""
    awake, asleep = Hop1(11, NINE), Hop1(11, NINE)
    counters = [(65000 + n) & 0xFFFF for n in range(1200)]
    awake.channel(64999)
    asleep.channel(64999)
    channels = [awake.channel(counter) for counter in counters]
    assert [asleep.channel(counter) for counter in counters[::100]] == channels[::100]


def test_map_change_takes_effect_at_once() -> None:
    for hop in (Hop1(7, ALL), Hop2(ADV_ADDRESS, ALL)):
        hop.channel(0)
        hop.use(bytes.fromhex("0100000010"))
        assert {hop.channel(counter) for counter in range(1, 200)} == {0, 36}
