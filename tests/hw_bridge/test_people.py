"""People in front of devices on the bench: bumble's `pair` with an exposed device, and who answers which question."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys

from hw_bridge import bench_person
from hw_bridge.bench_person import Answers, BenchPerson, ExposedPerson, put_before_hosts
from hw_bridge.bench_world import BenchWorld
from hw_bridge.terminal_lines import is_attended
from sim.scenario import parse
from tests.hw_bridge.served import bumble_app, nearbench
from tests.hw_bridge.test_attach import Display, steps

KEYPAD, BADGE = "C0:11:22:33:44:77", "C0:11:22:33:44:88"
SHOWN = r"PIN: (\d{6})"
PEOPLE = f"""
title = "Devices with people before them"
duration = "1h"
[air]
collisions = false  # as in ROOM
[[node]]
name = "keypad"
accessory = "keypad"
at = [2.0, 0.0]
set = {{ address = "{KEYPAD.lower()}", mitm = "required" }}
[[node]]
name = "badge"
accessory = "badge"
at = [0.0, 2.0]
set = {{ address = "{BADGE.lower()}", mitm = "required" }}
"""


@contextlib.contextmanager
def exposed(tmp_path, *words, way="tcp", terminal=False):
    """The people's room behind a door: the program, and the moniker that it prints first."""
    (tmp_path / "room.toml").write_text(PEOPLE)
    if way == "pty":
        words = (*words, "--path", tmp_path / "controller")
    command = ("bridge", "expose", tmp_path / "room.toml", "--as", way, *words)
    with nearbench(*command, terminal=terminal) as served:
        yield served, served.match(r"^(tcp-client|serial):\S+(?=\r?\n)")[0]
        assert served.stop() == 0
        assert "Traceback" not in served.output


def pair(tmp_path, moniker, io, address):
    """bumble's `pair`, with the `io` of its side."""
    file = tmp_path / "device.json"
    file.write_text(json.dumps({"name": "Foreign", "address": "F0:F1:F2:F3:F4:F5"}))
    return bumble_app("pair", "--io", io, file, moniker, address)


def test_a_pin_is_typed_at_the_terminal_for_an_exposed_keypad(tmp_path):
    with (
        exposed(tmp_path, way="pty", terminal=True) as (served, moniker),
        pair(tmp_path, moniker, "display", KEYPAD) as app,
    ):
        pin = app.match(SHOWN)[1]
        served.until("keypad: which PIN does host show?")
        served.type(f"{pin[:5]}\n")
        served.until("a PIN is six digits")
        served.type(f"{pin}\n")
        assert "failed" not in app.until("Paired!", "Pairing failed")


def test_a_wrong_pin_of_an_exposed_keypad_fails(tmp_path):
    with (
        exposed(tmp_path, terminal=True) as (served, moniker),
        pair(tmp_path, moniker, "display", KEYPAD) as app,
    ):
        pin = int(app.match(SHOWN)[1])
        served.until("which PIN does host show?")
        served.type(f"{(pin + 1) % 1_000_000:06}\n")
        assert "Paired!" not in app.until("Paired!", "Pairing failed")


def test_a_comparison_of_an_exposed_badge_is_agreed_to_when_told(tmp_path):
    with (
        exposed(tmp_path, "--yes") as (served, moniker),
        pair(tmp_path, moniker, "display+yes/no", BADGE) as app,
    ):
        number = app.match(r"Does the other device display (\d{6})\?")[1]
        served.until(f"the display of badge shows the number {number} for host")
        app.type("yes\n")
        assert "failed" not in app.until("Paired!", "Pairing failed")


def test_a_comparison_that_nobody_can_answer_is_refused_at_once(tmp_path):
    with (
        exposed(tmp_path) as (served, moniker),
        pair(tmp_path, moniker, "display+yes/no", BADGE) as app,
    ):
        served.until("does host show the same? There is no terminal to ask at; --yes answers.")
        assert "Paired!" not in app.until("Paired!", "Pairing failed")
        assert "NUMERIC_COMPARISON_FAILED" in app.output


def test_a_comparison_is_refused_at_the_terminal(tmp_path):
    with (
        exposed(tmp_path, terminal=True) as (served, moniker),
        pair(tmp_path, moniker, "display+yes/no", BADGE) as app,
    ):
        served.until("does host show the same? [Y/n]")
        served.type("n\n")
        assert "Paired!" not in app.until("Paired!", "Pairing failed")


# Who answers which question


