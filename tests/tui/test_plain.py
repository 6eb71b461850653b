"""Line by line: the same pairings, told and asked in sentences, without a screen."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tui.plain import Plain
from tui.session import Request, open_session

LIMIT_S = 60


class Talk:
    """A run with somebody who reads and types lines."""

    def __init__(self, what, **request):
        self.lines = []
        self.read = 0
        self.session = open_session(Request(what=what, speed=None, **request))
        self.control = self.session.control
        self.plain = Plain(self.session, self.lines.append)
        self.plain.begin()
        self.control.start()

    def until(self, *parts):
        """Take turns until a line behind the last one has these parts; the line."""
        start, end_s = self.read, time.monotonic() + LIMIT_S
        while time.monotonic() < end_s:
            goes_on = self.plain.turn()
            for at, line in enumerate(self.lines[start:], start):
                if all(part in line for part in parts):
                    self.read = at + 1
                    return line
            assert goes_on, f"over without {parts}: {self.lines[-5:]}"
        raise AssertionError(f"not said: {parts}")

    @property
    def text(self):
        return "\n".join(self.lines)


@pytest.fixture
def talk():
    """Opens runs and ends them."""
    opened = []

    def open_it(*arguments, **request):
        opened.append(Talk(*arguments, **request))
        return opened[-1]

    yield open_it
    for one in opened:
        one.session.close()


def test_a_wrong_pin_then_the_right_one(talk):
    one = talk("passkey_lock", settings={"lock.pin": "019655"})
    one.until("phone asks for the PIN of lock", "six digits")
    if "lock displays the PIN 019 655." not in one.lines:
        one.until("lock displays the PIN 019 655.")
    one.plain.typed("12345\n")
    assert "A PIN has 6 digits" in one.lines[-1]
    one.plain.typed("019 654\n")
    one.until("Pairing failed, wrong PIN")
    one.until("Rule NB-01")
    one.until("What to do: the two sides did not use the same PIN")
    one.until("r pairs once more")
    one.plain.typed("r\n")
    one.until("phone asks for the PIN of lock")
    one.plain.typed("019-655\n")
    one.until("are paired")
    one.plain.turn()
    assert one.text.count("asks for the PIN of lock, six digits") == 3, (
        "each question once, and once more after what was no PIN"
    )


def test_a_pin_is_asked_for_once_it_is_displayed(talk):
    """The phone opens its sheet before the lock shows a PIN; an answer before that would be a guess."""
    one = talk("passkey_lock", settings={"lock.pin": "019655"})
    for typed, end in (("019 654", "Pairing failed, wrong PIN"), ("019655", "are paired")):
        begin = len(one.lines)
        one.until("phone asks for the PIN of lock")
        assert one.lines.index("lock displays the PIN 019 655.", begin) < one.read
        one.plain.typed(typed)
        one.until(end)
        if "failed" in end:
            one.plain.typed("r")


def test_what_failed_is_explained_before_the_next_try(talk, monkeypatch):
    explain = Plain._explain
    monkeypatch.setattr(
        Plain, "_explain", lambda self, one, *, last=False: last and explain(self, one, last=True)
    )  # as if no time passed between the end and the next try
    one = talk("passkey_lock")
    one.until("asks for the PIN of")
    one.plain.typed("")
    one.until("Pairing failed, cancelled")
    assert "What to do" not in one.text
    one.plain.typed("r")
    assert "What to do" in one.text
    one.until("asks for the PIN of")
    assert one.text.count("What to do") == 1


def test_who_has_no_display_is_asked_for_all_the_same(talk, monkeypatch):
    monkeypatch.setattr("tui.plain.Plain._look_at_displays", lambda self: None)
    one = talk("passkey_lock")
    one.until("phone asks for the PIN of lock")
    assert one.control.now_us > 1_000_000


def test_an_empty_line_refuses(talk):
    one = talk("passkey_lock")
    one.until("asks for the PIN of")
    one.plain.typed("\n")
    words = one.until("Pairing failed, cancelled")
    assert "phone ended it at" in words
    assert "passkey entry failed (0x01)" in words


def test_numbers_are_compared_by_yes_and_no(talk):
    one = talk("numeric_comparison", play=("accessory",))
    one.until("badge shows", "does phone show the same, y or n:")
    one.plain.typed("maybe\n")
    assert "Answer y or n." in one.lines[-1]
    one.plain.typed("N\n")
    one.until("Pairing failed, numbers differ")


def test_what_is_typed_is_no_command_to_a_terminal(talk):
    one = talk("passkey_lock")
    one.until("asks for the PIN of")
    for line in ("\x1b[2J12345\x00", "x" * 100_000, "１２３４５６"):
        one.plain.typed(line)
        assert "A PIN has 6 digits" in one.lines[-1]
    assert one.control.questions()
    assert not [c for c in one.text if ord(c) < 32 and c != "\n"]


def test_nobody_is_asked_unless_they_are_played(talk):
    one = talk("passkey_lock", play=("none",))
    one.until("Passed.")
    assert "asks for the PIN of" not in one.text
    assert "nobody is asked" in (one.plain.typed("hello") and one.lines[-1].lower())


def test_without_input_the_people_answer_by_themselves():
    ran = subprocess.run(
        [sys.executable, "-m", "tui", "tui", "passkey_lock", "--plain", "--speed", "max"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.rstrip().endswith("Passed.")
    assert "Traceback" not in ran.stderr


def test_a_capture_is_refused_with_a_hint():
    capture = Path(__file__).parents[1] / "vectors" / "wifi-aware-full-sae-ccmp128-ndp-pk128.pcap"
    ran = subprocess.run(
        [sys.executable, "-m", "tui", "tui", str(capture), "--plain"],
        capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    assert ran.returncode == 2
    assert "nearbench decode" in ran.stderr


def test_a_pairing_that_the_phone_gives_up_is_not_told_as_paired(talk):
    """US-45: the accessory is content, the phone waits for an identity key that never comes."""
    one = talk("us45_nik_timeout", play=("none",))
    one.until("Pairing failed, not paired: iphone noticed it")
    one.until("Rule IA-40")
    assert "are paired" not in one.text
