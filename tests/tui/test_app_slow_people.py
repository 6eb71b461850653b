"""People who take their time, come back after the end, or begin anew while the other side still waits for the last attempt."""

from __future__ import annotations

import time

from tests.tui.bench import bench, play
from tests.tui.test_app_endings import card_of
from tui.modals.outcome import OutcomeCard
from tui.modals.pin_entry import PinEntry

TOGETHER_S = 30


async def asked_again(one, display):
    """Wait, while time runs, until a PIN is asked for and shown; hold the clock then."""
    end_s = time.monotonic() + TOGETHER_S
    while not (one.control.questions() and one.control.face(display).pin):
        assert time.monotonic() < end_s, "nobody was asked"
        one.app.tick()
        await one.pilot.pause()
    one.control.pause()
    await one.turn()
    return one.control.face(display).pin


async def over(one):
    """Let time run until the verdict is there."""
    one.control.resume()
    assert one.control.wait("ended", timeout_s=TOGETHER_S)
    await one.turn()


def test_a_slow_person_pairs_with_the_right_pin_in_the_demo():
    """The accessory takes its new address at 20 s of a story in which the PIN is typed at once."""

    async def story():
        async with bench("demo") as one:
            pin = await one.asked("display")
            since_us = one.control.questions()[0].asked_us
            await one.run_for(40)
            assert one.events("new_address") == []
            await one.press(*pin, "enter")
            took_us = one.control.now_us - since_us
            await over(one)
            (moved,) = one.events("new_address")
            assert moved.t_us == 20_000_000 + took_us - 2_000_000, "less what a person needs anyway"
            assert not one.events("pairing_failed")
            assert one.control.result.passed
            assert "✓ scenario passed" in one.text

    play(story())


def test_retry_after_the_end_lets_time_go_on_and_says_so():
    async def story():
        async with bench(speed=50.0) as one:
            await one.asked()
            await one.press("w")
            await over(one)
            assert one.control.state == "ended"
            assert isinstance(one.app.screen, OutcomeCard)
            await one.pilot.press("r")
            assert "time goes on" in one.app.message[0]
            pin = await asked_again(one, "lock")
            assert isinstance(one.app.screen, PinEntry)
            await one.pilot.press(*pin, "enter")
            one.control.resume()
            assert one.control.sync()
            end_s = time.monotonic() + TOGETHER_S
            while one.control.state == "running":  # nothing but the interface holds the clock now
                assert time.monotonic() < end_s
                one.app.tick()
                await one.pilot.pause()
            assert len(one.events("paired")) == 2
            assert one.control.state == "ended"

    play(story())


def test_a_fault_after_the_end_counts_for_the_next_pairing():
    async def story():
        async with bench(play=("none",), speed=50.0) as one:
            await over(one)
            one.control.set_fault("wrong_pin:node=phone").result(10)
            await one.press("x")
            await one.press("escape")
            await one.pilot.press("p")
            assert "time goes on" in one.app.message[0]
            end_s = time.monotonic() + TOGETHER_S
            while not one.events("not_paired"):
                assert time.monotonic() < end_s
                await one.pilot.pause()
            one.control.pause()
            await one.turn()

    play(story())


def test_what_is_asked_for_while_time_is_paused_waits_and_says_so():
    async def story():
        async with bench() as one:
            await one.run_for(0.1)
            await one.press("p")
            assert one.control.state == "paused"
            assert "space lets it go on" in one.text

    play(story())


def test_the_late_end_of_one_attempt_leaves_the_sheet_of_the_next_alone():
    """The accessory waits ten seconds for an Auth3 that a phone with another PIN never sends."""

    async def story():
        async with bench("demo", seed=3) as one:
            await one.asked("display")
            await one.press("w")
            await one.run_for(0.1)
            assert isinstance(one.app.screen, OutcomeCard)
            await one.press("r")
            await one.until(lambda: one.control.questions())
            assert isinstance(one.app.screen, PinEntry)
            before = len(one.session.outcomes.all)
            await one.run_for(12)
            late = one.session.outcomes.all[before:]
            assert [(end.node, end.kind) for end in late] == [("display", "timeout")]
            assert isinstance(one.app.screen, PinEntry)
            assert len(one.app.screen_stack) == 2
            pin = one.control.face("display").pin
            await one.press(*pin, "enter")
            await one.run_for(5)
            assert one.events("aware_paired")

    play(story())


def test_the_card_of_a_second_attempt_opens_however_soon_it_fails():
    async def story():
        async with bench("demo", seed=3) as one:
            await one.asked("display")
            await one.press("w")
            await one.run_for(0.1)
            await one.press("r")
            await one.until(lambda: one.control.questions())
            await one.press("w")
            await one.run_for(0.1)
            assert isinstance(one.app.screen, OutcomeCard)
            assert len(one.app.screen_stack) == 2

    play(story())


def test_the_card_shows_the_pin_that_a_fault_made_of_the_right_one():
    async def story():
        async with bench(faults=("wrong_pin:node=phone,off_by=7",)) as one:
            pin = await one.asked()
            await one.press(*pin, "enter")
            await one.ended()
            sent = f"{(int(pin) + 7) % 1_000_000:06}"
            card = card_of(one.text)
            for who, digits in (("shown by lock", pin), ("typed on phone", pin), ("sent by phone", sent)):  # fmt: skip
                assert f"{who} {' '.join(digits)}" in card
            assert "^" in card
            shown = [f.fields["pin"] for f in one.events("fault_acted")]
            assert [str(one) for one in shown] == ["••••••"], "the trace keeps no PIN"

    play(story())


def test_the_sheet_of_wi_fi_aware_counts_down_and_says_how_many_guesses_there_are():
    """The accessory shows its PIN for `pin_time`; then nobody can type it any more."""

    async def story():
        async with bench("demo", settings={"display.pin_time": "40s"}) as one:
            await one.asked("display")
            assert "attempt 1 (5 tries per PIN)" in one.text
            await one.run_for(10)
            assert "PIN shown for" in one.text
            assert "s of 40" in one.text
            assert "29." in one.text
            await one.run_for(35)
            assert one.control.questions()
            assert "display shows its PIN no more: Esc, and pair again" in one.text

    play(story())
