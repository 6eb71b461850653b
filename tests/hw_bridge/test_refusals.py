"""What the bridge does not do, and what it says then: doors, monikers, radios, options, closed streams, locks."""

from __future__ import annotations

import errno
import fcntl
import os
import shlex
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from hw_bridge import raw_frames
from hw_bridge.doors import TcpDoor
from hw_bridge.errors import BusyError, NoBackendError, opening_error
from hw_bridge.locks import PortLock, private_folder
from hw_bridge.raw_frames import MonitorRadio
from hw_bridge.session import Session
from hw_bridge.transports import port_for
from hw_bridge.transports._octets import is_loopback
from protocols.errors import UsageError
from protocols.hci.replies import command
from tests.hw_bridge.real_time import real_time
from tests.hw_bridge.scripted import RANDOM, RESET, Dongle, MemoryPort
from tests.hw_bridge.served import BIN
from tests.hw_bridge.test_expose import Client, exposed, until
from tui.cli import main

ROOT = Path(__file__).parents[2]


def said(capsys, *words: str) -> tuple[int, str, str]:
    status = main(["bridge", *words])
    done = capsys.readouterr()
    return status, done.out, done.err


# Doors


@pytest.mark.parametrize("host", ["", " "])
def test_an_empty_address_is_not_every_address(host, capsys):
    with pytest.raises(UsageError, match="empty"):
        TcpDoor(host)
    status, out, err = said(capsys, "expose", "thermometer_session", "--bind", host)
    assert (status, out) == (2, "")
    assert "empty" in err
    assert "warning" not in err


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        *(("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True)),
        *(("0.0.0.0", False), ("::", False), ("127.example.org", False), ("", False)),  # noqa: S104 # none of them is one
    ],
)
def test_only_addresses_of_this_machine_need_no_warning(host, expected):
    assert is_loopback(host) is expected


@pytest.mark.parametrize("bind", ["203.0.113.7", "no.such.host.invalid"])
def test_an_address_of_another_machine_cannot_be_listened_on(bind, capsys):
    status, _, err = said(capsys, "expose", "thermometer_session", "--bind", bind)
    assert status == 2
    assert "no such address" in err
    assert "port" not in err.splitlines()[-1]


@pytest.mark.parametrize("way", ["pty", "unix"])
@pytest.mark.parametrize(
    ("path", "words"), [("nowhere/x", "No such file"), ("file", "is there and is no")]
)
def test_a_path_that_cannot_be_is_a_wrong_request(way, path, words, tmp_path, capsys):
    file = tmp_path / "file"
    file.write_text("mine")
    status, _, err = said(
        capsys, "expose", "thermometer_session", "--as", way, "--path", str(tmp_path / path)
    )
    assert status == 2
    assert words in err
    assert "choose another" in err
    assert "bridge list" not in err
    assert "probing" not in err, "no session was opened for it"
    assert file.read_text() == "mine"


def test_a_path_that_is_too_long_for_a_socket_is_named(tmp_path, capsys):
    path = str(tmp_path / ("x" * 200))
    status, _, err = said(
        capsys, "expose", "thermometer_session", "--as", "unix", "--path", path, "--for", "1s"
    )
    assert (status, "too long for a socket" in err) == (2, True)
    status, _, err = said(capsys, "probe", f"unix:{path}")
    assert (status, "too long for a socket" in err) == (2, True)


@real_time
async def test_22_octets_of_a_client_that_leaves_in_mid_packet_are_counted():
    async with exposed(TcpDoor(), MemoryPort(Dongle())) as exposure:
        client = await Client.on(exposure.moniker)
        assert (await client.ask(RESET))[-1] == 0
        client.writer.write(b"\xff\xff" + command(RANDOM)[:3])
        await client.close()
        await until(lambda: any("left" in text for text in exposure.said))
    counters = exposure.session.counters()
    assert sum(count for reason, count in counters.items() if "octets of clients" in reason) == 5
    (left,) = [text for text in exposure.said if "left" in text]
    assert "went nowhere" in left or "5 octets of it were no HCI packets" in left


