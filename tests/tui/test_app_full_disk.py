"""A disk that fills up while the run is written to it: the run goes on, and everything on the screen says what is so."""

from __future__ import annotations

import errno
import io

import pytest

import sim.recording
from protocols.errors import OutputError
from sim import scenario as scenarios
from sim.recording import Recorder
from sim.world import World
from tests.tui.bench import bench, play
from tui import plain
from tui.modals.confirm import Confirm
from tui.session import Request, open_session

ROOM = 4000


class FullDisk(io.BytesIO):
    """A file on a disk with room for some octets more."""

    def write(self, octets):
        if self.tell() + len(octets) > ROOM:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(octets)


@pytest.fixture
def full(monkeypatch, tmp_path):
    """Name of a file on such a disk."""
    monkeypatch.setattr(sim.recording, "_owned", lambda _file: FullDisk())
    return str(tmp_path / "air.pcapng")


def test_a_full_disk_ends_the_file_and_not_the_run(full):
    async def story():
        async with bench(play=("none",), captures=(full,), size=(120, 40)) as one:
            assert "● REC" in one.text
            await one.run_for(8)
            assert "REC ✗" in one.text.split("\n")[0]
            assert "● REC" not in one.text
            assert f"cannot write to {full}" in " ".join(one.app.message[0].split())
            assert "No space left on device" in one.app.message[0]
            assert "e exports it" in one.app.message[0]
            assert one.events("paired"), "it went on"
            assert one.control.state != "died"
            await one.press("q")
            assert isinstance(one.app.screen, Confirm), "it is in no file: leaving asks"
            assert "in no file to its end (cannot write" in one.text
            await one.press("n")
            one.app.finish()
            (lost,) = one.app.lost
            assert full in lost

    play(story())


def test_line_by_line_it_is_told_once_and_by_the_status(full, capsys):
    session = open_session(
        Request(what="passkey_lock", speed=None, play=("none",), captures=(full,))
    )
    assert plain.run(session, io.StringIO("")) == 1
    said = capsys.readouterr().out
    assert f"cannot write to {full}: No space left on device; the run goes on." in said
    assert said.count("the run goes on") == 1
    assert "Passed." in said


def test_without_a_screen_a_file_that_is_lost_ends_the_run(full):
    """`nearbench run` was asked for the file; half of one would look like the whole."""
    world = World(scenarios.load("passkey_lock"))
    recorder = Recorder(world)
    recorder.capture(full)
    try:
        with pytest.raises(OutputError, match=r"air\.pcapng"):
            world.run()
    finally:
        recorder.close()
        world.close()


def test_an_export_of_a_run_that_is_over_does_not_say_that_it_goes_on():
    async def story():
        async with bench("just_works_headset", play=("none",)) as one:
            await one.press("e")
            assert "the run goes on while it is saved" in one.text
            await one.press("escape")
            await one.run_for(60)
            assert one.control.state == "ended"
            await one.press("e")
            assert "goes on" not in one.text

    play(story())
