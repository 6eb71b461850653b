"""Files given to commands are known by what is in them: any name, none that ends as captures do, pipes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from protocols.capture import open_reader
from sim import scenario
from sim.trace import TraceEvent, line_of
from tests.tui.bench import bench, play
from tui.capture_source import CaptureSource
from tui.cli import main
from tui.files import given_file
from tui.session import Request, capture_named, open_session

VECTORS = Path(__file__).parents[1] / "vectors"
CAPTURE = VECTORS / "wifi-aware-full-sae-ccmp128-ndp-pk128.pcap"
PIPES = pytest.mark.skipif(sys.platform == "win32", reason="pipes with names are POSIX's")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The HCI of a phone and the air of a run, as btsnoop and pcapng, and its trace."""
    folder = tmp_path_factory.mktemp("made")
    words = ["--capture", f"phone:{folder}/phone.btsnoop", "--capture", f"{folder}/air.pcapng"]
    assert main(["run", "thermometer_session", *words, "--jsonl", f"{folder}/trace.jsonl"]) == 0
    return folder


@pytest.mark.parametrize(
    "name", ["btsnoop_hci.log", "btsnoop_hci.log.last", "capture.dat", "plain"]
)
@pytest.mark.parametrize("source", ["phone.btsnoop", "air.pcapng"])
def test_the_interface_opens_a_capture_whatever_its_name(made, tmp_path, name, source):
    file = tmp_path / name
    file.write_bytes((made / source).read_bytes())
    with file.open("rb") as stream:
        count = sum(1 for _ in open_reader(stream, name))

    async def story():
        async with bench(file) as one:
            while not one.session.source.done:
                await one.turn()
            await one.turn()
            assert one.session.is_capture
            assert one.session.source.end == count
            assert name in one.text

    play(story())


@pytest.mark.parametrize("command", ["decode", "explain", "convert", "tui --plain"])
def test_every_command_knows_the_same_captures(made, tmp_path, capsys, command):
    """`tui --plain` refuses what it has found to be a capture; the others read it."""
    file = tmp_path / "btsnoop_hci.log.last"
    file.write_bytes((made / "phone.btsnoop").read_bytes())
    name, *rest = command.split()
    more = [str(tmp_path / "out.pcapng")] if name == "convert" else rest
    status = main([name, str(file), *more])
    assert (status, "decode FILE" in capsys.readouterr().err) == (
        (2, True) if name == "tui" else (0, False)
    )


def test_a_built_in_scenario_goes_before_a_file_of_its_name(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo").write_bytes((made / "air.pcapng").read_bytes())
    assert capture_named("demo") is None
    assert scenario.find("demo") == scenario.LIBRARY / "demo.toml"


@pytest.mark.parametrize(
    ("octets", "told"),
    [
        (b"\xab\xfb\x49\xdc" * 9, "it begins with ab fb 49 dc"),
        (b"", "the file is empty"),
        (b'{"what": 1}', "it looks like JSON"),
        (b"\x1f\x8b\x08" + bytes(30), "gunzip"),
    ],
)
def test_a_file_that_is_neither_is_told_in_the_words_of_decode(capsys, tmp_path, octets, told):
    file = tmp_path / "what.dat"
    file.write_bytes(octets)
    said = []
    for command in ("tui --plain", "decode"):
        assert main([*command.split(), str(file)]) == 2
        said.append(capsys.readouterr().err)
    assert said[0] == said[1]
    assert told in said[0]


def test_a_trace_is_not_opened_and_the_command_that_reads_it_is_named(capsys, made):
    trace = str(made / "trace.jsonl")
    for words in (["tui", "--plain"], ["decode"], ["run"]):
        assert main([*words, trace]) == 2
        err = capsys.readouterr().err
        assert "nearbench explain" in err
        assert "known:" not in err
    assert main(["explain", trace]) == 0


def test_a_trace_is_told_by_its_first_octets():
    assert line_of(TraceEvent(1, 0, "", "world", "start")).startswith(b'{"seq"')


@pytest.mark.parametrize("name", ["air.pcapng", "phone.btsnoop"])
def test_run_says_that_a_capture_is_none_of_its_business(capsys, made, name):
    assert main(["run", str(made / name)]) == 2
    err = capsys.readouterr().err
    assert "a capture" in err
    assert "explain" in err


def test_a_scenario_may_have_any_name(tmp_path):
    file = tmp_path / "mine"
    file.write_text((scenario.LIBRARY / "thermometer_session.toml").read_text())
    session = open_session(Request(what=str(file)))
    assert not session.is_capture
    assert session.own_scenario == str(file)
    session.close()


def test_many_names_are_no_answer_to_a_name_nobody_knows(capsys):
    assert main(["run", "zzzzzz"]) == 2
    err = capsys.readouterr().err
    assert "`nearbench list scenarios`" in err
    assert len(err) < 160


def test_standard_input_is_the_keyboards(capsys):
    assert main(["tui", "-", "--plain"]) == 2
    assert "mkfifo" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["decode", "explain"])
def test_a_capture_comes_by_standard_input(made, command):
    with (made / "phone.btsnoop").open("rb") as stream:
        ran = subprocess.run(
            [sys.executable, "-m", "tui", command, "-"],
            stdin=stream, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
    assert len(ran.stdout.splitlines()) > 5


def _fed(pipe, octets, go_on):
    """A thread that writes to a pipe, and holds it open until `go_on` is set."""

    def write():
        with pipe.open("wb") as stream:
            stream.write(octets)
            stream.flush()
            go_on.wait(30)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    return thread


@PIPES
@pytest.mark.parametrize("command", ["decode", "explain"])
def test_a_pipe_is_read_as_a_file_is(made, tmp_path, capsys, command):
    pipe, ended = tmp_path / "pipe", threading.Event()
    os.mkfifo(pipe)
    ended.set()
    writer = _fed(pipe, (made / "phone.btsnoop").read_bytes(), ended)
    assert main([command, str(pipe)]) == 0
    writer.join()
    of_pipe = capsys.readouterr().out
    assert main([command, str(made / "phone.btsnoop")]) == 0
    of_file = capsys.readouterr().out.replace(str(made / "phone.btsnoop"), str(pipe))
    assert of_pipe.split() == of_file.split()  # lines are broken by the length of the name


@PIPES
def test_packets_of_a_pipe_are_there_while_it_is_open_and_leaving_does_not_wait(tmp_path):
    """What has come is shown before its writer ends, and closing ends the reading at once."""
    pipe, ended = tmp_path / "live", threading.Event()
    os.mkfifo(pipe)
    with CAPTURE.open("rb") as stream:
        count = sum(1 for _ in open_reader(stream, "x"))
    writer = _fed(pipe, CAPTURE.read_bytes(), ended)
    source = CaptureSource(given_file(pipe))
    try:
        while source.end < count:
            assert not source.done
        assert source.at(count - 1).data
    finally:
        source.close()
        ended.set()
        writer.join()
    assert source.done


@PIPES
def test_a_scenario_is_not_taken_from_a_pipe_by_the_interface(tmp_path, capsys):
    pipe, ended = tmp_path / "toml", threading.Event()
    os.mkfifo(pipe)
    ended.set()
    text = (scenario.LIBRARY / "thermometer_session.toml").read_bytes()
    writer = _fed(pipe, text, ended)
    assert main(["tui", str(pipe), "--plain"]) == 2
    writer.join()
    assert "a scenario is read from a file" in capsys.readouterr().err
