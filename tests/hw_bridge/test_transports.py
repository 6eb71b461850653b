"""Monikers and the ways to a controller: what is checked before, options, locks, lists, recordings."""

from __future__ import annotations

import asyncio
import errno
import io
import os
import stat
import sys
import threading

import pytest

from hw_bridge import discover
from hw_bridge.discover import LinkInfo, candidates, node_for
from hw_bridge.errors import (
    BadMonikerError,
    BridgeError,
    BusyError,
    RefusedError,
    opening_error,
)
from hw_bridge.links.descriptor import DescriptorLink
from hw_bridge.links.threaded import ThreadedLink
from hw_bridge.locks import PortLock, private_folder
from hw_bridge.quirks import QUIRKS, Quirk, quirk_for, quirk_of_version, user_quirks
from hw_bridge.replay import tape_of
from hw_bridge.session import Session
from hw_bridge.states import State
from hw_bridge.transports import TRANSPORTS, parse, port_for
from hw_bridge.transports.serial import SerialPort
from protocols.capture import Packet, writer_for
from protocols.errors import UnknownNameError, UsageError
from protocols.hci.replies import command
from tests.hw_bridge.real_time import real_time
from tests.hw_bridge.scripted import (
    LE_CONNECTED,
    QUICK,
    RANDOM,
    READ_ADDRESS,
    RESET,
    Dongle,
    Host,
    PtyDongle,
    acl,
    complete,
)

SCHEMES = ["hci-socket", "pty", "replay", "serial", "tcp-client", "tcp-server", "unix", "usb"]


def test_every_scheme_is_there_with_an_example_that_is_a_moniker():
    assert TRANSPORTS.names() == SCHEMES
    for name, transport in TRANSPORTS:
        moniker = parse(transport.example)
        assert moniker.scheme == name
        assert transport.form.startswith(f"{name}:")
        assert {option.name: option.default for option in transport.options} == {
            **moniker.options,
            **{
                option.name: option.default
                for option in transport.options
                if option.name in moniker.given
            },
        }


def test_options_have_types_and_defaults():
    moniker = parse("serial:/dev/ttyACM0?baud=115200&rtscts=on&parity=even&framing=h5")
    assert (moniker.target, moniker.number("baud")) == ("/dev/ttyACM0", 115_200)
    assert moniker.switch("rtscts")
    assert (moniker.choice("parity"), moniker.number("chunk")) == ("even", 0)
    assert moniker.given.keys() == {"baud", "rtscts", "parity", "framing"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/dev/ttyACM0", "write serial:/dev/ttyACM0"),
        ("com3", "write serial:com3"),
        ("controller", "begins with a transport"),
        ("usb", "as in usb:"),
        ("tcp-client:127.0.0.1:0", "which one"),
        ("monitor:wlan0", "bridge attach"),
        ("serial:/dev/x?speed=9600", "unknown option 'speed'"),
        ("serial:/dev/x?baud=fast", "a number from 1 up"),
        ("serial:/dev/x?baud=0", "a number from 1 up"),
        ("serial:/dev/x?rtscts=maybe", "on or off"),
        ("serial:/dev/x?parity=mark", "one of none, even, odd"),
        ("serial:/dev/x?baud=1&baud=2", "twice"),
        ("serial:", "the port is missing"),
        ("serial:/dev/x?window=8", "1 to 7"),
        ("tcp-client:6402", "a host and a port"),
        ("tcp-client:host:99999", "a host and a port"),
        ("tcp-server:x", "a host and a port"),
        ("hci-socket:eth0", "hci-socket:hci0"),
        ("unix:", "the path is missing"),
        ("replay:", "the file is missing"),
    ],
)
def test_a_bad_moniker_says_what_would_be_right(text, words):
    with pytest.raises(BadMonikerError, match=words):
        port_for(text)


def test_an_unknown_scheme_gets_the_nearest():
    with pytest.raises(UnknownNameError, match="serial"):
        parse("seriel:/dev/ttyACM0")


