"""The export modal: what people choose, what they are told before and after, and that errors lose nothing."""

from __future__ import annotations

import stat
import threading

import pytest
from textual import events
from textual.widgets import Input

from protocols.capture import open_reader
from tests.tui.bench import SIZES, assert_golden, bench, play
from tests.tui.test_app_golden import named
from tui.modals.export import Export

FORM_AT = {"pcapng": 0, "btsnoop": 1, "jsonl": 2, "ladder": 3, "svg": 4, "test": 5}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def paired(one):
    """A pairing with a PIN that somebody typed."""
    pin = await one.asked()
    await one.press(*pin, "enter")
    await one.run_for(3)


async def opened(one, form="pcapng", what=0):
    """The modal, with a choice made by keys."""
    await one.press("e", *["space"] * what, "tab", *["space"] * FORM_AT[form])


async def written(one):
    """Until the writing is over, and the screen has told so."""
    modal = one.app.screen
    if isinstance(modal, Export) and modal.job is not None:
        assert modal.job.wait()
    await one.turn()


def packets(path):
    with path.open("rb") as stream:
        return list(open_reader(stream, path.name))


def test_a_part_is_saved_and_then_all_of_the_air(folder):
    """A part is not the run: leaving still asks."""

    async def story():
        async with bench() as one:
            await paired(one)
            await opened(one)
            await one.press("enter")
            await written(one)
            part = len(packets(folder / "passkey_lock-1.pcapng"))
            await one.press("q")
            assert "in no file" in one.text
            await one.press("n")
            await opened(one, what=2)
            assert "(•) all" in one.text
            number = one.app.screen.plan.records
            assert f"Will write {number} packets, about" in one.text
            await one.press("enter", "y")
            await written(one)
            assert f"wrote passkey_lock-1.pcapng: {number} packets" in one.text
            assert len(packets(folder / "passkey_lock-1.pcapng")) == number > part
            assert not one.session.is_unsaved

    play(story())


def test_the_hci_of_the_node_that_was_chosen(folder):
    async def story():
        async with bench() as one:
            await paired(one)
            await opened(one, "btsnoop", what=2)
            first = one.app.screen.choice.node
            await one.press("tab", "space")
            second = one.app.screen.choice.node
            assert {first, second} == {"lock", "phone"}
            assert f"{second} (2 of 2)" in one.text
            await one.press("enter")
            await written(one)
            sent = [e for e in one.control.world.trace if e.layer == "hci" and e.node == second]
            assert [p.data for p in packets(folder / "passkey_lock-1.btsnoop")] == [
                e.data for e in sent
            ]

    play(story())


def test_nothing_is_overwritten_unasked_and_the_picture_is_that_of_the_screen_behind(folder):
    async def story():
        async with bench() as one:
            await paired(one)
            (folder / "passkey_lock-1.txt").write_text("mine", encoding="utf-8")
            await opened(one, "ladder")
            await one.press("enter")
            assert "passkey_lock-1.txt exists. Overwrite?" in one.text
            await one.press("n")
            assert isinstance(one.app.screen, Export)
            assert (folder / "passkey_lock-1.txt").read_text(encoding="utf-8") == "mine"
            await one.press("enter", "y")
            await written(one)
            assert "◀" in (folder / "passkey_lock-1.txt").read_text(encoding="utf-8")
            await opened(one, "svg")
            await one.press("enter")
            await written(one)
            picture = (folder / "passkey_lock-1.svg").read_text(encoding="utf-8")
            assert picture.startswith("<svg")
            assert "Ladder" in picture
            assert "btsnoop" not in picture, "it is the screen behind"

    play(story())


def test_a_test_asks_for_its_pins_and_hides_the_files(folder):
    async def story():
        async with bench() as one:
            await paired(one)
            await opened(one, "test")
            assert "typed or set in the run: 1 PIN." in one.text
            await one.press("enter")
            assert "Include them?" in one.text
            await one.press("n")
            assert list(folder.iterdir()) == []
            await one.press("enter", "y")
            await written(one)
            assert "wrote test_passkey_lock_1.py and test_passkey_lock_1.toml" in one.text
            for suffix in (".py", ".toml"):
                mode = (folder / f"test_passkey_lock_1{suffix}").stat().st_mode
                assert stat.S_IMODE(mode) == 0o600
            assert not one.session.is_unsaved

    play(story())


