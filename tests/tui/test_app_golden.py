"""Golden screens: what is on the terminal, as text, at both sizes. A state that only a colour tells would be no difference."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.bench import SIZES, assert_golden, bench, play

AIR = Path(__file__).parent / "bench.toml"
DIGITS = {"air": "1", "ladder": "2", "packets": "3"}


def named(name, size):
    return f"{name}_{size[0]}x{size[1]}"


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    ("state", "seconds", "settings"),
    [("idle", 0, {}), ("paired", 8, {}), ("failed", 6, {"phone.wrong_pins": 1})],
)
def test_screens(size, state, seconds, settings):
    async def story():
        async with bench(AIR, size, play=("none",), settings=settings) as one:
            if seconds:
                await one.run_for(seconds)
            for name, digit in DIGITS.items():
                await one.press(digit)
                assert_golden(named(f"{name}_{state}", size), one.text)

    play(story())


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_ladder_of_bluetooth(size):
    async def story():
        async with bench("wrong_pin", size, play=("none",)) as one:
            await one.run_for(3)
            assert_golden(named("ladder_wrong_pin", size), one.text)
            await one.press("v")
            assert_golden(named("ladder_values", size), one.text)

    play(story())


def test_modals():
    async def story():
        async with bench() as one:
            await one.press("question_mark")
            assert_golden("modal_help", one.text)
            await one.press("escape", "colon")
            assert_golden("modal_palette", one.text)
            await one.press("escape")
            await one.asked()
            await one.press("1", "9", "0")
            assert_golden("modal_pin_entry", one.text)
            await one.press("w")
            await one.ended()
            assert_golden("modal_outcome", one.text)
            await one.press("escape", "q")
            assert_golden("modal_confirm", one.text)
            await one.press("n", "3", "slash", "ctrl+u")
            await one.type("smp && frm:lock")
            assert_golden("modal_filter", one.text)

    play(story())


def test_modals_of_displays():
    async def story():
        async with bench(play=("accessory",)) as one:
            await one.until(lambda: one.events("pin_displayed"))
            assert_golden("modal_pin_display", one.text)
        async with bench("numeric_comparison", play=("phone", "accessory")) as one:
            await one.until(lambda: len(one.control.questions()) == 2)
            assert_golden("modal_comparison", one.text)

    play(story())


def test_a_ladder_of_wi_fi_aware():
    async def story():
        async with bench("demo", (120, 40), play=("none",)) as one:
            await one.run_for(4)
            assert_golden("ladder_aware_120x40", one.text)

    play(story())


def test_plain_and_small():
    async def story():
        async with bench(AIR, play=("none",), ascii_only=True) as one:
            await one.run_for(8)
            assert_golden("ladder_ascii", one.text)
        async with bench(AIR, (60, 16), play=("none",)) as one:
            await one.run_for(8)
            assert_golden("ladder_60x16", one.text)

    play(story())


def test_no_colour_says_the_same(monkeypatch):
    """`NO_COLOR` changes no character."""
    monkeypatch.setenv("NO_COLOR", "1")

    async def story():
        async with bench(AIR, play=("none",)) as one:
            await one.run_for(8)
            await one.press("1", "2")
            assert_golden("ladder_paired_80x24", one.text)

    play(story())
