"""What comes from a terminal, and how the app ends when it is ended from outside: in a pseudo-terminal, without tmux."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time

import pytest
from textual import events

from protocols.capture import open_reader

pty = pytest.importorskip("pty", reason="pseudo-terminals are those of POSIX")
terminal = pytest.importorskip("tui.terminal", reason="the driver is that of POSIX")

LIMIT_S = 60
LEAVES = (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l")
"""The alternate screen is left, the cursor is on, the mouse is not reported."""


def typed(messages):
    """Characters of keys, pastes in brackets."""
    return "".join(
        f"[{one.text}]" if isinstance(one, events.Paste) else (one.character or f"<{one.key}>")
        for one in messages
        if isinstance(one, (events.Key, events.Paste))
    )


def test_octets_that_are_no_utf8_are_replaced():
    assert typed(terminal.Input().feed(b"a\xffb\xc3\x28c")) == "a\ufffdb\ufffd(c"


def test_a_character_in_two_readings_is_one():
    reader = terminal.Input()
    assert not reader.feed("€".encode()[:2])
    assert typed(reader.feed("€".encode()[2:] + b"x")) == "€x"


@pytest.mark.parametrize("sequence", [b"\x1b[99999999;2u", b"\x1b[9999999999999999999;2u"])
def test_numbers_beyond_all_characters_do_not_end_the_reading(sequence):
    reader = terminal.Input()
    assert typed(reader.feed(b"a" + sequence + b"b")) == "ab"
    assert typed(reader.feed(b"c")) == "c"


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"x" * (terminal.PASTE_FROM - 1), "x" * (terminal.PASTE_FROM - 1)),
        (b"x" * terminal.PASTE_FROM, f"[{'x' * terminal.PASTE_FROM}]"),
        (b"q\r" + b"y" * 5000 + b"\rq", f"q\r[{'y' * 5000}]\rq"),
        (b"\x1b[200~" + b"z" * 5000 + b"\x1b[201~q", f"[{'z' * 5000}]q"),
    ],
)
def test_much_text_at_once_is_a_paste(octets, expected):
    assert typed(terminal.Input().feed(octets)) == expected


class Pane:
    """A program in a pseudo-terminal; what it wrote is in `out`."""

    def __init__(self, *words, folder):
        self.master, slave = pty.openpty()
        terminal_of_80 = dict(
            os.environ, TERM="xterm-256color", COLUMNS="80", LINES="24", PYTHONUTF8="1"
        )
        self.process = subprocess.Popen(
            [sys.executable, *words], stdin=slave, stdout=slave, stderr=slave, cwd=folder,
            env=terminal_of_80, start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self.out = b""

    def read(self, until=None):
        """Until it has written `until`, or has ended."""
        end_s = time.monotonic() + LIMIT_S
        while until is None or until not in self.out:
            assert time.monotonic() < end_s, self.out[-2000:]
            if not select.select([self.master], [], [], 0.1)[0]:
                if until is None and self.process.poll() is not None:
                    return
                continue
            try:
                octets = os.read(self.master, 65_536)
            except OSError:  # nobody has the other end open any more
                return
            self.out += octets

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(LIMIT_S)


@pytest.fixture
def pane(tmp_path):
    """Opens programs and ends them."""
    opened = []

    def open_it(*words):
        opened.append(Pane(*words, folder=tmp_path))
        return opened[-1]

    yield open_it
    for one in opened:
        one.close()


INTERFACE = ("-m", "tui", "tui", "passkey_lock", "--capture", "air.pcapng")


def packets_of(file):
    """Packets in a capture that was finished."""
    with file.open("rb") as stream:
        return sum(1 for _ in open_reader(stream, file.name))


def test_a_wild_octet_does_nothing_and_sigterm_ends_it_in_order(pane, tmp_path):
    one = pane(*INTERFACE)
    one.read(b"PIN entry")
    os.write(one.master, b"\xff\x1b[99999999;2u\x1b")
    one.read(b"Somebody refused")
    one.process.send_signal(signal.SIGTERM)
    one.read()
    assert one.process.wait(LIMIT_S) == 128 + signal.SIGTERM
    assert b"Traceback" not in one.out
    for sequence in LEAVES:
        assert sequence in one.out[one.out.rindex(b"Somebody refused") :]
    assert packets_of(tmp_path / "air.pcapng") > 10


def test_a_terminal_that_goes_away_leaves_finished_files(pane, tmp_path):
    one = pane(*INTERFACE)
    one.read(b"PIN entry")
    os.close(one.master)
    assert one.process.wait(LIMIT_S) == 128 + signal.SIGHUP
    assert packets_of(tmp_path / "air.pcapng") > 10


BROKEN = """
import sys
from tui.app import NearbenchApp
def fail(self): raise RuntimeError("of the test")
NearbenchApp.action_pause = fail
from tui.cli import main
sys.exit(main(["tui", "passkey_lock", "--capture", "air.pcapng"]))
"""


def test_a_fault_of_the_interface_is_told_in_a_sentence_and_as_status(pane, tmp_path):
    one = pane("-c", BROKEN)
    one.read(b"PIN entry")
    os.write(one.master, b" ")
    one.read()
    assert one.process.wait(LIMIT_S) == 1
    assert b"a fault of nearbench itself: RuntimeError: of the test; --debug shows where" in one.out
    assert b"Traceback" not in one.out
    assert b"wrote air.pcapng" in one.out
    assert packets_of(tmp_path / "air.pcapng") > 10
