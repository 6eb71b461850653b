"""Commands to a running world: what they do, when, how they are traced, and that a run with them can be repeated."""

from __future__ import annotations

import threading

import pytest

from protocols.errors import NearbenchError, SimulationError, UnknownNameError, UsageError
from sim import scenario as scenarios
from sim.control import Control, commands_of
from sim.world import World
from tests.sim.worlds import accessory, two

LOCK = two("lock", "pair to='dev'\nwait for='1s'", duration="60s")
KEPT = ("world", "ble", "aware", "phone", "accessory", "air", "hci")


@pytest.fixture
def begin():
    """Starts worlds, held at their beginning, and ends them."""
    controls = []

    def start(text=LOCK, *, played=("ph",), base=None, speed=None, held=True, **options):
        world = World(scenarios.parse(text, file="test.toml", base=base), speed=speed, **options)
        control = Control(world, played=played)
        controls.append(control)
        if held:
            control.pause()
        control.start()
        control.sync()
        return control

    yield start
    for control in controls:
        control.stop()


def hold(control):
    """Wait until what was asked for is done and the clock is held again."""
    assert control.sync()
    while control.state == "running":
        assert control.sync()


def asked(control, shows="dev"):
    """Run to the moment at which a question is open (and a PIN is on the display of `shows`)."""
    for _ in range(100):
        face = control.face(shows)
        if control.questions() and (not shows or (face is not None and face.pin)):
            return control.questions()[0]
        control.next_message()
        hold(control)
    raise AssertionError("nobody was asked")


def events(control, name):
    return [event for event in control.world.trace if event.event == name]


def story(trace):
    """What happened, without the commands of clocks."""
    return [
        (event.t_us, event.node, event.layer, event.event, event.peer, event.data, event.note)
        for event in trace
        if event.layer in KEPT
    ]


def test_a_person_types_the_pin_and_the_two_are_paired(begin):
    control = begin()
    question = asked(control)
    assert (question.node, question.question.kind, question.question.peer) == ("ph", "pin", "dev")
    control.answer("ph", control.face("dev").pin).result(10)
    control.resume()
    assert control.wait("ended")
    assert len(events(control, "paired")) == 2
    assert control.questions() == []


def test_a_wrong_pin_ends_as_the_protocol_says(begin):
    control = begin()
    asked(control)
    wrong = f"{(int(control.face('dev').pin) + 1) % 1_000_000:06}"
    control.answer("ph", wrong).result(10)
    control.resume()
    assert control.wait("ended")
    (ended, *_) = events(control, "not_paired")
    assert (ended.fields["reason"], ended.fields["side"], ended.node) == (4, "here", "dev")


def test_a_refusal_is_told_on_the_air(begin):
    """Passkey Entry Failed is reason 0x01 of Pairing Failed (Vol 3 Part H 3.5.5)."""
    control = begin()
    asked(control)
    control.answer("ph", None).result(10)
    control.resume()
    assert control.wait("ended")
    (failed,) = events(control, "pairing_failed")
    assert (failed.node, failed.data) == ("ph", b"\x05\x01")


def test_nobody_answers_for_thirty_seconds(begin):
    """The Security Manager timer runs in simulated time, and the run waits that long for its person."""
    control = begin(two("lock", "pair to='dev'", duration="5s"))
    asked(control)
    control.run_for(31_000_000)
    hold(control)
    (ended, *_) = events(control, "not_paired")
    assert "30 s" in ended.fields["words"]
    assert 30_000_000 < ended.t_us < 31_000_000


def test_the_run_with_its_commands_can_be_repeated(begin):
    control = begin()
    asked(control)
    control.answer("ph", control.face("dev").pin).result(10)
    control.step()
    hold(control)
    control.do("dev", "turn", locked=False).result(10)
    control.resume()
    assert control.wait("ended")
    control.stop()
    commands = commands_of(control.world.trace)
    assert [(one.node, one.do) for one in commands] == [("ph", "enter_pin"), ("dev", "turn")]
    again = World(scenarios.parse(LOCK, file="test.toml"))
    Control(again, played=["ph"]).repeat(commands)
    again.close()
    assert story(again.trace) == story(control.world.trace)


def test_a_pin_is_in_no_trace(begin):
    control = begin()
    asked(control)
    pin = control.face("dev").pin
    control.answer("ph", pin).result(10)
    control.resume()
    assert control.wait("ended")
    from sim.trace import line_of

    assert not [event for event in control.world.trace if pin.encode() in line_of(event)]


