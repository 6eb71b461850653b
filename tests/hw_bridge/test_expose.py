"""Controllers of the simulated air for foreign hosts: bumble's own programs on them, and what goes wrong with clients."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import re
import socket
import stat

import pytest

from hw_bridge.air_port import AirPort
from hw_bridge.bench_world import BenchWorld
from hw_bridge.doors import PtyDoor, TcpDoor, UnixDoor, is_loopback
from hw_bridge.errors import BusyError
from hw_bridge.exposure import Exposure
from hw_bridge.session import Session, SessionSettings
from hw_bridge.states import SERVING
from protocols.errors import UnknownNameError, UsageError
from protocols.hci.replies import command
from sim.scenario import parse
from tests.hw_bridge.real_time import real_time
from tests.hw_bridge.scripted import (
    LE_CONNECTED,
    RANDOM,
    RESET,
    Dongle,
    MemoryPort,
    acl,
    complete,
    report,
)
from tests.hw_bridge.served import ROOM, bumble_app, nearbench

THERMOMETER, LOCK = "C0:11:22:33:44:55", "C0:11:22:33:44:66"


@pytest.fixture(scope="module", params=["tcp", "pty"])
def moniker(request, tmp_path_factory):
    """How foreign hosts reach a controller in the room, one after the other."""
    folder = tmp_path_factory.mktemp("room")
    (folder / "room.toml").write_text(ROOM)
    words = ["--as", request.param]
    if request.param == "pty":
        words += ["--path", folder / "controller"]
    with nearbench("bridge", "expose", folder / "room.toml", *words) as served:
        served.until("\n")
        yield re.search(r"^(tcp-client|serial):\S+$", served.output, re.MULTILINE)[0]
        assert served.stop() == 0
        assert "Traceback" not in served.output


@pytest.fixture
def device(tmp_path):
    """Device configuration of bumble's programs."""
    file = tmp_path / "device.json"
    file.write_text(json.dumps({"name": "Foreign", "address": "F0:F1:F2:F3:F4:F5"}))
    return file


def test_bumble_scan_sees_the_room(moniker):
    with bumble_app("scan", moniker) as app:
        app.until("Thermometer", limit_s=10)
        app.until(LOCK, limit_s=10)


def test_bumble_controller_info_reads_everything_it_asks_for(moniker):
    with bumble_app("controller-info", moniker) as app:
        assert app.finish() == 0
        assert "HCI Version:" in app.output
        assert "LE_READ_BUFFER_SIZE" in app.output.replace("HCI_", "")


def test_bumble_gatt_dump_reads_the_table_of_an_accessory(moniker, device):
    with bumble_app("gatt-dump", "--device-config", device, moniker, THERMOMETER) as app:
        app.until("UUID-16:2A1C")


def test_bumble_pair_pairs_by_passkey_with_an_accessory(moniker, device):
    with bumble_app("pair", "--io", "keyboard", device, moniker, LOCK) as app:
        app.until("PIN")
        app.type("047115\n")
        assert "failed" not in app.until("Paired!", "Pairing failed")


def test_bumble_console_scans_and_shows_a_device(moniker):
    with bumble_app("console", moniker, terminal=True) as app:
        app.until("connected", ">")
        app.type("scan on\r")
        app.until(THERMOMETER)
        app.type("quit\r")
        app.finish()


# Clients and their ends; a scripted dongle behind real sockets


