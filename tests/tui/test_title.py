"""Line 1: the true speed is told when the machine cannot keep up, and only then."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tui.signs import UNICODE
from tui.title import Title


class Run:
    """A run whose simulated time the test moves."""

    def __init__(self, speed=1.0):
        self.waiting = []
        self.control = SimpleNamespace(
            state="running", speed=speed, result=None, questions=lambda: self.waiting
        )
        self.session = SimpleNamespace(
            control=self.control, now_us=0, events=0, title="demo", seed=1, saved=False,
            source=SimpleNamespace(skipped=0),
        )  # fmt: skip
        self.title = Title()
        self.now_s = 100.0
        self.title.begin(self.now_s)

    def goes_on(self, seconds, factor):
        """Seconds of the wall clock, looked at twenty times in each; the state as line 1 has it."""
        for _ in range(round(seconds * 20)):
            self.now_s += 0.05
            self.session.now_us += round(0.05 * factor * 1e6)
            self.title.measure(self.session, self.now_s)
        return self.title.parts(self.session, UNICODE, wide=False)[1][0]


def test_a_beginning_that_takes_its_time_alarms_nobody():
    run = Run()
    assert run.goes_on(1.5, 0.0).endswith("running 1.0x")
    assert run.goes_on(5, 1.0).endswith("running 1.0x")


@pytest.mark.parametrize(("factor", "said"), [(0.5, "0.5x (limit)"), (0.001, "<0.1x (limit)")])
def test_a_machine_that_cannot_keep_up_is_told_while_it_lasts(factor, said):
    run = Run()
    run.goes_on(3, 1.0)
    assert run.goes_on(4, factor).endswith(said)
    assert run.goes_on(2.5, 1.0).endswith("running 1.0x")


def test_time_that_stood_is_not_the_machines_fault():
    run = Run()
    run.goes_on(2, 1.0)
    run.waiting.append("a PIN")
    run.goes_on(5, 0.0)
    run.waiting.clear()
    assert run.goes_on(0.1, 1.0).endswith("running 1.0x"), "somebody was asked"
    run.control.state = "paused"
    run.goes_on(5, 0.0)
    run.control.state = "running"
    assert run.goes_on(0.1, 1.0).endswith("running 1.0x"), "somebody held the clock"


def test_another_speed_is_measured_anew():
    run = Run(speed=0.1)
    run.goes_on(4, 0.1)
    run.control.speed = 10.0
    assert run.goes_on(0.5, 10.0).endswith("running 10.0x")
    assert run.goes_on(6, 3.0).endswith("3.0x (limit)")


def test_the_run_after_a_restart_starts_afresh():
    run = Run()
    run.goes_on(1, 1.0)
    assert "(limit)" in run.goes_on(5, 0.2)
    run.session.now_us = 0
    run.title.begin(run.now_s)
    assert run.goes_on(0.1, 0.0).endswith("running 1.0x")
