"""A frame that got lost on the way is no refusal: told as lost, with who missed it; and believed only when it shows."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from protocols.capture import open_reader
from sim import scenario
from sim.explain import explain, view_of
from sim.explain.reading import scene_of_capture, scene_of_events
from sim.fault_schedule import with_faults
from sim.ladder import Ladder
from sim.recording import Recorder
from sim.world import World
from tests.sim.explain.aware_logs import A, B, Wifi

LOST = "NB-18"
OF_SILENCE = {"IA-10", "IA-40", "IA-58", "NB-04", "NB-05", "NB-07", "NB-08"}
"""Rules about silence that may have another cause."""
FAULT = Path(__file__).with_name("lost_frames.py")
STAGES = {
    "request": (A, "bootstrapping request", "NB-04"),
    "response": (B, "bootstrapping response", "NB-04"),
    "auth1": (A, "first message", "NB-05"),
    "auth2": (B, "second message", "NB-07"),
    "auth3": (A, "third message", "NB-08"),
    "key": (A, "identity key", "NB-08"),
}
"""Frame that stays without Ack -> who misses it, what it is called, rule about what follows when it has one."""


def stopped(last: str, *, acked: bool, tries: int = 8, acks: bool = True) -> Wifi:
    """B pairs with A up to the frame `last`, which gets an Ack after `tries` or none; the others get theirs."""
    log = Wifi().discovery()
    steps = {
        "request": lambda: log.request(),
        "response": lambda: log.response(status=2 if last == "response" else 0),
        "auth1": lambda: log.auth(1, B, A),
        "auth2": lambda: log.auth(2, A, B, key=2),
        "auth3": lambda: log.auth(3, B, A),
        "key": lambda: log.identity(B, A),
    }
    for name, step in steps.items():
        step()
        if name == last:
            log.again(tries - 1)
        if acks and (name != last or acked):
            log.ack()
        if name == last:
            break
    log.wait(30).beacon(A)
    log.beacon(B)
    return log


def found_in(log: Wifi, phone: str = "ios-aware") -> dict[str, object]:
    return {one.rule: one for one in explain(log.scene(".pcap"), view_of(phone))}


@pytest.mark.parametrize("last", STAGES)
def test_a_lost_frame_is_told_as_lost_and_by_whom_it_was_missed(last):
    missed_by, called, _ = STAGES[last]
    found = found_in(stopped(last, acked=False))
    assert found[LOST].severity == "error"
    assert found[LOST].device == missed_by
    assert called in found[LOST].evidence
    assert "8 times" in found[LOST].evidence
    assert not OF_SILENCE & set(found)


@pytest.mark.parametrize("last", STAGES)
def test_one_that_was_acknowledged_at_last_is_not_lost(last):
    found = found_in(stopped(last, acked=True))
    assert LOST not in found
    assert STAGES[last][2] in found


def test_the_late_identity_key_is_blamed_on_the_accessory_when_it_has_the_third_message():
    log = stopped("auth3", acked=True, tries=1)
    log.packets.pop()  # the beacon half a minute later
    log.t_us -= 30_000_000
    log.wait(2.55).identity(B, A)
    log.ack().wait(30).beacon(A)
    assert "IA-40" in found_in(log)
    assert LOST not in found_in(log)


def test_two_copies_are_believed_where_other_acks_were_heard_and_not_in_a_capture_without_acks():
    assert LOST in found_in(stopped("auth3", acked=False, tries=2))
    assert LOST not in found_in(stopped("auth3", acked=False, tries=2, acks=False))
    assert LOST in found_in(stopped("auth3", acked=False, tries=8, acks=False))


def test_one_copy_proves_nothing():
    assert LOST not in found_in(stopped("auth3", acked=False, tries=1))


def test_an_ack_belongs_to_the_frame_before_it():
    log = Wifi().discovery()
    log.auth(1, B, A)
    log.again(7)
    log.message(B, A)
    log.ack().wait(30).beacon(A)
    assert LOST in found_in(log)


def test_an_ack_after_a_data_frame_of_the_same_sender_is_for_that():
    log = Wifi().discovery()
    log.auth(1, B, A)
    log.again(7)
    log.data(B, A)
    log.ack(B).wait(30).beacon(A)
    assert LOST in found_in(log)


def test_where_only_the_acks_were_lost_the_exchange_went_on():
    log = stopped("auth3", acked=False)
    log.packets.pop()
    log.keys().wait(30).beacon(A)
    assert LOST not in found_in(log)


def test_a_loss_that_another_attempt_made_good_is_a_note():
    log = stopped("auth1", acked=False)
    for number, one, other in ((1, B, A), (2, A, B), (3, B, A)):
        log.auth(number, one, other, key=number + 10)
        log.ack()
    log.keys()
    assert found_in(log)[LOST].severity == "note"


# The simulation


def run(kind: str, tmp_path: Path, **where: str):
    """US-45 repaired, with frames of a kind lost: events, ladder, capture."""
    keys = "".join(f",{key}={value}" for key, value in where.items())
    text = f"{FAULT}:kind={kind}{keys}"
    world = World(with_faults(scenario.load("us45_nik_timeout_repaired"), [text]))
    events = []
    world.trace.add_sink(events.append)
    recorder = Recorder(world)
    file = tmp_path / "air.pcapng"
    recorder.capture(str(file))
    try:
        world.run()
    finally:
        recorder.close()
        world.close()
    return events, file.read_bytes()


def ladder_of(events) -> str:
    ladder = Ladder(["display", "iphone"], columns=200)
    return "\n".join(line for event in events for line in ladder.draw(event))


KINDS = {
    "request": ("iphone", "bootstrapping request"),
    "response": ("display", "bootstrapping response"),
    "auth1": ("iphone", "PASN Auth 1"),
    "auth2": ("display", "PASN Auth 2"),
    "auth3": ("iphone", "PASN Auth 3"),
    "protected": ("iphone", "identity key"),
}
"""What is lost -> who sent it in vain, and what the ladder calls it."""


@pytest.mark.parametrize("kind", KINDS)
def test_ladder_and_explain_name_the_lost_frame(kind, tmp_path):
    events, capture = run(kind, tmp_path)
    sender, called = KINDS[kind]
    in_vain = [one for one in events if one.event == "not_acknowledged"]
    assert {one.node for one in in_vain} == {sender}
    assert called in in_vain[0].note
    assert in_vain[0].note in ladder_of(events)
    scene, _ = scene_of_capture(open_reader(io.BytesIO(capture), "air.pcapng"))
    for one in (scene, scene_of_events(events)):
        rules = {found.rule for found in explain(one, view_of("ios-aware")) if found.severity != "note"}  # fmt: skip
        assert LOST in rules
        assert not OF_SILENCE & rules


@pytest.mark.parametrize("kind", ["request", "auth1", "auth3", "protected"])
def test_a_phone_that_nobody_acknowledges_says_so_and_what_to_do(kind, tmp_path):
    events, _ = run(kind, tmp_path)
    (failed,) = (one for one in events if one.event == "pairing_failed")
    assert failed.rule == LOST
    assert "never acknowledged by display" in failed.note
    assert "closer together" in failed.fields["remedy"]


def test_the_key_that_only_the_phone_misses_is_told(tmp_path):
    events, _ = run("protected", tmp_path, node="iphone", direction="to")
    found = {one.rule: one for one in explain(scene_of_events(events), view_of("ios-aware"))}
    assert found[LOST].evidence.count("identity key")
    assert not OF_SILENCE - {"IA-10"} & set(found)


def test_silence_is_not_called_a_refusal(tmp_path):
    events, _ = run("request", tmp_path)
    done = [one for one in events if one.event == "bootstrap_completed"]
    assert done
    assert all("refused" not in one.note and "no answer" in one.note for one in done)


def test_data_that_nobody_listens_for_any_more_is_told_and_counted():
    """The demo's phone restarts before it acknowledges the answer; null frames follow until the display moves."""
    world = World(scenario.load("demo"))
    ladder, events, lines = Ladder([one.name for one in world.scenario.node], columns=120), [], []
    world.trace.add_sink(lambda event: lines.extend(ladder.draw(event)))
    world.trace.add_sink(events.append)
    try:
        world.run()
    finally:
        world.close()
    in_vain = [one for one in events if one.event == "not_acknowledged"]
    restarted = next(one.t_us for one in events if one.event == "restarted")
    assert [(one.node, one.peer) for one in in_vain] == [("display", "iphone")] * 2
    assert restarted < in_vain[0].t_us < in_vain[1].t_us
    assert "null frame" in in_vain[1].note
    (shown,) = (line for line in lines if "not acknowledged" in line)
    assert "data frame, 8 tries; lost, or nobody listens" in shown
    assert "display sent iphone 2 frames that nobody acknowledged" in ladder.summary()


def test_what_is_sent_to_an_address_that_has_left_is_not_lost_on_the_way():
    """The accessory takes another address while the PIN is typed: AA-30 and the rules of silence tell that."""
    log = Wifi().discovery()
    log.request()
    log.ack()
    log.response(status=0)
    log.ack()
    log.wait(20)
    log.auth(1, B, A)
    log.again(7)
    log.wait(30).beacon(B)
    found = found_in(log)
    assert LOST not in found
    assert "NB-05" in found
