"""The feed of a run: positions stay true while old events leave, and what is kept as octets comes back as it was."""

from __future__ import annotations

import tracemalloc

import pytest

from sim.redaction import Secret
from sim.trace import TraceLog
from tui.feed import Feed


def emitted(log, number):
    return log.emit(
        "lock",
        "air",
        "adv_ind",
        direction="tx",
        data=bytes((number & 255,)) * 20,
        channel=37,
        outcomes={"phone": "heard"},
        number=number,
    )


@pytest.mark.parametrize("capacity", [10, 50, 1000, 5000])
def test_positions_stay_true_whatever_has_left(capacity):
    log = TraceLog(lambda: 0, 100_000)
    feed = Feed(log, capacity)
    for number in range(12_000):
        emitted(log, number)
        if number % 997 == 0:
            feed.pull()
    feed.pull()
    assert feed.end == 12_000
    assert capacity <= feed.end - feed.first <= capacity * 1.3 + 1
    for position in (feed.first, feed.first + 1, (feed.first + feed.end) // 2, feed.end - 1):
        event = feed.at(position)
        assert event.fields["number"] == position
        assert feed.position_of(event.seq) == position
    kept = range(feed.first, feed.end)
    assert [one.fields["number"] for one in feed.span(feed.first, feed.end)] == list(kept)
    middle = kept[len(kept) // 3 : -len(kept) // 3]
    assert [one.fields["number"] for one in feed.span(middle[0], middle[-1] + 1)] == list(middle)
    assert feed.position_of(feed.at(feed.first).seq - 1) is None
    assert feed.position_of(12_001) is None


def test_numbers_with_gaps_are_found():
    """The trace ran over before it was read: sequence numbers jump, positions do not."""
    log = TraceLog(lambda: 0, 100)
    feed = Feed(log, 1000)
    for number in range(5000):
        emitted(log, number)
        if number % 150 == 149:
            feed.pull()
    assert feed.skipped == 33 * 50
    for position in range(feed.first, feed.end, 7):
        assert feed.position_of(feed.at(position).seq) == position
    lost = feed.at(feed.end - 100).seq - 1  # read fell behind just before this one
    assert feed.position_of(lost) is None


def test_events_come_back_with_every_value_of_its_type():
    class Bare:
        """Has no octets: it lives in a function."""

    log = TraceLog(lambda: 7, 10_000)
    feed = Feed(log, 5000)
    bare = Bare()
    first = log.emit(
        "phone", "ble", "pin_entered", peer="lock", note="n", cause=3, rule="NB-1",
        pin=Secret("019655"), pair=(1, 2), level=-48.5, data=b"\x00\x01", deep={"a": [None, True]},
    )  # fmt: skip
    log.emit("phone", "ble", "odd", thing=bare)
    for number in range(4000):
        emitted(log, number)
    feed.pull()
    assert feed.at(0) == first
    assert isinstance(feed.at(0).fields["pin"], Secret)
    assert isinstance(feed.at(0).fields["pair"], tuple)
    assert feed.at(1).fields["thing"] is bare


def test_old_events_take_a_fraction_of_their_room():
    log = TraceLog(lambda: 1_234_567, 500)
    feed = Feed(log, 200_000)
    tracemalloc.start()
    try:
        for number in range(20_000):
            emitted(log, number)
            if number % 400 == 399:
                feed.pull()
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert feed.end == 20_000
    assert feed.skipped == 0
    assert used / 20_000 < 160, "octets per event; as objects they take several hundred"