def test_neighbours_in_the_air_are_answered_by_themselves():
    told, events = [], []
    phone = '[[node]]\nname = "phone"\nphone = "generic"\n'
    script = steps("phone", "connect to=keypad", "pair", "wait for=1s")
    world = BenchWorld(parse(PEOPLE + phone + script), speed=None, seed=1)
    world.add_foreign("host")
    put_before_hosts(world, Answers(told.append, asks=False))
    world.trace.add_sink(events.append)
    with world.session():
        world.loop.run_until_us(20_000_000)
    assert [one.node for one in events if one.event == "pin_entered"] == ["keypad"]
    assert {one.node for one in events if one.event == "paired"} == {"keypad", "phone"}
    assert told == []
    world.close()


class Exposed(Display):
    """A device whose settings say who answers."""

    def __init__(self, **settings) -> None:
        super().__init__(**{"wrong_pins": 0, "person": "policy", "looks_at": ""} | settings)


def before(device, answers) -> ExposedPerson:
    return ExposedPerson(device, answers, lambda name: name == "host")


async def test_commands_answer_a_host_where_nobody_else_does():
    told = []
    person = before(Exposed(person="asked"), Answers(told.append, asks=False))
    asked = asyncio.ensure_future(person.ask_pin("host"))
    await asyncio.sleep(0)
    assert told == []
    person.answer("012345")
    assert await asked == "012345"
    person = before(Exposed(person="asked"), Answers(told.append, pin="000001", asks=False))
    assert await person.ask_pin("host") == "000001"


async def test_who_is_told_whose_display_to_read_reads_that():
    device = Exposed(looks_at="phone", person_delay=0)
    thoughts = []
    device.place.spawn = lambda _name, work: thoughts.append(asyncio.ensure_future(work))
    device.place.faces["phone"] = type("Face", (), {"pin": "047115", "number": "", "io": ""})()
    assert await before(device, Answers(thoughts.append, asks=False)).ask_pin("host") == "047115"


class Typist:
    """In place of standard input: `line` is typed, `end` is Ctrl-D."""

    def __init__(self, monkeypatch) -> None:
        self.readers = 0
        monkeypatch.setattr(bench_person, "on_lines", self._read)

    def _read(self, take, *, at_end) -> None:
        self.readers += 1
        self.line, self.end = (lambda text: take(text.encode())), at_end


async def asking(person, ask):
    """The task of a question that is asked."""
    task = asyncio.ensure_future(ask(person))
    await asyncio.sleep(0)
    assert person.question is not None
    return task


async def test_a_line_answers_what_was_asked_first_and_is_still_open(monkeypatch):
    typist = Typist(monkeypatch)
    told = []
    answers = Answers(told.append, asks=True)
    first, second, third = (before(Exposed(), answers) for _ in range(3))
    withdrawn = await asking(first, lambda one: one.ask_pin("host"))
    pin = await asking(second, lambda one: one.ask_pin("host"))
    same = await asking(third, lambda one: one.compare("host", "123456"))
    first.cancelled("host", "it took too long")
    assert await withdrawn is None
    typist.line("12345")
    assert "six digits" in told[-1]
    typist.line("047115")
    typist.line("y")
    assert (await pin, await same) == ("047115", True)
    assert typist.readers == 1, "nobody else takes lines"
    typist.line("999999")  # nothing is open


async def test_the_end_of_the_input_is_a_no_and_the_next_question_is_asked_again(monkeypatch):
    typist = Typist(monkeypatch)
    person = BenchPerson(Display(), lambda _: None, asks=True)
    asked = await asking(person, lambda one: one.ask_pin("host"))
    typist.end()
    assert await asked is None
    compared = await asking(person, lambda one: one.compare("host", "123456"))
    typist.line("n")
    assert await compared is False
    refused = await asking(person, lambda one: one.ask_pin("host"))
    typist.line("")
    assert await refused is None
    assert typist.readers == 2


def test_nobody_is_asked_in_the_background_of_a_terminal(monkeypatch):
    ours, side = os.openpty()
    with open(side) as stdin:  # noqa: PTH123  # a descriptor
        monkeypatch.setattr(sys, "stdin", stdin)
        monkeypatch.setattr(os, "tcgetpgrp", lambda _: os.getpgrp(), raising=False)
        assert is_attended()
        monkeypatch.setattr(os, "tcgetpgrp", lambda _: os.getpgrp() + 1)
        assert not is_attended()
    os.close(ours)
    for none in (None, stdin):
        monkeypatch.setattr(sys, "stdin", none)
        assert not is_attended()
