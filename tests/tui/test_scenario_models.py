"""What the screen Scenarios knows, without a screen: parameters and faults as text, results, processes at full speed."""

from __future__ import annotations

import tomllib

import pytest

from protocols.errors import UsageError
from sim import scenario as scenarios
from sim.control import Control
from sim.fault_schedule import with_faults
from sim.trace import TraceEvent
from sim.world import World
from tests.tui.scenario_processes import MISSED, NOTHING_FAILED, Starter, verdict
from tui.models.faults import FaultChoice, fault_kinds
from tui.models.faults_set import FaultsSet
from tui.models.scenario_results import of_output, with_rule
from tui.models.scenario_runs import LIMIT_S, Runs
from tui.models.scenarios import Entry, matching, read_entries, seed_of
from tui.session import Request

KINDS = {kind.name: kind for kind in fault_kinds()}
LOCK = scenarios.load("passkey_lock")


# Faults


@pytest.mark.parametrize("name", KINDS)
def test_every_fault_can_be_chosen_as_it_is_proposed(name):
    """On a scenario with a phone and an accessory, for a run from its file and for one that goes on."""
    choice = FaultChoice(KINDS[name], LOCK)
    world = World(with_faults(LOCK, [choice.option()]))
    world.close()
    if not KINDS[name].needs_device:
        control = Control(World(LOCK))
        control.pause()
        control.start()
        now = FaultChoice(KINDS[name], LOCK, now=True)
        now.spec()
        assert control.set_fault(now.option()).result(10).name == name
        control.stop()


@pytest.mark.parametrize("name", KINDS)
def test_the_toml_of_a_fault_says_the_same_as_its_option(name):
    choice = FaultChoice(KINDS[name], LOCK)
    world = World(with_faults(LOCK, [choice.option()]))
    text = LOCK.text + "\n" + "\n".join(choice.as_toml())
    again = World(scenarios.parse(text, file="again.toml"))
    by_option, by_file = world.faults.all[0], again.faults.all[0]
    assert (by_option.name, by_option.node) == (by_file.name, by_file.node)
    assert by_option.settings == by_file.settings
    world.close()
    again.close()


def test_settings_that_differ_from_the_default_are_in_option_and_toml():
    choice = FaultChoice(KINDS["jammer"], LOCK)
    choice.text = "channels=[37, 38], duty_pct=50.0,period=10ms,from=1500ms,until=2s"
    assert choice.option() == "jammer:channels=[37, 38],duty_pct=50.0,from=1500ms,until=2s"
    (table,) = tomllib.loads("\n".join(choice.as_toml()))["fault"]
    assert table == {
        "name": "jammer", "from": "1500ms", "until": "2s",
        "set": {"channels": [37, 38], "duty_pct": 50.0},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "part"),
    [
        ("wrong_pin", "", "needs the node"),
        ("wrong_pin", "node=nobody", "no node is called 'nobody'"),
        ("wrong_pin", "node=phone,off_by=0", "right PIN"),
        ("wrong_pin", "node=phone,of_by=2", "did you mean off_by"),
        ("wrong_pin", "node=phone,off_by", "key=value"),
        ("wrong_pin", "node=phone,from=2s,until=1s", "later than from"),
        ("slow_interval", "node=phone", "befalls accessories"),
        ("bond_erased", "node=phone", "from"),
        ("loss", "probability=x", "probability"),
    ],
)
def test_a_fault_that_cannot_be_says_why(name, text, part):
    with pytest.raises(UsageError, match=part):
        FaultChoice(KINDS[name], LOCK).check(text)


def test_a_fault_by_hand_has_no_times():
    with pytest.raises(UsageError, match="begins now"):
        FaultChoice(KINDS["loss"], LOCK, now=True).check("from=2s")


def test_deeds_are_those_of_the_fault_and_its_last_words_those_of_the_trace():
    def event(name, node, **fields):
        return TraceEvent(
            1, 2_500_000, node, "control", name, "", "", None, fields, "mistyped", None, ""
        )

    world = World(with_faults(LOCK, ["wrong_pin:node=phone", "wrong_pin:node=lock,from=5s"]))
    control, seen = Control(world), FaultsSet()
    seen.feed([event("fault", "phone", fault="wrong_pin", state="set")])
    seen.feed([event("fault_acted", "phone", fault="wrong_pin")])
    control.faults()[0].count = 2
    seen.feed([event("command", "phone", do="pair")])
    first, second = seen.states(control)
    assert first.deeds.endswith("2.500 s; acted 2 times, last: mistyped")
    assert second.deeds == "has not begun"
    world.close()


