"""Scenario time: the times of a scenario wait for somebody at the screen who takes longer than it was written for."""

from __future__ import annotations

import pytest

from sim import scenario as scenarios
from sim.clock import VirtualLoop
from sim.control import Control, commands_of
from sim.scenario_time import ScenarioTime
from sim.world import World
from tests.sim.worlds import two

S = 1_000_000
DELAY_US = 2 * S
"""person_delay: what a person needs who answers by itself."""
TIMED = """
[[step]]
node = "dev"
do = "forget"
at = "6s"

[[node]]
name = "later"
accessory = "thermometer"
power = "7s"

[[fault]]
name = "loss"
node = "later"
from = "8s"
until = "9s"
set = { probability = 0.5 }

[[expect]]
event = "paired"
node = "ph"
before = "5s"

[[expect]]
event = "step"
node = "dev"
after = "6s"
before = "6s"

[[expect]]
event = "started"
node = "later"
at_most = 0
before = "6.9s"
"""


class Slow:
    """Answers `ph` with the right PIN after a time, on the world's own thread."""

    def __init__(self, text, late_us, played=("ph",)):
        self.world = World(scenarios.parse(text, file="test.toml"))
        self.control = Control(self.world, played=played)
        self.late_us = late_us
        self.asked_us = None
        self.world.trace.add_sink(self._on_event)

    def _on_event(self, event):
        if event.event == "pin_required" and self.asked_us is None:
            self.asked_us = event.t_us
            self.world.after_us(self.late_us, self._answer)

    def _answer(self):
        self.control.answer("ph", self.control.face("dev").pin)

    def run(self):
        result = self.control.repeat([])
        self.world.close()
        return result

    def times(self, name, node=""):
        return [e.t_us for e in self.world.trace if e.event == name and node in ("", e.node)]


def lock(text=TIMED):
    made = two("lock", "pair to='dev'", duration="10s") + text
    return made.replace("stop_when_done = true", "stop_when_done = false")


@pytest.mark.parametrize("late_s", [0.5, 2, 9, 25])
def test_steps_faults_power_and_windows_are_put_off_by_what_is_more_than_a_person_needs(late_s):
    run = Slow(lock(), int(late_s * S))
    result = run.run()
    put_off_us = max(0, int(late_s * S) - DELAY_US)
    assert run.times("step", "dev") == [6 * S + put_off_us]
    faults = [(e.t_us, e.fields["state"]) for e in run.world.trace if e.event == "fault"]
    assert faults == [(8 * S + put_off_us, "set"), (9 * S + put_off_us, "cleared")]
    first = min(e.t_us for e in run.world.trace if e.node == "later" and e.layer != "control")
    assert first == 7 * S + put_off_us
    assert [one.held for one in result.expectations] == [True] * 3
    assert result.passed


def test_protocol_time_outs_are_not_put_off():
    """The Security Manager timer is 30 s of simulated time (Vol 3 Part H 3.4)."""
    run = Slow(lock(), 60 * S)
    assert not run.run().passed
    ended_us = run.times("not_paired", "ph")[0]
    assert 30 * S <= ended_us - run.asked_us < 31 * S
    assert run.times("step", "dev") == [6 * S + ended_us - run.asked_us - DELAY_US]


def test_people_who_are_answered_for_by_steps_put_nothing_off():
    """Where the scenario itself says when the answer comes, its times are those of the answer, too."""
    text = lock().replace('phone = "generic"', 'phone = "generic"\nset = { person = "asked" }')
    run = Slow(text, 9 * S)
    run.run()
    assert run.times("step", "dev") == [6 * S]


def test_two_who_are_slow_at_the_same_time_are_waited_for_once():
    text = two("badge", "pair to='dev'", duration="9s").replace(
        'phone = "generic"', 'phone = "generic"\nset = { io = "display_yes_no" }'
    )
    text += '[[step]]\nnode = "dev"\ndo = "forget"\nat = "6s"\n'
    run = Slow(text, 0, played=("ph", "dev"))

    def answer():
        for node in ("ph", "dev"):
            run.control.answer(node, True)

    run.world.after_us(12 * S, answer)
    run.run()
    first_us = min(run.times("compare_required"))
    assert len(run.times("paired")) == 2
    assert run.times("step", "dev") == [6 * S + 12 * S - first_us - DELAY_US]


def test_a_repeated_run_is_put_off_alike():
    run = Slow(lock(), 9 * S)
    run.run()
    again = World(scenarios.parse(lock(), file="test.toml"))
    Control(again, played=["ph"]).repeat(commands_of(run.world.trace))
    again.close()
    assert again.now_us == run.world.now_us
    told = [[(e.t_us, e.node, e.event, e.data) for e in w.trace] for w in (run.world, again)]
    assert told[0] == told[1]


def test_without_anybody_at_the_screen_the_times_are_simulated_ones():
    run = Slow(lock(), 9 * S, played=())
    run.run()
    assert run.times("step", "dev") == [6 * S]
    assert run.world.times.put_off_us == 0


# The clock itself


@pytest.fixture
def loop():
    made = VirtualLoop()
    yield made
    made.close()


def test_holds_one_after_the_other_add_up(loop):
    times = ScenarioTime(loop)
    called = []
    for at_s in (1, 4, 6):
        times.call_at(at_s * S, lambda at_s=at_s: called.append((at_s, loop.now_us)))
    for at_s, what in ((2, times.hold), (3, times.hold), (5, times.go_on), (5, times.go_on), (8, times.hold), (9, times.go_on)):  # fmt: skip
        loop.at_us(at_s * S, what)
    loop.run_until_us(20 * S)
    assert called == [(1, 1 * S), (4, 7 * S), (6, 10 * S)]
    assert times.now_us == 16 * S
    assert [times.simulated_us(at_s * S) for at_s in (1, 2, 4, 5, 6)] == [1 * S, 2 * S, 7 * S, 8 * S, 10 * S]  # fmt: skip
    assert [times.simulated_us(at_s * S, last=True) for at_s in (2, 5)] == [5 * S, 9 * S]


def test_who_waits_while_it_stands_still_takes_no_turns(loop):
    times = ScenarioTime(loop)
    reached = []

    async def wait():
        await times.reach(2 * S + 1)
        reached.append(loop.now_us)

    loop.at_us(2 * S, times.hold)
    loop.at_us(3600 * S, times.go_on)
    task = loop.create_task(wait())
    loop.run_until_us(4000 * S)
    assert task.done()
    assert reached == [3600 * S + 1]
