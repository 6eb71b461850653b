"""A modal above another one: what is below may end in the meantime, and takes nothing with it that is not its own."""

from __future__ import annotations

import pytest
from textual.screen import Screen
from textual.widgets import Tooltip

from tests.tui.bench import bench, play
from tui.modals.comparison import Comparison
from tui.modals.confirm import Confirm
from tui.modals.help import Help
from tui.modals.outcome import OutcomeCard
from tui.modals.pin_entry import PinEntry
from tui.widgets.too_small import TooSmall


def kinds(one):
    """The modals on the screen, the lowest first."""
    return [type(screen) for screen in one.app.screen_stack[1:]]


async def settled(one):
    """What is taken away goes after a message or two."""
    for _ in range(3):
        await one.turn()


@pytest.mark.parametrize("who", [("phone",), ("phone", "accessory")])
def test_a_pairing_times_out_below_the_question_whether_to_quit(who):
    async def story():
        async with bench(play=who) as one:
            await one.asked()
            await one.press("ctrl+q")
            assert kinds(one)[-2:] == [PinEntry, Confirm]
            await one.run_for(40)
            await settled(one)
            assert one.events("not_paired")
            assert Confirm in kinds(one), "nobody has answered it"
            await one.press("escape", "escape", "escape")
            await settled(one)
            assert PinEntry not in kinds(one)
            assert one.app.is_running
            assert one.app.failure is None

    play(story())


def test_a_question_that_is_answered_elsewhere_leaves_the_modal_above_it():
    async def story():
        async with bench("numeric_comparison") as one:
            await one.until(lambda: one.control.questions())
            one.app.action_help()
            await one.turn()
            assert kinds(one) == [Comparison, Help]
            sheet = one.app.screen_stack[1]
            one.control.answer(one.control.questions()[0].node, False)
            await one.ended()
            await settled(one)
            assert sheet.is_over
            assert not sheet.query_one("#cards").visible
            while kinds(one):
                await one.press("escape")
                await settled(one)
            assert one.app.is_running
            assert len(one.events("not_paired")) == 2

    play(story())


def test_a_sheet_that_is_over_does_not_stand_for_the_next_question():
    async def story():
        async with bench() as one:
            await one.asked()
            first = one.app.screen
            await one.press("ctrl+q")
            one.control.answer("phone", None)
            await one.ended()
            one.app.people.retry()
            await one.asked()
            await settled(one)
            assert kinds(one)[-1] is Confirm, "it is not answered yet"
            assert "phone is asked for the PIN of lock" in one.text
            await one.press("n")
            await settled(one)
            sheets = [screen for screen in one.app.screen_stack if isinstance(screen, PinEntry)]
            assert [sheet for sheet in sheets if not sheet.is_over], "attempt 2 has a sheet"
            assert first.is_over

    play(story())


def test_a_modal_leaves_once_however_often_it_is_told_to():
    async def story():
        async with bench() as one:
            await one.asked()
            one.app.push_screen(Confirm("Once?"))
            await one.turn()
            confirm = one.app.screen
            confirm.dismiss(False)
            confirm.dismiss(False)
            await settled(one)
            assert kinds(one) == [PinEntry]

    play(story())


def test_a_card_that_is_taken_away_at_once_ends_nothing():
    async def story():
        async with bench() as one:
            await one.asked()
            await one.press("w")
            await one.ended()
            outcome = one.session.outcomes.all[0]
            for _ in range(5):
                one.app.push_screen(OutcomeCard(outcome))
                one.app.pop_screen()
            await settled(one)
            assert one.app.failure is None

    play(story())


def test_a_small_terminal_leaves_alone_what_textual_hides():
    """Else its tooltip is an empty box in the middle of everything as soon as there is room again."""

    class Plain(Screen[None]):
        def compose(self):
            yield TooSmall()

    async def story():
        async with bench(play=("none",)) as one:
            one.app.push_screen(Plain())
            await one.pilot.pause()
            screen = one.app.screen
            tooltip = screen.query_one(Tooltip)
            assert not tooltip.display
            screen.query_one(TooSmall).take_over()
            assert not tooltip.display

    play(story())
