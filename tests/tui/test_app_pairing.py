"""Pairings with somebody at the screen: right, wrong, late and refused answers, on either side, over both radios."""

from __future__ import annotations

import re

import pytest
from textual import events

from tests.tui.bench import bench, play


def digits(pin):
    return list(pin)


def test_wrong_pin_then_the_right_one():
    async def story():
        async with bench() as one:
            pin = await one.asked()
            assert f"{' '.join(pin[:3])} – {' '.join(pin[3:])}" in one.text
            assert "attempt 1 of 3" in one.text
            wrong = f"{(int(pin) + 1) % 1_000_000:06}"
            await one.press(*digits(wrong), "enter")
            await one.ended()
            assert "Pairing failed · wrong PIN" in one.text
            assert "The PINs differ" in one.text
            assert "confirm value failed" in one.text
            assert "0x04" in one.text
            assert "NB-01" in one.text
            await one.press("r")
            second = await one.asked()
            assert second != pin
            assert "attempt 2 of 3" in one.text
            await one.press(*digits(second), "enter")
            await one.until(lambda: len(one.events("paired")) == 2)
            await one.turn()
            assert "✓ paired" in one.text
            assert len(one.app.screen_stack) == 1
            assert [e.fields["reason"] for e in one.events("not_paired", "lock")] == [4]

    play(story())


def test_the_sheet_takes_digits_only_and_keeps_leading_zeros():
    async def story():
        async with bench(settings={"lock.pin": "019655"}) as one:
            assert await one.asked() == "019655"
            await one.press("z", "0", "comma", "1", "q", "9", "R", "6")
            assert "4 of 6 digits" in one.text
            await one.press("enter")
            assert one.control.questions(), "four digits are no PIN"
            await one.press("backspace")
            assert "3 of 6 digits" in one.text
            one.app.screen.post_message(events.Paste("655 999\x1b[2J"))
            await one.turn()
            assert "6 of 6 digits" in one.text
            await one.press("enter")
            await one.until(lambda: len(one.events("paired")) == 2)

    play(story())


@pytest.mark.parametrize("pasted", ["019 655", "019-655", "019655\n"])
def test_a_pasted_pin_may_be_grouped(pasted):
    async def story():
        async with bench(settings={"lock.pin": "019655"}) as one:
            await one.asked()
            one.app.screen.post_message(events.Paste(pasted))
            await one.turn()
            assert one.app.screen.typed == "019655"

    play(story())


def test_refusing_is_a_message_on_the_air():
    async def story():
        async with bench() as one:
            await one.asked()
            assert "esc refuses" in one.text
            await one.press("escape")
            await one.ended()
            (failed,) = one.events("pairing_failed")
            assert (failed.node, failed.data) == ("phone", b"\x05\x01")
            assert "Somebody refused" in one.text
            await one.press("o")
            assert "[3 Packets]" in one.text
            assert f"{failed.seq} " in one.text
            assert "smp code  5  Pairing" in one.text

    play(story())


def test_the_time_runs_out_in_simulated_time():
    async def story():
        async with bench() as one:
            await one.asked()
            assert "of 30" in one.text
            assert "paused" in one.text
            await one.run_for(10)
            assert "20.0 s of 30" in one.text or "19.9 s of 30" in one.text
            await one.run_for(21)
            assert "Pairing failed · timeout" in one.text
            assert "no answer for 30 s" in one.text
            await one.found()
            assert "NB-01" in one.text
            await one.press("r")
            await one.asked()
            assert len(one.events("disconnect", "phone")) == 1, (
                "SMP is over on that connection (Vol 3 Part H 3.4)"
            )

    play(story())


def test_a_wrong_pin_on_purpose_and_hidden_digits():
    async def story():
        async with bench() as one:
            pin = await one.asked()
            await one.press("h")
            assert " ".join(pin[:3]) not in one.text
            await one.press("1", "2")
            assert "│ 1 │" not in one.text
            await one.press("w")
            await one.ended()
            assert "The PINs differ" in one.text

    play(story())


