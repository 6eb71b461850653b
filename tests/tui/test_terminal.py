"""The interface in a real terminal (tmux): from the first command to a pairing by PIN, typed as a person types it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"
LIMIT_S = 60
MOVING = re.compile(r"│ [_\d] │|digits|time left")
"""Lines of the entry that differ with what was typed, and with time."""
ASKED = r"(\d) (\d) (\d) – (\d) (\d) (\d)[\s\S]*PIN entry"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("tmux") is None, reason="tmux is missing: apt-get install tmux runs these"
    ),
]


class Terminal:
    """A pane of tmux with a program in it; the server is its own, without anybody's settings."""

    def __init__(self, *words, size=(80, 24), folder=ROOT, variables=()):
        self.name = f"nearbench-{uuid.uuid4().hex[:8]}"
        command = " ".join([*variables, sys.executable, "-X", "faulthandler", "-m", "tui", *words])
        self._tmux("new-session", "-d", "-s", self.name, "-x", str(size[0]), "-y", str(size[1]), "-c", str(folder),
                   f"{command}; echo ended with $?; exec cat")  # fmt: skip

    def _tmux(self, *words):
        command = ["tmux", "-L", self.name, "-f", os.devnull, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

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
        raise AssertionError(f"not seen: {wanted}\n{self.text}\nIt was at:\n{self._stacks()}")

    def _stacks(self):
        """Where every thread of the program is; ends it."""
        shell = self._tmux("list-panes", "-t", self.name, "-F", "#{pane_pid}").strip()
        self.resize(200, 200)
        subprocess.run(["pkill", "-ABRT", "-P", shell], check=False)
        end_s = time.monotonic() + LIMIT_S
        while "ended with" not in self.text and time.monotonic() < end_s:
            pass
        return self.text

    def resize(self, width, height):
        self._tmux("resize-window", "-t", self.name, "-x", str(width), "-y", str(height))

    def close(self):
        self._tmux("kill-server")


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
    pane.wait(r"✓ scenario passed")
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
    pane.wait(r"ended with 0\b")


def type_pin(pane, asked):
    """The PIN that is shown, as a person types it."""
    pane.keys(*re.search(ASKED, asked).groups())
    pane.wait(r"6 of 6 digits")
    pane.keys("Enter")


def leave(pane, status):
    """Quit, and lose the run."""
    pane.keys("q")
    pane.wait(r"in no file")
    pane.keys("y")
    text = pane.wait(r"ended with \d+")
    assert f"ended with {status}" in text
    assert "Traceback" not in text


def card(text, title):
    """The lines of a card, its frame among them."""
    lines = text.splitlines()
    top = next(at for at, line in enumerate(lines) if f"─ {title}" in line)
    left = lines[top].index(f"┌─ {title}")
    right = lines[top].index("┐", left)
    end = next(at for at, line in enumerate(lines) if at > top and line[left : left + 1] == "└")
    return [line[left : right + 1] for line in lines[top : end + 1]]


def test_somebody_slow_pairs_with_the_right_pin(terminal, tmp_path):
    """After 20 s of the demo, at which the accessory changes its address in a run in which nobody is slow."""
    pane = terminal("demo", "--speed", "10", folder=tmp_path)
    pane.wait(ASKED)
    asked = pane.wait(r"t=00:00:2[2-9][\s\S]*PIN entry")
    type_pin(pane, asked)
    pane.wait(r"✓ paired")
    pane.wait(r"✓ scenario passed")
    pane.keys("q")
    pane.wait(r"wrote nearbench-demo.pcapng: \d+ packets\s+ended with 0")


def test_a_retry_after_the_end_of_the_run_goes_on_with_it(terminal):
    pane = terminal("tui", "passkey_lock", "--speed", "10")
    pane.wait(ASKED)
    pane.keys("w")
    pane.wait(r"Pairing failed[\s\S]*NB-01")
    pane.wait(r"✗ scenario failed")
    pane.keys("r")
    type_pin(pane, pane.wait(rf"running[\s\S]*{ASKED}"))
    pane.wait(r"✓ paired")
    leave(pane, 1)


def test_a_pairing_that_ends_below_another_modal_takes_nothing_with_it(terminal):
    pane = terminal("tui", "passkey_lock", "--speed", "10")
    pane.wait(ASKED)
    pane.keys("C-q")
    pane.wait(r"in no file")
    text = pane.wait(r"the pairing of phone and lock failed: esc closes this")
    assert "in no file" in text, "nobody has answered that"
    assert "PIN entry" not in text
    pane.keys("n")
    text = pane.wait(r"No answer in time[\s\S]*NB-01")
    assert "[2 Ladder]" in text, "what is behind is seen"
    pane.keys("Escape")
    pane.wait(r"✗ scenario failed")
    leave(pane, 1)


def test_modals_have_no_holes(terminal):
    """Card by card what the goldens have, which no terminal has shown."""
    pane = terminal("tui", "passkey_lock", "--play", "phone", "--speed", "max")
    pane.wait(ASKED)
    pane.keys("Space")
    text = pane.wait(r"paused +│[\s\S]*x faults")
    golden = (GOLDEN / "modal_pin_entry.txt").read_text()
    entries = [card(one, "PIN entry") for one in (text, golden)]
    mine, known = ([line for line in one if not MOVING.search(line)] for one in entries)
    assert mine == known
    assert card(text, "Display") == card(golden, "Display")
    pane.keys("Escape")
    pane.wait(r"Somebody refused")
    pane.keys("Escape")
    pane.wait(r"space pause +\? help")
    pane.keys(":")
    golden = (GOLDEN / "modal_palette.txt").read_text()
    shown = card(pane.wait(r"─ Palette[\s\S]*enter run"), "Palette")
    assert shown[1:] == card(golden, "Palette")[1:]


def test_resizing_at_any_moment(terminal):
    """Also where a shell exports the size that it began with."""
    fixed = ("COLUMNS=80", "LINES=24")
    pane = terminal("tui", "demo", "--play", "none", "--speed", "5", variables=fixed)
    pane.wait(r"\[2 Ladder\]")
    for width, height in ((60, 16), (40, 8), (160, 50), (79, 23), (80, 24)):
        pane.resize(width, height)
        pane.keys("1", "2", "3")
        pane.wait(r"has\s+40\s+x 8" if height < 16 else r"\[3( Packets)?\]")
    pane.wait(r"✓ scenario passed")
    for digit, name in (("1", "Air"), ("2", "Ladder"), ("3", "Packets")):
        pane.keys(digit)
        lines = pane.wait(rf"\[{digit} {name}\][\s\S]*┏━").split("\n")
        framed = lines[2:22]
        assert [line[:1] + line[79:] for line in framed if len(line) != 80] == []
        assert {line[0] + line[79] for line in framed} <= {"┏┓", "┃┃", "┗┛", "┌┐", "││", "└┘"}
        assert "? help" in lines[23]


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
