"""Accessory: the console and its commands, PINs typed at it, button, power and erasing, settings, and what is no device."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events

from sim import scenario as scenarios
from sim.control import Control, commands_of
from sim.world import World
from tests.sim.worlds import accessory
from tests.tui.bench import SIZES, bench, play
from tui.widgets.prompt import LONGEST

AWARE = Path(__file__).parents[1] / "vectors" / "wifi-aware-full-sae-ccmp128-ndp-pk128.pcap"
STORY = ("ble", "phone", "accessory", "air", "hci")


async def typed(one, line):
    """Type a line at the prompt and run it."""
    if not one.app.screen.prompt.input.has_focus:
        await one.press("enter")
    one.app.screen.prompt.input.put(line)
    await one.press("enter")


def story_of(trace):
    """What the devices did; numbers of events differ, as the clock is held by events of its own."""
    return [
        (e.t_us, e.node, e.layer, e.event, e.note, e.data, e.peer)
        for e in trace
        if e.layer in STORY
    ]


def test_what_is_typed_is_carried_out_and_can_be_repeated():
    kept = []

    async def story():
        async with bench("passkey_lock", play=("none",), start="accessory") as one:
            await one.run_for(7)
            await typed(one, "turn locked=true")
            assert "> turn locked=true" in one.text
            assert "locked: by hand" in one.text
            assert one.events("locked", "lock")[-1].t_us == 7_000_000
            await typed(one, "help turn")
            assert "Turn the knob by hand" in one.text
            await typed(one, "sing")
            assert "✗ unknown command of lock 'sing'" in one.text
            await typed(one, "turn locket=1")
            await typed(one, "change setting=pin value=246802")
            await one.press("escape")
            await one.run_for(1)
            commands = commands_of(one.control.world.trace)
            assert [command.do for command in commands] == ["turn", "change"]
            assert commands[1].set["value"] == "246802"
            assert "246802" not in one.text
            assert "pin is •••••• from the next start on" in one.text
            await one.run_for(23)
            kept.extend((commands, list(one.control.world.trace)))

    play(story())
    commands, trace = kept
    again = World(scenarios.load("passkey_lock"))
    Control(again).repeat(commands)
    again.close()
    assert story_of(again.trace) == story_of(trace)


def test_a_command_that_fails_says_why():
    async def story():
        async with bench(play=("none",), start="accessory") as one:
            await typed(one, "enter_pin pin=12")
            assert "failed: enter_pin: PIN" in one.text
            assert "six digits" in one.text
            assert one.events("command_failed", "lock")
            await typed(one, "019655")
            assert "asks for no PIN now" in one.text
            assert len(one.events("command")) == 1, "nothing was given to the lock"

    play(story())


@pytest.mark.parametrize("right", [True, False])
def test_the_keypad_is_the_console(right):
    async def story():
        async with bench("keypad_types", play=("accessory",), start="accessory") as one:
            pin = await one.asked("phone")
            assert len(one.app.screen_stack) == 1, "no modal covers the console"
            assert "PIN of phone: type its six digits, 30.0 s left" in one.text
            await one.press(*pin[:3], "enter")
            assert "six digits, and these are 3" in one.text
            given = pin if right else f"{(int(pin) + 1) % 1_000_000:06}"
            await one.press(*given, "enter")
            assert one.app.screen.history.lines == []
            if right:
                await one.until(lambda: len(one.events("paired")) == 2)
            else:
                await one.ended()
                assert "The PINs differ" in one.text
                assert f"{' '.join(given[:3])}" in one.text, "the card knows what was typed"
            (entered,) = one.events("pin_entered")
            assert entered.node == "keypad"
            (command,) = [c for c in commands_of(one.control.world.trace) if c.do == "enter_pin"]
            assert command.set["pin"] == given

    play(story())


def test_the_question_goes_to_a_modal_when_another_device_is_chosen():
    async def story():
        async with bench("keypad_types", play=("accessory",), start="accessory") as one:
            await one.press("c")
            await one.asked("phone")
            assert "PIN entry · keypad" in one.text
            await one.press("escape")
            await one.ended()

    play(story())


def test_i_goes_to_the_prompt_when_the_pin_is_asked_there():
    async def story():
        async with bench("keypad_types", play=("accessory",), start="accessory") as one:
            await one.asked("phone")
            await one.press("escape", "2", "4")
            assert not one.app.screen.prompt.input.has_focus
            await one.press("i")
            assert one.app.screen.prompt.input.has_focus

    play(story())


def test_completion_and_history_by_keys():
    async def story():
        async with bench(play=("none",), start="accessory") as one:
            line = one.app.screen.prompt.input
            await one.press("enter", *"tu", "tab", "tab", *"tru", "tab", "enter")
            assert one.events("locked", "lock")
            await one.press("up")
            assert line.value == "turn locked=true"
            await one.press("down", *"swi", "tab", "tab")
            assert line.value == "switch_o"
            assert "switch_off  switch_on" in one.text
            await one.press(*["backspace"] * 8, "tab")
            assert not line.has_focus, "without a line, tab goes to the next pane"

    play(story())


def test_keys_are_text_at_the_prompt_and_keys_elsewhere():
    async def story():
        async with bench(play=("none",), start="accessory") as one:
            await one.press("enter", *"4bPq2")
            assert one.app.screen.prompt.input.value == "4bPq2"
            assert "esc keys" in one.text.splitlines()[-1]
            await one.press("escape", "2")
            assert "[2 Ladder]" in one.text

    play(story())


def test_the_button_the_led_and_the_power():
    async def story():
        async with bench("just_works_headset", (120, 40), play=("none",), start="accessory") as one:
            await one.run_for(6)
            assert "connected: phone" in one.text
            assert "1: phone (unprotected, SC)" in one.text
            await one.press("b")
            assert "status blinks blue" in one.text
            assert one.events("pairing_mode", "headset")
            assert "pressed  6.000" in one.text
            await one.press("P")
            assert "Switch headset off?" in one.text
            await one.press("n")
            assert not one.events("switched_off")
            await one.press("P", "y")
            await one.run_for(1)
            assert one.events("switched_off", "headset")
            assert "power    off" in one.text
            assert "status off" in one.text
            await one.press("b")
            assert "headset is switched off; switch_on gives it its power back" in one.text
            await one.press("P", "y")
            await one.run_for(1)
            assert "power    on" in one.text

    play(story())


def test_restart_and_erase_ask():
    async def story():
        async with bench("just_works_headset", play=("none",), start="accessory") as one:
            await one.run_for(6)
            await one.press("z", "f", "p", "escape")
            assert not one.events("bond_removed")
            await one.press("Z", "y")
            await one.press("F")
            assert "Erase headset? Bonds, stored values and changed settings" in one.text
            await one.press("n")
            assert not one.events("factory_reset")
            await one.press("F", "y")
            await one.run_for(1)
            done = [c.do for c in commands_of(one.control.world.trace)]
            assert done[-2:] == ["reboot", "factory_reset"]
            assert one.events("bond_removed", "headset")
            assert "bonds    none" in one.text

    play(story())


def test_a_setting_is_changed_by_a_command_and_says_when_it_counts():
    async def story():
        async with bench(play=("none",), size=(120, 40), start="accessory") as one:
            await one.press("s", "down")
            assert "mitm: protection against a man in the middle" in one.text
            await one.press("enter")
            line = one.app.screen.prompt.input
            assert line.value == "change setting=mitm value=required"
            line.put("change setting=mitm value=never")
            await one.press("enter")
            assert "✗ failed: change" in one.text
            assert "allowed: no, wanted, required" in one.text
            line.put("change setting=mitm value=wanted")
            await one.press("enter")
            assert "mitm = wanted (next start)" in one.text
            await one.press("escape", "Z", "y")
            assert "(next start)" not in one.text
            assert "mitm = wanted" in one.text

    play(story())


def test_keys_that_come_before_the_settings_are_laid_out_scroll_nothing():
    async def story():
        async with bench("demo", play=("none",), start="accessory") as one:
            screen = one.app.screen
            screen.action_settings()
            assert not screen.settings.size.height
            screen.settings.move(3)
            await one.turn()
            assert (screen.settings.top, screen.settings.cursor) == (0, 3)

    play(story())


def test_phones_are_typed_at_too():
    async def story():
        async with bench("demo", play=("none",), start="accessory") as one:
            await one.run_for(1)
            await one.press("c", "c", "c")
            assert "Console · iphone" in one.text
            assert "LEDs" not in one.text
            assert "button" not in one.text.splitlines()[-1]
            await typed(one, "app_scan for=1s")
            assert one.events("command", "iphone")
            await one.press("escape", "P")
            assert "iphone has no power switch" in one.text
            await one.press("F")
            assert "iphone has no command for that" in one.text
            await one.press("s", "enter")
            assert "settings of a phone are those of the scenario" in one.text

    play(story())


def test_search_and_levels():
    async def story():
        async with bench(play=("none",), start="accessory") as one:
            await one.run_for(6)
            await one.press("slash")
            await one.type("bond stored")
            await one.press("enter")
            line = one.app.screen.rows.selected()
            assert "bond stored: as" in line.text
            assert line.text.strip() in one.text.splitlines()[-2]
            before = len(one.app.screen.rows.lines)
            await one.press("l")
            assert "log: all" in one.text
            assert len(one.app.screen.rows.lines) > 2 * before
            await one.press("l")
            assert "log: quiet" in one.text
            assert len(one.app.screen.rows.lines) < before

    play(story())


PASTED = ["\x1b[2J\x1b]0;x\x07turn", "\x00\x00", "x" * 100_000, "四" * 300, "a\nreboot\n", "\n\n"]


def test_pasted_garbage_stays_a_line():
    async def story():
        async with bench(play=("none",), start="accessory") as one:
            await one.press("enter")
            line = one.app.screen.prompt.input
            for text in PASTED:
                line.post_message(events.Paste(text))
                await one.turn()
                assert len(line.value) <= LONGEST
                assert not line.value or line.value.isprintable()
                await one.press("enter")
                assert len(one.text.splitlines()) <= 24
            assert not one.events("command"), "none of it is a command, and no second line ran"

    play(story())


def test_a_capture_has_no_device():
    async def story():
        async with bench(AWARE) as one:
            await one.press("4")
            assert "no device in a capture" in one.text
            await typed(one, "help")
            await one.press("escape", "b", "P", "Z", "F", "c", "s", "l", "n")
            assert "[4 Accessory]" in one.text
            assert len(one.app.screen_stack) == 1

    play(story())


def test_a_world_that_died_says_so_at_the_prompt(tmp_path):
    source = accessory(
        "async def start(self):\n    await asyncio.sleep(1)\n    raise ValueError('broken')"
    )
    (tmp_path / "own.py").write_text(source, encoding="utf-8")
    file = tmp_path / "dies.toml"
    file.write_text(
        'title = "dies"\nduration = "9s"\n[[node]]\nname = "dev"\naccessory = "own.py"\nat = [1, 0]\n',
        encoding="utf-8",
    )

    async def story():
        async with bench(file, play=("none",), start="accessory") as one:
            one.control.resume()
            assert one.control.wait("died")
            await typed(one, "reboot")
            assert "✗ the run is over; restart the scenario" in one.text
            await typed(one, "help reboot")
            assert "Switch off at once" in one.text

    play(story())


def test_after_the_end_commands_still_work():
    async def story():
        async with bench(play=("none",), start="accessory") as one:
            one.control.resume()
            assert one.control.wait("ended")
            await one.turn()
            await typed(one, "turn locked=true")
            assert one.events("locked", "lock")
            await one.press("escape", "R", "y")
            await one.turn()
            assert "locked: by hand" not in one.text, "a restart begins with an empty console"
            assert one.app.screen.history.lines == ["turn locked=true"]

    play(story())


@pytest.mark.parametrize("size", SIZES)
def test_every_pane_is_reached_by_tab_and_resizing_keeps_it(size):
    async def story():
        async with bench(play=("none",), size=size, start="accessory") as one:
            seen = set()
            for _ in range(6):
                seen.add(one.app.screen.focused.id)
                await one.pilot.press("tab")
            assert {"console", "state", "line"} <= seen
            assert ("settings" in seen) is (size[0] == 120)
            for other in ((20, 5), (60, 16), SIZES[size == SIZES[0]]):
                await one.pilot.resize_terminal(*other)
                await one.pilot.press("backslash", "s", "vertical_line", "s", "backslash")
            await one.turn()
            assert "Console · lock" in one.text

    play(story())
