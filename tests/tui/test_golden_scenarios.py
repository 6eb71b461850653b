"""Golden screens of Scenarios and of the faults, at both sizes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.bench import SIZES, assert_golden, bench, play
from tests.tui.scenario_processes import MISSED, Starter

CAPTURE = Path(__file__).parents[1] / "vectors" / "wifi-aware-full-sae-ccmp128-ndp-pk128.pcap"
TEXT = """\
title = "A lock and a phone"
about = "The golden screens show this one."
duration = "5s"
node = [{ name = "phone", phone = "generic" }, { name = "lock", accessory = "lock" }]

[[step]]
node = "phone"
do = "wait"
set = { for = "1s" }

[[expect]]
event = "paired"
node = "phone"
why = "nobody pairs here"
"""


def sized(name, size):
    return f"{name}_{size[0]}x{size[1]}"


@pytest.fixture
def own(tmp_path):
    """The list has three scenarios of its own making, so that the library may grow."""
    file = tmp_path / "golden_lock.toml"
    file.write_text(TEXT, encoding="utf-8")
    return file


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr("sim.scenario.names", lambda: ["passkey_lock", "wrong_pin", "demo"])


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_screen(size, own, monkeypatch):
    says = {"wrong_pin": (1, MISSED, ""), "demo": (2, "", "nearbench: demo.toml:3: step[0]: no")}
    starter = Starter(monkeypatch, says)

    async def story():
        async with bench(own, size, start="scenarios", play=("none",)) as one:
            one.app.wall_s = lambda: 1000.0
            assert_golden(sized("scenarios_idle", size), one.text)
            await one.run_for(6)
            one.app.message = ("", "")
            await one.press("v")
            assert_golden(sized("scenarios_failed", size), one.text)
            await one.press("v", "v", "O", "y")
            for _ in range(8):
                await one.turn()
            starter.finishes = False
            await one.press("o")
            rows = one.app.screen.rows
            rows.go(rows.find("wrong_pin"))
            await one.press("v")
            assert_golden(sized("scenarios_results", size), one.text)

    play(story())


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_modals(size, own):
    async def story():
        async with bench(own, size, play=("none",)) as one:
            await one.run_for(0.5)
            await one.press("x")
            assert_golden(sized("modal_faults", size), one.text)
            await one.press("pagedown", "up", "enter")
            await one.press("ctrl+u")
            await one.type("probability=2")
            assert_golden(sized("modal_fault_parameters", size), one.text)
            await one.press("ctrl+u")
            await one.type("probability=0.5")
            await one.press("enter")
            await one.run_for(2)
            assert_golden(sized("modal_faults_set", size), one.text)

    play(story())


def test_capture_and_ascii(own, monkeypatch):
    async def story():
        async with bench(CAPTURE, start="scenarios") as one:
            assert_golden("scenarios_capture_80x24", one.text)
        async with bench(own, start="scenarios", ascii_only=True, play=("none",)) as one:
            await one.press("tab", "end", "u")
            assert one.text.isascii()
            assert_golden("scenarios_ascii_80x24", one.text)
            await one.press("x")
            assert one.text.isascii()

    play(story())