def test_the_run_goes_on_while_it_is_saved(folder):
    async def story():
        async with bench() as one:
            await paired(one)
            one.control.set_speed(1.0)
            one.control.resume()
            one.control.sync()
            await one.pilot.press("e", "tab", *["space"] * 5, "enter")
            await one.pilot.pause()
            await one.pilot.press("y")
            await one.pilot.pause()
            assert one.app.screen.job.wait()
            one.control.sync()
            assert one.control.state == "running"
            one.control.pause()
            await one.turn()
            assert (folder / "test_passkey_lock_1.toml").is_file()

    play(story())


def test_what_is_wrong_is_a_sentence_and_loses_nothing(folder):
    async def story():
        async with bench() as one:
            await paired(one)
            await opened(one, what=2)
            await one.press("tab", "ctrl+u")
            await one.press("enter")
            assert "give the file a name" in one.text
            await one.type("nowhere/x.pcapng")
            await one.press("enter")
            assert "there is no folder nowhere" in one.text
            await one.press("ctrl+u")
            await one.type("x" * 300)
            await one.press("enter")
            await written(one)
            assert "File name too long" in one.text
            await one.press("ctrl+u")
            await one.type("good.pcapng")
            assert "File name too long" not in one.text
            await one.press("enter")
            await written(one)
            assert [one.name for one in folder.iterdir()] == ["good.pcapng"]

    play(story())


@pytest.mark.slow
def test_garbage_in_the_name(folder):
    async def story():
        async with bench() as one:
            await paired(one)
            for garbage in ("\x1b[2J\x00\x07", "漢字" * 40 + "\nb", "x" * 100_000):
                await opened(one)
                await one.press("tab", "ctrl+u")
                one.app.screen.query_one(Input).post_message(events.Paste(garbage))
                await one.turn()
                assert not {"\x1b", "\x07"} & set(one.text)
                await one.press("enter")
                await written(one)
                await one.press("escape")
            assert "Ladder" in one.text
            await opened(one)
            await one.pilot.resize_terminal(120, 40)
            await one.pilot.resize_terminal(60, 16)
            await one.pilot.resize_terminal(80, 24)
            await one.turn()

    play(story())


def test_leaving_while_it_is_saved_leaves_no_half_of_a_file(folder, monkeypatch):
    begun, go_on = threading.Event(), threading.Event()

    def slow(stream, tell):
        stream.write(b"half")
        begun.set()
        go_on.wait(10)
        tell(1)
        return 1

    async def story():
        async with bench() as one:
            await paired(one)
            await opened(one, "svg")
            modal = one.app.screen
            modal.plan = modal.plan.__class__(records=1, write=slow)
            monkeypatch.setattr(modal, "_replanned", lambda: modal.plan)
            await one.press("enter")
            assert begun.wait(10)
            assert "writing" in one.text
            assert "[ Esc: stop ]" in one.text
            threading.Timer(0.1, go_on.set).start()
            await one.press("escape")
            assert "cancelled: nothing was written" in one.text
            begun.clear(), go_on.clear()
            await one.press("enter")
            assert begun.wait(10)
            threading.Timer(0.1, go_on.set).start()
        assert list(folder.iterdir()) == []
        assert "export" not in {thread.name for thread in threading.enumerate()}

    play(story())


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_golden_screens(size):
    async def story():
        async with bench(size=size) as one:
            await paired(one)
            await opened(one)
            assert_golden(named("modal_export", size), one.text)
            await one.press(*["space"] * FORM_AT["test"])
            assert_golden(named("modal_export_test", size), one.text)

    play(story())


def test_golden_of_a_refusal_in_ascii():
    async def story():
        async with bench(ascii_only=True) as one:
            await paired(one)
            await opened(one, "btsnoop", what=1)
            assert_golden("modal_export_ascii", one.text)

    play(story())
