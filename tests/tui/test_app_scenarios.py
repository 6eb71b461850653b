"""The screen Scenarios and the modal of faults by keyboard: run here, run beside, break it, read why."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from textual import events
from textual.widgets import Input

from sim.control import commands_of
from tests.tui.bench import bench, play
from tests.tui.scenario_processes import MISSED, Starter
from tui.text import cells

VECTORS = Path(__file__).parents[1] / "vectors"
CAPTURE = VECTORS / "wifi-aware-full-sae-ccmp128-ndp-pk128.pcap"


async def choose_fault(one, name):
    """Open the faults, go to one, and take its parameters as they are."""
    await one.press("x")
    modal = one.app.screen
    names = [getattr(row, "name", "") for row in modal.rows()]
    modal.action_turn(names.index(name))
    await one.press("enter")


async def cursor_on(one, name):
    """Put the cursor of the list on a scenario."""
    rows = one.app.screen.rows
    rows.go(rows.find(name))
    await one.turn()


def words(text):
    """Words alone: neither frames nor where lines are broken."""
    return " ".join(re.sub("[│┃]", " ", text).split())


def last_result(one):
    """What the pane says."""
    pane = one.app.screen.query_one("#result")
    return words(" ".join("".join(text for text, _ in line) for line in pane._lines))


async def filter_by(one, text):
    await one.press("slash", "ctrl+u")
    await one.type(text)
    await one.press("enter")


# Faults


def test_faults_open_above_a_question_that_waits():
    """The sheet says that x is there; a wrong PIN by fault counts for the question that waits, too."""

    async def story():
        async with bench("passkey_lock") as one:
            pin = await one.asked()
            assert "x faults" in one.text.splitlines()[-1]
            await choose_fault(one, "wrong_pin")
            await one.press("enter")
            assert "1 in force" in one.text
            await one.press("escape", *pin)
            assert "6 of 6 digits" in one.text
            await one.press("enter")
            await one.until(lambda: one.events("not_paired", "lock"))
            assert one.events("fault_acted", "phone")
            assert not one.events("paired", "lock")

    play(story())


def test_break_it_and_read_why():
    """A lock is being paired; somebody makes the phone mistype the PIN; the right one is typed, and it fails."""

    async def story():
        async with bench("passkey_lock") as one:
            await choose_fault(one, "wrong_pin")
            assert "PINs that are typed at a node are wrong" in one.text
            assert "what is added to the right PIN" in one.text
            await one.press("enter")
            assert "1 in force" in one.text
            assert "[x] wrong_pin at phone: since 0.000 s" in one.text
            await one.press("escape")
            pin = await one.asked()
            await one.press(*pin, "enter")
            await one.ended()
            assert "confirm value failed" in one.text
            assert "NB-01" in one.text
            assert "Fault wrong_pin at phone: the PIN is mistyped." in one.text
            await one.press("escape")
            (rung,) = [
                line for line in one.text.splitlines() if "pairing failed" in line.casefold()
            ][:1]
            assert "✗" in rung or "0x04" in rung
            await one.press("x")
            assert "acted 1 time, last: the PIN is" in one.text
            ended = one.events("not_paired", "lock")
            assert [event.fields["reason"] for event in ended] == [4]
            (fault,) = one.events("fault")
            assert (fault.fields["do"], fault.fields["text"]) == (
                "set_fault",
                "wrong_pin:node=phone",
            )
            assert next(given.do for given in commands_of(one.control.world.trace)) == "set_fault"

    play(story())


def test_a_fault_is_taken_back_and_it_works_again():
    async def story():
        async with bench("passkey_lock") as one:
            await choose_fault(one, "wrong_pin")
            await one.press("enter", "c")
            await one.turn()
            assert "0 in force" in one.text
            assert "over; set at 0.000 s" in one.text
            await one.press("escape")
            pin = await one.asked()
            await one.press(*pin, "enter")
            await one.until(lambda: len(one.events("paired")) == 2)
            assert [e.fields["state"] for e in one.events("fault")] == ["set", "cleared"]

    play(story())


def test_a_fault_with_a_device_of_its_own_restarts_the_scenario():
    async def story():
        async with bench("passkey_lock", play=("none",)) as one:
            await one.run_for(1)
            await choose_fault(one, "mitm_just_works")
            assert "restarted with it" in words(one.text)
            await one.press("enter")
            assert "Restart the run with it" in one.text
            before = one.session
            await one.press("n")
            assert one.session is before
            await one.press("enter", "enter", "y")
            assert one.session is not before
            assert one.session.request.faults == ("mitm_just_works:node=lock",)
            assert [fault.name for fault in one.control.faults()] == ["mitm_just_works"]

    play(story())


GARBAGE = (
    "\x1b[2J\x1b[31m", "A" * 100_000, "漢字" * 100, "a\x00b\x00", "=,=,,[[\"'", "node=phone,node",
)  # fmt: skip


@pytest.mark.slow
def test_garbage_in_the_parameters_sets_nothing():
    async def story():
        async with bench("passkey_lock") as one:
            await choose_fault(one, "wrong_pin")
            usual = one.app.screen.query_one(Input).value
            for garbage in GARBAGE:
                field = one.app.screen.query_one(Input)
                field.value = usual
                field.cursor_position = len(usual)
                field.post_message(events.Paste(garbage))
                await one.turn()
                assert field.value.isprintable()
                assert len(field.value) <= 400
                assert ("✗" in one.text) == (field.value != usual), garbage[:20]
                assert all(cells(line) <= 80 for line in one.text.splitlines())
                if field.value != usual:
                    await one.press("enter")
                    assert not one.events("fault")
            await one.press("escape", "escape")
            assert len(one.app.screen_stack) == 1

    play(story())


def test_a_fault_that_the_world_refuses_is_told():
    async def story():
        async with bench("passkey_lock") as one:
            await choose_fault(one, "jammer")
            field = one.app.screen.query_one(Input)
            field.value = "duty_pct=50.0"
            await one.press("enter")
            await one.turn()
            assert "say where it stands" in one.text
            assert not one.control.faults()

    play(story())


def test_there_are_no_faults_where_nothing_runs():
    async def story():
        async with bench(CAPTURE) as one:
            one.app.action_modal("faults")
            await one.turn()
            assert "there is no run in which something could go wrong" in one.text
            assert len(one.app.screen_stack) == 1
        async with bench("passkey_lock") as one:
            one.control.stop()
            one.app.action_modal("faults")
            await one.turn()
            assert "the run is over" in one.text

    play(story())


# Scenarios


def test_run_one_here_with_a_fault_a_seed_and_a_setting():
    async def story():
        async with bench("demo", start="scenarios", play=("none",)) as one:
            await filter_by(one, "passkey_lock")
            assert "Scenarios 1 of" in one.text
            await one.press("tab", "enter", "ctrl+u")
            await one.type("7")
            await one.press("enter")
            screen = one.app.screen
            items = screen.parameter_rows.items()
            screen.parameter_rows.go(items.index(("node", "phone")))
            await one.press("enter")
            await one.type("wrong_pins=1")
            assert "1 changed" in one.text
            await one.press("enter")
            screen.parameter_rows.go(items.index(("fault", "loss")))
            await one.press("u")
            assert "[x] loss" in one.text
            assert "faults: loss" in one.text
            await one.press("escape", "enter")
            if len(one.app.screen_stack) > 1:
                await one.press("y")
            assert "[2 Ladder]" in one.text
            request = one.session.request
            assert (request.what, request.seed, request.faults) == ("passkey_lock", 7, ("loss",))
            assert one.control.world.devices["phone"].settings.wrong_pins == 1
            assert one.control.wait("ended", timeout_s=30)
            await one.press("5")
            result = screen.rows.selected().result
            assert (result.live, result.seed) == (True, 7)
            assert result.verdict in one.text

    play(story())


def test_an_unsaved_run_is_asked_about():
    async def story():
        async with bench("passkey_lock", start="scenarios", play=("none",)) as one:
            await one.run_for(0.5)
            before = one.session
            await one.press("enter")
            assert "is lost" in one.text
            await one.press("n")
            assert one.session is before
            assert "[5 Scenarios]" in one.text

    play(story())


def test_run_all_that_are_shown_and_read_the_reasons(monkeypatch):
    says = {
        "wrong_pin_repaired": (1, MISSED, ""),
        "wrong_pin": (2, "", "nearbench: wrong_pin.toml:3: step[0].do: unknown command"),
    }
    starter = Starter(monkeypatch, says)

    async def story():
        async with bench("demo", (120, 40), start="scenarios", play=("none",)) as one:
            await filter_by(one, "wrong_pin !lockout")
            await one.press("O")
            assert "Run all 2 scenarios" in one.text
            await one.press("n")
            assert not starter.made
            await one.press("O", "y")
            for _ in range(6):
                await one.turn()
            assert "✗ failed 4.1 s" in one.text
            assert "! refused" in one.text
            await cursor_on(one, "wrong_pin_repaired")
            told = last_result(one)
            assert "rule NB-01 pairing failed" in told
            assert "the PIN was right" in told
            assert "seen 0" in told
            await cursor_on(one, "wrong_pin")
            one.app.message = ("", "")
            await one.turn()
            assert "unknown command" in one.text
            assert [made.arguments[0] for made in starter.made].count("explain") == 1

    play(story())


def test_runs_can_be_stopped_and_end_with_the_app(monkeypatch):
    starter = Starter(monkeypatch, finishes=False)

    async def story():
        async with bench("demo", start="scenarios", play=("none",)) as one:
            one.app.screen.runs.most = 2
            await filter_by(one, "us1")
            await one.press("O", "y")
            await one.turn()
            assert "▶ running" in one.text
            assert "· waiting" in one.text
            assert "0 of" in one.text
            assert "c stop" in one.text
            await one.press("c")
            assert all(made.killed for made in starter.made)
            assert "running" not in one.text
            await one.press("o")
            await one.turn()
            assert not starter.made[-1].killed

    play(story())
    assert all(made.killed for made in starter.made)


def test_runs_go_on_behind_another_screen(monkeypatch):
    Starter(monkeypatch)

    async def story():
        async with bench("demo", start="scenarios", play=("none",)) as one:
            screen = one.app.screen
            screen.runs.most = 1
            await filter_by(one, "wrong_pin !lockout")
            await one.press("O", "y", "1")
            for _ in range(200):
                if not screen.runs.is_busy:
                    break
                await asyncio.sleep(0.02)
            assert [entry.result.verdict for entry in screen.rows.rows] == ["passed", "passed"]

    play(story())


def test_the_users_own_file_comes_first(tmp_path):
    own = tmp_path / "mine.toml"
    own.write_text(
        'title = "My own"\nduration = "1s"\n[[node]]\nname = "b"\naccessory = "ibeacon"\n'
    )

    async def story():
        async with bench(own, start="scenarios", play=("none",)) as one:
            assert "▸ mine" in one.text
            assert one.app.screen.rows.rows[0].what == str(own)

    play(story())


def test_a_capture_has_scenarios_too():
    """One is chosen and run in its place."""

    async def story():
        async with bench(CAPTURE, start="scenarios") as one:
            await filter_by(one, "keypad_types")
            await one.press("enter")
            assert one.control is not None
            one.control.pause()
            assert one.session.request.what == "keypad_types"
            assert "[2 Ladder]" in one.text

    play(story())


def test_views_panes_and_sizes():
    async def story():
        async with bench("passkey_lock", start="scenarios", play=("none",)) as one:
            await one.press("v")
            assert "Last result" in one.text
            await one.press("v")
            assert "as it runs" in one.text
            await one.press("tab", "pagedown")
            assert 'title = "A lock is paired' not in one.text
            await one.press("backslash")
            assert "Scenarios 1" not in one.text
            await one.press("escape")
            assert "Scenarios 1" in one.text
            for width, height in ((120, 40), (60, 16), (40, 10), (200, 60), (80, 24)):
                await one.pilot.resize_terminal(width, height)
                await one.turn()
                assert all(len(line) <= width for line in one.text.splitlines())
            assert "as it runs" in one.text

    play(story())


def test_a_chosen_fault_is_marked_in_the_file():
    async def story():
        async with bench("passkey_lock", (120, 40), start="scenarios", play=("none",)) as one:
            screen = one.app.screen
            items = screen.parameter_rows.items()
            await one.press("tab")
            screen.parameter_rows.go(items.index(("fault", "wrong_pin")))
            await one.press("u")
            await one.turn()
            assert '▸ name = "wrong_pin"' in one.text
            await one.press("u")
            assert 'name = "wrong_pin"' not in one.text

    play(story())