@real_time
async def test_22_who_leaves_after_whole_packets_loses_nothing():
    async with exposed(TcpDoor(), MemoryPort(Dongle())) as exposure:
        client = await Client.on(exposure.moniker)
        assert (await client.ask(RESET))[-1] == 0
        await client.close()
        await until(lambda: any("left" in text for text in exposure.said))
    assert not [reason for reason in exposure.session.counters() if "octets of clients" in reason]


# Monikers


@pytest.mark.parametrize(
    ("moniker", "words"),
    [
        ("serial:{file}", "is no serial port"),
        ("unix:{file}", "is no socket"),
        ("unix:{folder}", "is no socket"),
        ("serial:/dev/null", "is no serial port"),
        ("serial:{folder}", "is no serial port"),
        ("serial:/dev/ttyS0?baud=100000000000000000000000", "too large"),
        ("serial:/dev/ttyS0,100000000000000000000000", "too large"),
        ("serial:zzzz:000b", "four hexadecimal digits"),
        ("serial:2fe3:0b", "four hexadecimal digits"),
        ("replay:{folder}", "name a capture"),
        ("replay:{folder}/none", "name a capture"),
        ("replay:{file}", "not a capture"),
        ("tcp-server:203.0.113.7:9", "no such address"),
    ],
)
def test_a_moniker_that_can_never_work_is_a_wrong_request(moniker, words, tmp_path, capsys):
    file = tmp_path / "file"
    file.write_text("hello")
    status, out, err = said(capsys, "probe", moniker.format(file=file, folder=tmp_path))
    assert (status, out) == (2, "")
    assert words in err
    assert "start the other side" not in err


def test_a_wrong_moniker_of_an_attached_device_is_no_setting_of_it(tmp_path, capsys):
    status, _, err = said(capsys, "attach", f"serial:{tmp_path}", "--accessory", "thermometer")
    assert status == 2
    assert err.splitlines()[-1].startswith(f"nearbench: serial:{tmp_path}: ")


def test_an_unknown_host_is_not_told_to_be_started(capsys):
    status, _, err = said(capsys, "probe", "tcp-client:no.such.host.invalid:1")
    assert status == 1
    assert "name of the host" in err


class USBErrorOther(Exception):  # noqa: N818  # the name that libusb's wrapper has for it
    """As usb1 raises it."""


def test_errors_of_libusb_are_said_in_words_first():
    text = str(opening_error(USBErrorOther("LIBUSB_ERROR_OTHER [-99]"), "usb:0"))
    assert text.startswith("usb:0: libusb cannot use it")
    assert "(LIBUSB_ERROR_OTHER [-99])" in text


@real_time
async def test_that_libusb_cannot_is_said_once(monkeypatch):
    async def fails(*_):
        raise USBErrorOther("LIBUSB_ERROR_OTHER [-99]")

    monkeypatch.setattr("hw_bridge.transports.usb.claim", fails)
    monkeypatch.setattr("hw_bridge.transports.usb.why_not", lambda _target: None)
    remedy = "WinUSB" if sys.platform == "win32" else "pass the bus through"
    with pytest.raises(NoBackendError, match=remedy) as caught:
        await port_for("usb:0").open(None)
    assert str(caught.value).count("libusb cannot") == 1


def test_what_an_exception_was_raised_from_tells_its_kind():
    outer = OSError("Could not configure port")
    outer.__context__ = type("error", (Exception,), {})(errno.ENOTTY, "Inappropriate ioctl")
    assert opening_error(outer, "serial:/dev/x").kind == "no-backend"
    assert "start the other side" not in str(opening_error(ValueError("whatever"), "serial:/dev/x"))


# A radio