def test_a_port_may_be_written_as_bumble_writes_it():
    port = SerialPort(parse("serial:/dev/ttyUSB0,921600,rtscts"))
    assert port.moniker.target == "/dev/ttyUSB0"
    assert (port.moniker.number("baud"), port.moniker.switch("rtscts")) == (921_600, True)
    assert SerialPort(parse("serial:/dev/a,b")).moniker.target == "/dev/a,b"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file"), "not-found"),
        (OSError(errno.EBUSY, "busy"), "busy"),
        (BlockingIOError(errno.EAGAIN, "locked"), "busy"),
        (PermissionError(errno.EACCES, "denied"), "no-permission"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), "refused"),
        (OSError(errno.EAFNOSUPPORT, "family"), "no-backend"),
        (ModuleNotFoundError("No module named 'serial'"), "no-backend"),
        (TimeoutError(), "refused"),
        (type("error", (Exception,), {})(errno.EIO, "Input/output error"), "lost"),
        (ValueError("whatever"), "refused"),
    ],
)
def test_foreign_exceptions_get_one_of_our_kinds_and_a_remedy(error, kind):
    ours = opening_error(error, "serial:/dev/x")
    assert ours.kind == kind
    assert str(ours).startswith("serial:/dev/x: ")
    assert "\n" not in str(ours)


# Lists and keys


@pytest.fixture
def ports(monkeypatch):
    found = [
        LinkInfo(node="/dev/ttyACM0", vid=0x1366, pid=0x1015, serial="683", location="1-1:1.0"),
        LinkInfo(node="/dev/ttyACM1", vid=0x1366, pid=0x1015, serial="683", location="1-1:1.2"),
        LinkInfo(node="/dev/ttyUSB0", vid=0x10C4, pid=0xEA60, serial="0001", location="1-2"),
        LinkInfo(node="/dev/ttyUSB1", vid=0x10C4, pid=0xEA60, serial="0001", location="1-3"),
        LinkInfo(node="/dev/ttyS0"),
    ]
    monkeypatch.setattr(discover, "serial_ports", lambda: found)
    monkeypatch.setattr(discover, "usb_controllers", list)
    return found


def test_candidates_are_named_so_that_they_can_be_found_again(ports):
    named = {each.moniker: each for each in candidates()}
    assert list(named) == [
        "serial:1366:1015/683#0",
        "serial:1366:1015/683#2",
        "serial:@1-2",
        "serial:@1-3",
    ]
    for each in named.values():
        assert node_for(each.moniker.removeprefix("serial:")) == each.info.node
    assert "by its physical port" in named["serial:@1-2"].note
    assert "nrf-sniffer" in named["serial:1366:1015/683#0"].protocols


def test_a_usb_controller_is_shown_with_who_drives_it_and_what_permission_lacks(
    tmp_path, monkeypatch
):
    sysfs, nodes = tmp_path / "sys", tmp_path / "dev"
    (sysfs / "drivers" / "btusb").mkdir(parents=True)
    (sysfs / "1-2").mkdir()
    for name, value in {"busnum": "1", "devnum": "5"}.items():
        (sysfs / "1-2" / name).write_text(value)
    (sysfs / "1-2:1.0").mkdir()
    (sysfs / "1-2:1.0" / "driver").symlink_to(sysfs / "drivers" / "btusb")
    (nodes / "001").mkdir(parents=True)
    (nodes / "001" / "005").write_text("")
    info = LinkInfo(node="1-2", vid=0x0BDA, pid=0x8771, location="1-2")
    found = discover.usb_candidate(info, sysfs, nodes)
    assert found.moniker == "usb:1-2"
    assert "Realtek RTL8761B" in found.note
    assert "the kernel's btusb has it" in found.note
    assert "may not open" not in found.note
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert f"you may not open {nodes}/001/005" in discover.usb_candidate(info, sysfs, nodes).note
    assert discover.usb_candidate(info, tmp_path / "gone", nodes).moniker == "usb:1-2"


