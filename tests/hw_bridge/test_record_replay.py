"""Recordings and their replay: what is kept, what is not, what survives, and where a host differs from its recording."""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import signal
import socket
import stat
import subprocess
import time
from pathlib import Path

import pytest
from bumble.device import Device, DeviceConfiguration, Peer
from bumble.hci import Address, HCI_Error
from bumble.pairing import PairingConfig, PairingDelegate

from hw_bridge.air_port import AirPort
from hw_bridge.bench_world import BenchWorld
from hw_bridge.bumble_host import BumbleTransport
from hw_bridge.keys_hidden import KeyHider
from hw_bridge.record import FLUSH_S, Recording
from hw_bridge.replay import Player, Step, Tape, tape_of
from hw_bridge.session import Session, SessionSettings
from hw_bridge.states import State
from protocols.capture import open_reader
from protocols.errors import CaptureError, UsageError
from protocols.hci.replies import command
from sim.clock import VirtualLoop
from sim.scenario import parse
from tests.hw_bridge.scripted import (
    RANDOM,
    RESET,
    Dongle,
    Host,
    MemoryPort,
    acl,
    complete,
    opened,
    report,
)
from tests.hw_bridge.served import ROOM, nearbench

THERMOMETER, LOCK = Address("C0:11:22:33:44:55"), Address("C0:11:22:33:44:66")
PIN = 47115


class Keyboard(PairingDelegate):
    def __init__(self) -> None:
        super().__init__(PairingDelegate.IoCapability.KEYBOARD_INPUT_ONLY)

    async def get_number(self) -> int:
        return PIN


async def device_on(session: Session) -> Device:
    """bumble's Device as the session's client."""
    transport = BumbleTransport(session)
    config = DeviceConfiguration(name="Foreign", address=Address("F0:F1:F2:F3:F4:F5"))
    device = Device.from_config_with_hci(config, transport.source, transport.sink)
    device.pairing_config_factory = lambda _: PairingConfig(delegate=Keyboard())
    await asyncio.wait_for(device.power_on(), 10)
    return device


async def read_thermometer(device: Device) -> list[bytes]:
    """Connect, discover, read; the values."""
    connection = await device.connect(THERMOMETER)
    peer = Peer(connection)
    await peer.discover_all()
    values = [
        await each.read_value()
        for service in peer.services
        for each in service.characteristics
        if int(each.properties) & 2
    ]
    await connection.disconnect()
    return values


async def pair_with_lock(device: Device):
    """Connect and pair by passkey; the keys."""
    connection = await device.connect(LOCK)
    await connection.pair()
    keys = await device.keystore.get_all()
    await connection.disconnect()
    return keys


def recorded_in_the_room(file, work, **options):
    """What `work` gives on a controller of the room, recorded; with the world that it was done in."""
    world = BenchWorld(parse(ROOM), speed=None)
    port = AirPort(world.add_foreign("host", (1.0, 0.0)))
    session = Session("host", port=port, settings=SessionSettings(listen_ms=0))

    async def use():
        session.start()
        await session.ready()
        recording = Recording(session, file, **options)
        try:
            return await work(await device_on(session))
        finally:
            recording.close()
            await session.close()

    try:
        with world.session():
            return world.loop.run_until_complete(use()), world
    finally:
        world.close()


@pytest.fixture(scope="module")
def visit(tmp_path_factory):
    """A recording of a host that reads the thermometer, and the values it got."""
    file = tmp_path_factory.mktemp("visit") / "visit.pcapng"
    values, _ = recorded_in_the_room(file, read_thermometer)
    assert len(values) > 3
    return file, values


def read(file) -> list:
    with file.open("rb") as stream:
        return list(open_reader(stream, str(file)))


def times(packets) -> list[int]:
    return [packet.t_us for packet in packets]


# 34: replay


async def replayed(file, work):
    """(what `work` gives, the report) of a replay; None where it failed."""
    session = Session(f"replay:{file}")
    session.start()
    await session.ready()
    port = session.life.port
    try:
        result = await asyncio.wait_for(work(await device_on(session)), 60)
    except (HCI_Error, TimeoutError) as exc:
        result = exc
    report = port.report
    await session.close()
    return result, report