# Parameters


def entry(what="passkey_lock"):
    return Entry(what, fault_kinds())


def test_parameters_become_a_request_a_command_line_and_a_file():
    one = entry()
    parameters = one.parameters
    assert parameters.are_usual
    parameters.seed = 7
    parameters.settings["phone"] = "wrong_pins=2, name=A phone"
    chosen = next(fault for fault in parameters.faults if fault.kind.name == "wrong_pin")
    chosen.chosen = True
    base = Request(what="demo", captures=("air.pcapng",), play=("iphone", "accessory"))
    request = parameters.request(one, base)
    assert (request.what, request.seed) == ("passkey_lock", 7)
    assert request.faults == ("wrong_pin:node=phone",)
    assert (request.captures, request.play) == ((), ("accessory",)), "of another scenario"
    words = parameters.words(one)
    assert words[:2] == ["run", "passkey_lock"]
    assert words[words.index("--seed") + 1] == "7"
    assert words[words.index("phone.name=A phone") - 1 :][:2] == ["--set", "phone.name=A phone"]
    assert "wrong_pin:node=phone" in words
    lines = [line for line, _ in parameters.as_toml()]
    assert 'name = "wrong_pin"' in lines
    assert any(line.startswith("seed = 7") for line in lines)
    assert any("wrong_pins = 2" in line for line in lines)
    assert not parameters.are_usual


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("wrong_pin=2", "did you mean wrong_pins"),
        ("wrong_pins=many", "wrong_pins"),
        ("wrong_pins", "node.key=value"),
    ],
)
def test_settings_that_cannot_be_say_why(text, part):
    with pytest.raises(UsageError, match=part):
        entry().parameters.check_settings("phone", text)


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "9" * 30, "\x00", "9" * 100_000])
def test_seeds_are_whole_numbers(text):
    with pytest.raises(UsageError, match="whole number"):
        seed_of(text)


def test_the_list_holds_the_library_and_an_own_file(tmp_path):
    own = tmp_path / "mine.toml"
    own.write_text('title = "Mine"\nduration = "1s"\n', encoding="utf-8")
    found = read_entries(str(own))
    assert found[0].what == str(own)
    assert [one.name for one in found[1:]] == scenarios.names()
    assert not [one.wrong for one in found if one.wrong]


def test_a_file_that_cannot_be_read_is_an_entry_that_says_why(tmp_path):
    own = tmp_path / "mine.toml"
    own.write_text("title = ", encoding="utf-8")
    one = entry(str(own))
    assert "mine.toml:1" in one.wrong
    assert one.parameters is None


def test_words_of_the_filter():
    entries = [entry("passkey_lock"), entry("wrong_pin"), entry("demo")]
    assert [one.name for one in matching(entries, "PIN")] == ["passkey_lock", "wrong_pin", "demo"]
    assert [one.name for one in matching(entries, "pin lock !wrong")] == ["passkey_lock"]
    entries[1].result = of_output(2, b"", "nearbench: no")
    assert [one.name for one in matching(entries, "refused")] == ["wrong_pin"]


# Results


def test_a_failure_names_step_expectation_and_what_was_seen():
    import json

    result = of_output(1, json.dumps(MISSED).encode(), "")
    assert (result.verdict, result.simulated_us) == ("failed", 4_100_000)
    assert "confirm value failed (0x04)" in result.reason
    missed = [text for sign, text in result.details if sign == "failed"]
    assert missed[1] == "lock: paired (at least 1); seen 0: the PIN was right"
    only = verdict(passed=False, expectations=MISSED["expectations"])
    reason = of_output(1, json.dumps(only).encode(), "").reason
    assert reason == "expected lock: paired (at least 1); seen 0: the PIN was right"


