"""Numbers 38 and 39 of digest 9: wpa_supplicant by its control socket, and raw frames, without either."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
import struct
import threading
import tty

import pytest

from hw_bridge.errors import LostError, MuteError, NoBackendError, RefusedError
from hw_bridge.raw_frames import Heard, MonitorRadio, SerialRadio, bare_frame, carried
from hw_bridge.raw_node import RawNode
from hw_bridge.wpa_control import WpaControl, WpaSettings, read_event
from hw_bridge.wpa_node import WpaNode, line_of
from protocols.errors import DecodeError, UnknownNameError, UsageError
from protocols.hci.slip import SlipReader
from protocols.wifi_aware import radiotap
from sim.scenario import parse
from tests.hw_bridge.real_time import real_time
from tests.hw_bridge.scripted import Dongle, MemoryPort
from tests.hw_bridge.served import nearbench
from tui.cli import main

QUICK = WpaSettings(answer_s=0.2, ping_s=0.05, retry_s=0.02)
FOUND = (
    "<3>NAN-DISCOVERY-RESULT subscribe_id=1 publish_id=2 address=02:11:22:33:44:55 "
    "fsd=1 ssi=0102 npk=00112233"
)


class Daemon:
    """A wpa_supplicant that says what a test wants."""

    def __init__(self, path) -> None:
        self.path = str(path)
        self.answers = {"PING": ["PONG"], "ATTACH": ["OK"], "DETACH": []}
        self.asked: list[str] = []
        self.attached: list[str] = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(0)
        self.socket.bind(self.path)
        asyncio.get_running_loop().add_reader(self.socket, self._read)

    def _read(self) -> None:
        while True:
            try:
                data, sender = self.socket.recvfrom(4096)
            except BlockingIOError:
                return
            text = data.decode()
            self.asked.append(text)
            if text == "ATTACH":
                self.attached.append(sender)
            for answer in self.answers.get(text.split()[0], ["UNKNOWN COMMAND"]):
                self.socket.sendto(answer.encode(), sender)

    def tell(self, text: str) -> None:
        for each in self.attached:
            self.socket.sendto(text.encode(), each)

    def die(self, *, leave: bool = True) -> None:
        from pathlib import Path

        asyncio.get_running_loop().remove_reader(self.socket)
        self.socket.close()
        if not leave:
            Path(self.path).unlink()


@contextlib.asynccontextmanager
async def daemon_and_control(tmp_path):
    daemon = Daemon(tmp_path / "nan0")
    events, states = [], []
    control = WpaControl(daemon.path, events.append, states.append, settings=QUICK)
    control.seen, control.states = events, states
    await control.open()
    try:
        yield daemon, control
    finally:
        await control.close()
        with contextlib.suppress(ValueError, OSError):
            daemon.die()


async def until(wanted, limit_s: float = 3.0) -> None:
    async with asyncio.timeout(limit_s):
        while not wanted():  # noqa: ASYNC110  # what is waited for has no event
            await asyncio.sleep(0.002)


@real_time
async def test_38_events_reach_their_reader_and_replies_theirs(tmp_path):
    async with daemon_and_control(tmp_path) as (daemon, control):
        daemon.answers["NAN_PUBLISH"] = [FOUND, "<2>CTRL-EVENT-SCAN-STARTED ", "7"]
        assert await control.command("NAN_PUBLISH service_name=x") == "7", "events before the reply"
        daemon.tell(FOUND)
        await until(lambda: len(control.seen) == 3)
        event = control.seen[-1]
        assert (event.level, event.name) == (3, "NAN-DISCOVERY-RESULT")
        assert event.fields["address"] == "02:11:22:33:44:55"


@real_time
async def test_38_fail_and_unknown_commands_are_errors_of_their_own(tmp_path):
    async with daemon_and_control(tmp_path) as (daemon, control):
        daemon.answers["NAN_PAIR"] = ["FAIL"]
        with pytest.raises(RefusedError, match="NAN_PAIR failed"):
            await control.command("NAN_PAIR 02:11:22:33:44:55")
        with pytest.raises(NoBackendError, match="CONFIG_NAN=y"):
            await control.command("NAN_START")
        assert control.is_there


@real_time
async def test_38_what_a_build_can_do_is_asked_by_commands_that_do_nothing(tmp_path):
    async with daemon_and_control(tmp_path) as (daemon, control):
        daemon.answers |= {
            "NAN_STATUS": ["state=0"],
            "NAN_PUBLISH": ["FAIL"],
            "NAN_SUBSCRIBE": ["FAIL"],
        }
        assert await control.abilities() == {"NAN_STATUS", "NAN_PUBLISH", "NAN_SUBSCRIBE"}
        assert not {"NAN_START", "NAN_STOP", "NAN_FLUSH"} & set(daemon.asked)


@real_time
async def test_38_a_daemon_that_dies_is_noticed_and_attached_to_again(tmp_path):
    async with daemon_and_control(tmp_path) as (daemon, control):
        assert control.states == [True]
        daemon.die()
        await until(lambda: control.states == [True, False])
        with pytest.raises(MuteError, match="may have ended"):
            await control.command("NAN_STATUS")
        (tmp_path / "nan0").unlink()
        again = Daemon(tmp_path / "nan0")
        await until(lambda: control.states == [True, False, True])
        again.tell(FOUND)
        await until(lambda: control.seen)
        again.die()


@real_time
async def test_38_a_silent_daemon_ends_a_command_in_time_and_its_late_reply_is_no_other_commands(
    tmp_path,
):
    async with daemon_and_control(tmp_path) as (daemon, control):
        daemon.answers["NAN_STATUS"] = []
        with pytest.raises(MuteError):
            await control.command("NAN_STATUS")
        await until(lambda: control.is_there)
        daemon.answers["NAN_PEER_INFO"] = ["peer"]
        control._replies.put_nowait("late")
        assert await control.command("NAN_PEER_INFO x") == "peer"
        assert control.counts["replies that came too late"] == 1


@real_time
async def test_38_a_reply_as_long_as_the_limit_is_counted_as_cut(tmp_path):
    async with daemon_and_control(tmp_path) as (daemon, control):
        daemon.answers["NAN_PEER_INFO"] = ["x" * 4095]
        assert len(await control.command("NAN_PEER_INFO x schedule")) == 4095
        assert control.counts["replies that may be cut"] == 1


@real_time
async def test_38_our_own_sockets_go_away(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    async with daemon_and_control(tmp_path):
        folder = next(tmp_path.glob("nearbench-*"))
        assert len(list(folder.glob("wpa-*"))) == 2
    assert not list(folder.glob("wpa-*"))


@real_time
async def test_38_no_daemon_is_said_with_what_to_do(tmp_path):
    control = WpaControl(str(tmp_path / "none"))
    with pytest.raises(Exception, match="ctrl_interface="):
        await control.open()
    await control.close()


def test_38_what_is_no_event_is_a_reply():
    assert read_event("OK") is None
    assert read_event("<x>NAN") is None
    assert read_event("<3>NAN-STOPPED").fields == {}
    for _ in range(200):
        read_event(random.Random(38).randbytes(40).decode("latin-1"))


@real_time
async def test_a_node_behind_wpa_supplicant_is_told_as_any_node(tmp_path):
    async with daemon_and_control(tmp_path) as (daemon, control):
        told = []
        node = WpaNode(control, told.append)
        daemon.answers |= {"NAN_PUBLISH": ["5"], "NAN_STATUS": ["state=started"]}
        await node.do({"cmd": "publish", "service": "_x._tcp", "unsolicited": True, "id": 9})
        await node.do({"cmd": "state"})
        await node.do({"cmd": "pair"})
        node.on_event(read_event(FOUND))
        node.on_event(read_event("<2>CTRL-EVENT-TERMINATING "))
        assert daemon.asked[-2:] == ["NAN_PUBLISH service_name=_x._tcp unsolicited=1", "NAN_STATUS"]
        assert told[0] == {"ok": {"handle": 5}, "id": 9}
        assert told[1] == {"ok": {"status": "state=started"}}
        assert "pair needs peer" in told[2]["error"]
        assert told[3]["event"] == "discovery"
        assert told[3]["npk"] == "••••••"
        assert len(told) == 4


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (
            {
                "cmd": "bootstrap",
                "peer": "02:00:00:00:00:01",
                "handle": 1,
                "instance": 2,
                "method": 4,
            },
            "NAN_BOOTSTRAP 02:00:00:00:00:01 handle=1 req_instance_id=2 method=4",
        ),
        (
            {
                "cmd": "accept",
                "handle": 1,
                "peer": "02:00:00:00:00:01",
                "instance": 2,
                "pin": "047115",
            },
            "NAN_PAIR 02:00:00:00:00:01 handle=1 peer_instance_id=2 password=047115 responder",
        ),
        ({"cmd": "end", "handle": 3}, "NAN_CANCEL_PUBLISH publish_id=3"),
        (
            {"cmd": "publish", "service": "a", "cipher_suites": [1, 7]},
            "NAN_PUBLISH service_name=a cipher_suites=1,7",
        ),
    ],
)
def test_commands_become_those_of_wpa_supplicant(given, line):
    assert line_of(given["cmd"], given) == line


def test_a_value_cannot_bring_arguments_of_its_own():
    with pytest.raises(UsageError, match="white space"):
        line_of("publish", {"cmd": "publish", "service": "a p2p=1"})
    with pytest.raises(UsageError) as caught:
        line_of("pair", {"cmd": "pair", "peer": "x", "handle": 1, "instance": 1, "pin": "12 34"})
    assert "12 34" not in str(caught.value)
    with pytest.raises(UnknownNameError, match="service"):
        line_of("publish", {"cmd": "publish", "servise": "a"})
    with pytest.raises(UnknownNameError):
        line_of("dance", {"cmd": "dance"})


# 39: raw frames

FRAME = bytes.fromhex("d0000000516f9a010000020000000001506f9a010000" "1000") + b"\x04\x09\x50\x6f\x9a\x13" + bytes(20)  # fmt: skip


def test_39_fields_stand_on_their_alignment():
    """Flags, rate, channel, signal behind one another; then TSFT in front of them, on its eight octets."""
    plain = struct.pack("<BBHIBBHHb", 0, 0, 15, 0x2E, 0x10, 12, 2437, 0x00C0, -61)
    heard = bare_frame(plain + FRAME + radiotap.fcs_of(FRAME))
    assert heard == Heard(FRAME, 6, -61)
    stamped = struct.pack("<BBHIQBBHHb", 0, 0, 23, 0x2F, 12345, 0, 12, 5745, 0x0140, -70)
    assert bare_frame(stamped + FRAME) == Heard(FRAME, 149, -70)


def test_39_several_present_words_are_gone_over():
    words = struct.pack("<BBHIIb", 0, 0, 13, 0x80000020, 0x00000020, -55)
    assert bare_frame(words + FRAME).rssi_dbm == -55
    assert bare_frame(words + FRAME).frame == FRAME


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(7),
        struct.pack("<BBHI", 1, 0, 8, 0) + FRAME,
        struct.pack("<BBHI", 0, 0, 4, 0) + FRAME,
        struct.pack("<BBHI", 0, 0, 9000, 0) + FRAME,
        struct.pack("<BBHI", 0, 0, 8, 0x80000000) + FRAME,
        struct.pack("<BBHI", 0, 0, 9, 0x1) + b"\0",
    ],
)
def test_39_a_header_that_does_not_fit_is_rejected(data):
    with pytest.raises(DecodeError):
        bare_frame(data)


def test_39_the_status_of_a_sent_frame_is_none_that_was_heard():
    status = struct.pack("<BBHIHH", 0, 0, 12, 0x8000, 0, 0) + FRAME
    assert bare_frame(status) is None


@contextlib.asynccontextmanager
async def monitor():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    theirs.settimeout(0)
    radio = MonitorRadio("wlan0mon", lambda: ours)
    radio.heard, radio.fates = [], []
    radio.on_heard = radio.heard.append
    radio.on_sent = lambda number, acked: radio.fates.append((number, acked))
    await radio.open()
    try:
        yield radio, theirs
    finally:
        await radio.close()
        theirs.close()


@real_time
async def test_39_frames_go_out_behind_a_radiotap_header_and_their_echo_is_left_out():
    async with monitor() as (radio, air):
        radio.send(1, FRAME, 6)
        sent = air.recv(4096)
        header = radiotap.read(sent)
        assert sent[header.length :] == FRAME
        assert radio.fates == [(1, True)]
        air.send(radiotap.header(signal_dbm=-30) + FRAME)
        other = FRAME[:-1] + b"\x01"
        air.send(radiotap.header(channel_mhz=2437, signal_dbm=-60) + other)
        air.send(b"\0\0\xff\xff")
        await until(lambda: radio.counts["frames with a radiotap header that cannot be read"])
        assert radio.heard == [Heard(other, 6, -60)]
        assert radio.counts["own frames"] == 1


@real_time
async def test_39_an_interface_that_goes_down_is_lost():
    async with monitor() as (radio, air):
        gone = []
        radio.on_gone = gone.append
        air.close()
        radio.send(1, FRAME, 6)
        assert radio.fates == [(1, False)]
        assert radio.counts["frames that could not be sent"] == 1


@real_time
async def test_39_no_monitor_interface_says_how_to_make_one():
    radio = MonitorRadio("nobody0")
    with pytest.raises(Exception, match=r"monitor|CAP_NET_RAW|Linux"):
        await radio.open()


# The serial carrier


class Firmware(Dongle):
    """Reports every frame as sent; `say` what it hears."""

    def feed(self, data, now=0):
        out = []
        for _, body in SlipReader(4096).receive(data):
            _, kind, number, channel, _ = struct.unpack_from("<BBHBb", body)
            self.received.append((chr(kind), number, channel, body[6:-2]))
            out.append(carried(ord("S"), number, channel, 1))
        return out


@contextlib.asynccontextmanager
async def serial():
    board = Firmware()
    port = MemoryPort(board)
    radio = SerialRadio("serial:/dev/ttyACM0", lambda _: port)
    radio.heard, radio.fates = [], []
    radio.on_heard = radio.heard.append
    radio.on_sent = lambda number, acked: radio.fates.append((number, acked))
    await radio.open()
    yield radio, port, board
    await radio.close()


async def test_a_firmware_carries_frames_both_ways():
    async with serial() as (radio, port, board):
        radio.send(70_000, FRAME, 6)
        port.say(carried(ord("R"), 1, 6, -48, FRAME + b"\xc0\xdb"))
        await until(lambda: radio.heard and radio.fates)
        assert board.received == [("T", 70_000 & 0xFFFF, 6, FRAME)]
        assert radio.fates == [(70_000, True)]
        assert radio.heard == [Heard(FRAME + b"\xc0\xdb", 6, -48)]


async def test_what_is_damaged_or_lost_on_the_line_is_counted():
    async with serial() as (radio, port, _):
        bad = bytearray(carried(ord("R"), 1, 6, -48, FRAME))
        bad[12] ^= 1
        port.say(bytes(bad), b"\xc0\xdb\x00\xc0", b"\xc0short\xc0", carried(ord("X"), 1, 6, 0))
        for number in (65534, 2):
            port.say(carried(ord("R"), number, 6, -48, FRAME))
        await until(lambda: len(radio.heard) == 2)
        assert radio.counts["frames on the line with a wrong CRC"] == 1
        assert radio.counts["damaged frames on the line"] == 2
        assert radio.counts["frames on the line of an unknown kind"] == 1
        assert radio.counts["frames lost on the line"] == 3


async def test_a_firmware_that_is_unplugged_is_lost():
    async with serial() as (radio, port, _):
        gone = []
        radio.on_gone = gone.append
        port.unplug()
        assert isinstance(gone[0], LostError)


# A device on a radio


class Ether:
    """Radios in memory that hear each other; frames are heard at the next instant that the test gives."""

    def __init__(self) -> None:
        self.counts = {}
        self.on_heard = self.on_sent = self.on_gone = lambda *_: None
        self.other = None
        self.waiting = []

    def send(self, number, frame, channel):
        self.other.waiting.append(Heard(frame, channel, -50))
        self.waiting_fate = number
        self.fates = [*getattr(self, "fates", []), number]

    def turn(self) -> None:
        fates, self.fates = getattr(self, "fates", []), []
        for number in fates:
            self.on_sent(number, True)
        waiting, self.waiting = self.waiting, []
        for heard in waiting:
            self.on_heard(heard)

    async def open(self):
        pass

    async def close(self):
        pass


def lone(accessory: str) -> str:
    return (
        f'title = "t"\nduration = "1h"\n[[node]]\nname = "{accessory}"\naccessory = "{accessory}"\n'
    )


def test_two_devices_on_raw_radios_discover_each_other():
    radios = Ether(), Ether()
    radios[0].other, radios[1].other = radios[1], radios[0]
    told = [], []
    nodes = [
        RawNode(parse(lone("aware_display")), radio, out.append, speed=None, seed=n)
        for n, (radio, out) in enumerate(zip(radios, told, strict=True))
    ]
    with contextlib.ExitStack() as stack:
        for node in nodes:
            stack.callback(node.node.world.close)
            stack.enter_context(node.node.world.session())
            node.node.begin()
        nodes[1].line(b'{"cmd": "subscribe", "active": true}')
        for _ in range(200):
            for node, radio in zip(nodes, radios, strict=True):
                node.line(b'{"advance_us": 8192}')
                radio.turn()
        found = [each for each in told[1] if each.get("event") == "discovery"]
    assert told[0][0]["event"] == "ready"
    assert not any("frame" in each and "n" in each for out in told for each in out)
    assert found
    assert found[0]["peer"] == told[0][0]["nmi"]


def test_keys_of_a_device_on_a_radio_come_from_the_system():
    drawn = []
    for seed in (None, None, 3, 3):
        node = RawNode(parse(lone("aware_display")), Ether(), print, speed=None, seed=seed)
        drawn.append(node.node.world.streams.bytes("crypto/aware_display/x", 8))
        node.node.world.close()
    assert drawn[0] != drawn[1]
    assert drawn[2] == drawn[3]


# The command line


def test_the_command_line_speaks_the_lines_of_a_node_with_wpa_supplicant(tmp_path):
    path = tmp_path / "nan0"
    answers = {
        b"PING": b"PONG",
        b"ATTACH": b"OK",
        b"NAN_STATUS": b"state=started",
        b"NAN_PUBLISH": b"4",
    }
    stop = threading.Event()
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
                program.until("NAN_PUBLISH, NAN_STATUS")
                program.type('{"cmd": "publish", "service": "_x._tcp", "id": 1}\n')
                program.until('{"ok":{"handle":4},"id":1}')
                program.type("no json\n")
                program.until("no JSON")
                assert program.stop() == 0
        finally:
            stop.set()
            thread.join()


def test_the_command_line_puts_a_device_on_a_serial_firmware():
    master, slave = os.openpty()
    tty.setraw(slave)
    try:
        words = [
            "bridge",
            "attach",
            f"frames:serial:{os.ttyname(slave)}",
            "--accessory",
            "aware_display",
        ]
        with nearbench(*words) as program:
            program.until('"event":"ready"')
            program.type('{"cmd": "state"}\n')
            program.until('"services"')
            frame = b""
            while frame.count(b"\xc0") < 2:
                frame += os.read(master, 4096)
            assert program.stop() == 0
        whole = frame[: frame.rindex(b"\xc0") + 1]
        _, body = next(SlipReader(4096).receive(whole))
        assert body[:2] == b"\x01T"
        assert body[6:7] == b"\xd0", "an action frame"
    finally:
        os.close(master)
        os.close(slave)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["monitor:"], "follows the colon"),
        (["monitor:wlan0mon"], "--accessory or --phone"),
        (["monitor:nobody0", "--accessory", "aware_display"], "nobody0"),
        (["monitor:wlan0mon", "--accessory", "thermometer"], "no Wi-Fi Aware"),
        (["wpa:/nowhere/nan0"], "wpa_supplicant"),
    ],
)
def test_wrong_requests_for_wifi_are_named(words, said, capsys):
    assert main(["bridge", "attach", *words]) in (1, 2)
    err = capsys.readouterr().err
    assert said in err
    assert "Traceback" not in err