async def test_34_the_same_host_gets_the_same_from_the_recording(visit):
    file, values = visit
    result, report = await replayed(file, read_thermometer)
    assert result == values
    assert report.agrees
    assert report.exact == report.recorded == report.host_packets
    assert report.divergences == ()


async def test_34_a_host_that_does_more_is_told_so_and_the_rest_is_played(visit):
    file, values = visit

    async def with_a_scan(device):
        with contextlib.suppress(HCI_Error):
            await device.start_scanning()
        return await read_thermometer(device)

    result, report = await replayed(file, with_a_scan)
    assert result == values
    assert not report.agrees
    assert {each.kind for each in report.divergences} == {"unknown"}
    assert any("Scan" in each.text for each in report.divergences)


async def test_34_a_recording_that_ends_early_is_said_to_have_ended(visit, tmp_path):
    file, _ = visit
    steps = tape_of(file).steps
    cut = next(n for n, each in enumerate(steps) if each.packet[0] == 2)
    session = Session(f"replay:{file}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hw_bridge.transports.replay.tape_of", lambda _: Tape(steps[:cut]))
        session.start()
        await session.ready()
    result = None
    try:
        device = await device_on(session)
        result = await asyncio.wait_for(device.connect(THERMOMETER), 10)
        await session.wait_for(State.ABSENT, State.LOST, State.BACKOFF)
    finally:
        assert "the recording has ended" in " ".join(
            each.reason for each in session.life.transitions
        )
        await session.close()
    assert result is not None


RECORDED = [
    Step(True, command(RESET), 1),
    Step(False, complete(RESET), 2),
    Step(True, command(0x2005, bytes(6)), 3),
    Step(False, complete(0x2005), 4),
    Step(True, command(0x200C, b"\1\0"), 5),
    Step(False, complete(0x200C), 6),
    Step(False, report(1), 7),
    Step(True, command(0x200C, b"\0\0"), 8),
    Step(False, complete(0x200C), 9),
]


def played(*packets: bytes) -> tuple[list[bytes], Player]:
    player = Player(RECORDED)
    out = player.begin()
    for packet in packets:
        out += player.host(packet)
    return out, player


def test_34_random_addresses_may_vary():
    out, player = played(
        command(RESET),
        command(0x2005, b"\6" * 6),
        command(0x200C, b"\1\0"),
        command(0x200C, b"\0\0"),
    )
    assert out == [each.packet for each in RECORDED if not each.sent]
    report = player.report()
    assert (report.exact, report.varied, report.agrees) == (3, 1, True)


def test_34_a_packet_that_is_not_sent_is_skipped_with_its_reply_and_named():
    out, player = played(command(RESET), command(0x200C, b"\1\0"))
    assert out == [complete(RESET), complete(0x200C), report(1)]
    (skipped,) = player.divergences
    assert (skipped.kind, skipped.record, skipped.packet) == ("skipped", 3, 2)
    assert "LE Set Random Address" in skipped.text
    assert not player.report().complete


def test_34_events_of_a_skipped_stretch_are_played_and_replies_are_not():
    out, _ = played(command(RESET), command(0x2005, bytes(6)), command(0x200C, b"\0\0"))
    assert out == [complete(RESET), complete(0x2005), report(1), complete(0x200C)]


def test_34_a_changed_parameter_shows_where_it_differs():
    _, player = played(command(RESET), command(0x2005, bytes(6)), command(0x200C, b"\1\1"))
    (changed,) = player.divergences
    assert changed.kind == "changed"
    assert "from octet 5 on 01 was sent, 00 recorded" in changed.text


def test_34_what_was_never_recorded_is_an_unknown_command():
    out, player = played(command(RESET), command(0x1001))
    assert out[1] == bytes.fromhex("040e0c01011001") + bytes(8)
    assert [each.kind for each in player.divergences] == ["unknown"]
    assert played(acl(b"\3\0\4\0\2\0\2"))[0] == []


