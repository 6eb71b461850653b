"""How commands on real controllers end: by a signal, by the end of their input, by their time with nothing done."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import tty
from pathlib import Path
from types import SimpleNamespace

import pytest

from hw_bridge.errors import MuteError, NotFoundError
from hw_bridge.running import STOPPING, interrupted, run_real
from hw_bridge.session import Session
from hw_bridge.states import State
from hw_bridge.wpa_control import read_event
from hw_bridge.wpa_node import WpaNode
from protocols.hci.replies import command
from tests.hw_bridge.scripted import RESET, Dongle, MemoryPort, opened
from tests.hw_bridge.served import nearbench
from tui.cli import main
from tui.commands import bridge

ROOT = Path(__file__).parents[2]
ABSENT = "serial:/dev/does-not-exist"


@pytest.fixture(autouse=True)
def no_nohup():
    """Under nohup SIGHUP is ignored, by programs that are started as well."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


# Nothing happened


@pytest.mark.parametrize(
    "words",
    [
        ("attach", ABSENT, "--accessory", "thermometer"),
        ("attach", ABSENT, "--observe"),
        ("record", ABSENT, "x.pcapng"),
    ],
)
def test_a_dongle_that_never_came_is_no_success(words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["bridge", *words, "--for", "300ms"]) == 1
    said = capsys.readouterr().err
    assert "does-not-exist" in said.splitlines()[-1]
    assert "plug it in" in said
    assert "FAIL" not in said, "one sentence is enough"


def test_a_listener_that_is_not_there_is_no_success(capsys):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    words = ["attach", f"tcp-client:127.0.0.1:{port}", "--accessory", "thermometer"]
    assert main(["bridge", *words, "--for", "300ms"]) == 1
    assert "start the other side" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("what", [("--observe",), ("--accessory", "thermometer")])
def test_an_interrupt_while_the_dongle_is_asked_ends_all_the_same(what):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        moniker = f"tcp-client:127.0.0.1:{mute.getsockname()[1]}"
        with nearbench("bridge", "attach", moniker, *what) as program:
            controller, _ = mute.accept()
            with controller:
                controller.recv(4)  # the first Reset
                assert program.stop(signal.SIGINT) == 1
    assert f"{moniker}: not in use yet (probing)" in program.output
    assert "had not finished" not in program.output


async def test_ready_names_what_is_absent_and_not_its_history():
    port = MemoryPort(Dongle())
    port.there = False
    session = Session("memory", port=port)
    session.start()
    with pytest.raises(NotFoundError, match="memory is not there; plug it in"):
        await session.ready()
    await session.close()
    assert isinstance(session.why_not(), NotFoundError), "after its end as well"
    assert not session.was_in_use


async def test_a_dongle_that_answered_once_was_in_use_for_ever():
    session = await opened(MemoryPort(Dongle()))
    await session.close()
    assert session.was_in_use


async def test_a_controller_that_falls_silent_while_it_is_asked_is_mute_with_the_question():
    dongle = Dongle()
    answer = dongle.answer
    dongle.answer = lambda packet: [] if 0x2002 in dongle.opcodes() else answer(packet)
    session = Session("memory", port=MemoryPort(dongle))
    session.start()
    with pytest.raises(MuteError, match=r"falls silent at .*0x2002"):
        await session.ready()
    assert session.state is State.MUTE
    await session.close()


# Signals


def test_a_terminal_that_is_closed_ends_a_command_as_an_interrupt_does(tmp_path):
    link = tmp_path / "controller"
    words = ("bridge", "expose", "thermometer_session", "--as", "pty", "--path", link)
    with nearbench(*words) as program:
        program.until(str(link))
        assert link.is_symlink()
        assert program.stop(signal.SIGHUP) == 0
    assert not link.is_symlink()