class Client:
    """A foreign host with a socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def on(cls, moniker: str) -> Client:
        scheme, _, where = moniker.partition(":")
        if scheme == "unix":
            return cls(*await asyncio.open_unix_connection(where))
        host, _, port = where.rpartition(":")
        return cls(*await asyncio.open_connection(host, int(port)))

    async def ask(self, opcode: int, parameters: bytes = b"") -> bytes:
        """The next event after a command."""
        self.writer.write(command(opcode, parameters))
        return await self.event()

    async def event(self) -> bytes:
        head = await asyncio.wait_for(self.reader.readexactly(3), 5)
        return head + await self.reader.readexactly(head[2])

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


@contextlib.asynccontextmanager
async def exposed(door, port: MemoryPort, **settings):
    said: list[str] = []
    session = Session("memory", port=port, settings=SessionSettings(listen_ms=0, **settings))
    exposure = Exposure(session, door, said.append)
    exposure.said = said
    exposure.moniker = await exposure.open()
    try:
        yield exposure
    finally:
        await exposure.close()


async def until(wanted, limit_s: float = 5.0) -> None:
    """Let the loop run until `wanted()` holds."""
    async with asyncio.timeout(limit_s):
        while not wanted():  # noqa: ASYNC110  # what is waited for has no event
            await asyncio.sleep(0.001)


DOORS = {"tcp": lambda folder: TcpDoor(), "unix": lambda folder: UnixDoor(str(folder / "door"))}


@pytest.mark.parametrize("door", DOORS)
@real_time
async def test_22_the_next_client_after_one_that_left_in_mid_packet_is_answered(door, tmp_path):
    port = MemoryPort(Dongle())
    async with exposed(DOORS[door](tmp_path), port) as exposure:
        first = await Client.on(exposure.moniker)
        assert (await first.ask(RESET))[-1] == 0
        first.writer.write(command(RANDOM)[:2])
        await first.writer.drain()
        await first.close()
        await until(lambda: exposure.visit is None)
        await until(lambda: port.dongle.opcodes().count(RESET) == 3)  # probe, client, its leaving
        second = await Client.on(exposure.moniker)
        assert await second.ask(RESET) == complete(RESET)
        assert await second.ask(RANDOM) == complete(RANDOM, bytes(9))
        await second.close()


@real_time
async def test_22_half_a_packet_is_given_up_when_the_line_is_silent():
    async with exposed(TcpDoor(), MemoryPort(Dongle())) as exposure:
        client = await Client.on(exposure.moniker)
        client.writer.write(command(RANDOM)[:2])
        await until(lambda: exposure.visit is not None and exposure.visit.skipped == 2)
        assert await client.ask(RANDOM) == complete(RANDOM, bytes(9))
        await client.close()


@pytest.mark.parametrize("door", DOORS)
@real_time
async def test_23_a_second_client_is_told_why_it_is_refused_and_the_first_goes_on(
    monkeypatch, door, tmp_path
):
    monkeypatch.setattr("hw_bridge.exposure._REFUSED_S", 0.1)
    port = MemoryPort(Dongle())
    async with exposed(DOORS[door](tmp_path), port) as exposure:
        first = await Client.on(exposure.moniker)
        assert (await first.ask(RESET))[-1] == 0
        second = await Client.on(exposure.moniker)
        refused = await second.ask(RESET)
        assert refused[-1] == 0x0D, "Connection Rejected due to Limited Resources"
        assert (await second.ask(0x200D, bytes(25)))[3] == 0x0D, "by Command Status where it is due"
        assert exposure.refused == 1
        assert any("refused" in text and "one client at a time" in text for text in exposure.said)
        assert await first.ask(RANDOM) == complete(RANDOM, bytes(9))
        assert port.dongle.opcodes().count(0x200D) == 0
        assert await asyncio.wait_for(second.reader.read(), 5) == b"", "and then it is cut off"
        await first.close()
        await second.close()


@real_time
async def test_23_who_comes_in_the_moment_that_another_leaves_is_served():
    async with exposed(TcpDoor(), MemoryPort(Dongle())) as exposure:
        first = await Client.on(exposure.moniker)
        assert (await first.ask(RESET))[-1] == 0
        second = await Client.on(exposure.moniker)
        first.writer.close()
        assert (await second.ask(RESET))[-1] == 0
        assert exposure.refused == 0
        await first.close()
        await second.close()


@real_time
async def test_23_many_who_are_refused_cost_little():
    async with exposed(TcpDoor(), MemoryPort(Dongle())) as exposure:
        first = await Client.on(exposure.moniker)
        await first.ask(RESET)
        crowd = [await Client.on(exposure.moniker) for _ in range(20)]
        await until(lambda: exposure.refused == 20)
        with contextlib.suppress(ConnectionError):
            assert await crowd[-1].reader.read() == b""
        assert await first.ask(RANDOM) == complete(RANDOM, bytes(9))
        for client in (first, *crowd):
            await client.close()


@real_time
async def test_24_a_unix_socket_is_its_users_alone_and_goes_away(tmp_path):
    path = tmp_path / "controller"
    async with exposed(UnixDoor(str(path)), MemoryPort(Dongle())) as exposure:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        client = await Client.on(exposure.moniker)
        assert (await client.ask(RESET))[-1] == 0
        await client.close()
        with pytest.raises(BusyError, match=f"process {os.getpid()}"):
            await UnixDoor(str(path)).open(exposure)
    assert not path.exists()


@real_time
async def test_24_only_a_dead_socket_is_replaced(tmp_path):
    dead, file = tmp_path / "dead", tmp_path / "file"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(dead))
    async with exposed(UnixDoor(str(dead)), MemoryPort(Dongle())) as exposure:
        client = await Client.on(exposure.moniker)
        assert (await client.ask(RESET))[-1] == 0
        await client.close()
    file.write_text("mine")
    with pytest.raises(UsageError, match="is no socket"):
        await UnixDoor(str(file)).open(None)
    assert file.read_text() == "mine"
    live = tmp_path / "live"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(live))
        other.listen()
        with pytest.raises(BusyError, match="a program listens"):
            await UnixDoor(str(live)).open(None)
    assert live.exists()


@real_time
async def test_24_an_occupied_tcp_port_is_named():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        number = other.getsockname()[1]
        with pytest.raises(BusyError, match=rf"{number}.*--port"):
            await TcpDoor(port=number).open(None)


@real_time
async def test_22_what_one_opener_of_a_terminal_left_unread_does_not_reach_the_next(tmp_path):
    port = MemoryPort(Dongle())
    async with exposed(PtyDoor(str(tmp_path / "dongle")), port) as exposure:
        path = exposure.moniker.removeprefix("serial:")
        first = os.open(path, os.O_RDWR | os.O_NOCTTY)
        await until(lambda: exposure.visit is not None)
        port.say(report(1), report(2))
        os.write(first, command(RANDOM)[:3])
        await until(lambda: not port.link._in)
        os.close(first)
        await until(lambda: exposure.visit is None)
        second = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        await until(lambda: exposure.visit is not None)
        os.write(second, command(RANDOM))
        heard = bytearray()

        def read() -> bool:
            with contextlib.suppress(BlockingIOError):
                heard.extend(os.read(second, 4096))
            return complete(RANDOM, bytes(9)) in heard

        await until(read)
        assert bytes(heard) == complete(RANDOM, bytes(9))
        os.close(second)


@real_time
async def test_21_a_client_that_does_not_read_is_dropped_and_the_controller_stays(tmp_path):
    port = MemoryPort(Dongle())
    door = UnixDoor(str(tmp_path / "controller"))
    async with exposed(door, port, slow_client_ms=100) as exposure:
        client = await Client.on(exposure.moniker)
        await until(lambda: exposure.visit is not None)
        client.reader._transport.pause_reading()
        port.say(LE_CONNECTED, *(acl(bytes(251)) for _ in range(8000)))
        await until(lambda: exposure.visit is None)
        assert "dropped" in exposure.said[-1]
        assert exposure.session.state in SERVING
        second = await Client.on(exposure.moniker)
        assert (await second.ask(RESET))[-1] == 0
        await client.close()
        await second.close()


@real_time
async def test_24_a_stale_link_to_a_terminal_is_replaced_and_one_that_is_used_is_not(tmp_path):
    link, file = tmp_path / "dongle", tmp_path / "file"
    link.symlink_to("/dev/pts/99999")
    async with exposed(PtyDoor(str(link)), MemoryPort(Dongle())) as exposure:
        node = str(link.readlink())
        assert node != "/dev/pts/99999"
        assert stat.S_IMODE(link.stat().st_mode) == 0o600
        with pytest.raises(BusyError, match=f"process {os.getpid()}"):
            await PtyDoor(str(link)).open(exposure)
        assert str(link.readlink()) == node
    assert not link.is_symlink()
    file.write_text("mine")
    with pytest.raises(UsageError, match="no link to a terminal of ours"):
        await PtyDoor(str(file)).open(exposure)
    assert file.read_text() == "mine"


@pytest.mark.parametrize("door", DOORS)
@real_time
async def test_any_octets_of_a_client_leave_the_controller_in_use(door, tmp_path):
    chance = random.Random(22)
    async with exposed(DOORS[door](tmp_path), MemoryPort(Dongle())) as exposure:
        for _ in range(10):
            client = await Client.on(exposure.moniker)
            for _ in range(20):
                client.writer.write(chance.randbytes(chance.randrange(1, 600)))
                await client.writer.drain()
            await client.close()
            await until(lambda: exposure.visit is None)
        last = await Client.on(exposure.moniker)
        assert (await last.ask(RESET))[-1] == 0
        await last.close()


def test_other_addresses_than_the_loopback_one_are_known_as_such():
    assert [is_loopback(each) for each in ("127.0.0.1", "localhost", "::1", "127.8.0.1")] == [
        True
    ] * 4
    assert [is_loopback(each) for each in ("0.0.0.0", "::", "192.168.1.2", "")] == [False] * 4  # noqa: S104 # judged, not bound


# A controller of the air, in simulated time


class Foreigner:
    """A host that keeps what it hears."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.packets: list[bytes] = []
        session.attach(self)

    def on_packet(self, packet: bytes) -> bool:
        self.packets.append(packet)
        return True

    def on_notice(self, notice) -> None:
        pass

    def on_room(self) -> None:
        pass

    def send(self, opcode: int, hexes: str = "") -> None:
        self.session.send(command(opcode, bytes.fromhex(hexes)))


