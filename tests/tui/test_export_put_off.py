"""Runs that waited for people, exported: the scenario carries the times that came of it, and replays them exactly."""

from __future__ import annotations

import pytest

from tests.sim.test_scenario_time import TIMED, S, lock
from tests.tui.exports import asked, hold, session_of
from tests.tui.test_export_replay import assert_same, repeated


def times_of(world):
    """When what the scenario times happened."""
    by_hand = {(step.node, int(step.at or 0)) for step in world.scenario.step if step.by_hand}
    return [
        (e.t_us, e.node, e.event)
        for e in world.trace
        if (
            e.layer == "control"
            and e.event in ("step", "fault")
            and (e.node, e.t_us) not in by_hand
        )
        or e.event in ("new_address", "connection_ready", "advertising")
    ]


def run_on(session, us):
    session.control.run_for(us)
    hold(session)


@pytest.mark.parametrize("late_s", [5, 33.3])
def test_the_demo_with_a_slow_person_replays_to_the_microsecond(tmp_path, late_s):
    session = session_of("demo")
    pin = asked(session, "display")
    run_on(session, int(late_s * S))
    session.control.answer("iphone", pin).result(10)
    run_on(session, 26 * S)
    live = times_of(session.control.world)
    assert session.control.world.times.put_off_us == int(late_s * S) - 2 * S
    replay, world = repeated(session, tmp_path)
    assert_same(replay, world)
    assert times_of(world) == live
    assert all(one.held for one in replay.result.expectations), "windows are put off, too"


def test_faults_and_switching_on_replay_at_their_put_off_times(tmp_path):
    (tmp_path / "s.toml").write_text(lock(TIMED), encoding="utf-8")
    session = session_of(tmp_path / "s.toml", play=("ph",))
    pin = asked(session, "dev")
    run_on(session, 7 * S)
    session.control.answer("ph", pin).result(10)
    run_on(session, 12 * S)
    put_off_us = session.control.world.times.put_off_us
    assert 5 * S <= put_off_us < 6 * S
    live = times_of(session.control.world)
    replay, world = repeated(session, tmp_path)
    assert_same(replay, world)
    assert times_of(world) == live
    assert int(replay.scenario.node[-1].power) == 7 * S + put_off_us


def test_a_run_that_is_exported_while_somebody_is_asked_replays(tmp_path):
    session = session_of("demo")
    asked(session, "display")
    run_on(session, 25 * S)
    assert session.control.questions()
    live = times_of(session.control.world)
    replay, world = repeated(session, tmp_path)
    assert_same(replay, world)
    assert times_of(world) == live


def test_the_exported_scenario_is_not_put_off_again_when_it_is_opened_here(tmp_path):
    """Its times are those of the run already, and its people are answered for by steps."""
    session = session_of("demo")
    pin = asked(session, "display")
    run_on(session, 11 * S)
    session.control.answer("iphone", pin).result(10)
    run_on(session, 26 * S)
    live = times_of(session.control.world)
    _, world = repeated(session, tmp_path)
    again = session_of(tmp_path / "elsewhere" / "again.toml", play=("phone",))
    run_on(again, world.now_us)
    assert times_of(again.control.world) == live
    again.close()
