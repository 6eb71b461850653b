"""A run that is stopped in the middle leaves nothing behind: no warning, no coroutine that nobody awaited."""

from __future__ import annotations

import gc
import sys
import warnings
from typing import TYPE_CHECKING

import pytest

from protocols.errors import SimulationError
from sim import scenario
from sim.control import Control
from sim.world import World

if TYPE_CHECKING:
    from sim.trace import TraceEvent

SHORT = ("us11_follow_ups_only_repaired", "passkey_lock", "us45_nik_timeout_repaired", "both_type")
CROWDED = ("crowd_1000", "beacon_walk")
"""Their devices are many and all alike."""
EVERY = [name for name in scenario.names() if name not in CROWDED]


@pytest.fixture
def left_behind(monkeypatch):
    """What Python complains of while things are thrown away."""
    found: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda one: found.append(repr(one.exc_value)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield found
        gc.collect()


def stopped_at(name: str, number: int, **settings: int) -> int:
    """A run of a scenario that is stopped at an event; how many there were."""
    world = World(scenario.load(name), **settings)
    stopping: list[int] = []

    def stop(event: TraceEvent) -> None:
        if event.seq >= number and not stopping:
            stopping.append(number)
            world.loop.stop()

    world.trace.add_sink(stop)
    try:
        with world.session():
            world.settle(int(world.scenario.duration))
    finally:
        world.close()
    return world.trace.count


@pytest.mark.parametrize("name", SHORT)
def test_a_run_may_be_stopped_at_any_of_its_first_events(name, left_behind):
    """The second event of a run is where devices have begun what they had no time to do."""
    for number in (1, 2, 3, 5, 33, 89):
        stopped_at(name, number)
    gc.collect()
    assert left_behind == []


@pytest.mark.slow
@pytest.mark.parametrize("name", EVERY)
def test_every_scenario_may_be_stopped(name, left_behind):
    count = stopped_at(name, 1 << 40)
    for part in (0.02, 0.2, 0.5, 0.9):
        stopped_at(name, max(2, int(count * part)))
    gc.collect()
    assert left_behind == []


def test_who_waits_for_a_command_that_the_end_cut_off_is_told(left_behind):
    control = Control(World(scenario.load("passkey_lock")))
    world = control.world

    def cut_off(event: TraceEvent) -> None:
        if event.event == "command":  # it is about to begin
            world.loop.stop()

    world.trace.add_sink(cut_off)
    with world.session():
        world.loop.run_until_us(100_000)
        done = control.do("phone", "wait", **{"for": "1s"})
        world.loop.run_until_us(200_000)
    world.close()
    gc.collect()
    assert left_behind == []
    assert isinstance(done.exception(0), SimulationError)
