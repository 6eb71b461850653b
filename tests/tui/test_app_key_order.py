"""Keys that come in one reading, as a slow line brings them: each reaches what the one before it opened."""

from __future__ import annotations

import pytest
from textual import events

from tests.tui.bench import bench, play

NAMED = {"/": "slash", ":": "colon", " ": "space", "\r": "enter", "\x1b": "escape"}


async def burst(one, text):
    """All keys at once, as the reading thread posts them."""
    for char in text:
        one.app.post_message(
            events.Key(NAMED.get(char, char), char if char.isprintable() else None)
        )
    await one.pilot.pause()
    while one.app.has_keys_to_come:
        await one.pilot.pause()
    await one.turn()


def test_a_filter_typed_in_one_go_is_applied():
    async def story():
        async with bench(start="packets") as one:
            await burst(one, "/smp\r")
            assert one.session.packets.filter.text == "smp", "not added to the one that was there"
            assert len(one.app.screen_stack) == 1
            await burst(one, "/\r")
            assert one.session.packets.filter.text == "smp", "nothing typed, nothing changed"

    play(story())


def test_the_palette_and_then_the_screen_it_opened_get_their_keys():
    async def story():
        async with bench(start="ladder") as one:
            await burst(one, ":screen packets\r/adv\r")
            assert one.app.current_mode == "packets"
            assert one.session.packets.filter.text == "adv"

    play(story())


def test_a_paste_behind_the_key_that_opens_the_field_is_in_it():
    async def story():
        async with bench(start="packets") as one:
            one.app.post_message(events.Key("slash", "/"))
            one.app.post_message(events.Paste("smp"))
            await burst(one, "\r")
            assert one.session.packets.filter.text == "smp"

    play(story())


@pytest.mark.parametrize(
    ("keys", "expected"), [("/smp\x1b", "!hci && !empty"), ("/smp\r/adv\x1b", "smp")]
)
def test_leaving_in_the_same_go_changes_nothing(keys, expected):
    async def story():
        async with bench(start="packets") as one:
            await burst(one, keys)
            assert one.session.packets.filter.text == expected
            assert len(one.app.screen_stack) == 1

    play(story())


def test_the_old_filter_can_be_gone_on_with():
    async def story():
        async with bench(start="packets") as one:
            await one.press("slash", "end", *" && smp".replace(" ", ""))
            await one.press("enter")
            assert one.session.packets.filter.text == "!hci && !empty&&smp"

    play(story())


def test_keys_go_on_when_what_they_opened_is_never_there(monkeypatch):
    monkeypatch.setattr("tui.app.key_order._PATIENCE_S", 0.05)

    async def story():
        async with bench(start="packets") as one:
            monkeypatch.setattr(one.app, "_follow", lambda *arguments: None)
            one.app.post_message(events.Key("slash", "/"))
            one.app.post_message(events.Key("x", "x"))
            for _ in range(200):
                await one.pilot.pause(0.01)
                if not one.app.has_keys_to_come:
                    break
            assert not one.app.has_keys_to_come

    play(story())


def test_a_key_that_comes_up_while_the_app_ends_goes_nowhere():
    """The screen that would take it is gone; without a screen Textual ends in a traceback."""

    async def story():
        async with bench() as one:
            one.app.exit()
        late = events.Key("x", "x")
        late._set_forwarded()
        await one.app.on_event(late)

    play(story())