@pytest.mark.parametrize(
    ("status", "out", "err", "verdict_", "part"),
    [
        (2, b"", "nearbench: x.toml:3: step: no\n", "refused", "x.toml:3: step: no"),
        (1, b"", "nearbench: lock failed at 3 s\n", "died", "lock failed at 3 s"),
        (-9, b"", "", "died", "status -9"),
        (0, b"{}", "", "died", "status 0"),
        (1, b'{"passed": tr', "\x1b[2J", "died", "[2J"),
    ],
)
def test_runs_without_a_verdict(status, out, err, verdict_, part):
    result = of_output(status, out, err)
    assert result.verdict == verdict_
    assert part in result.reason
    assert result.reason.isprintable()


def test_the_rule_is_that_of_the_exchange_and_never_a_remark():
    import json

    from tests.tui.scenario_processes import FINDINGS

    failed = of_output(1, json.dumps(MISSED).encode(), "")
    assert with_rule(failed, json.dumps(FINDINGS).encode()).rule.startswith("NB-01 pairing failed")
    only_note = {"findings": FINDINGS["findings"][1:2]}
    assert with_rule(failed, json.dumps(only_note).encode()).rule == ""
    for nonsense in (b"", b"[]", b'{"findings": [{}]}', b"\xff"):
        assert with_rule(failed, nonsense) == failed


# Processes


def all_of(runs, now_s=0.0, turns=10):
    found = {}
    for _ in range(turns):
        found |= dict(runs.poll(now_s))
    return found


def test_as_many_run_as_may_and_the_rest_waits(monkeypatch):
    starter = Starter(monkeypatch, finishes=False)
    runs = Runs(most=2)
    for name in "abc":
        assert runs.add(name, ["run", name])
    assert not runs.add("a", ["run", "a"]), "it waits already"
    runs.poll(0.0)
    assert [runs.state(name) for name in "abcd"] == ["running", "running", "waiting", ""]
    starter.made[1].finish()
    assert [name for name, _ in runs.poll(1.0)] == ["b"]
    assert [runs.state(name) for name in "abc"] == ["running", "", "running"]
    assert (runs.done, runs.total) == (1, 3)
    folders = [one.folder for one in starter.made]
    assert runs.stop() == 2
    assert [one.killed for one in starter.made] == [True, False, True]
    assert not any(folder.exists() for folder in folders), "what they wrote is gone"
    assert not runs.is_busy
    runs.close()


def test_a_failed_run_is_explained_and_others_are_not(monkeypatch):
    says = {
        "bad": (1, MISSED, ""),
        "refused": (2, "", "nearbench: no such"),
        "gone": OSError(12, "no memory"),
    }
    starter = Starter(monkeypatch, says)
    runs = Runs(most=1)
    for name in ("good", "bad", "refused", "gone"):
        runs.add(name, ["run", name])
    found = all_of(runs)
    assert {name: one.verdict for name, one in found.items()} == {
        "good": "passed", "bad": "failed", "refused": "refused", "gone": "stopped",
    }  # fmt: skip
    assert found["bad"].rule.startswith("NB-01")
    assert "no memory" in found["gone"].reason
    assert sum(one.arguments[0] == "explain" for one in starter.made) == 1
    assert (runs.done, runs.failed) == (4, 3)
    runs.close()


def test_a_run_that_does_not_end_is_ended(monkeypatch):
    starter = Starter(monkeypatch, finishes=False)
    runs = Runs(most=1)
    runs.add("a", ["run", "a"])
    assert all_of(runs, 0.0) == {}
    found = all_of(runs, LIMIT_S + 1)
    assert found["a"].verdict == "stopped"
    assert starter.made[0].killed
    runs.close()


def test_a_true_process_says_what_the_command_says():
    import time

    runs, one = Runs(), entry("wrong_pin")
    lossy = entry("passkey_lock")
    next(f for f in lossy.parameters.faults if f.kind.name == "wrong_pin").chosen = True
    for each in (one, lossy):
        runs.add(each.what, each.parameters.words(each))
    found, end_s = {}, time.monotonic() + 60
    while len(found) < 2 and time.monotonic() < end_s:
        found |= dict(runs.poll(time.monotonic()))
        runs._jobs and runs._jobs[0]._process.wait(60)
    runs.close()
    assert found["wrong_pin"].verdict == "passed"
    assert found["passkey_lock"].verdict == "failed"
    assert "0x04" in found["passkey_lock"].reason
    assert found["passkey_lock"].rule.startswith("NB-01")


def test_nothing_failed_is_a_verdict():
    import json

    assert of_output(0, json.dumps(NOTHING_FAILED).encode(), "").verdict == "passed"
