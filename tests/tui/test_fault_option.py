"""`nearbench run --fault`, `list faults`, `show fault` as users call them."""

from __future__ import annotations

import json

import pytest

from sim.faults import FAULTS
from tui import catalogue
from tui.cli import main

SCENARIO = """title = "one phone, one beacon"
duration = "3s"
[[node]]
name = "beacon"
accessory = "ibeacon"
at = [1.0, 0.0]
[[node]]
name = "phone"
phone = "generic"
[[step]]
node = "phone"
do = "scan"
[[expect]]
node = "phone"
event = "heard"
at_least = 3
"""


@pytest.fixture
def near(tmp_path):
    file = tmp_path / "near.toml"
    file.write_text(SCENARIO)
    return str(file)


def call(capsys, *words):
    status = main(list(words))
    out, err = capsys.readouterr()
    return status, out, err


def events(out: str, name: str):
    return [e for e in map(json.loads, out.splitlines()) if e["event"] == name]


def test_a_fault_decides_the_run_and_is_named_above_it(near, capsys):
    status, out, _ = call(capsys, "run", near, "--fault", "loss:probability=1.0")
    assert (status, out.splitlines()[1]) == (1, "fault: loss: probability = 1.0")
    assert call(capsys, "run", near)[0] == 0


def test_faults_add_up_and_have_times(near, capsys):
    status, out, _ = call(
        capsys, "run", near, "--for", "3s", "--jsonl", "-",
        "--fault", "missing_flags:node=beacon", "--fault", "loss:probability=1.0,from=1s,until=2s,node=phone",
    )  # fmt: skip
    told = [(e["t_us"], e["fields"]["fault"], e["fields"]["state"]) for e in events(out, "fault")]
    assert told[:2] == [(0, "missing_flags", "set"), (1_000_000, "loss", "set")]
    assert not [e for e in events(out, "heard") if e["data"].startswith("0201")]
    assert status == 0


def test_an_option_comes_behind_the_faults_of_the_scenario(near, capsys, tmp_path):
    file = tmp_path / "with.toml"
    file.write_text(SCENARIO + '[[fault]]\nname = "loss"\nset = { probability = 0.0 }\n')
    _, out, _ = call(capsys, "run", str(file), "--fault", "delay:node=phone")
    assert [line for line in out.splitlines() if line.startswith("fault:")] == [
        "fault: loss: probability = 0.0",
        "fault: delay at phone",
        "fault: loss: probability = 0.0: stopped 0 packets",
        "fault: delay at phone: delayed 0 PDUs",
    ]


def test_a_fault_file_is_named_from_where_the_user_is(near, capsys, tmp_path, monkeypatch):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "mute.py").write_text(
        "from sim.faults import Fault\n\n\nclass Mute(Fault):\n    'Says that it is here.'\n\n"
        "    def apply(self, world):\n        self.acted('here')\n\n\nFAULT = Mute\n"
    )
    monkeypatch.chdir(folder)
    _, out, _ = call(capsys, "run", near, "--fault", "mute.py:node=beacon", "--jsonl", "-")
    assert [e["note"] for e in events(out, "fault_acted")] == ["here"]
    assert "Says that it is here" in call(capsys, "show", "fault", "mute.py")[1]


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("los", "did you mean loss"),
        ("loss:probability=2", "allowed are 0 to 1"),
        ("loss:chance=0.5", "chance"),
        ("loss:0.5", "NAME:key=value"),
        ("loss:node=nobody", "nobody"),
        ("loss:from=3", "no duration"),
        ("slow_interval", "needs the node"),
        ("slow_interval:node=phone", "is a phone"),
        ("bond_erased:node=beacon", "say when"),
        ("no.py", "no.py does not exist"),
    ],
)
def test_a_wrong_option_is_one_sentence_and_status_2(near, capsys, option, words):
    status, out, err = call(capsys, "run", near, "--fault", option)
    assert (status, out) == (2, "")
    assert err.startswith("nearbench: --fault ")
    assert words in err
    assert err.count("\n") == 1


def test_the_list_says_of_each_whether_it_is_simulated(capsys):
    _, out, _ = call(capsys, "list", "faults", "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert set(rows) == set(FAULTS.names())
    assert {row["status"] for row in rows.values()} <= {"executed", "not simulated"}
    assert all(
        row["title"] and row["befalls"] in ("air", "node", "accessory") for row in rows.values()
    )
    plain = call(capsys, "list", "faults")[1]
    assert all(name in plain and row["status"] in plain for name, row in rows.items())


def test_what_is_not_simulated_says_so_and_why(near, capsys, tmp_path):
    file = tmp_path / "idea.py"
    file.write_text(
        "from sim.faults import Fault\n\n\nclass Idea(Fault):\n    'Would be good.'\n\n"
        "    befalls = 'air'\n    not_simulated = 'nobody knows how'\n\n\nFAULT = Idea\n"
    )
    status, _, err = call(capsys, "run", near, "--fault", str(file))
    assert status == 2
    assert "is not simulated: nobody knows how" in err
    _, out, _ = call(capsys, "show", "fault", str(file))
    assert "status: not simulated" in out
    assert "nobody knows how" in out


def test_a_fault_is_shown_with_its_settings_and_units(capsys):
    _, out, _ = call(capsys, "show", "fault", "jammer", "--json")
    found = json.loads(out)
    assert {"channels", "power_dbm", "at", "duty_pct", "period"} == {
        row["name"] for row in found["settings"]
    }
    assert all(row["about"] for row in found["settings"])
    assert catalogue.kind_of("fault") == "faults"
