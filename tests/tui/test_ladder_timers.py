"""Timers on the ladder: those that run, and none that was stopped."""

from __future__ import annotations

from sim.trace import TraceEvent
from tests.tui.test_models import run
from tui.models.pairing_values import Values

PARTIES = ("iphone", "display")


def test_a_timer_that_was_stopped_is_not_listed():
    """Bootstrapping and authentication of Wi-Fi Aware set timers for many seconds, and stop them long before."""
    values, waits = Values(), {}
    for event in run("demo"):
        values.feed([event])
        if event.event in ("timer", "timer_stopped"):
            waits[event.seq] = {what for _, what, _ in values.waits(PARTIES, event.t_us)}
    events = {e.seq: e for e in run("demo")}
    stopped = [events[seq] for seq in waits if events[seq].event == "timer_stopped"]
    assert any("timeout" in e.note for e in stopped)
    assert any(e.note.startswith("auth ") for e in stopped)
    done = next(e for e in run("demo") if e.event == "nik_received")
    left = values_at(done.t_us + 1_000_000)
    assert not [what for _, what, _ in left if what.startswith(("auth", "bootstrapping"))]


def values_at(t_us):
    values = Values()
    values.feed(e for e in run("demo") if e.t_us <= t_us)
    return values.waits(PARTIES, t_us)


def test_a_timer_that_runs_is_listed_with_what_is_left():
    begun = next(e for e in run("demo") if e.event == "timer" and e.note.startswith("auth "))
    left = values_at(begun.t_us + 1_000)
    (mine,) = [us for party, what, us in left if party == begun.node and what.startswith("auth")]
    assert mine == begun.fields["for_us"] - 1_000


def test_stopping_one_leaves_the_others():
    def event(seq, name, note, **fields):
        return TraceEvent(seq, seq, "a", "aware", name, note=note, fields=fields)

    values = Values()
    values.feed([
        event(1, "timer", "auth b: 10 s", for_us=10_000_000), event(2, "timer", "nik b: 5 s", for_us=5_000_000),
        event(3, "timer_stopped", "auth b: stopped", quiet=True), event(4, "timer_stopped", "other: stopped", quiet=True),
    ])  # fmt: skip
    assert [what for _, what, _ in values.waits(("a", "b"), 5)] == ["nik b"]
