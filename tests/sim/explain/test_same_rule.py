"""The rule that the simulated phone gave is the rule that explain finds: in its HCI log, in the air, in the trace."""

from __future__ import annotations

import pytest

from protocols.capture import open_reader
from sim import scenario
from sim.explain import explain, view_of
from sim.explain.reading import events_of_lines, scene_of_capture, scene_of_events
from sim.recording import Recorder
from sim.trace import line_of
from sim.world import World

# scenario -> rule of the phone, profile it belongs to
STORIES = {
    "us13_picker_shows_one": ("AK-07", "ios-ask"),
    "us14_picker_empty": ("AK-05", "ios-ask"),
    "us15_service_data_missing": ("IB-07", "ios-ble"),
    "us16_no_flags": ("IB-04", "ios-ble"),
    "us16_malformed_tail": ("IB-05", "ios-ble"),
    "us16_uuid_missing": ("IB-06", "ios-ble"),
    "us17_security_request_first": ("IB-31", "ios-ble"),
    "us17_zero_identity": ("IB-33", "ios-ble"),
    "us18_factory_reset": ("IB-34", "ios-ble"),
    "us18_bond_lost": ("IB-34", "ios-ble"),
    "us19_parameter_loop": ("IB-24", "ios-ble"),
    "us19_parameters_refused": ("IB-20", "ios-ble"),
}
ENCRYPTED = {"us17_zero_identity"}
"""What gives it away is sent over an encrypted link: a sniffer without the key cannot know."""
BY_THE_USER = {"us18_factory_reset"}
"""Repaired by something that the user does, not by a setting."""


class Run:
    """A scenario run with its captures and its trace."""

    def __init__(self, name: str, folder, *, reveal: bool = False) -> None:
        self.world = World(scenario.load(name), reveal=reveal)
        self.events = []
        self.world.trace.add_sink(self.events.append)
        (self.phone,) = (n.name for n in self.world.scenario.node if n.phone == "ios")
        recorder = Recorder(self.world)
        self.files = [folder / "phone.btsnoop", folder / "air.pcapng"]
        recorder.capture(f"{self.phone}:{self.files[0]}")
        recorder.capture(str(self.files[1]))
        try:
            self.result = self.world.run()
        finally:
            recorder.close()
            self.world.close()

    def captured(self):
        """(name, scene) of each capture."""
        for file in self.files:
            with file.open("rb") as stream:
                yield file.name, scene_of_capture(open_reader(stream, file.name))[0]


@pytest.mark.parametrize("name", STORIES)
def test_the_story_is_named_from_its_captures(name, tmp_path):
    rule, profile = STORIES[name]
    run = Run(name, tmp_path)
    assert run.result.passed
    given = {
        event.rule for event in run.events if event.layer == "phone" and event.node == run.phone
    }
    assert rule in given
    for file, scene in run.captured():
        found = [one for one in explain(scene) if one.rule == rule and one.phone == profile]
        if name in ENCRYPTED and scene.source == "air":
            assert not found
            continue
        assert found, file
        assert found[0].severity in ("error", "warning")
        assert found[0].frames
        story = name.partition("_")[0].upper().replace("US", "US-")
        assert story in found[0].stories


@pytest.mark.parametrize("name", sorted(ENCRYPTED))
def test_a_sniffer_that_has_the_key_names_it_too(name, tmp_path):
    for _, scene in Run(name, tmp_path, reveal=True).captured():
        assert STORIES[name][0] in {one.rule for one in explain(scene)}


@pytest.mark.parametrize("name", STORIES)
def test_the_trace_explains_itself(name, tmp_path):
    rule, profile = STORIES[name]
    run = Run(name, tmp_path)
    scene = scene_of_events(run.events, run.phone)
    assert scene.app.known
    found = {one.rule for one in explain(scene, view_of(profile)) if one.severity != "note"}
    assert rule in found
    again = scene_of_events(events_of_lines(map(line_of, run.events), "trace"), run.phone)
    assert explain(again) == explain(scene)


@pytest.mark.parametrize("name", [f"{name}_repaired" for name in STORIES])
def test_the_repaired_twin_has_no_error(name, tmp_path):
    run = Run(name, tmp_path)
    assert run.result.passed
    for file, scene in run.captured():
        assert [one for one in explain(scene) if one.severity == "error"] == [], file
    told = explain(scene_of_events(run.events, run.phone))
    assert [one for one in told if one.severity == "error"] == []


@pytest.mark.parametrize("name", sorted(STORIES.keys() - BY_THE_USER))
def test_the_twin_differs_in_one_setting(name):
    """Every line but one (and the words around) is the same."""
    broken, repaired = scenario.load(name), scenario.load(f"{name}_repaired")
    before = {
        node.name: (node.accessory, node.phone, node.at, node.power, node.set)
        for node in broken.node
    }
    after = {
        node.name: (node.accessory, node.phone, node.at, node.power, node.set)
        for node in repaired.node
    }
    steps = [(one.node, one.do, one.set) for one in broken.step]
    fixed = [(one.node, one.do, one.set) for one in repaired.step]
    nodes = {name for name in before if before[name] != after.get(name)}
    changed_steps = [pair for pair in zip(steps, fixed, strict=True) if pair[0] != pair[1]]
    faults = zip(broken.fault, repaired.fault, strict=True)
    changed_faults = [pair for pair in faults if pair[0] != pair[1]]
    assert len(nodes) + len(changed_steps) + len(changed_faults) == 1
    for was, now in changed_faults:
        assert (was.name, was.node, was.from_, was.until) == (
            now.name,
            now.node,
            now.from_,
            now.until,
        )
        assert len([key for key in was.set | now.set if was.set.get(key) != now.set.get(key)]) == 1
    for node in nodes:
        old, new = before[node][4], after[node][4]
        assert before[node][:4] == after[node][:4]
        assert len([key for key in old.keys() | new.keys() if old.get(key) != new.get(key)]) == 1
    for old, new in changed_steps:
        assert old[:2] == new[:2]
        assert (
            len(
                [key for key in old[2].keys() | new[2].keys() if old[2].get(key) != new[2].get(key)]
            )
            == 1
        )


@pytest.mark.parametrize("name", ["thermometer_session", "four_accessories", "lossy_air"])
def test_sessions_that_work_have_no_error(name, tmp_path):
    """The neutral phone got through; explain has nothing against it for any phone."""
    world = World(scenario.load(name))
    recorder = Recorder(world)
    files = [tmp_path / "phone.btsnoop", tmp_path / "air.pcapng"]
    recorder.capture(f"phone:{files[0]}")
    recorder.capture(str(files[1]))
    try:
        world.run()
    finally:
        recorder.close()
        world.close()
    for file in files:
        with file.open("rb") as stream:
            scene, damage = scene_of_capture(open_reader(stream, file.name))
        assert damage == ""
        assert scene.works, file.name
        assert [one for one in explain(scene) if one.severity == "error"] == [], file.name
