"""`nearbench tui` and `demo`: when the interface opens, which files it writes, and who may reach it from a browser."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys

import pytest

from protocols.capture import open_reader
from sim.recording import free_name
from tests.tui.bench import bench, play
from tui.cli import main
from tui.commands import demo
from tui.commands import tui as tui_command
from tui.session import Request, into_new_files, open_session


def test_a_restart_writes_beside_what_is_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("air.pcapng", "phone.btsnoop", "trace.jsonl", "trace-2.jsonl"):
        (tmp_path / name).touch()
    captures = ("air.pcapng", "phone:phone.btsnoop", f"{tmp_path}/other.pcap")
    fresh = into_new_files(Request(what="demo", captures=captures, jsonl="trace.jsonl"))
    assert fresh.captures == ("air-2.pcapng", "phone:phone-2.btsnoop", f"{tmp_path}/other.pcap")
    assert fresh.jsonl == "trace-3.jsonl"


@pytest.mark.parametrize(
    ("terminal", "words", "opens"),
    [
        (True, [], True),
        (True, ["--headless"], False),
        (True, ["--json"], False),
        (True, ["--jsonl", "-"], False),
        (False, [], False),
    ],
)
def test_the_demo_opens_the_interface_on_a_terminal_alone(monkeypatch, terminal, words, opens):
    ways = []
    monkeypatch.setattr(demo, "has_terminal", lambda: terminal)
    monkeypatch.setattr(demo, "open_interface", lambda *_: ways.append(True) or 0)
    monkeypatch.setattr(demo, "run_scenario", lambda *_, **__: ways.append(False) or 0)
    assert main(["demo", *words]) == 0
    assert ways == [opens]


def test_demos_on_terminals_replace_nothing_and_share_no_file(tmp_path, monkeypatch):
    """An older capture stays; two at once, both begun before either ends, get files of their own."""
    monkeypatch.chdir(tmp_path)
    older = tmp_path / demo.CAPTURE
    older.write_bytes(b"of last week")
    requests = []
    monkeypatch.setattr(demo, "has_terminal", lambda: True)
    monkeypatch.setattr(
        demo, "open_interface", lambda *args: requests.append(tui_command._request(*args)) or 0
    )
    main(["demo", "--play", "none", "--speed", "max"])
    main(["demo", "--play", "none", "--speed", "max"])
    sessions = [open_session(request) for request in requests]
    written = [session.close() for session in sessions]
    names = ["nearbench-demo-2.pcapng", "nearbench-demo-3.pcapng"]
    assert [list(one) for one in written] == [names[:1], names[1:]]
    assert [packets_in(tmp_path / name) for name in names] == [0, 0]
    assert older.read_bytes() == b"of last week"


def test_a_file_that_was_named_is_written_over_by_the_demo_too(tmp_path, monkeypatch):
    file = tmp_path / "mine.pcapng"
    file.write_bytes(b"of last week")
    requests = []
    monkeypatch.setattr(demo, "has_terminal", lambda: True)
    monkeypatch.setattr(
        demo, "open_interface", lambda *args: requests.append(tui_command._request(*args)) or 0
    )
    main(["demo", "--capture", str(file), "--jsonl", str(file.with_suffix(".jsonl"))])
    session = open_session(requests[0])
    session.close()
    assert session.request.captures == (str(file),)
    assert packets_in(file) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="locks of POSIX")
def test_two_runs_do_not_write_one_file(tmp_path, capsys):
    file = tmp_path / "air.pcapng"
    session = open_session(Request(what="passkey_lock", captures=(str(file),)))
    try:
        assert main(["run", "passkey_lock", "--capture", str(file)]) == 2
        assert "another nearbench is writing it" in capsys.readouterr().err
    finally:
        session.close()
    assert main(["run", "passkey_lock", "--for", "1s", "--capture", str(file)]) in (0, 1)
    assert packets_in(file) > 10, "what is closed is free again"


def test_a_restart_leaves_devices_and_dead_links_alone(tmp_path):
    link = tmp_path / "air.pcapng"
    link.symlink_to(tmp_path / "nowhere")
    assert free_name(str(link)) == str(tmp_path / "air-2.pcapng")
    assert free_name("/dev/null") == "/dev/null"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["no_such"], "no_such"),
        (["demo", "--capture", "a.pcapng"], "every tab"),
        (["demo", "--jsonl", "a.jsonl"], "every tab"),
        (["demo", "--port", "0"], "1 to 65535"),
        (["demo", "--port", "70000"], "1 to 65535"),
    ],
)
def test_what_cannot_be_served_is_refused_before_a_browser_opens(
    capsys, tmp_path, monkeypatch, words, told
):
    pytest.importorskip("textual_serve", reason="the extra `web` is not installed")
    monkeypatch.chdir(tmp_path)
    assert main(["tui", *words, "--web"]) == 2
    assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_named(capsys):
    pytest.importorskip("textual_serve", reason="the extra `web` is not installed")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["tui", "demo", "--web", "--port", str(port)]) == 2
    assert f"--port {port}" in capsys.readouterr().err


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


@pytest.mark.slow
def test_a_browser_sees_the_demo_and_other_sites_see_nothing():
    pytest.importorskip("textual_serve", reason="the extra `web` is not installed")
    port = _free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "tui", "tui", "demo", "--web", "--port", str(port)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert f"http://127.0.0.1:{port}" in server.stdout.readline()
        asyncio.run(asyncio.wait_for(_browse(f"127.0.0.1:{port}"), 60))
    finally:
        server.terminate()
        assert server.wait(20) == 0
        server.stdout.close()


async def _browse(place):
    import aiohttp

    own, foreign = {"Origin": f"http://{place}"}, {"Origin": "http://elsewhere.example"}
    async with aiohttp.ClientSession() as browser:
        page = f"http://{place}/"
        while True:
            try:
                async with browser.get(page) as answer:
                    assert answer.status == 200
                    break
            except aiohttp.ClientConnectionError:  # it has not begun to listen
                await asyncio.sleep(0)
        for headers in (foreign, {"Host": "elsewhere.example"}):
            async with browser.get(page, headers=headers) as answer:
                assert answer.status == 403
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await browser.ws_connect(f"{page}ws", headers=foreign)
        async with browser.ws_connect(f"{page}ws?width=80&height=24", headers=own) as socket_:
            seen = b""
            while b"PIN entry" not in seen:
                message = await socket_.receive()
                if message.type == aiohttp.WSMsgType.BINARY:
                    seen += message.data


def packets_in(path):
    with path.open("rb") as stream:
        return sum(1 for _ in open_reader(stream, path.name))


def test_a_run_that_is_written_can_be_restarted_and_both_files_are_whole(tmp_path):
    async def story():
        file = tmp_path / "air.pcapng"
        async with bench(play=("none",), captures=(str(file),)) as one:
            await one.run_for(2)
            await one.press("R")
            one.control.pause()
            await one.turn()
            await one.run_for(1)
            await one.press("q")
        assert {name: count for name, count in one.app.written.items() if count} == {
            str(path): packets_in(path) for path in (file, tmp_path / "air-2.pcapng")
        }

    play(story())