SWALLOWS = """
import os, signal
try:
    os.kill(os.getpid(), signal.{name})
    print("goes on")
except BaseException:
    print("lost")
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_in_the_middle_of_an_import_is_not_lost(name, tmp_path):
    (tmp_path / "swallows.py").write_text(SWALLOWS.format(name=name))
    code = "from hw_bridge.running import interrupted\nwith interrupted():\n    import swallows\n"
    path = os.pathsep.join((str(tmp_path), str(ROOT)))
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "nearbench: stopped\n")


def test_a_closed_terminal_that_is_ignored_stays_ignored(tmp_path):
    link = tmp_path / "controller"
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # inherited, as under nohup
    try:
        words = ("bridge", "expose", "thermometer_session", "--as", "pty", "--path", link)
        with nearbench(*words) as program:
            program.until(str(link))
            os.killpg(program.process.pid, signal.SIGHUP)
            host = os.open(link, os.O_RDWR | os.O_NOCTTY)
            try:
                os.write(host, command(RESET))
                assert os.read(host, 1) == b"\x04", "it serves on"
            finally:
                os.close(host)
            assert program.stop(signal.SIGTERM) == 0
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_before_anything_is_open_is_an_interrupt(number, monkeypatch, capsys):
    def run(_options) -> int:
        os.kill(os.getpid(), number)
        return 0

    monkeypatch.setattr(
        bridge,
        "_verb",
        lambda _: SimpleNamespace(SUMMARY="", EXAMPLE="", configure=lambda parser: None, run=run),
    )
    before = signal.getsignal(number)
    assert main(["bridge", "list"]) == 130
    assert "stopped" in capsys.readouterr().err
    assert signal.getsignal(number) is before


def test_handlers_of_a_run_are_those_of_before_when_it_is_over():
    async def work() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.get_running_loop().create_future()

    with interrupted():
        before = {number: signal.getsignal(number) for number in STOPPING}
        run_real(work())
        assert {number: signal.getsignal(number) for number in STOPPING} == before


# The end of the input


def test_a_node_on_a_radio_ends_with_its_input():
    master, slave = os.openpty()
    tty.setraw(slave)
    try:
        moniker = f"frames:serial:{os.ttyname(slave)}"
        with nearbench("bridge", "attach", moniker, "--accessory", "aware_display") as program:
            program.type('{"cmd": "state"}\n')
            program.process.stdin.close()
            assert program.finish() == 0
            program.process.stdin = None
        assert '"services"' in program.output, "what was asked is answered first"
    finally:
        os.close(master)
        os.close(slave)


def test_a_radio_that_is_not_there_is_told_also_without_input():
    moniker = "frames:serial:/dev/does-not-exist"
    with nearbench("bridge", "attach", moniker, "--accessory", "aware_display") as program:
        program.process.stdin.close()
        assert program.finish() == 1
        program.process.stdin = None
    assert "does-not-exist" in program.output


def test_a_device_of_wpa_supplicant_ends_with_its_input_and_answers_first(tmp_path):
    path, stop = tmp_path / "nan0", threading.Event()
    answers = {b"PING": b"PONG", b"ATTACH": b"OK", b"NAN_PUBLISH": b"4"}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon:
        daemon.bind(str(path))
        daemon.settimeout(0.1)

        def serve() -> None:
            while not stop.is_set():
                with contextlib.suppress(TimeoutError, OSError):
                    data, sender = daemon.recvfrom(4096)
                    daemon.sendto(answers.get(data.split()[0], b"UNKNOWN COMMAND"), sender)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            with nearbench("bridge", "attach", f"wpa:{path}") as program:
                program.type('{"cmd": "publish", "service": "_x._tcp"}\n')
                program.process.stdin.close()
                assert program.finish() == 0
                program.process.stdin = None
            assert '{"ok":{"handle":4}}' in program.output
        finally:
            stop.set()
            thread.join()


class Silent:
    """A control that is never asked."""

    path = "nan0"


async def test_ids_of_events_are_numbers_as_handles_are():
    told = []
    node = WpaNode(Silent(), told.append)
    node.on_event(read_event("<3>NAN-DISCOVERY-RESULT subscribe_id=1 publish_id=2 ssi=0102"))
    assert told[0] == {"event": "discovery", "subscribe_id": 1, "publish_id": 2, "ssi": "0102"}
    await node.do({"cmd": 5, "id": 7})
    assert "cmd: 5 is no text" in told[1]["error"]
    assert told[1]["id"] == 7