def test_34_nothing_is_matched_backwards():
    _, player = played(command(RESET), command(0x2005, bytes(6)), command(RESET))
    assert [each.kind for each in player.divergences] == ["unknown"]


def test_34_keys_do_not_stand_in_the_report():
    key = bytes(range(0x60, 0x70))
    recorded = Step(True, command(0x2019, bytes(12) + bytes(16)), 1)
    player = Player([recorded])
    player.host(command(0x2019, b"\7" + bytes(11) + key))
    (changed,) = player.divergences
    assert key.hex(" ") not in changed.text
    assert key[:4].hex(" ") not in changed.text


def test_34_the_command_tells_by_its_status_whether_the_host_did_the_same(visit, tmp_path):
    file = tmp_path / "short.pcapng"
    world = VirtualLoop()
    world.run_until_complete(_short_recording(file))
    world.close()
    for sent, status in ((command(RESET), 0), (command(RANDOM), 1)):
        with nearbench("bridge", "replay", file) as program:
            program.until("\n")
            where = program.output.split()[0].removeprefix("tcp-client:").split(":")
            with socket.create_connection((where[0], int(where[1])), 5) as host:
                host.sendall(sent)
                assert host.recv(100)
            assert program.finish() == status
            assert "recorded" in program.output


async def _short_recording(file):
    session = await opened(MemoryPort(Dongle()))
    host = Host(session)
    recording = Recording(session, file)
    await host.ask(RESET)
    recording.close()
    await session.close()


# 35: what survives


def test_35_a_file_cut_anywhere_is_readable_up_to_the_last_whole_packet(visit, tmp_path):
    whole = visit[0].read_bytes()
    packets = read(visit[0])
    chance = random.Random(35)
    file = tmp_path / "cut.pcapng"
    for _ in range(60):
        size = chance.randrange(200, len(whole))
        file.write_bytes(whole[:size])
        found = []
        try:
            with file.open("rb") as stream:
                found.extend(open_reader(stream, "cut"))
        except CaptureError:
            pass
        assert found == packets[: len(found)]
        left = len(whole) - size
        assert len(found) >= len(packets) - 1 - left // 32, "no more is lost than was cut off"


def test_35_a_killed_recorder_leaves_a_file_that_is_whole(visit, tmp_path):
    file = tmp_path / "killed.pcapng"
    with nearbench("bridge", "record", f"replay:{visit[0]}", file) as program:
        program.until("\n")
        where = program.output.split()[0].removeprefix("tcp-client:").split(":")
        with socket.create_connection((where[0], int(where[1])), 5) as host:
            host.sendall(command(RESET))
            assert host.recv(100)
            _until_in_file(file, complete(RESET))
            program.stop(signal.SIGKILL)
    found = [each.data for each in read(file) if each.link_type == 187]
    assert found == [command(RESET), complete(RESET)]


@pytest.mark.parametrize("replies", [1, 30, 77])
def test_35_a_kill_at_any_time_leaves_the_beginning_of_what_was_said(visit, tmp_path, replies):
    """Killed in the moment of a reply, wherever the file is with its flushing."""
    file, said = tmp_path / "killed.pcapng", []
    with nearbench("bridge", "record", f"replay:{visit[0]}", file) as program:
        program.until("\n")
        where = program.output.split()[0].removeprefix("tcp-client:").split(":")
        with socket.create_connection((where[0], int(where[1])), 5) as host:
            for number in range(replies):
                opcode = RESET if number == 0 else 0xFC00 + number
                host.sendall(command(opcode))
                said += [command(opcode), _event(host)]
            program.stop(signal.SIGKILL)
    found = [each.data for each in read(file) if each.link_type == 187]
    assert found == said[: len(found)]
    stamps = times(read(file))
    assert stamps == sorted(stamps)


def _event(host: socket.socket) -> bytes:
    """The next event of a controller."""
    head = host.recv(3, socket.MSG_WAITALL)
    return head + host.recv(head[2], socket.MSG_WAITALL)


