"""One sheet at a time: a question that comes while another sheet is open waits, visibly, and no key goes astray."""

from __future__ import annotations

import pytest

from tests.tui.bench import assert_golden, bench, play
from tui.modals.comparison import Comparison
from tui.modals.faults import Faults
from tui.modals.help import Help
from tui.modals.outcome import OutcomeCard
from tui.modals.pin_entry import PinEntry


def kinds(one):
    """The sheets that are open, the lowest first."""
    return [type(screen) for screen in one.app.screen_stack[1:] if not screen.is_over]


def test_a_pin_that_is_asked_for_waits_until_the_faults_are_closed():
    async def story():
        async with bench("demo") as one:
            await one.press("x")
            await one.asked("display")
            assert kinds(one) == [Faults]
            assert "◇ iphone is asked for the PIN of display: esc closes this" in one.text
            assert_golden("modal_faults_asked_80x24", one.text)
            await one.press("1", "2")
            await one.press("escape")
            assert kinds(one) == [PinEntry]
            assert one.app.screen.typed == "", "what was typed before was not for it"
            assert not one.events("pin_refused")
            assert one.control.questions(), "esc was for the faults"
            await one.press("escape")
            assert not one.control.questions()

    play(story())


@pytest.mark.parametrize("key", ["question_mark", "e", "ctrl+q", "colon"])
def test_every_sheet_says_who_is_asked(key):
    async def story():
        async with bench() as one:
            await one.press(key)
            sheet = one.app.screen
            await one.asked()
            assert one.app.screen is sheet
            assert "phone is asked for the PIN of lock" in one.text
            await one.press("escape")
            await one.turn()
            assert kinds(one) == [PinEntry]

    play(story())


def test_a_question_whose_time_is_over_never_opens():
    async def story():
        async with bench() as one:
            await one.press("x")
            await one.asked()
            await one.run_for(40)
            assert "the pairing of" in one.text
            assert "is asked for the PIN" not in one.text
            await one.press("escape")
            await one.turn()
            assert kinds(one) == [OutcomeCard]

    play(story())


def test_a_question_does_not_cover_the_card_of_the_pairing_before():
    async def story():
        async with bench() as one:
            await one.asked()
            await one.press("w")
            await one.ended()
            assert kinds(one) == [OutcomeCard]
            one.app.people.retry()
            await one.asked()
            assert kinds(one) == [OutcomeCard]
            assert "phone is asked for the PIN of lock: esc closes this" in one.text
            await one.press("escape")
            assert kinds(one) == [PinEntry]
            assert one.control.questions()

    play(story())


def test_comparing_waits_too():
    async def story():
        async with bench("numeric_comparison") as one:
            await one.press("x")
            await one.until(lambda: one.control.questions())
            assert kinds(one) == [Faults]
            assert "is asked whether to pair with" in one.text
            await one.press("escape")
            await one.turn()
            assert kinds(one) == [Comparison]

    play(story())


def test_time_goes_on_in_line_1_behind_three_sheets():
    """What Textual has drawn of a sheet between others is kept, with the lines behind it."""

    async def story():
        async with bench() as one:
            await one.asked()
            await one.press("x", "end", "home", "down", "down", "down", "down", "enter")
            assert len(kinds(one)) == 3
            before = one.text.split("\n")[0]
            await one.run_for(2)
            after = one.text.split("\n")[0]
            assert before != after
            assert f"{one.control.now_us // 1_000_000:02}." in after

    play(story())


def test_the_first_and_the_last_fault_have_keys():
    async def story():
        async with bench() as one:
            await one.press("x")
            screen = one.app.screen
            last = screen.rows()[-1].name
            for keys, name in (
                ("end", last),
                ("home", "bond_erased"),
                ("G", last),
                ("g", "bond_erased"),
            ):
                await one.press(keys)
                assert screen.selected().name == name
            await one.press("pagedown")
            assert screen.selected().name == screen.rows()[8].name

    play(story())


@pytest.mark.parametrize("sheet", ["pin", "faults", "card"])
def test_help_lists_the_keys_of_the_sheet(sheet):
    async def story():
        async with bench() as one:
            await one.asked()
            if sheet == "faults":
                await one.press("x")
            elif sheet == "card":
                await one.press("w")
                await one.ended()
            below = kinds(one)
            await one.press("question_mark")
            assert kinds(one) == [*below, Help]
            said = {
                "pin": "send a wrong PIN on",
                "faults": "take the fault back",
                "card": "pair once more",
            }
            assert said[sheet] in one.text
            assert "Everywhere" not in one.text
            if sheet == "pin":
                assert_golden("modal_help_pin", one.text)
            await one.press("escape")
            assert kinds(one) == below
            assert (sheet == "card") or one.control.questions(), "esc was for the help"

    play(story())
