"""Expectations: what they count, and when their verdict can no longer change."""

from __future__ import annotations

import pytest

from sim.expect import Watch, matches
from sim.scenario import Expect
from sim.trace import TraceEvent
from sim.units import Duration


def event(
    name="heard", t_us=1_000_000, node="phone", peer="beacon", data=None, rule="", note="", **fields
):
    return TraceEvent(1, t_us, node, "phone", name, "", peer, data, fields, note, None, rule)


@pytest.mark.parametrize(
    ("expect", "same"),
    [
        (Expect(event="heard"), True),
        (Expect(event="connected"), False),
        (Expect(event="heard", node="phone", peer="beacon"), True),
        (Expect(event="heard", node="beacon"), False),
        (Expect(event="heard", peer="other"), False),
        (Expect(event="heard", rule="IB-10"), False),
        (Expect(event="heard", where={"rssi_dbm": -40}), True),
        (Expect(event="heard", where={"rssi_dbm": {"min": -50, "max": -40}}), True),
        (Expect(event="heard", where={"rssi_dbm": {"max": -41}}), False),
        (Expect(event="heard", where={"rssi_dbm": {"not": -40}}), False),
        (Expect(event="heard", where={"formats": {"contains": "ibeacon"}}), True),
        (Expect(event="heard", where={"decoded.ibeacon.major": 7}), True),
        (Expect(event="heard", where={"decoded.ibeacon.minor": None}), False),
        (Expect(event="heard", where={"data": "0201"}), True),
        (Expect(event="heard", where={"nothing": 1}), False),
        (Expect(event="heard", after=Duration(1_000_001)), False),
        (Expect(event="heard", before=Duration(1_000_000)), True),
        (Expect(event="heard", before=Duration(999_999)), False),
    ],
)
def test_what_is_counted(expect, same):
    seen = event(
        data=b"\x02\x01", rssi_dbm=-40, formats=["ibeacon"], decoded={"ibeacon": {"major": 7}}
    )
    assert matches(expect, seen) is same


@pytest.mark.parametrize(
    ("bounds", "count", "held"),
    [
        ({}, 0, False),
        ({}, 1, True),
        ({"at_least": 3}, 2, False),
        ({"at_least": 3}, 3, True),
        ({"at_most": 0}, 0, True),
        ({"at_most": 0}, 1, False),
        ({"at_least": 1, "at_most": 2}, 0, False),
        ({"at_least": 1, "at_most": 2}, 2, True),
        ({"at_least": 1, "at_most": 2}, 3, False),
    ],
)
def test_bounds(bounds, count, held):
    watch = Watch(Expect(event="heard", why="because", **bounds))
    for _ in range(count):
        watch.feed(event())
    outcome = watch.outcome()
    assert (outcome.held, outcome.seen) == (held, count)
    assert outcome.why == ("" if held else "because")


def test_never_is_not_settled_before_its_time_is_over():
    never = Watch(Expect(event="connected", at_most=0, before=Duration(5)))
    assert not never.settled(5)
    assert never.settled(6)
    always = Watch(Expect(event="connected", at_most=0))
    assert not always.settled(10**9)
    always.feed(event("connected"))
    assert always.settled(0)


def test_the_worlds_own_events_do_not_count():
    assert not matches(Expect(event="end"), TraceEvent(1, 0, "", "world", "end"))