def _until_in_file(file, octets: bytes, limit_s: float = 2.0) -> None:
    """Watch a file until it holds `octets`."""
    end = time.monotonic() + limit_s
    while octets not in file.read_bytes():
        assert time.monotonic() < end, "it is not flushed"


async def test_35_everything_is_in_the_file_within_a_tenth_of_a_second(tmp_path):
    file = tmp_path / "quick.pcapng"
    session = await opened(MemoryPort(Dongle()))
    host = Host(session)
    recording = Recording(session, file)
    await host.ask(RANDOM)
    await asyncio.sleep(FLUSH_S)
    assert complete(RANDOM, bytes(9)) in file.read_bytes()
    recording.close()
    await session.close()


async def test_35_changes_of_state_are_there_at_once(tmp_path):
    file = tmp_path / "states.pcapng"
    port = MemoryPort(Dongle())
    session = await opened(port)
    recording = Recording(session, file)
    port.unplug()
    comments = [each.comment for each in read(file)]
    assert comments[0] == "ready: memory: answers"
    assert comments[1] == "lost: memory: unplugged (generation 1)"
    recording.close()
    await session.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
async def test_35_a_full_disk_ends_the_recording_and_not_the_bridge():
    told = []
    session = await opened(MemoryPort(Dongle()))
    host = Host(session)
    recording = Recording(session, "/dev/full", tell=told.append)
    assert (await host.ask(RANDOM))[6] == 0
    await asyncio.sleep(1)
    assert (await host.ask(RESET))[-1] == 0
    assert not recording.is_open
    assert len(told) == 1
    assert "No space left" in told[0]
    recording.close()
    await session.close()


async def test_35_a_step_of_the_date_does_not_reach_the_times(tmp_path):
    file = tmp_path / "step.pcapng"
    dates = iter([1_700_000_000_000_000, 5])
    session = await opened(MemoryPort(Dongle()))
    host = Host(session)
    recording = Recording(session, file, wall_us=lambda: next(dates))
    for _ in range(5):
        await host.ask(RANDOM)
        await asyncio.sleep(0.3)
    recording.close()
    stamps = times(read(file))
    assert stamps == sorted(stamps)
    assert stamps[0] == 1_700_000_000_000_000
    assert stamps[-1] - stamps[0] == 1_200_000
    await session.close()


async def test_35_a_file_that_cannot_be_made_is_a_usage_error(tmp_path):
    session = await opened(MemoryPort(Dongle()))
    with pytest.raises(UsageError, match="another file"):
        Recording(session, tmp_path / "none" / "x.pcapng")
    await session.close()


async def test_what_was_lost_stands_in_the_file(tmp_path):
    file = tmp_path / "lost.pcapng"
    port = MemoryPort(Dongle())
    session = await opened(port)
    host = Host(session)
    recording = Recording(session, file)
    session.send(acl(b"to nobody"))
    port.say(b"\xee\xee\xee" + report(1))
    await host.until(lambda: report(1) in host.packets)
    await asyncio.sleep(FLUSH_S)
    await host.ask(RANDOM)
    recording.close()
    packets = read(file)
    text = "\n".join(each.comment for each in packets)
    assert "lost: 1 data for the controller: unknown handle" in text
    assert "skipped: 3 octets, no packet begins here: ee ee ee" in text
    with file.open("rb") as stream:
        reader = open_reader(stream, "lost")
        list(reader)
        assert reader.notes.dropped == 1
    await session.close()


