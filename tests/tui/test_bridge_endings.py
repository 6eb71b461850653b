"""How bridge commands end: by a signal or an error the dongle is left as after a Reset, and what happened is said."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys

import pytest

from hw_bridge.session import Session
from hw_bridge.states import State
from hw_bridge.terminal_lines import Lines
from tests.hw_bridge.real_time import real_time
from tests.hw_bridge.scripted import RESET, Dongle, Host, MemoryPort, PtyDongle, nop, opened
from tests.hw_bridge.served import Program, nearbench
from tui.commands._bridge_words import summary, warn_of

STOPS = [signal.SIGINT, signal.SIGTERM]


@pytest.mark.parametrize("number", STOPS)
def test_a_signal_while_a_dongle_is_waited_for_ends_it_with_its_story(number, tmp_path):
    words = ("bridge", "attach", f"serial:{tmp_path}/none", "--accessory", "thermometer")
    with nearbench(*words) as attached:
        attached.until("plug it in")
        assert attached.stop(number) == 1, "nothing that was asked was done"
        assert "closed: closed" in attached.output
        assert f"{tmp_path}/none is not there" in attached.output
        assert "Traceback" not in attached.output


@pytest.mark.parametrize("number", STOPS)
@real_time
async def test_a_signal_resets_the_dongle_and_the_story_is_told(number, tmp_path):
    dongle = Dongle()
    async with PtyDongle(tmp_path / "dongle", dongle) as served:
        words = ("bridge", "record", f"serial:{served.path}", tmp_path / "out.pcapng")
        with nearbench(*words) as recorder:
            await asyncio.to_thread(recorder.until, "tcp-client:")
            served.say(b"what is this?")
            before = dongle.opcodes().count(RESET)
            assert await asyncio.to_thread(recorder.stop, number) == 0
        assert dongle.opcodes().count(RESET) == before + 1
    for words in (
        "Zephyr controller",
        "ready:",
        "13 octets skipped",
        "degraded:",
        "closed: closed",
    ):
        assert words in recorder.output, recorder.output
    assert "Traceback" not in recorder.output


@real_time
async def test_an_accessory_that_cannot_begin_leaves_the_dongle_reset(tmp_path):
    dongle = Dongle()
    async with PtyDongle(tmp_path / "dongle", dongle) as served:
        words = ("bridge", "attach", f"serial:{served.path}", "--accessory", "thermometer")
        with nearbench(*words, "--set", "address=00:11:22:33:44:55") as attached:
            assert await asyncio.to_thread(attached.finish) != 0
        assert "has the public address" in attached.output
        assert dongle.opcodes()[-1] == RESET
        assert "closed: closed" in attached.output


def test_probe_is_stopped_by_a_signal(tmp_path):
    link = tmp_path / "mute"
    master, side = os.openpty()
    link.symlink_to(os.ttyname(side))
    with nearbench("bridge", "probe", f"serial:{link}") as probing:
        os.read(master, 1)  # its first Reset
        assert probing.stop(signal.SIGTERM) == 130
        assert "Traceback" not in probing.output
    os.close(side)
    os.close(master)


@pytest.mark.parametrize("number", STOPS)
def test_a_node_in_real_time_that_waits_for_a_line_can_be_stopped(number):
    words = (sys.executable, "-m", "tui", "node", "aware_display", "--stdio", "--speed", "1")
    with Program(*words) as node:
        node.until("ready")
        node.stop(number)
        assert "Fatal Python error" not in node.output
        assert "could not acquire lock" not in node.output


async def test_a_summary_says_who_it_was_what_happened_and_what_was_lost():
    port = MemoryPort(Dongle(), vid=0x2FE3, pid=0x000B, serial="A")
    session = await opened(port)
    host = Host(session)
    port.say(nop(0) + bytes(3))
    await host.until(lambda: session.state is State.DEGRADED)
    for _ in range(30):
        port.unplug()
        port.plug()
        await session.wait_for(State.READY)
    await session.close()
    text = "\n".join(summary(session))
    assert "memory: Zephyr controller" in text
    assert "quirk applied: Zephyr hci_usb" in text
    assert "earlier changes of state are not shown" in text
    assert text.count(" ready: ") <= 12
    assert "closed: closed" in text


async def test_times_of_a_summary_are_told_from_the_start_however_much_was_forgotten():
    session = Session("memory", port=MemoryPort(Dongle()))
    await asyncio.sleep(10)
    session.start()
    await session.ready()
    await asyncio.sleep(600)
    session.life.transitions.popleft()
    await session.close()
    (last,) = [text for text in summary(session) if "closed: closed" in text]
    assert 600 < float(last.split()[0]) < 601


@real_time
async def test_the_story_of_an_attached_dongle_has_the_times_of_its_ladder(tmp_path):
    file = tmp_path / "trace.jsonl"
    async with PtyDongle(tmp_path / "dongle", Dongle()) as dongle:
        words = ("bridge", "attach", f"serial:{dongle.path}?baud=1000000", "--observe")
        with nearbench(*words, "--for", "2s", "--jsonl", file) as attached:
            await asyncio.to_thread(attached.finish)
    rows = map(json.loads, file.read_text().splitlines())
    traced = {r["fields"]["state"]: r["t_us"] for r in rows if r["event"] == "controller"}
    told = re.findall(r"([\d.]+) s  (probing|ready): ", attached.output)
    assert len(told) >= 2
    for t_s, state in told:
        assert float(t_s) == pytest.approx(traced[state] / 1e6, abs=0.0006), "rounded to 1 ms"


# Lines of standard input


@pytest.mark.parametrize("size", [1, 3, 100])
def test_lines_come_out_whole_from_pieces_of_any_size(size):
    stream, lines, found = b"one\r\n\ntwo\nthree", Lines(), []
    for start in range(0, len(stream), size):
        found += lines.feed(stream[start : start + size])
    assert [*found, *lines.end()] == [b"one", b"", b"two", b"three"]


def test_a_line_that_never_ends_costs_bounded_memory_and_the_next_is_whole():
    lines = Lines(longest=10)
    for _ in range(1000):
        assert [*lines.feed(b"x" * 1000)] == []
    assert len(lines._rest) == 10
    assert [*lines.feed(b"\nnext\n")] == [b"x" * 10, b"next"]


@pytest.mark.parametrize(("host", "warns"), [("", False), ("localhost:", False), ("_:", True)])
def test_a_listening_port_beyond_the_loopback_address_is_warned_of(host, warns, capsys):
    warn_of(Session(f"tcp-server:{host}9000"))
    assert ("warning: whoever reaches" in capsys.readouterr().err) is warns
