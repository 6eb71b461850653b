"""Golden screens of Accessory: before, during and after a pairing, a lock, a button with an LED, a phone, no device."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.bench import SIZES, assert_golden, bench, play

AIR = Path(__file__).parent / "bench.toml"
CAPTURE = Path(__file__).parents[1] / "vectors" / "wifi-aware-full-sae-ccmp128-ndp-pk128.pcap"


def named(name, size):
    return f"accessory_{name}_{size[0]}x{size[1]}"


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    ("state", "seconds", "settings"),
    [("idle", 0, {}), ("paired", 8, {}), ("failed", 6, {"phone.wrong_pins": 1})],
)
def test_a_lock(size, state, seconds, settings):
    async def story():
        async with bench(AIR, size, play=("none",), settings=settings, start="accessory") as one:
            if seconds:
                await one.run_for(seconds)
            assert_golden(named(state, size), one.text)

    play(story())


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_headset_with_commands_and_a_phone(size):
    async def story():
        async with bench("just_works_headset", size, play=("none",), start="accessory") as one:
            await one.run_for(6)
            await one.press("b", "enter")
            for line in (
                "help change",
                "forget peer=tablet",
                "sing",
                "change setting=mitm value=x",
            ):
                one.app.screen.prompt.input.put(line)
                await one.press("enter")
            await one.type("switch_")
            assert_golden(named("headset", size), one.text)
            await one.press("escape", "c")
            assert_golden(named("phone", size), one.text)

    play(story())


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_pin_is_asked_at_the_prompt(size):
    async def story():
        async with bench("keypad_types", size, play=("accessory",), start="accessory") as one:
            await one.asked("phone")
            await one.press("0", "1", "9")
            assert_golden(named("pin", size), one.text)

    play(story())


def test_wi_fi_aware_its_settings_and_plain_terminals():
    async def story():
        async with bench("demo", play=("none",), start="accessory") as one:
            await one.run_for(4)
            assert_golden("accessory_aware_80x24", one.text)
            await one.press("s", "down", "down", "down")
            assert_golden("accessory_settings_80x24", one.text)
        async with bench(AIR, play=("none",), start="accessory", ascii_only=True) as one:
            await one.run_for(8)
            assert_golden("accessory_ascii", one.text)
            assert one.text.isascii()
        async with bench(CAPTURE) as one:
            await one.press("4")
            assert_golden("accessory_capture_80x24", one.text)

    play(story())


def test_no_colour_says_the_same(monkeypatch):
    """`NO_COLOR` changes no character."""
    monkeypatch.setenv("NO_COLOR", "1")

    async def story():
        async with bench(AIR, play=("none",), start="accessory") as one:
            await one.run_for(8)
            assert_golden("accessory_paired_80x24", one.text)

    play(story())
