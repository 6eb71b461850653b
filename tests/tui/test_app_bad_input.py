"""What goes wrong around the interface: garbage in every field, any size, damaged captures, a world that dies."""

from __future__ import annotations

import struct

import pytest
from rich.cells import cell_len
from textual import events

from tests.tui.bench import bench, play
from tests.tui.test_capture_source import written
from tui.widgets.field import MOST, Field

GARBAGE = {
    "escape sequences": "\x1b[2J\x1b]0;title\x07\x1b[31mred\x9b5m",
    "NULs": "a\x00b\x00\x01\x02\x7f",
    "wide": "日本語🙂" * 200,
    "long": "x" * 100_000,
    "brackets": "(" * 100_000,
    "lines": "\n\n\r\nabc\r\n\vsmp\x85",
    "directions": "\u202eabc\u200b\ufeff\u2066",
    "surrogates": "\udcff\udc80\ud83d",
    "unfinished": 'text~"((((( && !',
}
MIXED = "".join(text[:60] for text in GARBAGE.values())


def assert_in_order(one, width):
    """Nothing on the screen that a terminal would obey, and nothing beyond its edge."""
    one.text.encode()
    for line in one.text.split("\n"):
        assert cell_len(line) <= width, line
        assert not [c for c in line if ord(c) < 32 or 0x7F <= ord(c) < 0xA0], repr(line)
        assert not set(line) & set("\u202e\u200b\ufeff\u2066\u2028"), repr(line)


@pytest.mark.slow
def test_garbage_in_every_field():
    async def story():
        async with bench(play=("none",)) as one:
            await one.run_for(0.3)
            for screen, opener in (("2", "slash"), ("3", "slash"), ("3", "colon"), ("5", "slash")):
                for text in (MIXED, GARBAGE["long"], GARBAGE["brackets"]):
                    await one.pilot.press(screen, opener)
                    field = one.app.screen.query_one(Field)
                    assert one.app.focused is field
                    field.post_message(events.Paste(text))
                    await one.pilot.pause()
                    assert len(field.value) <= MOST
                    assert_in_order(one, 80)
                    await one.press("enter")
                    assert_in_order(one, 80)
                    await one.pilot.press("escape", "escape")
            await one.press("1")
            assert "[1 Air]" in one.text, "the screen is still there, and obeys"
            assert one.control.state == "paused"

    play(story())


def test_garbage_in_the_sheet_for_a_pin():
    async def story():
        async with bench(settings={"lock.pin": "019655"}) as one:
            await one.asked()
            for text in GARBAGE.values():
                one.app.screen.post_message(events.Paste(text.replace("2", "").replace("0", "").replace("3", "")
                                                         .replace("5", "").replace("1", "").replace("9", "")))  # fmt: skip
                await one.turn()
                assert "0 of 6 digits" in one.text
                assert_in_order(one, 80)
            one.app.screen.post_message(events.Paste("\x1b[0m0\x0019 日本 ٣655" + "8" * 100_000))
            await one.turn()
            assert one.app.screen.typed == "001965", "digits are what counts, the first six of them"

    play(story())


SIZES = ((40, 8), (1, 1), (79, 23), (80, 24))


@pytest.mark.slow
def test_any_size_while_anything_is_open():
    async def story():
        async with bench(play=("phone", "accessory")) as one:
            pin = await one.asked()
            for keys in ((), ("question_mark",), ("3", "slash"), ("1",)):
                while keys and len(one.app.screen_stack) > 1:
                    one.app.pop_screen()
                await one.press(*keys)
                for size in SIZES:
                    await one.pilot.resize_terminal(*size)
                    while one.app.screen.size != size:
                        await one.pilot.pause()
                    one.app.tick()
                    await one.pilot.pause()
                    assert_in_order(one, size[0])
                    if size == (40, 8):
                        assert "needs 60 x 16" in one.text
            while len(one.app.screen_stack) > 1:
                one.app.pop_screen()
            await one.press("i")
            await one.pilot.resize_terminal(20, 5)
            await one.press(*pin, "enter")
            await one.pilot.resize_terminal(80, 24)
            await one.until(lambda: len(one.events("paired")) == 2)

    play(story())


def of(path, what):
    """The app on a capture that was read to its end."""

    async def story():
        async with bench(path) as one:
            while not one.session.source.done:
                await one.pilot.pause()
            await one.turn()
            await what(one)
            assert_in_order(one, 80)
            await one.press("1", "2", "3", "end", "home", "slash")
            await one.type("adv")
            await one.press("enter")
            assert one.app.is_running

    play(story())


def test_a_truncated_capture_shows_what_came_before_the_cut(tmp_path):
    file = written(tmp_path / "cut.pcap", 20)
    file.write_bytes(file.read_bytes()[:-7])

    async def what(one):
        assert "Packets 19 of 19" in one.text
        assert "a part is shown: " in one.text

    of(file, what)


def test_a_record_that_claims_gigabytes_is_not_believed(tmp_path):
    file = written(tmp_path / "huge.pcap", 5)
    file.write_bytes(file.read_bytes() + struct.pack("<IIII", 1, 2, 0xFFFFFFF0, 0xFFFFFFF0) + b"x")

    async def what(one):
        assert "Packets 5 of 5" in one.text
        assert "a part is shown: " in one.text

    of(file, what)


@pytest.mark.parametrize("content", [b"", b"\x00", b"\x1b[2J" * 1000, "text \u202e".encode() * 99])
def test_what_is_no_capture_ends_the_app_with_a_sentence(tmp_path, content):
    file = tmp_path / "no.pcapng"
    file.write_bytes(content)

    async def story():
        async with bench(file):
            pass

    with pytest.raises(AssertionError, match=r"no\.pcapng") as raised:
        play(story())
    assert "Traceback" not in str(raised.value)


def test_a_folder_or_nothing_instead_of_a_capture(tmp_path):
    (tmp_path / "folder.pcap").mkdir()
    for name in ("folder.pcap", "missing.pcap"):

        async def story(name=name):
            async with bench(tmp_path / name):
                pass

        with pytest.raises(AssertionError, match=name):
            play(story())


def test_no_tooltip_flashes_over_a_screen_or_a_modal():
    """Textual's tooltip is an empty box in the middle of a screen that has just opened, and wants a mouse."""

    async def story():
        async with bench() as one:
            await one.asked()
            assert not one.app.screen.query("Tooltip")
            await one.press("escape", "1")
            assert not one.app.bench_screen.query("Tooltip")

    play(story())
