"""Steps by hand: at their time, beside the other steps of the node, after everything else of that instant, and never fatal."""

from __future__ import annotations

import pytest

from sim import scenario as scenarios
from sim.control import Control
from sim.world import World
from tests.sim.worlds import run, two

MS = {"for": "1ms"}

ASKED = two("lock", "pair to='dev'", duration="20s").replace(
    'phone = "generic"', 'phone = "generic"\nset = { person = "asked" }'
)


def by_hand(node, do, at, **arguments):
    given = ", ".join(f'{key} = "{value}"' for key, value in arguments.items())
    return f'\n[[step]]\nnode = "{node}"\ndo = "{do}"\nat = "{at}"\nset = {{ {given} }}\nby_hand = true\n'


def test_a_step_by_hand_does_not_wait_for_the_steps_of_its_node():
    """The phone's own step is still pairing when the answer is given."""
    ran = run(ASKED + by_hand("ph", "reject", "2s", timeout="0us"))
    assert [event.t_us for event in ran.of("rejected")] == [2_000_000]
    assert ran.of("not_paired")


def test_a_run_does_not_end_before_the_last_of_them():
    ran = run(two("lock", "wait for='100ms'", duration="20s") + by_hand("ph", "wait", "7s", **MS))
    assert ran.result.simulated_us >= 7_000_000
    (given,) = [event for event in ran.of("step") if event.t_us == 7_000_000]
    assert given.node == "ph"


def test_what_fails_is_told_and_fails_no_run():
    ran = run(
        two("lock", "wait for='3s'", duration="4s") + by_hand("ph", "read", "1s", uuid="2a00")
    )
    (failed,) = ran.of("step_failed")
    assert (failed.t_us, failed.node) == (1_000_000, "ph")
    assert ran.result.failures == ()


def test_those_behind_the_end_are_not_given():
    ran = run(two("lock", "wait for='1s'", duration="2s") + by_hand("ph", "wait", "9s", **MS))
    assert ran.result.simulated_us <= 2_000_000
    assert [event.t_us for event in ran.of("step")] == [0]


@pytest.mark.parametrize("speed", [None, 1000.0])
def test_they_are_given_in_the_order_of_time_also_under_control(speed):
    text = two("lock", "wait for='100ms'", duration="3s")
    text += by_hand("ph", "wait", "2s", **MS) + by_hand("dev", "forget", "1s")
    world = World(scenarios.parse(text, file="test.toml"), speed=speed)
    control = Control(world)
    control.start()
    assert control.wait("ended")
    control.stop()
    given = [
        (e.t_us, e.node, e.fields["label"]) for e in world.trace if e.event == "step" and e.t_us
    ]
    assert given[-2:] == [(1_000_000, "dev", "forget"), (2_000_000, "ph", "wait")]
