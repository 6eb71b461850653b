"""What the documents show is what the program does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tui.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_recorded_demo_is_what_the_demo_prints(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--headless"]) == 0
    printed = capsys.readouterr().out.splitlines()
    recorded = re.search(r"```text\n\$ nearbench demo --headless\n(.*?)```", README, re.DOTALL)
    assert recorded
    lines = [line for line in recorded.group(1).splitlines() if line.strip() != "…"]
    assert len(lines) > 15
    missing = [line for line in lines if line not in printed]
    assert missing == []


def test_the_two_commands_are_what_ci_runs():
    """`.ci/run` takes them from the README by these beginnings."""
    commands = [
        line for line in README.splitlines() if re.match(r"python3 -m venv|\.venv/bin/pytest", line)
    ]
    assert commands == [
        "python3 -m venv .venv && .venv/bin/pip install -q -e '.[test]' && .venv/bin/nearbench demo",
        ".venv/bin/pytest",
    ]


@pytest.mark.parametrize(
    "file", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda f: f.name
)
def test_links_lead_somewhere(file):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", file.read_text(encoding="utf-8")):
        assert (file.parent / target).exists(), target


def test_the_scenario_of_the_documents_runs():
    """The example in docs/scenarios.md is a scenario, and the device in it works."""
    from sim import scenario
    from sim.world import World

    text = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
    example = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert example
    world = World(scenario.parse(example.group(1)))
    try:
        assert world.run().passed
    finally:
        world.close()


def test_the_scenario_with_wifi_aware_of_the_documents_runs():
    from sim import scenario
    from sim.world import World

    text = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
    example = re.search(r"```toml\n(.*?)```", text.partition("## Wi-Fi Aware")[2], re.DOTALL)
    assert example
    world = World(scenario.parse(example.group(1)))
    try:
        result = world.run()
        assert result.passed
        assert result.expectations
    finally:
        world.close()


def test_the_device_of_the_documents_works(tmp_path):
    from sim import scenario
    from sim.world import World

    text = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
    source = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert source
    (tmp_path / "my_lock.py").write_text(source.group(1))
    world = World(
        scenario.parse(
            'title = "t"\nduration = "10s"\n[[node]]\nname = "lock"\naccessory = "my_lock.py"\nat = [1, 0]\n'
            '[[node]]\nname = "phone"\nphone = "generic"\n'
            '[[step]]\nnode = "phone"\ndo = "connect"\nset = { to = "lock" }\n'
            '[[step]]\nnode = "phone"\ndo = "read"\nset = { uuid = "ff01" }\n'
            '[[expect]]\nnode = "phone"\nevent = "read"\nwhere = { value_hex = "01" }\n',
            base=tmp_path,
        )
    )
    try:
        assert world.run().passed
    finally:
        world.close()