class Interface:
    """What a packet socket says of the interface that it is bound to."""

    kind = 1

    def __init__(self, *_: object) -> None:
        self.sent: list[bytes] = []
        self.closed = False

    def bind(self, where) -> None:
        self.where = where

    def getsockname(self):
        return (self.where[0], 3, 0, self.kind, b"\2\0\0\0\0\1")

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(("kind", "is_air"), [(803, True), (1, False), (772, False), (801, False)])
def test_frames_are_injected_by_monitor_interfaces_only(kind, is_air, monkeypatch):
    made: list[Interface] = []

    def interface(*words: object) -> Interface:
        made.append(Interface(*words))
        made[-1].kind = kind
        return made[-1]

    fake = SimpleNamespace(
        socket=interface, AF_PACKET=17, SOCK_RAW=3, htons=socket.htons, __name__="socket"
    )
    monkeypatch.setattr(raw_frames, "socket", fake)
    monkeypatch.setattr("sys.platform", "linux")
    radio = MonitorRadio("eth0")
    if is_air:
        assert radio._packet_socket() is made[0]
    else:
        with pytest.raises(UsageError, match=r"eth0 is not in monitor mode.*iw dev"):
            radio._packet_socket()
    assert made[0].closed is not is_air


# Options


@pytest.mark.parametrize(
    ("words", "said_words"),
    [
        ("attach usb:0 --accessory lock --passive", "--passive means nothing for an accessory"),
        ("attach usb:0 --phone generic --passive", "--passive means nothing for a phone"),
        ("attach usb:0 --observe --peer x", "--peer means nothing for --observe"),
        ("attach usb:0 --observe --do scan", "--do means nothing for --observe"),
        ("attach usb:0 --observe --set io=none", "--set means nothing for --observe"),
        ("attach usb:0 --phone generic --adapter hci1", "--adapter means nothing for a phone"),
        ("attach usb:0 --accessory lock --format x.py", "--format means nothing for an accessory"),
        ("attach wpa:/x --accessory aware_display", "wpa_supplicant is the device"),
        ("attach wpa:/x --set pin=1", "--set means nothing for wpa:"),
        ("attach monitor:lo --accessory aware_display --pin 123456", "--pin means nothing"),
        ("attach monitor:lo --accessory aware_display --record x.pcapng", "has none"),
        ("attach --via bleak --observe --record x.pcapng", "keeps its HCI"),
        ("expose thermometer_session --as pty --port 9000", "--port is for --as tcp"),
        ("expose thermometer_session --as pty --bind 127.0.0.1", "--bind is for --as tcp"),
        ("expose thermometer_session --as unix --path x --port 1", "--port is for --as tcp"),
        ("expose thermometer_session --path x", "--path is for --as unix or pty"),
        ("expose thermometer_session --node thermometer --at 1,1", "--name and --at"),
        ("record usb:0 x.pcapng --sniffer sniffle --port 9000", "nobody connects to a sniffer"),
        ("record usb:0 x.pcapng --sniffer sniffle --octets --reveal", "--octets is for a dongle"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(words, said_words, capsys):
    status, out, err = said(capsys, *words.split())
    assert (status, out) == (2, "")
    assert said_words in err


@pytest.mark.parametrize(
    "words",
    [
        ["nothing:0", "--accessory", "lock"],
        ["nothing", "--accessory", "lock"],
        ["usb:0", "--accessory", "lock", "--record", "nowhere/x.pcapng"],
        ["usb:0", "--accessory", "lock", "--record", "x.btsnoop"],
        ["usb:0", "--accessory", "lock", "--pin", "12"],
    ],
)
def test_a_wrong_request_is_told_before_anything_is_printed(words, capsys):
    status, out, err = said(capsys, "attach", *words)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1


# What can only be a mistake


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("list --json --udev", "not allowed with"),
        ("attach usb:0 --accessory lock --do fly", "--do 'fly': unknown command 'fly'; known: acc"),
        ("attach usb:0 --accessory lock --do 'turn too=far'", "unknown argument 'too'"),
        ("attach usb:0 --phone generic --do 'read uuid'", "--do 'read uuid': write arguments as"),
        ("attach usb:0 --observe --format ibaecon", "--format ibaecon: unknown format"),
        ("expose thermometer_session --at nan,0", "--at nan,0: write two or three numbers"),
        ("expose thermometer_session --at 0,inf", "--at 0,inf: write two or three numbers"),
        ("expose thermometer_session --pin 12345", "six digits"),
        ("record serial:/dev/x {folder}/x.pcapng --sniffer sniffle --as pty", "nobody connects to"),
        ("replay {adverts}", "no packet of HCI with a direction"),
        ("attach wpa:{folder}", "is a folder; in it lies a socket for each interface"),
        ("attach wpa:{adverts}", "is no socket; wpa_supplicant's lie"),
    ],
)
def test_a_request_that_cannot_be_meant_is_refused(words, sentence, tmp_path, capsys):
    adverts = ROOT / "sim" / "scenarios" / "fsc_bp105n.pcap"
    status, out, err = said(capsys, *shlex.split(words.format(folder=tmp_path, adverts=adverts)))
    assert (status, out) == (2, "")
    assert sentence in err.splitlines()[-1]
    assert not list(tmp_path.iterdir()), "nothing was written"


async def test_a_controller_that_was_not_tried_yet_is_not_called_absent():
    session = Session("memory", port=MemoryPort(Dongle()))
    assert "not in use yet (opening)" in str(session.why_not())
    port = MemoryPort(Dongle())
    port.unplug()
    assert "is not there" in str(Session("memory", port=port).why_not())


# Closed streams


def ran(words: str, closed: str) -> subprocess.CompletedProcess[str]:
    """Our command line with standard streams closed as a shell does it."""
    line = f"{shlex.quote(str(BIN / 'nearbench'))} {words} {closed}"
    return subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize(
    ("closed", "name"), [(">&-", "standard output"), ("2>&-", "standard error")]
)
def test_a_closed_stream_is_told_on_the_one_that_is_open(closed, name):
    done = ran("bridge list", closed)
    assert done.returncode == 2
    assert done.stdout + done.stderr == (
        f"nearbench: {name} is closed; redirect it, to /dev/null say\n"
    )


def test_without_any_stream_there_is_still_a_status():
    assert ran("bridge list", ">&- 2>&-").returncode == 2


@pytest.mark.slow
def test_a_closed_input_stops_only_who_reads_it():
    done = ran("bridge expose thermometer_session --for 2s", "<&-")
    assert done.returncode == 0
    assert done.stdout.startswith("tcp-client:127.0.0.1:")
    done = ran("decode --jsonl", "<&-")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "nearbench: standard input is closed; redirect it, from /dev/null say\n"


# Locks


def test_a_lock_goes_away_with_its_file(tmp_path):
    before = set(private_folder().iterdir())
    lock = PortLock(str(tmp_path / ("port" * 60)), "test", follow=False)
    (file,) = set(private_folder().iterdir()) - before
    with pytest.raises(BusyError, match=f"process {os.getpid()}"):
        PortLock(str(tmp_path / ("port" * 60)), "test", follow=False)
    assert file.exists(), "who was refused removes nothing"
    lock.release()
    assert not file.exists()
    PortLock(str(tmp_path / ("port" * 60)), "test", follow=False).release()


def test_a_lock_that_its_owner_removed_meanwhile_is_made_anew(tmp_path, monkeypatch):
    node, real = str(tmp_path / "port"), fcntl.flock
    tries: list[int] = []

    def flock(fd: int, how: int) -> None:
        if not tries:
            (file,) = private_folder().glob("port-*.lock")
            file.unlink()  # the owner lets go between our opening and our locking
        tries.append(fd)
        real(fd, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    lock = PortLock(node, "test")
    assert len(tries) == 2
    with pytest.raises(BusyError):
        PortLock(node, "test")
    lock.release()


# No time at all


@pytest.mark.parametrize("time", ["0s", "1us", "100us"])
def test_a_bridge_that_ends_while_its_radios_are_switched_on_ends_well(time, capsys):
    status, _, err = said(capsys, "expose", "thermometer_session", "--for", time)
    assert status == 0
    assert "fault" not in err