def test_adapters_of_the_kernel_are_named_by_their_number_and_their_connections_are_not(tmp_path):
    for name in ("hci10", "hci2", "hci2:42", "rfkill0"):
        (tmp_path / name).mkdir()
    found = discover.kernel_adapters(tmp_path)
    assert [each.moniker for each in found] == ["hci-socket:hci2", "hci-socket:hci10"]
    assert "hciconfig hci2 down" in found[0].note
    assert discover.kernel_adapters(tmp_path / "no") == []
    for each in found:
        port_for(each.moniker)


def test_a_key_without_device_is_nowhere_and_a_path_is_itself(ports):
    assert node_for("2fe3:000b") is None
    assert node_for("@9-9") is None
    assert node_for("/dev/serial/by-id/x") == "/dev/serial/by-id/x"
    assert not port_for("serial:2fe3:000b").present()


def test_looking_opens_nothing(monkeypatch):
    import serial

    def never(*args, **kwargs):
        raise AssertionError("a port was opened")

    monkeypatch.setattr(serial.Serial, "open", never)
    monkeypatch.setattr(os, "open", never)
    candidates()


# Quirks


def test_a_quirk_fits_its_ids_and_release():
    assert quirk_for(LinkInfo(vid=0x1366, pid=0x1015)).chunk == 64
    assert quirk_for(LinkInfo(vid=0x0BDA, pid=0x8771)).firmware == "rtk"
    assert quirk_for(LinkInfo(vid=0x1234, pid=0x5678)) is None
    assert quirk_for(LinkInfo()) is None
    old = Quirk(name="old", vid=1, pid=2, bcd_most=0x0100)
    new = Quirk(name="new", vid=1, pid=2, bcd_least=0x0101)
    assert quirk_for(LinkInfo(vid=1, pid=2, bcd_device=0x0200), (old, new)) is new
    assert quirk_of_version(0x005D, 0x8761).firmware == "rtk"
    assert quirk_of_version(0x05F1, 0) is None


def test_no_row_is_hidden_by_one_before_it():
    for number, row in enumerate(QUIRKS):
        if row.vid is not None:
            info = LinkInfo(vid=row.vid, pid=row.pid or 0xFFFF, bcd_device=row.bcd_least)
            assert quirk_for(info, QUIRKS) is QUIRKS[number]


def test_a_users_rows_come_first_and_mistakes_in_them_are_named(tmp_path):
    file = tmp_path / "quirks.toml"
    file.write_text('[[quirk]]\nname = "mine"\nvid = 0x1366\nbaud = [460800]\nrtscts = false\n')
    rows = (*user_quirks(file), *QUIRKS)
    assert quirk_for(LinkInfo(vid=0x1366, pid=0x1015), rows).options() == {
        "baud": 460_800,
        "rtscts": False,
    }
    file.write_text('[[quirk]]\nname = "mine"\nbuad = [460800]\n')
    with pytest.raises(UsageError, match="buad"):
        user_quirks(file)


def test_quirks_are_defaults_and_what_was_written_counts():
    moniker = parse("serial:/dev/x?rtscts=off")
    found = moniker.with_defaults(quirk_for(LinkInfo(vid=0x1366)).options())
    assert (found.number("chunk"), found.switch("rtscts")) == (64, False)


# Locks


def test_a_lock_is_private_names_its_owner_and_goes_away(tmp_path):
    port = tmp_path / "port"
    port.touch()
    lock = PortLock(str(port), "the first")
    files = [file for file in private_folder().iterdir() if file.name.startswith("port-")]
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600] * len(files)
    assert stat.S_IMODE(private_folder().stat().st_mode) == 0o700
    link = tmp_path / "link"
    link.symlink_to(port)
    with pytest.raises(BusyError, match=rf"process {os.getpid()} \(the first\)"):
        PortLock(str(link), "the second")
    lock.release()
    PortLock(str(port), "the third").release()


# Links


