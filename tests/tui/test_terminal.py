"""The interface in a real terminal (tmux): from the first command to a pairing by PIN, typed as a person types it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIMIT_S = 60

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("tmux") is None, reason="tmux is missing: apt-get install tmux runs these"
    ),
]


class Terminal:
    """A pane of tmux with a program in it."""

    def __init__(self, *words, size=(80, 24), folder=ROOT):
        self.name = f"nearbench-{uuid.uuid4().hex[:8]}"
        command = " ".join([sys.executable, "-m", "tui", *words])
        self._tmux("new-session", "-d", "-s", self.name, "-x", str(size[0]), "-y", str(size[1]), "-c", str(folder),
                   f"{command}; echo ended with $?; exec cat")  # fmt: skip

    def _tmux(self, *words):
        return subprocess.run(["tmux", *words], check=True, capture_output=True, text=True).stdout

    @property
    def text(self):
        return self._tmux("capture-pane", "-t", self.name, "-p")

    def keys(self, *names):
        self._tmux("send-keys", "-t", self.name, *names)

    def wait(self, wanted):
        """Until the screen says it (a pattern); the screen."""
        end_s = time.monotonic() + LIMIT_S
        while time.monotonic() < end_s:
            text = self.text
            if re.search(wanted, text):
                return text
        raise AssertionError(f"not seen: {wanted}\n{self.text}")

    def resize(self, width, height):
        self._tmux("resize-window", "-t", self.name, "-x", str(width), "-y", str(height))

    def close(self):
        self._tmux("kill-session", "-t", self.name)


@pytest.fixture
def terminal():
    """Opens terminals and closes them."""
    opened = []

    def open_it(*words, **options):
        opened.append(Terminal(*words, **options))
        return opened[-1]

    yield open_it
    for one in opened:
        one.close()


def test_the_whole_demo_with_the_pin_typed_by_hand(terminal, tmp_path):
    pane = terminal("demo", folder=tmp_path)
    text = pane.wait(r"\d \d \d – \d \d \d[\s\S]*PIN entry")
    pane.keys(*re.search(r"(\d) (\d) (\d) – (\d) (\d) (\d)", text).groups())
    pane.wait(r"6 of 6 digits")
    pane.keys("Enter")
    pane.wait(r"✓ paired")
    pane.keys("+", "+", "+")
    pane.wait(r"✓ PASSED")
    pane.keys("q")
    pane.wait(r"wrote nearbench-demo.pcapng: \d+ packets\s+ended with 0")
    assert (tmp_path / "nearbench-demo.pcapng").stat().st_size > 10_000


@pytest.mark.parametrize("scenario", ["demo", "passkey_lock"])
def test_a_person_pairs_by_pin_breaks_it_and_reads_why(terminal, scenario):
    pane = terminal("tui", scenario)
    text = pane.wait(r"\d \d \d – \d \d \d[\s\S]*PIN entry")
    pane.keys("w")
    text = pane.wait(r"Pairing failed[\s\S]*NB-0\d")
    assert "The PINs differ" in text
    pane.keys("r")
    text = pane.wait(r"\d \d \d – \d \d \d[\s\S]*PIN entry")
    pin = "".join(re.search(r"(\d) (\d) (\d) – (\d) (\d) (\d)", text).groups())
    pane.keys(*pin)
    pane.wait(r"6 of 6 digits")
    pane.keys("Enter")
    pane.wait(r"✓ paired")
    pane.keys("q")
    pane.wait(r"in no file")
    pane.keys("y")
    pane.wait(r"ended with [01]")


def test_resizing_at_any_moment(terminal):
    pane = terminal("tui", "demo", "--play", "none", "--speed", "5")
    pane.wait(r"\[2 Ladder\]")
    for width, height in ((60, 16), (40, 8), (160, 50), (79, 23), (80, 24)):
        pane.resize(width, height)
        pane.keys("1", "2", "3")
    pane.wait(r"\[3 Packets\]")


def test_without_a_terminal_it_says_what_to_do_instead():
    found = subprocess.run(
        [sys.executable, "-m", "tui", "tui"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert found.returncode == 2
    assert "nearbench run" in found.stderr
