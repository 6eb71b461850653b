"""What an iPhone said about Wi-Fi Aware is what explain finds: in the air, behind the keys, or with what the app asked for."""

from __future__ import annotations

import functools
import io
from typing import NamedTuple

import pytest

from protocols.capture import open_reader
from sim import scenario
from sim.explain import explain, view_of
from sim.explain.reading import events_of_lines, scene_of_capture, scene_of_events
from sim.recording import Recorder
from sim.trace import line_of
from sim.world import World

STORIES = (*range(1, 13), 34, 36, 38, *range(43, 48))
"""User stories about iPhones and Wi-Fi Aware."""
IN_THE_AIR = {
    "us01_no_dcea": "IA-04",
    "us03_no_pairing_on_offer": "IA-30",
    "us07_erased_accessory": "IA-54",
    "us10_no_pin": "IA-31",
    "us36_too_far": "NB-16",
    "us43_long_availability": "IA-10",
    "us44_browser_stopped": "IA-58",
    "us45_nik_timeout": "IA-40",
    "us46_old_nira": "IA-55",
}
"""Scenario -> rule that a monitor without any key finds."""
BEHIND_KEYS = {"us04_no_nira": "IA-42", "us11_follow_ups_only": "IA-09", "us34_suspended": "IA-66"}
"""What gives these away is in protected frames."""
OF_THE_APP = {
    "us05_no_paired_device": "IA-27",
    "us06_network_down": "IA-27",
    "us09_plist_boolean": "IA-22",
    "us09_service_name": "IA-23",
    "us47_system_subscribes": "IA-15",
}
"""What an app declares or asks for: a trace has it, no frame does."""
INSIDE = {
    "us04_sheet_closed": "IA-27",  # a sheet is closed
    "us08_unsupported": "IA-52",  # an app is installed
    "us38_quic": "IA-63",  # a connection is not tried
    "us46_keys_lost": "IA-54",  # who has lost its identity is nobody that anyone knows
    "us47_second_browser": "IA-14",  # a browser is not begun
}
"""What only the phone knows."""
ALL = IN_THE_AIR | BEHIND_KEYS | OF_THE_APP | INSIDE
EFFECTS_ONLY = {"IA-66"}
"""Nothing is wrong: the finding is a note."""


class Ran(NamedTuple):
    passed: bool
    events: tuple
    capture: bytes


@functools.cache
def ran(name: str, folder, *, reveal: bool = False) -> Ran:
    """A scenario with the capture of its air, `reveal`: with its keys."""
    world = World(scenario.load(name), reveal=reveal)
    events = []
    world.trace.add_sink(events.append)
    recorder = Recorder(world)
    file = folder / f"{name}-{reveal}.pcapng"
    recorder.capture(str(file))
    try:
        result = world.run()
    finally:
        recorder.close()
        world.close()
    return Ran(result.passed, tuple(events), file.read_bytes())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("stories")


def found_in_air(run: Ran) -> list:
    scene, damage = scene_of_capture(open_reader(io.BytesIO(run.capture), "air.pcapng"))
    assert not damage
    return explain(scene, view_of("ios-aware"))


def story_of(name: str) -> str:
    return name.partition("_")[0].upper().replace("US", "US-")


def rules(found: list) -> set[str]:
    return {one.rule for one in found}


def said_by_phone(run: Ran) -> set[str]:
    return {event.rule for event in run.events if event.layer == "phone"}


def test_every_story_of_an_iphone_and_an_accessory_is_here():
    listed = {f"us{number:02}" for number in STORIES}
    phones = {
        name: [node.phone for node in scenario.load(name).node if node.phone]
        for name in scenario.names()
        if name[:4] in listed and not name.endswith("_repaired")
    }
    assert {name for name, those in phones.items() if those == ["ios"]} == set(ALL)


@pytest.mark.parametrize("name", ALL)
def test_the_phone_names_the_rule(name, folder):
    run = ran(name, folder)
    assert run.passed
    assert ALL[name] in said_by_phone(run)


@pytest.mark.parametrize("name", IN_THE_AIR)
def test_a_monitor_finds_it(name, folder):
    found = [one for one in found_in_air(ran(name, folder)) if one.rule == IN_THE_AIR[name]]
    assert found
    assert found[0].severity in ("error", "warning")
    assert story_of(name) in found[0].stories
    assert found[0].frames or found[0].rule == "NB-16"  # which is about a share of all frames


@pytest.mark.parametrize("name", BEHIND_KEYS)
def test_a_monitor_finds_it_with_the_keys_alone(name, folder):
    assert BEHIND_KEYS[name] not in rules(found_in_air(ran(name, folder)))
    found = found_in_air(ran(name, folder, reveal=True))
    (one, *_) = [one for one in found if one.rule == BEHIND_KEYS[name]]
    assert one.frames
    assert story_of(name) in one.stories
    assert (one.severity == "note") == (one.rule in EFFECTS_ONLY)


@pytest.mark.parametrize("name", OF_THE_APP)
def test_what_the_app_asks_for_is_in_the_trace_and_in_no_frame(name, folder):
    run = ran(name, folder)
    assert OF_THE_APP[name] not in rules(found_in_air(run))
    scene = scene_of_events(run.events)
    found = explain(scene, view_of("ios-aware"))
    assert OF_THE_APP[name] in {one.rule for one in found if one.severity != "note"}


@pytest.mark.parametrize("name", INSIDE)
def test_what_stays_inside_the_phone_is_in_no_frame(name, folder):
    assert INSIDE[name] not in rules(found_in_air(ran(name, folder)))


@pytest.mark.parametrize("name", IN_THE_AIR | OF_THE_APP)
def test_a_trace_that_was_written_is_read_back(name, folder):
    events = ran(name, folder).events
    again = scene_of_events(events_of_lines(map(line_of, events), "trace"))
    assert explain(again) == explain(scene_of_events(events))


@pytest.mark.parametrize("name", ALL)
def test_the_repaired_twin_has_no_error(name, folder):
    """Not even with the keys."""
    run = ran(f"{name}_repaired", folder, reveal=True)
    assert run.passed
    assert [one for one in found_in_air(run) if one.severity == "error"] == []
    told = explain(scene_of_events(run.events), view_of("ios-aware"))
    assert [one for one in told if one.severity == "error"] == []


@pytest.mark.parametrize("name", [*BEHIND_KEYS, *INSIDE])
def test_what_the_phone_says_itself_counts_in_a_trace_without_keys(name, folder):
    run = ran(name, folder)
    rule = (BEHIND_KEYS | INSIDE)[name]
    found = [one for one in explain(scene_of_events(run.events)) if one.rule == rule]
    assert {(one.severity, one.phone) for one in found} == {("error", "ios-aware")}
    told = {event.seq: event for event in run.events}
    said = [told[frame] for one in found for frame in one.frames if told[frame].rule == rule]
    assert said or name in SHOWN_BY_THE_APP
    assert all(one.layer == "phone" for one in said)


SHOWN_BY_THE_APP = {"us04_sheet_closed"}
"""A rule finds it in what the app asked for."""