class Kept:
    """A receiver."""

    def __init__(self):
        self.data, self.lost, self.writable = b"", None, asyncio.Event()
        self.news = asyncio.Event()

    def on_data(self, data):
        self.data += data
        self.news.set()

    def on_writable(self):
        self.writable.set()

    def on_trouble(self, text):
        raise AssertionError(text)

    def on_lost(self, error):
        self.lost = error
        self.news.set()

    async def until(self, wanted):
        async with asyncio.timeout(5):
            while not wanted():
                self.news.clear()
                await self.news.wait()


@real_time
async def test_writes_are_cut_into_pieces_for_bridges_that_need_it():
    """Each piece is written when the one before has had its time on the line."""
    import socket

    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    kept, loop = Kept(), asyncio.get_running_loop()
    link = DescriptorLink(ours.detach(), kept, info=LinkInfo(), chunk=64, baud=115_200)
    began = loop.time()
    link.write(bytes(200))
    await asyncio.wait_for(kept.writable.wait(), 5)
    assert loop.time() - began >= 200 * 10 / 115_200
    assert [len(theirs.recv(4096)) for _ in range(4)] == [64, 64, 64, 8]
    assert (link.buffered, link.taken) == (0, 200)
    await link.close()
    theirs.close()


@real_time
async def test_a_port_without_descriptor_is_served_by_threads():
    import serial

    kept = Kept()
    port = serial.serial_for_url("loop://", timeout=0.05)
    link = ThreadedLink(port, kept, info=LinkInfo(node="loop"))
    link.write(b"abc")
    link.write(b"def")
    await kept.until(lambda: kept.data == b"abcdef")
    await asyncio.wait_for(kept.writable.wait(), 5)
    assert (link.buffered, link.taken) == (0, 6)
    await link.close()


@real_time
async def test_a_port_of_threads_that_fails_is_lost():
    class Broken(io.BytesIO):
        in_waiting = 0

        def read(self, size=1):
            raise TypeError("unplugged")

    kept = Kept()
    link = ThreadedLink(Broken(), kept, info=LinkInfo(node="broken"))
    await kept.until(lambda: kept.lost)
    assert "broken: reading failed: unplugged" in str(kept.lost)
    await link.close()


@real_time
async def test_a_socket_behind_pyserial_is_a_port_like_others(tmp_path):
    """`socket://` has a descriptor of its own; rfc2217 and loop go the way of the threads."""
    dongle = Dongle()

    async def serve(reader, writer):
        while data := await reader.read(4096):
            for packet in dongle.feed(data):
                writer.write(packet)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    number = server.sockets[0].getsockname()[1]
    for moniker in (f"serial:socket://127.0.0.1:{number}", f"tcp-client:127.0.0.1:{number}"):
        session = Session(moniker, settings=QUICK)
        session.start()
        await session.ready()
        assert (await session.command(READ_ADDRESS)).status == 0
        await session.close()
    server.close()
    with pytest.raises(RefusedError, match="start the other side first"):
        await port_for(f"tcp-client:127.0.0.1:{number}").open(None)


@real_time
async def test_a_program_may_open_our_pseudo_terminal(tmp_path):
    link = tmp_path / "controller"
    port = port_for(f"pty:{link}")
    session = Session(f"pty:{link}", port=port, settings=QUICK)
    session.start()
    await session.wait_for(State.ABSENT)
    assert stat.S_IMODE(link.stat().st_mode) == 0o600
    dongle, loop = Dongle(), asyncio.get_running_loop()
    program = os.open(link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)

    def answer():
        for packet in dongle.feed(os.read(program, 4096)):
            os.write(program, packet)

    loop.add_reader(program, answer)
    assert await session.wait_for(State.READY) is State.READY
    loop.remove_reader(program)
    os.close(program)
    assert await session.wait_for(State.ABSENT) is State.ABSENT
    await session.close()
    assert not link.is_symlink()


