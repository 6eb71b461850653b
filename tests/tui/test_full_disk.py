"""What cannot be written is named: no room, a folder that is read only; the demo's own capture is not worth its end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tui.cli import main
from tui.commands import demo
from tui.commands import tui as tui_command
from tui.session import open_session

FULL = Path("/dev/full")
NO_ROOM = pytest.mark.skipif(not FULL.exists(), reason="no /dev/full on this system")
CAPTURE = Path(__file__).parents[1] / "vectors" / "wifi-aware-full-sae-ccmp128-ndp-pk128.pcap"
RUN = ["run", "thermometer_session"]


def full(tmp_path, name):
    """A file of that name on a disk without room."""
    (tmp_path / name).symlink_to(FULL)
    return str(tmp_path / name)


@NO_ROOM
@pytest.mark.parametrize(
    ("words", "name"),
    [
        ([*RUN, "--capture", "{}"], "air.pcapng"),
        ([*RUN, "--capture", "{}"], "air.pcap"),
        ([*RUN, "--capture", "phone:{}"], "phone.btsnoop"),
        ([*RUN, "--jsonl", "{}"], "trace.jsonl"),
        (["demo", "--headless", "--capture", "{}"], "demo.pcapng"),
        (["convert", str(CAPTURE), "{}"], "out.pcapng"),
    ],
)
def test_a_disk_without_room_is_told_with_the_file(tmp_path, capsys, words, name):
    file = full(tmp_path, name)
    assert main([word.format(file) for word in words]) == 1
    assert (
        capsys.readouterr().err == f"nearbench: cannot write to {file}: No space left on device\n"
    )


@NO_ROOM
@pytest.mark.parametrize("words", [RUN, [*RUN, "--jsonl", "-"], ["decode", str(CAPTURE)]])
def test_standard_output_without_room_is_told_as_such(words):
    with FULL.open("wb") as stream:
        ran = subprocess.run(
            [sys.executable, "-u", "-m", "tui", *words],
            stdout=stream, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert ran.returncode == 1
    assert "standard output: No space left" in ran.stderr


@pytest.fixture
def read_only(tmp_path, monkeypatch):
    """The demo's capture lies where none can be made."""
    monkeypatch.setattr(demo, "CAPTURE", str(tmp_path / "gone" / "demo.pcapng"))


def test_the_demo_runs_without_a_capture_that_nobody_asked_for(read_only, capsys):
    assert main(["demo", "--headless"]) == 0
    said = capsys.readouterr()
    assert "demo.pcapng: No such file or directory: this run is in no file" in said.err
    assert said.out.endswith("PASSED\n")
    assert "wrote" not in said.out


def test_the_interface_runs_the_demo_without_it_and_says_so(read_only, monkeypatch):
    requests = []
    monkeypatch.setattr(demo, "has_terminal", lambda: True)
    monkeypatch.setattr(
        demo, "open_interface", lambda *args: requests.append(tui_command._request(*args)) or 0
    )
    assert main(["demo"]) == 0
    session = open_session(requests[0])
    try:
        assert "this run is in no file" in session.notice
        assert not session.saved
        assert session.request.captures == ()
    finally:
        assert session.close() == {}


def test_a_capture_that_was_named_ends_the_demo(read_only, tmp_path, capsys):
    named = str(tmp_path / "gone" / "mine.pcapng")
    assert main(["demo", "--headless", "--capture", named]) == 2
    assert "mine.pcapng" in capsys.readouterr().err
