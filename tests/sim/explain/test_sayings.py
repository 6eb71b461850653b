"""What a phone of a run says by a rule, and what it gets over; data paths and cuts that only a trace has."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from protocols.capture import open_reader
from sim import scenario
from sim.explain import SEVERITIES, Finding, explain, rule_of, view_of
from sim.explain.reading import scene_of_capture, scene_of_events, scene_of_trace
from sim.recording import Recorder
from sim.trace import TraceEvent, line_of
from sim.world import World

if TYPE_CHECKING:
    from pathlib import Path

ANDROID = {
    "us48_doze": "AA-29",
    "us50_no_network_request": "AA-47",
    "us52_no_pairing": "AA-02",
    "us52_permission": "AA-50",
    "us52_radio_taken": "AA-01",
}
"""Scenario -> rule that the phone alone can name."""


def said(event: str, rule: str = "", *, peer: str = "lamp", **fields: object) -> TraceEvent:
    return TraceEvent(
        0, 0, "phone", "phone", event, peer=peer, note=event, rule=rule, fields=fields
    )


def found(*events: TraceEvent, phone: str = "ios-aware") -> list[tuple[str, str, tuple[int, ...]]]:
    numbered = [
        TraceEvent(seq, seq, one.node, one.layer, one.event, peer=one.peer, note=one.note, rule=one.rule, fields=one.fields)
        for seq, one in enumerate(events, 1)
    ]  # fmt: skip
    return [(one.rule, one.severity, one.frames) for one in explain(scene_of_events(numbered), view_of(phone))]  # fmt: skip


def events_of(name: str) -> list[TraceEvent]:
    world = World(scenario.load(name))
    events: list[TraceEvent] = []
    world.trace.add_sink(events.append)
    try:
        world.run()
    finally:
        world.close()
    return events


def first_rules(findings: list[Finding]) -> list[str]:
    return list(dict.fromkeys(one.rule for one in findings if one.severity == "error"))


def test_the_cause_is_told_before_what_comes_of_it():
    """Doze switches Wi-Fi Aware off, so the app does not answer, so nobody confirms within 20 s."""
    found = explain(scene_of_events(events_of("us48_doze")), view_of("android-aware"))
    assert first_rules(found) == ["AA-29", "AA-42", "AA-23", "NB-05"]
    late = explain(scene_of_events(events_of("us48_app_answers_late")), view_of("android-aware"))
    assert first_rules(late) == ["AA-42", "AA-23", "NB-05"]


def test_causes_do_not_lift_a_warning_over_an_error():
    """Worst first, whatever caused it."""
    severities = [one.severity for one in explain(scene_of_events(events_of("us49_new_address")))]
    assert severities == sorted(severities, key=SEVERITIES.index)
    assert len(set(severities)) == len(SEVERITIES)


def captured(name: str, file: Path) -> list[Finding]:
    """Findings from what was on the air of a scenario."""
    world = World(scenario.load(name))
    recorder = Recorder(world)
    recorder.capture(str(file))
    try:
        world.run()
    finally:
        recorder.close()
        world.close()
    scene, _ = scene_of_capture(open_reader(io.BytesIO(file.read_bytes()), file.name))
    return explain(scene, view_of("android-aware"))


@pytest.mark.parametrize(
    ("name", "is_gone"), [("us48_doze", True), ("us48_app_answers_late", False)]
)
def test_a_capture_of_the_air_alone_tells_who_is_gone_from_who_does_not_answer(
    name, is_gone, tmp_path
):
    """A capture knows no Doze; it shows that the beacons end as well."""
    findings = captured(name, tmp_path / "air.pcapng")
    (unanswered,) = (one for one in findings if one.rule == "AA-42")
    assert ("nothing at all is heard of it" in unanswered.evidence) is is_gone
    assert ("AA-29" in unanswered.remedy) is is_gone
    assert "AA-29" not in {one.rule for one in findings}


def test_a_refusal_is_an_error_with_all_its_times():
    refusal = said("connection_failed", "IA-63")
    assert found(refusal, said("heard"), refusal) == [("IA-63", "error", (1, 3))]


def test_the_finding_has_the_words_of_the_phone_and_of_the_rule():
    (one,) = explain(scene_of_events([said("connection_failed", "IA-63")]), view_of("ios-aware"))
    rule = rule_of("IA-63")
    assert (one.evidence, one.device) == ("connection_failed", "lamp")
    assert (one.title, one.why, one.remedy) == (rule.title, rule.statement, rule.remedy)


@pytest.mark.parametrize(
    ("event", "rule"),
    [("connection_ready", "IA-59"), ("aware_paired", "IA-51"), ("connection_failed", ""), ("connection_failed", "XX-99")],
)  # fmt: skip
def test_success_and_what_no_rule_stands_behind_are_no_findings(event, rule):
    assert found(said(event, rule)) == []


def test_availability_is_a_failure_only_where_it_ends():
    assert found(said("aware_state", "AA-29", available=True), phone="android-aware") == []
    assert found(said("aware_state", "AA-29", available=False), phone="android-aware") == [("AA-29", "error", (1,))]  # fmt: skip


def test_a_rule_of_another_phone_is_none_of_this_one():
    assert found(said("connection_failed", "IA-63"), phone="android-aware") == []


@pytest.mark.parametrize(
    ("peer", "severity"), [("lamp", "warning"), ("sensor", "error")]
)  # fmt: skip
def test_what_works_later_with_the_same_peer_is_got_over(peer, severity):
    failed = said("connection_failed", "IA-63")
    assert found(failed, said("connection_ready", peer=peer)) == [("IA-63", severity, (1,))]


def test_what_fails_after_it_worked_is_not_got_over():
    failed = said("connection_closed", "IA-66")
    assert found(failed, said("connection_ready"), failed) == [("IA-66", "error", (1, 3))]


def test_who_is_never_shown_beside_one_that_works_is_a_bystander():
    works = said("connection_ready", peer="sensor")
    assert found(works, said("not_shown", "IA-08")) == [("IA-08", "warning", (2,))]


@pytest.mark.parametrize("name", ANDROID)
def test_what_android_says_is_found(name):
    errors = [one for one in explain(scene_of_events(events_of(name))) if one.severity == "error"]
    assert ANDROID[name] in {one.rule for one in errors}
    assert {one.phone for one in errors if not one.rule.startswith("NB-")} == {"android-aware"}
    again = explain(scene_of_events(events_of(f"{name}_repaired")))
    assert [one for one in again if one.severity == "error"] == []


def connected(node: str, number: int = 1) -> TraceEvent:
    fields = {"initiator_ndi": "02:00:00:00:00:01", "ndp_id": number}
    return TraceEvent(1, 1, node, "aware", "ndp_connected", fields=fields)


@pytest.mark.parametrize(
    ("events", "count"),
    [
        ([connected("a"), connected("b")], 1),
        ([connected("a")], 1),
        ([connected("a"), connected("b"), connected("a"), connected("b")], 2),
        ([connected("a"), connected("a", 2)], 2),
        ([], 0),
    ],
)
def test_data_paths_of_which_only_the_trace_tells(events, count):
    """Both sides tell of the same one; the same numbers again are another."""
    assert scene_of_events(events).aware.path_count == count


def test_a_data_path_whose_frames_are_open_counts_once():
    """The keys are revealed: the frames show what the nodes tell of."""
    world = World(scenario.load("us50_no_network_request_repaired"), reveal=True)
    events: list[TraceEvent] = []
    world.trace.add_sink(events.append)
    try:
        world.run()
    finally:
        world.close()
    aware = scene_of_events(events).aware
    up = [one for one in aware.paths if one.is_up]
    assert len(up) == len(aware.told_paths) == 1
    assert aware.path_count == len(aware.paths)


def lines(*events: TraceEvent) -> list[bytes]:
    return [line_of(one).rstrip(b"\n") + b"\n" for one in events]


def test_a_cut_trace_is_judged_up_to_the_cut():
    first, second = lines(said("connection_failed", "IA-63"), said("connection_ready"))
    scene, damage = scene_of_trace([first, second[:20]], "t.jsonl")
    assert damage == f"t.jsonl: byte {len(first) + 20}: line 2 is cut short"
    assert [one.rule for one in explain(scene, view_of("ios-aware"))] == ["IA-63"]
    assert scene_of_trace([first, second.rstrip()], "t.jsonl")[1] == ""
