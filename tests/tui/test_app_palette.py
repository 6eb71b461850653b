"""The palette by keyboard: what it finds and what it does with it: actions, faults, scenarios; and when nothing fits."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from tests.tui.bench import SIZES, assert_golden, bench, play
from tui.modals.confirm import Confirm
from tui.modals.faults import Faults
from tui.modals.palette import Palette
from tui.models.faults import fault_kinds
from tui.models.palette import Offer, faults, fitting, runs

VECTORS = Path(__file__).parents[1] / "vectors"
CAPTURE = VECTORS / "wifi-aware-full-sae-ccmp128-ndp-pk128.pcap"


async def look_for(one, text):
    """Open the palette and type."""
    await one.press("colon")
    await one.type(text)


def offered(one):
    """What the card shows, line by line, without frame and keys."""
    lines = one.text.split("\n")
    top = next(at for at, line in enumerate(lines) if "─ Palette" in line)
    left = lines[top].index("┌─ Palette")
    rows = [line[left + 1 : left + 65].strip() for line in lines[top + 3 : top + 15]]
    return [row.removeprefix("▸ ") for row in rows if row]


def test_faults_and_scenarios_are_found_by_parts_of_their_names():
    offers = [*faults(fault_kinds()), *runs()]
    found = [(one.kind, one.name) for one in fitting(offers, "pin wr")]
    assert found[:2] == [("fault", "wrong_pin"), ("scenario", "wrong_pin")]
    assert ("scenario", "passkey_lock") not in found
    assert fitting(offers, "WRONG pin")[0].name == "wrong_pin", "as words, too"
    assert fitting(offers, "zzzz") == []
    assert len(fitting(offers, "")) == len(offers)


def test_a_name_comes_before_what_mentions_it():
    mentions = Offer(kind="scenario", name="other", text="Scenario: other: like a lock")
    named = Offer(kind="scenario", name="lock", text="Scenario: lock: another")
    assert fitting([mentions, named], "lock") == [named, mentions]


def test_a_scenario_of_ones_own_is_offered_first_and_once(tmp_path):
    own = tmp_path / "mine.toml"
    own.write_text("no scenario")
    assert [one.name for one in runs(str(own))].count(str(own)) == 1
    assert runs(str(own))[0].name == str(own)
    assert [one.name for one in runs("demo")].count("demo") == 1


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_how_it_looks(size):
    """Prompt and text stand inside of the frame, on any screen."""

    async def story():
        async with bench(size=size) as one:
            await one.press("5")
            await look_for(one, "pin wr")
            lines = one.text.split("\n")
            top = next(at for at, line in enumerate(lines) if "─ Palette" in line)
            assert "│ > pin wr" in lines[top + 1]
            assert not any("pin wr" in line for line in lines[:top])
            assert_golden(f"modal_palette_found_{size[0]}x{size[1]}", one.text)
            await one.type(" of nobody")
            assert 'Nothing is called "pin wr of nobody"' in one.text
            assert_golden(f"modal_palette_nothing_{size[0]}x{size[1]}", one.text)

    play(story())


def test_what_does_not_fit_can_be_typed_anew():
    async def story():
        async with bench() as one:
            await look_for(one, "screen air!")
            await one.press("enter")
            assert isinstance(one.app.screen, Palette)
            await one.press("backspace", "enter")
            assert "[1 Air]" in one.text

    play(story())


def test_a_fault_opens_the_faults_at_it_and_enter_sets_it():
    async def story():
        async with bench(settings={}) as one:
            await look_for(one, "fault silent")
            await one.press("enter")
            assert isinstance(one.app.screen, Faults)
            assert one.app.screen.selected().name == "silent_peer"
            await one.press("enter", "enter")
            told = [event.fields["text"] for event in one.events("fault")]
            assert told == ["silent_peer:node=phone"]
            await one.press("escape")
            await look_for(one, "fault wrong_pin")
            await one.press("enter")
            assert one.app.screen.selected().name == "wrong_pin", "below those that are set"

    play(story())


def test_a_scenario_runs_here_after_asking():
    async def story():
        async with bench() as one:
            await one.run_for(0.1)
            await one.press("5", "slash")
            await one.type("nothing has these words")
            await one.press("enter", "2")
            await look_for(one, "scenario numeric_comparison")
            await one.press("enter")
            await one.turn()
            assert isinstance(one.app.screen, Confirm)
            assert "numeric_comparison?" in one.text
            await one.press("n")
            assert one.session.request.what == "passkey_lock"
            rows = one.app.screen.rows
            assert rows.selected().name == "numeric_comparison", "the filter was in its way"
            await look_for(one, "scenario numeric_comparison")
            await one.press("enter")
            await one.turn()
            await one.pilot.press("y")
            assert one.session.request.what == "numeric_comparison"
            assert one.session.title == "numeric_comparison"
            await one.pilot.pause()
            assert "[2 Ladder]" in one.text
            one.control.pause()

    play(story())


def test_a_capture_offers_scenarios_and_no_faults():
    async def story():
        async with bench(CAPTURE) as one:
            await look_for(one, "fault")
            assert not [row for row in offered(one) if row.startswith("Fault")]
            field = one.app.screen.query_one(Input)
            field.value = ""
            await one.type("scenario passkey_lock")
            assert offered(one)[0].startswith("Scenario: passkey_lock")

    play(story())