ADVERTISE = [
    (0x2005, "665544332fc2"),
    (0x2006, "a000a000000100000000000000070 0".replace(" ", "")),
    (0x200A, "01"),
]


def test_a_controller_that_a_client_left_is_silent_and_as_new():
    world = BenchWorld(parse(ROOM), speed=None)
    controller = world.add_foreign("host", (1.0, 0.0))
    session = Session("host", port=AirPort(controller), settings=SessionSettings(listen_ms=0))
    sent = []
    world.air.observe(lambda one, _: sent.append(one.start_us) if one.sender == "host" else None)

    async def use() -> None:
        session.start()
        await session.ready()
        first = Foreigner(session)
        for opcode, hexes in ADVERTISE:
            first.send(opcode, hexes)
        await asyncio.sleep(1)
        assert len(sent) > 8
        assert world.name_of("c2:2f:33:44:55:66") == "host"
        first.send(0x2018)
        session.detach(first)
        count = len(sent)
        second = Foreigner(session)
        await asyncio.sleep(1)
        assert len(sent) <= count + 1
        assert second.packets == [], "nothing of the first client's reaches the second"
        second.send(0x1009)
        await asyncio.sleep(0.1)
        assert second.packets[0][:7] == bytes.fromhex("040e0a01091000")
        await session.close()

    with world.session():
        world.loop.run_until_complete(use())
    world.close()


