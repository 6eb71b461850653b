"""`nearbench bridge`, `list transports`: what is printed, what is refused, and with which status."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from hw_bridge import discover
from hw_bridge.data_credits import Buffers
from hw_bridge.discover import Candidate
from hw_bridge.identify import Facts
from hw_bridge.link import LinkInfo
from hw_bridge.probe import Attempt, ProbeReport
from hw_bridge.quirks import QUIRKS
from hw_bridge.transports import TRANSPORTS
from protocols.hci.replies import command
from tests.hw_bridge.real_time import real_time
from tests.hw_bridge.scripted import Dongle, PtyDongle
from tests.hw_bridge.served import nearbench
from tui.cli import main
from tui.commands import _bridge_probe
from tui.commands._bridge_list import rules
from tui.commands.bridge import VERBS

ROOT = Path(__file__).parents[2]


def said(capsys, *words: str) -> tuple[int, str, str]:
    status = main(list(words))
    done = capsys.readouterr()
    return status, done.out, done.err


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(verb, capsys):
    with pytest.raises(SystemExit):
        main(["bridge", verb, "--help"])
    assert f"nearbench bridge {verb}" in capsys.readouterr().out


def test_a_missing_or_wrong_verb_is_a_wrong_request(capsys):
    for words in (["bridge"], ["bridge", "attatch"], ["bridge", "probe"]):
        status, _, err = said(capsys, *words)
        assert status == 2
        assert "Traceback" not in err


# transports


def test_all_transports_are_listed_and_can_be_shown(capsys):
    status, out, _ = said(capsys, "list", "transports", "--json")
    rows = json.loads(out)
    assert status == 0
    assert [row["name"] for row in rows] == TRANSPORTS.names()
    assert {"serial", "usb", "tcp-client", "pty", "replay"} <= {row["name"] for row in rows}
    for row in rows:
        status, out, _ = said(capsys, "show", "transport", row["name"], "--json")
        assert status == 0
        assert json.loads(out)["example"].startswith(f"{row['name']}:")


def test_an_unknown_transport_is_named_with_the_nearest(capsys):
    status, _, err = said(capsys, "show", "transport", "serail")
    assert (status, "did you mean serial" in err) == (2, True)


# bridge list


def test_nothing_found_says_where_to_go_on(capsys, monkeypatch):
    monkeypatch.setattr(discover, "candidates", list)
    status, out, _ = said(capsys, "bridge", "list")
    assert status == 0
    assert "docs/hardware.md" in out
    assert said(capsys, "bridge", "list", "--json")[1].strip() == "[]"


def test_a_candidate_is_shown_with_its_moniker_and_who_has_it(capsys, monkeypatch):
    one = Candidate(
        moniker="serial:1366:1015/001050212345",
        info=LinkInfo(node="/dev/ttyACM0", vid=0x1366, pid=0x1015, product="J-Link", serial="0010"),
        protocols=("hci", "h5"),
        holders=("ModemManager (812)",),
        note="SEGGER J-Link virtual port: corrupts writes above 64 octets",
    )
    monkeypatch.setattr(discover, "candidates", lambda: [one])
    _, out, _ = said(capsys, "bridge", "list")
    assert out.startswith("serial:1366:1015/001050212345  J-Link\n")
    assert "ids 1366:1015; serial 0010" in " ".join(out.split())
    assert "IN USE by ModemManager (812)" in " ".join(out.split())
    assert all(len(line) <= 80 for line in out.splitlines())
    (row,) = json.loads(said(capsys, "bridge", "list", "--json")[1])
    assert (row["ids"], row["serial"]) == ("1366:1015", "0010")
    assert row["may_speak"] == ["hci", "h5"]


def test_the_udev_rules_know_every_device_of_the_quirk_table(capsys):
    status, out, _ = said(capsys, "bridge", "list", "--udev")
    assert (status, out) == (0, rules())
    known = set(re.findall(r'idVendor}=="([0-9a-f]{4})"', out))
    assert {f"{row.vid:04x}" for row in QUIRKS if row.vid is not None} <= known
    rule = re.compile(r'[A-Z_]+(\{[\w/]+\})?(==|=|\+=)"[^"]*"')
    for line in out.splitlines():
        if line and not line.startswith("#"):
            assert all(rule.fullmatch(part.strip()) for part in line.split(", ")), line


# bridge probe

FACTS = Facts(
    hci_version=12,
    hci_revision=1,
    lmp_version=12,
    manufacturer=0x05F1,
    lmp_subversion=0xFFFF,
    address="00:00:00:00:00:00",
    le_features=1 << 12 | 1 << 5,
    buffers=Buffers(le=(3, 251)),
    refused=("Read Buffer Size (0x1005)",),
)


def test_a_report_says_who_it_is_and_what_it_lacks():
    report = ProbeReport(
        moniker="serial:/dev/ttyACM0?baud=115200",
        speaks="hci",
        verdict="Zephyr controller",
        info=LinkInfo(node="/dev/ttyACM0", vid=0x2FE3, pid=0x000B, product="Zephyr HCI"),
        facts=FACTS,
        missing=("LE Rand",),
        p50_us=812,
        p95_us=1450,
        skipped_octets=38,
    )
    text = "\n".join(_bridge_probe.lines(report))
    for words in (
        *("Bluetooth     5.3", "none of its own; a random one is needed", "2fe3:000b"),
        *("extended advertising", "missing       LE Rand", "38 octets", "812 µs"),
        *("3 ACL packets of 251 octets", "refused       Read Buffer Size"),
    ):
        assert words in text


def test_a_report_of_silence_shows_what_was_tried_and_why():
    report = ProbeReport(
        moniker="serial:/dev/ttyUSB0",
        speaks="",
        verdict="nothing that is known answers",
        info=LinkInfo(node="/dev/ttyUSB0"),
        hints=("not one octet came in answer to Reset: check power",),
        attempts=(Attempt(options="baud=115200", outcome="no answer", heard="80 f8"),),
    )
    text = "\n".join(_bridge_probe.lines(report))
    assert "hint          not one octet" in text
    assert "tried         baud=115200: no answer; heard 80 f8" in text


@real_time
async def test_probe_finds_a_controller_behind_a_terminal(tmp_path, capsys):
    import asyncio

    async with PtyDongle(tmp_path / "dongle", Dongle()) as dongle:
        words = ["bridge", "probe", f"serial:{dongle.path}?baud=1000000", "--json"]
        status = await asyncio.to_thread(main, words)
    found = json.loads(capsys.readouterr().out)
    assert status == 0
    assert found["speaks"] == "hci"
    assert found["facts"]["manufacturer"] == 0x05F1


@real_time
async def test_a_console_is_no_controller_for_probe_and_for_attach(tmp_path, capsys):
    import asyncio

    dongle = Dongle()
    dongle.answer = lambda _packet: [b"\r\nlogin incorrect\r\n\r\nesp32 login: "]
    where = "it sends text and no HCI packets: this is a console, or the wrong port"
    async with PtyDongle(tmp_path / "dongle", dongle) as line:
        moniker = f"serial:{line.path}?baud=1000000"
        for words in (["probe", moniker], ["attach", moniker, "--observe", "--for", "20s"]):
            status = await asyncio.to_thread(main, ["bridge", *words])
            done = capsys.readouterr()
            assert status == 1, words
            assert where in " ".join((done.out + done.err).split()), words


@pytest.mark.parametrize(
    ("moniker", "status", "words"),
    [
        ("serial:/dev/does-not-exist", 1, "bridge list"),
        ("tcp-client:127.0.0.1:1", 1, "start the other side"),
        ("tcp-client:nothing", 2, "a host and a port"),
        ("ttyACM0", 2, "is no moniker"),
        ("serial:/dev/ttyS0?bau=5", 2, "unknown option 'bau'"),
    ],
)
def test_what_cannot_be_probed_is_said_in_one_sentence(moniker, status, words, capsys):
    found, out, err = said(capsys, "bridge", "probe", moniker)
    assert (found, out) == (status, "")
    assert words in err
    assert err.count("\n") == 1


# record, replay, expose


@pytest.mark.parametrize(
    ("words", "said_words"),
    [
        (["record", "usb:0", "x.btsnoop"], "is a .pcapng file"),
        (["record", "usb:0", "x.pcapng", "--octets"], "give --reveal, too"),
        (["replay", "none.pcapng"], "name a capture to play"),
        (["expose", "thermometer_session", "--as", "unix"], "needs --path"),
        (["expose", "thermometer_session", "--port", "70000"], "0 to 65535"),
        (["expose", "no_such_room"], "unknown scenario"),
        (["expose", "thermometer_session", "--node", "fridge"], "unknown node 'fridge'"),
        (["expose", "thermometer_session", "--name", "phone"], "another name"),
        (["expose", "thermometer_session", "--at", "1"], "two or three numbers"),
        (["expose", "thermometer_session", "--for", "soon"], "--for"),
        (["attach", "usb:0", "--observe", "--for", "soon"], "--for"),
    ],
)
def test_wrong_requests_are_named(words, said_words, capsys):
    status, _, err = said(capsys, "bridge", *words)
    assert status == 2
    assert said_words in err


def test_an_address_beyond_the_loopback_one_is_warned_of(capsys):
    words = ("expose", "thermometer_session", "--bind", "0.0.0.0", "--for", "50ms")  # noqa: S104 # what is warned of
    status, out, err = said(capsys, "bridge", *words)
    assert status == 0
    assert "warning: everybody who reaches 0.0.0.0" in err
    assert out.startswith("tcp-client:0.0.0.0:")
    _, _, err = said(capsys, "bridge", "expose", "thermometer_session", "--for", "50ms")
    assert "warning" not in err


def test_the_first_line_of_expose_is_the_moniker_and_a_capture_is_written(tmp_path, capsys):
    capture = tmp_path / "air.pcapng"
    words = ("expose", "thermometer_session", "--for", "300ms", "--capture", str(capture))
    status, out, _ = said(capsys, "bridge", *words)
    assert status == 0
    assert re.fullmatch(r"tcp-client:127\.0\.0\.1:\d+\n", out)
    assert capture.stat().st_size > 500


def test_record_stops_by_a_signal_and_says_what_it_wrote(tmp_path):
    file = tmp_path / "out.pcapng"
    with nearbench("bridge", "expose", "thermometer_session") as served:
        moniker = served.until("\n").split()[0]
        with nearbench("bridge", "record", moniker, file) as recorder:
            where = recorder.until("\n").split()[0]
            with nearbench("bridge", "probe", where) as probed:
                assert probed.finish() == 0
            assert recorder.stop() == 0
        assert f"wrote {file}:" in recorder.output
    assert command(0x0C03) in file.read_bytes()


# The document


DOCUMENT = (ROOT / "docs" / "hardware.md").read_text(encoding="utf-8")


def test_what_the_document_says_it_says_is_what_it_says():
    """Every message of the table of errors stands in the source."""
    folders = ("hw_bridge", "tui/commands", "protocols/capture")
    files = [file for folder in folders for file in sorted((ROOT / folder).rglob("*.py"))]
    source = "".join(file.read_text(encoding="utf-8") for file in files)
    joined = re.sub(r'"\s*\n\s*f?"', "", source)
    table = DOCUMENT.split("## What it says, and what to do")[1]
    messages = [
        m for row in re.findall(r"(?m)^\| (`.+?`) \|", table) for m in re.findall(r"`([^`]+)`", row)
    ]
    assert len(messages) > 15
    made = {"Permission denied": "Permission denied"}  # by the system, not by us
    made |= dict.fromkeys(
        ("no sniffle answers", "no nrf-sniffer answers"), "no {self.kind} answers"
    )
    missing = [m for m in messages if made.get(m, m) not in joined and m != "Permission denied"]
    assert missing == []


def test_the_commands_of_the_document_are_understood():
    from tui.cli import _load, _parser

    commands = re.findall(
        r"(?:nearbench |`)(bridge (?:attach|expose|record|replay|probe|list)[^`\n|#]*)", DOCUMENT
    )
    assert len(commands) > 10
    parser = _parser("bridge", _load("bridge"))
    for line in commands:
        words = [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', line)][1:]
        if len(words) > 1 or words == ["list"]:
            parser.parse_args(words)


def test_every_transport_is_in_the_document():
    for name in TRANSPORTS.names():
        assert f"`{name}:" in DOCUMENT, name