# 36, 37: judges


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_36_tshark_finds_nothing_malformed(visit):
    words = ["tshark", "-r", str(visit[0]), "-T", "fields", "-e", "_ws.malformed"]
    words += ["-e", "bthci_evt.code", "-e", "frame.interface_name", "-e", "syslog.msg"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert len(rows) == len(read(visit[0]))
    assert not [row for row in rows if row[0]]
    assert {row[2] for row in rows} == {"host", "host bridge"}
    assert any(row[3].startswith("ready: ") for row in rows)


@pytest.fixture
def with_octets(tmp_path):
    """A recording that keeps the octets of the line, too."""
    loop = VirtualLoop()
    try:
        loop.run_until_complete(_record_octets(tmp_path / "line.pcapng"))
    finally:
        loop.close()
    return tmp_path / "line.pcapng"


async def _record_octets(file):
    port = MemoryPort(Dongle())
    session = await opened(port)
    recording = Recording(session, file, octets=True, reveal=True)
    port.say(b"a banner" + report(1))
    await Host(session).ask(RANDOM)
    recording.close()
    await session.close()


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_36_tshark_reads_a_capture_with_the_octets_of_the_line(with_octets):
    file = with_octets
    words = ["tshark", "-r", str(file), "-T", "fields", "-e", "_ws.malformed", "-e", "data.data"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert len(rows) == len(read(file))
    assert not [row for row in rows if row[0]]
    assert any(row[1] == (b"a banner" + report(1)).hex() for row in rows), rows


def test_37_no_key_of_a_pairing_is_in_the_file(tmp_path):
    hidden, shown = tmp_path / "hidden.pcapng", tmp_path / "shown.pcapng"
    keys, world = recorded_in_the_room(hidden, pair_with_lock)
    octets = hidden.read_bytes()
    secrets = [*_secrets(keys), *_secrets(_run(world.devices["lock"].ble._stack.bonds.get_all()))]
    assert len(secrets) >= 3
    for secret in secrets:
        assert secret not in octets
        assert secret[::-1] not in octets
    assert b"replaced by zeros" in octets
    keys, _ = recorded_in_the_room(shown, pair_with_lock, reveal=True)
    octets = shown.read_bytes()
    assert any(secret in octets or secret[::-1] in octets for secret in _secrets(keys))
    assert stat.S_IMODE(shown.stat().st_mode) == 0o600


def _run(coroutine):
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError


def _secrets(keys) -> list[bytes]:
    found = []
    for _, each in keys:
        for name in ("ltk", "ltk_central", "ltk_peripheral", "irk", "csrk", "link_key"):
            key = getattr(each, name, None)
            if key is not None and any(key.value):
                found.append(bytes(key.value))
    return found


KEY = bytes(range(0xA0, 0xB0))
SMP_KEYS = bytes((17, 0, 6, 0, 6)) + KEY


@pytest.mark.parametrize("cut", range(1, len(SMP_KEYS)))
def test_37_a_key_is_hidden_wherever_its_packet_is_cut(cut):
    hider = KeyHider()
    first = hider.hide(acl(SMP_KEYS[:cut]), sent=True)
    second = hider.hide(acl(SMP_KEYS[cut:], boundary=1), sent=True)
    assert first[5:] + second[5:] == SMP_KEYS[:5] + bytes(16)
    other = acl(bytes((17, 0, 4, 0, 6)) + KEY)
    assert hider.hide(other, sent=True) is other


@pytest.mark.parametrize(
    "packet",
    [
        command(0x040B, bytes(6) + KEY),
        command(0x040D, bytes(6) + b"\x10" + KEY),
        command(0x2019, bytes(12) + KEY),
        command(0x201A, bytes(2) + KEY),
        command(0x2027, bytes(7) + KEY + KEY),
        command(0x0C11, b"\1" + bytes(6) + KEY),
        bytes.fromhex("041817") + bytes(6) + KEY + b"\4",
        bytes.fromhex("041517") + b"\1" + bytes(6) + KEY,
        bytes.fromhex("043e220900") + KEY + KEY,
        complete(0x2017, b"\0" + KEY),
        complete(0x2018, b"\0" + KEY[:8]),
        complete(0x0C57, b"\0" + KEY + KEY),
    ],
)
def test_37_keys_are_hidden_in_every_packet_that_carries_some(packet):
    out = KeyHider().hide(packet, sent=packet[0] == 1)
    assert len(out) == len(packet)
    assert not any(each in out for each in KEY)


def test_37_what_holds_no_key_is_left_alone():
    for packet in (complete(RESET), report(1), command(0x2005, KEY[:6]), acl(KEY), b"\x02\x00"):
        assert KeyHider().hide(packet, sent=True) is packet