def test_a_foreign_controller_needs_a_name_of_its_own():
    world = BenchWorld(parse(ROOM), speed=None)
    with pytest.raises(UsageError, match="another name"):
        world.add_foreign("lock")
    with pytest.raises(UnknownNameError, match="loc"):
        world.hand_over("loc")
    world.close()


def test_a_node_that_is_handed_over_keeps_its_place_and_does_nothing_by_itself():
    world = BenchWorld(parse(ROOM), speed=None)
    controller = world.hand_over("thermometer")
    sent = []
    world.air.observe(lambda one, _: sent.append(one.sender))
    with world.session():
        world.loop.run_until_us(1_000_000)
    assert set(sent) == {"lock"}
    assert controller.radio.position == (2.0, 0.0, 0.0)
    world.close()


def test_secrets_of_a_bench_come_from_the_system_and_addresses_from_the_seed():
    worlds = [BenchWorld(parse(ROOM), speed=None, seed=seed) for seed in (None, None, 7, 7)]
    keys = [world.streams.bytes("crypto/lock/irk", 16) for world in worlds]
    pins = [world.streams.stream("crypto/bumble").randbytes(16) for world in worlds]
    addresses = [world.streams.bytes("crypto/lock/address", 6) for world in worlds]
    assert keys[0] != keys[1]
    assert pins[0] != pins[1]
    assert addresses[0] == addresses[1]
    assert (keys[2], pins[2]) == (keys[3], pins[3])
    for world in worlds:
        world.close()