# The clock


def test_paused_time_stands_still_and_commands_are_carried_out(begin):
    control = begin()
    control.run_for(500_000)
    hold(control)
    assert (control.state, control.now_us) == ("paused", 500_000)
    control.do("dev", "turn", locked=False).result(10)
    (turned,) = events(control, "unlocked")
    assert turned.t_us == control.now_us == 500_000


def test_a_step_runs_to_the_next_event(begin):
    control = begin()
    control.run_for(100_000)
    hold(control)
    before = control.world.trace.count
    control.step()
    hold(control)
    last = list(control.world.trace)[before:]
    assert last[0].event == "clock"
    times = {event.t_us for event in last[1:]}
    assert times == {control.now_us}
    assert control.now_us > 100_000


def test_next_message_passes_over_what_is_none(begin):
    control = begin()
    messages = []
    for _ in range(4):
        control.next_message()
        hold(control)
        messages += [
            e
            for e in control.world.trace
            if e.t_us == control.now_us and e.direction and e.layer == "ble"
        ]
    names = [event.event for event in messages]
    assert names[:4] == ["connect", "mtu_request", "mtu_response", "pairing_request"]


def test_time_runs_at_the_chosen_speed_and_no_faster_than_people(begin):
    control = begin()
    control.set_speed(5.0)
    control.sync()
    assert control.world.loop.speed == 5.0
    asked(control)
    control.resume()
    control.sync()
    assert (control.speed, control.world.loop.speed) == (5.0, 1.0)
    control.answer("ph", control.face("dev").pin).result(10)
    while control.questions():
        control.sync()
    assert control.world.loop.speed == 5.0


def test_looking_for_a_message_in_vain_ends_after_a_minute(begin):
    control = begin(two("lock", "wait for='1s'"), played=())
    control.next_message()
    hold(control)
    assert control.now_us <= 60_000_000


@pytest.mark.parametrize("speed", [0.0, -1.0, 1e9])
def test_a_speed_that_is_none_is_refused(begin, speed):
    with pytest.raises(UsageError, match="factor above 0"):
        begin().set_speed(speed)


def test_after_the_end_devices_live_on(begin):
    control = begin(played=())
    control.resume()
    assert control.wait("ended")
    ended_us = control.now_us
    assert (control.state, control.result.passed) == ("ended", True)
    control.do("dev", "turn", locked=False).result(10)
    control.run_for(1_000_000)
    hold(control)
    assert control.now_us == ended_us + 1_000_000
    assert control.state == "ended"


def test_the_end_waits_for_people(begin):
    """The scenario lasts five seconds; a question is open for ten of them."""
    control = begin(two("lock", "pair to='dev'", duration="5s"))
    asked(control)
    since_us = control.questions()[0].asked_us
    control.run_for(10_000_000)
    hold(control)
    waited_us = control.now_us - since_us
    control.answer("ph", control.face("dev").pin).result(10)
    control.resume()
    assert control.wait("ended")
    assert events(control, "paired")
    assert control.now_us <= 5_000_000 + waited_us + 1_000


# Devices, people, faults


def test_what_a_device_refuses_is_told_and_the_run_goes_on(begin):
    """The phone has no power yet: whatever its code makes of the command ends no run."""
    control = begin(played=())
    failing = control.do("ph", "read", uuid="2a00")
    with pytest.raises(NearbenchError):
        failing.result(10)
    (told,) = events(control, "command_failed")
    (given,) = events(control, "command")
    assert (told.cause, given.fields["do"]) == (given.seq, "read")
    control.resume()
    assert control.wait("ended")


@pytest.mark.parametrize(
    ("node", "command", "part"),
    [
        ("nobody", "pair", "unknown node"),
        ("dev", "fly", "unknown command"),
        ("ph", "connect", "needs to"),
    ],
)
def test_commands_that_cannot_be_are_refused(begin, node, command, part):
    with pytest.raises(UsageError, match=part):
        begin().do(node, command).result(10)


def test_an_unknown_player_is_refused():
    world = World(scenarios.parse(LOCK, file="test.toml"))
    with pytest.raises(UnknownNameError, match="ph"):
        Control(world, played=["phon"])
    world.close()


def test_people_are_handed_over_while_they_are_asked(begin):
    control = begin()
    asked(control)
    assert control.is_played("ph")
    control.let("ph", auto=True)
    control.resume()
    assert control.wait("ended")
    assert events(control, "paired")
    assert not control.is_played("ph")