def test_the_question_can_be_left_to_the_person_itself():
    async def story():
        async with bench() as one:
            await one.asked()
            one.app.pop_screen()
            await one.press("i")
            assert "PIN entry" in one.text
            one.app.pop_screen()
            await one.press("a")
            assert "answers by itself" in one.text
            await one.until(lambda: len(one.events("paired")) == 2)

    play(story())


@pytest.mark.parametrize(("keys", "node"), [("yy", ""), ("yn", "second"), ("n", "first")])
def test_numeric_comparison_as_both_people(keys, node):
    """One after the other answers, so that they may disagree: Numeric Comparison Failed is reason 0x0C (Part H 3.5.5)."""

    async def story():
        async with bench("numeric_comparison", play=("phone", "accessory")) as one:
            await one.until(lambda: len(one.control.questions()) == 2)
            numbers = {asking.question.number for asking in one.control.questions()}
            (number,) = numbers
            shown = f"{' '.join(number[:3])} – {' '.join(number[3:])}"
            assert one.text.count(shown) == 2
            assert "of 30" in one.text
            people = []
            for key in keys:
                (asked,) = re.findall(r"You are the person before (\w+)", one.text)
                people.append(asked)
                await one.press(key)
            assert len(set(people)) == len(keys)
            said = {e.node: e.event for e in [*one.events("accepted"), *one.events("rejected")]}
            words = {"y": "accepted", "n": "rejected"}
            assert said == {who: words[key] for who, key in zip(people, keys, strict=True)}
            await one.run_for(5)
            assert bool(one.events("paired")) is not bool(node)
            if node:
                (failed,) = one.events("pairing_failed")
                assert failed.node == people[["first", "second"].index(node)]
                assert {e.fields["reason"] for e in one.events("not_paired")} == {0x0C}
                assert "numbers differ" in one.text

    play(story())


def test_a_person_at_the_accessory_sees_its_display():
    async def story():
        async with bench(play=("accessory",)) as one:
            await one.until(lambda: one.events("pin_displayed"))
            assert "PIN display" in one.text
            pin = one.control.face("lock").pin
            assert f"{' '.join(pin[:3])} – {' '.join(pin[3:])}" in one.text
            await one.press("escape")
            assert "PIN display" not in one.text
            await one.press("i")
            assert "PIN display" in one.text
            await one.run_for(10)
            assert one.events("paired"), "closing the display changes nothing"
            assert "PIN display" not in one.text

    play(story())


def test_a_person_types_at_the_accessory():
    async def story():
        async with bench("keypad_types", play=("accessory",)) as one:
            accessory = next(
                n for n, d in one.control.world.devices.items() if d.layer == "accessory"
            )
            phone = next(n for n in one.control.world.devices if n != accessory)
            pin = await one.asked(phone)
            assert f"PIN entry · {accessory}" in one.text
            await one.press(*digits(pin), "enter")
            await one.until(lambda: len(one.events("paired")) == 2)

    play(story())


def test_just_works_asks_the_person():
    async def story():
        async with bench("just_works_headset") as one:
            await one.until(lambda: one.control.questions())
            assert "Just Works" in one.text
            assert "nothing" in one.text
            await one.press("n")
            await one.run_for(5)
            assert not one.events("paired")
            assert one.events("not_paired")

    play(story())


def test_wi_fi_aware_by_pin_wrong_then_right():
    async def story():
        async with bench("demo") as one:
            await one.asked("display")
            await one.press("w")
            await one.run_for(3)  # a longer look ahead would come to the end of the scenario
            await one.found()
            assert "The PINs differ" in one.text
            assert "iphone noticed it" in one.text
            assert "NB-07" in one.text
            await one.press("r")
            await one.until(lambda: one.control.questions())
            await one.until(lambda: one.control.face("display").pin)
            await one.press(*digits(one.control.face("display").pin), "enter")
            await one.until(lambda: one.events("aware_paired"), steps=40)
            assert "✓ paired" in one.text

    play(story())
