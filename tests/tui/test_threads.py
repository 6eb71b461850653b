"""What threads share: types are learnt by one at a time, and one inquiry goes on at a time."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from protocols.conversion import as_typed
from sim.trace import TraceLog
from tui import diagnosis
from tui.diagnosis import Inquiries, Reason
from tui.models.outcomes import Outcome

ROOT = Path(__file__).parents[2]


BUSY = [  # two cards at once, descriptors of an app, Wi-Fi Aware on both threads
    ("us47_second_browser", "phone,accessory"),
    ("us47_second_browser", "phone"),
    ("us10_no_pin_repaired", "phone,accessory"),
    ("us06_network_down_repaired", "phone"),
    ("both_type", "phone,accessory"),
]


class Odd:
    """A type that msgspec does not know."""


class Part(msgspec.Struct):
    """Has one."""

    odd: Odd


def test_conversions_of_two_threads_follow_each_other():
    inside, go_on, seen = threading.Event(), threading.Event(), []

    def slow(_kind, _value):
        inside.set()
        assert go_on.wait(10)
        seen.append("first")
        return Odd()

    def quick(_kind, _value):
        seen.append("second")
        return Odd()

    first = threading.Thread(target=as_typed, args=({"odd": 1}, Part, slow))
    second = threading.Thread(target=as_typed, args=({"odd": 1}, Part, quick))
    first.start()
    assert inside.wait(10)
    second.start()
    second.join(0.05)
    go_on.set()
    first.join(10)
    second.join(10)
    assert seen == ["first", "second"]


def test_a_hook_may_convert_a_part_itself():
    def hook(_kind, value):
        return as_typed(value, Part, lambda *_: Odd()).odd

    made = as_typed({"odd": {"odd": 1}}, Part, hook)
    assert isinstance(made.odd, Odd)


def test_nothing_converts_past_the_lock():
    found = [
        str(file.relative_to(ROOT))
        for layer in ("protocols", "sim", "hw_bridge", "tui")
        for file in (ROOT / layer).rglob("*.py")
        if re.search(r"\bmsgspec\.convert\(", file.read_text(encoding="utf-8"))
    ]
    assert found == ["protocols/conversion.py"]


def outcome(seq):
    return Outcome(seq=seq, t_us=seq, node="phone", peer="lock", good=False, words="timeout")


class Threads:
    """Takes calls, and runs them when the test says so."""

    def __init__(self):
        self.waiting = []

    def __call__(self, call):
        self.waiting.append(call)

    def run(self):
        self.waiting.pop()()


def test_one_inquiry_goes_on_at_a_time(monkeypatch):
    reason = Reason(rule="NB-01", title="t", remedy="r", source="s")
    monkeypatch.setattr(
        diagnosis, "reason_of", lambda _events, told: reason if told.seq == 2 else None
    )
    control = SimpleNamespace(now_us=0, world=SimpleNamespace(trace=TraceLog(lambda: 0)))
    inquiries, threads = Inquiries(), Threads()
    for seq in (1, 2, 1):
        inquiries.look(control, outcome(seq), outcome(seq), threads)
    assert len(threads.waiting) == 1
    threads.run()
    inquiries.look(control, outcome(2), outcome(2), threads)
    threads.run()
    assert inquiries.reason(outcome(2)) == reason
    assert inquiries.reason(outcome(1)) is None


def test_an_inquiry_that_fails_stands_in_nobodys_way(monkeypatch):
    def fail(_events, _told):
        raise RuntimeError

    monkeypatch.setattr(diagnosis, "reason_of", fail)
    control = SimpleNamespace(now_us=0, world=SimpleNamespace(trace=TraceLog(lambda: 0)))
    inquiries, threads = Inquiries(), Threads()
    inquiries.look(control, outcome(1), outcome(1), threads)
    with contextlib.suppress(RuntimeError):
        threads.run()
    inquiries.look(control, outcome(2), outcome(2), threads)
    assert len(threads.waiting) == 1


@pytest.mark.slow
@pytest.mark.parametrize(("scenario", "who"), BUSY)
def test_no_process_dies_when_nobody_answers_at_full_speed(scenario, who):
    """Each in a process of its own: types are learnt once per process."""
    words = ["-X", "faulthandler", "-m", "tests.tui.headless_run", scenario, who]
    found = subprocess.run(
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert found.returncode == 0, found.stderr