def test_people_are_taken_back_before_they_answer(begin):
    """A person that thinks by itself stops thinking when the screen takes it over."""
    control = begin(played=())
    for _ in range(20):
        control.next_message()
        hold(control)
        if events(control, "pin_required"):
            break
    control.let("ph", auto=False)
    control.run_for(10_000_000)
    hold(control)
    assert not events(control, "pin_entered")
    assert control.questions()


def test_a_fault_is_set_and_cleared_while_the_world_runs(begin):
    control = begin(played=())
    fault = control.set_fault("wrong_pin:node=ph").result(10)
    control.resume()
    assert control.wait("ended")
    assert events(control, "not_paired")
    control.clear_fault(fault)
    control.do("ph", "pair").add_done_callback(lambda _: None)
    control.run_for(20_000_000)
    hold(control)
    states = [event.fields["state"] for event in events(control, "fault")]
    assert states == ["set", "cleared"]
    assert events(control, "paired")


def test_a_run_with_faults_set_and_taken_back_can_be_repeated(begin):
    """One that asks chance, so that its place among the faults counts too, and one that is taken back."""
    text = two("lock", "pair to='dev'\nwait for='1s'", duration="60s")
    control = begin(text, played=())
    control.run_for(100_000)
    hold(control)
    loss = control.set_fault("loss:probability=0.3").result(10)
    control.set_fault("wrong_pin:node=ph,times=1").result(10)
    control.run_for(2_000_000)
    hold(control)
    control.clear_fault(loss).result(10)
    control.resume()
    assert control.wait("ended")
    control.stop()
    commands = commands_of(control.world.trace)
    assert [(one.node, one.do, one.set) for one in commands] == [
        ("", "set_fault", {"text": "loss:probability=0.3", "number": 1}),
        ("ph", "set_fault", {"text": "wrong_pin:node=ph,times=1", "number": 2}),
        ("", "clear_fault", {"text": "loss", "number": 1}),
    ]
    again = World(scenarios.parse(text, file="test.toml"))
    Control(again).repeat(commands)
    again.close()
    assert story(again.trace) == story(control.world.trace)
    without = World(scenarios.parse(text, file="test.toml"))
    without.run()
    without.close()
    assert story(without.trace) != story(control.world.trace)


def test_faults_of_the_scenario_are_nobodys_command(begin):
    control = begin(two("lock", "wait for='1s'") + "\n[[fault]]\nname = 'loss'\n", played=())
    control.resume()
    assert control.wait("ended")
    assert events(control, "fault")
    assert commands_of(control.world.trace) == []


def test_a_fault_of_one_instant_happens_now(begin):
    control = begin(played=())
    control.run_for(1_000_000)
    hold(control)
    control.set_fault("reboot_mid_pairing:node=dev").result(10)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("wrong_pim", "did you mean wrong_pin"),
        ("wrong_pin", "node"),
        ("wrong_pin:node=ph,off_by=0", "right PIN"),
        ("mitm_just_works:node=dev", "restart"),
    ],
)
def test_a_fault_that_cannot_be_is_refused(begin, text, part):
    with pytest.raises(UsageError, match=part):
        begin().set_fault(text).result(10)


# Ends


def test_a_world_that_dies_says_why(begin, tmp_path):
    (tmp_path / "own.py").write_text(
        accessory("async def start(self):\n    await asyncio.sleep(1)\n    raise ValueError('no')"),
        encoding="utf-8",
    )
    control = begin(two("own.py", "wait for='5s'"), base=tmp_path, played=())
    control.resume()
    assert control.wait("died")
    assert "dev" in control.error
    assert "ValueError: no" in control.error
    with pytest.raises(SimulationError, match="restart"):
        control.pause()
    assert control.stop()


def test_stopping_leaves_no_thread_and_can_be_repeated(begin):
    control = begin()
    control.run_for(1_000_000)
    hold(control)
    assert control.stop()
    assert control.state == "stopped"
    assert control.stop()
    assert "world" not in {thread.name for thread in threading.enumerate()}


def test_a_world_that_never_ran_can_be_stopped():
    control = Control(World(scenarios.parse(LOCK, file="test.toml")))
    assert control.stop()
    assert control.state == "stopped"


def test_a_question_that_is_gone_is_not_answered_later(begin):
    """An answer that comes too late must not go to the next question."""
    control = begin()
    late = control.answer("ph", "000000")
    control.step()
    with pytest.raises(NearbenchError, match="in vain"):
        late.result(10)
    asked(control)
    assert control.questions()
