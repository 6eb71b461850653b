"""The card of a failed pairing: what to do is read on it, whatever else there is to say and however small the terminal."""

from __future__ import annotations

import msgspec
import pytest

from sim.explain import all_rules
from tests.tui.bench import SIZES, assert_golden, bench, play
from tui.diagnosis import Reason

LOW = (80, 20)
FAULT = "wrong_pin:node=iphone"


def card(one):
    """The words that are seen on the card, without its frame and breaks."""
    at = one.app.screen.card.region
    rows = one.text.split("\n")[at.y + 1 : at.bottom - 1]
    return " ".join(" ".join(row[at.x + 1 : at.right - 1] for row in rows).split())


async def failed(one, *, wrong):
    pin = await one.asked("display")
    await one.press(*(["w"] if wrong else [*pin, "enter"]))
    await one.run_for(3)
    await one.found()


def named(name, size):
    return f"{name}_{size[0]}x{size[1]}"


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("faults", [(), (FAULT,)], ids=["typed", "fault"])
def test_a_wrong_pin_over_wi_fi_aware_says_what_to_do(size, faults):
    async def story():
        async with bench("demo", size, faults=faults) as one:
            await failed(one, wrong=not faults)
            told = card(one)
            assert "What to do: Enter the PIN again" in told
            assert "forget the pairing on both sides." in told
            assert "Rule NB-07" in told
            assert ("Fault wrong_pin at iphone" in told) is bool(faults)
            name = "modal_outcome_fault" if faults else "modal_outcome_aware"
            assert_golden(named(name, size), one.text)

    play(story())


def test_the_longest_remedies_are_read_whole_without_scrolling():
    async def story():
        async with bench("demo", faults=(FAULT,)) as one:
            await failed(one, wrong=False)
            screen = one.app.screen
            found = one.session.inquiries._found
            for rule in sorted(all_rules().values(), key=lambda rule: -len(rule.remedy))[:6]:
                found[screen.outcome.seq] = Reason(
                    rule=rule.id, title=rule.title, remedy=rule.remedy, source=rule.source
                )
                await one.turn()
                words = " ".join(rule.remedy.rstrip(".").split())
                assert words[1:] in card(one), rule.id

    play(story())


def test_what_does_not_fit_is_announced_and_scrolled_to():
    async def story():
        async with bench("demo", LOW, faults=(FAULT,)) as one:
            await failed(one, wrong=False)
            assert "What to do" in card(one)
            assert "↓" in one.text
            assert "more below" in one.text
            assert "(cause)" not in card(one)
            await one.press("pagedown")
            assert "(cause)]" in card(one)
            assert "more above" in one.text
            assert "more below" not in one.text
            await one.press("k")
            assert "more below" in one.text
            await one.press("pageup")
            assert "The PINs differ" in card(one)
            assert "above" not in one.text

    play(story())


def test_a_terminal_that_grows_shows_the_rest():
    async def story():
        async with bench("demo", LOW, faults=(FAULT,)) as one:
            await failed(one, wrong=False)
            await one.press("pagedown")
            await one.pilot.resize_terminal(80, 40)
            await one.turn()
            assert "The PINs differ" in card(one)
            assert "(cause)]" in card(one)
            assert "more" not in one.text.split("\n")[3]

    play(story())


def test_a_card_without_a_rule_has_no_empty_brackets():
    async def story():
        async with bench("demo") as one:
            await failed(one, wrong=True)
            screen = one.app.screen
            one.session.inquiries._found[screen.outcome.seq] = msgspec.structs.replace(
                screen.reason, rule="", title="", source=""
            )
            await one.turn()
            assert "What to do" in card(one)
            assert "[]" not in card(one)

    play(story())


def test_a_pairing_that_the_phone_gives_up_has_one_verdict():
    """US-45: the accessory has its identity key and is content; the phone waits for one that never comes."""

    async def story():
        async with bench("us45_nik_timeout", play=("none",)) as one:
            await one.until(lambda: one.events("nik_received"))
            assert "✓ display paired, iphone not yet" in one.text
            await one.run_for(15)
            await one.found()
            assert "✗ not paired" in one.text.split("\n")[2]
            assert "✓" not in one.text.split("\n")[2]
        async with bench("us45_nik_timeout") as one:
            await one.asked("display")
            await one.press(*one.control.face("display").pin, "enter")
            await one.run_for(15)
            await one.found()
            assert "gave up before the phone's identity key came" in card(one)
            await one.press("escape")
            assert "✗ not paired" in one.text.split("\n")[2]

    play(story())