@pytest.mark.skipif(sys.platform != "linux", reason="the user channel is Linux's")
@real_time
async def test_an_adapter_that_cannot_be_had_says_why():
    with pytest.raises(BridgeError, match="hci7") as caught:
        await port_for("hci-socket:hci7").open(None)
    assert caught.value.kind in ("no-backend", "not-found", "no-permission", "busy")


@real_time
async def test_packets_of_a_kernel_socket_keep_their_borders():
    import socket

    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    kept = Kept()
    link = DescriptorLink(ours.detach(), kept, info=LinkInfo(node="hci0"))
    link.write(command(RESET))
    assert theirs.recv(100) == command(RESET)
    theirs.send(complete(RESET))
    await kept.until(lambda: kept.data == complete(RESET))
    theirs.close()
    await kept.until(lambda: kept.lost)
    await link.close()


# Recordings


def recording(path, steps):
    with path.open("wb") as stream:
        writer = writer_for(path.name)(stream)
        for number, (sent, data) in enumerate(steps, 1):
            way = "sent" if sent else "received"
            writer.write(
                Packet(number, number * 1000, 187, data, len(data), direction=way, interface="hci0")
            )
        writer.finish()


STEPS = [
    (True, command(RESET)),
    (False, complete(RESET)),
    (True, command(RANDOM)),
    (False, complete(RANDOM, b"\0" + b"\x11" * 8)),
    (False, LE_CONNECTED),
    (True, acl(b"hello")),
    (False, acl(b"world")),
    (True, command(READ_ADDRESS)),
    (False, complete(READ_ADDRESS, bytes(7))),
]


@pytest.mark.parametrize("suffix", ["btsnoop", "pcapng"])
async def test_a_recording_plays_the_controller(tmp_path, suffix):
    file = tmp_path / f"trace.{suffix}"
    recording(file, STEPS)
    assert [(step.sent, step.packet) for step in tape_of(file).steps] == STEPS
    session = Session(f"replay:{file}")
    session.start()
    await session.ready()
    host = Host(session)
    await host.ask(RESET)
    await host.ask(RANDOM)
    await host.until(lambda: LE_CONNECTED in host.packets)
    session.send(acl(b"other"))
    await host.until(lambda: acl(b"world") in host.packets)
    assert "other parameters" in session.life.reason
    unknown = await host.ask(0x2002)
    assert unknown[6] == 0x01
    await host.ask(READ_ADDRESS)
    assert host.packets[:3] == [STEPS[1][1], STEPS[3][1], STEPS[4][1]]
    await session.wait_for(State.ABSENT)
    assert any("recording has ended" in each.reason for each in session.life.transitions)
    await session.close()


@real_time
async def test_a_large_recording_is_read_beside_the_loop(tmp_path, monkeypatch):
    """The reader waits for something that only the loop does."""
    from hw_bridge.transports import replay

    file, seen = tmp_path / "trace.pcapng", threading.Event()
    recording(file, STEPS)
    slow = replay.tape_of

    def read_slowly(path):
        assert seen.wait(5), "the loop stands still"
        return slow(path)

    monkeypatch.setattr(replay, "tape_of", read_slowly)
    monkeypatch.setattr(replay, "_AT_ONCE_OCTETS", 0)
    asyncio.get_running_loop().call_later(0.05, seen.set)
    session = Session(f"replay:{file}")
    session.start()
    await session.ready()
    await session.close()


async def test_what_is_no_recording_is_blocked_with_the_reason(tmp_path):
    file = tmp_path / "trace.btsnoop"
    file.write_bytes(b"no capture at all")
    session = Session(f"replay:{file}")
    session.start()
    with pytest.raises(UsageError, match="not a capture"):
        await session.ready()
    await session.close()


@real_time
async def test_a_dongle_that_is_opened_while_another_program_has_it_later(tmp_path):
    """A closed session gives the port back at once."""
    async with PtyDongle(tmp_path / "dongle", Dongle()) as dongle:
        for _ in range(3):
            session = Session(f"serial:{dongle.path}", settings=QUICK)
            session.start()
            await session.ready()
            await session.close()
