"""Hostile controllers, hosts, daemons and lines: any octets, no crash, no hang, bounded memory.

What is hostile comes from a seed: packets of every kind with random contents, cut, in wrong order, and noise. The long
runs of the same tests are marked slow.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import tracemalloc

import pytest

from hw_bridge.bench_world import BenchWorld
from hw_bridge.errors import BridgeError
from hw_bridge.hardware_stack import HardwareStack
from hw_bridge.keys_hidden import KeyHider
from hw_bridge.legacy_advertising import LegacyAdvertising
from hw_bridge.probe import probe
from hw_bridge.raw_frames import MonitorRadio, SerialRadio, bare_frame, carried
from hw_bridge.replay import Player, Step
from hw_bridge.session import Session, SessionSettings
from hw_bridge.sniffer import Sniffer
from hw_bridge.states import SERVING, State
from hw_bridge.wpa_node import WpaNode
from protocols.errors import DecodeError
from protocols.hci.framing import is_whole
from protocols.hci.h5 import H5Framer
from protocols.hci.replies import command
from protocols.hci.slip import slip_frame
from protocols.hci.usb import UsbFramer
from protocols.wifi_aware import radiotap
from sim.scenario import parse
from tests.hw_bridge.scripted import (
    LE_CONNECTED,
    RANDOM,
    READ_ADDRESS,
    RESET,
    Dongle,
    Host,
    MemoryPort,
    acl,
    complete,
    completed,
    event,
    nop,
    opened,
    report,
    status,
)

QUICK_SEEDS = range(6)
SEEDS = [*QUICK_SEEDS, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(6, 60))]
FEW_SEEDS = [*range(2), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 30))]


class Hostile:
    """Packets and octets of every kind, from a seed."""

    def __init__(self, seed):
        self.chance = random.Random(seed)

    def piece(self):
        pick = self.chance.randrange
        handle = pick(0x0EFF)
        choices = (
            lambda: self.chance.randbytes(pick(1, 300)),
            lambda: event(pick(256), self.chance.randbytes(pick(40))),
            lambda: event(0x3E, bytes((pick(0x40),)) + self.chance.randbytes(pick(60))),
            lambda: complete(pick(0x10000), self.chance.randbytes(pick(12)), pick(3)),
            lambda: status(pick(0x10000), pick(3), pick(3)),
            lambda: nop(pick(3)),
            lambda: LE_CONNECTED[:5] + handle.to_bytes(2, "little") + LE_CONNECTED[7:],
            lambda: completed(handle, pick(0x10000)),
            lambda: acl(self.chance.randbytes(pick(300)), handle, pick(4)),
            lambda: event(0xFF, b"\xaa" + self.chance.randbytes(pick(30))),
            lambda: event(0x10, self.chance.randbytes(pick(3))),
            lambda: report(pick(100)),
        )
        return self.chance.choice(choices)()


# Controllers and hosts on a session


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_hostile_controller_cannot_crash_hang_or_grow_the_session(seed):
    """Whatever it says, an honest dongle in its place is in use within the time of its probe."""
    hostile, port = Hostile(seed), MemoryPort(Dongle())
    session = await opened(port)
    Host(session)
    tasks = len(asyncio.all_tasks())
    for _ in range(400):
        if port.link.open:
            port.say(hostile.piece())
        if hostile.chance.random() < 0.2:
            session.send(command(hostile.chance.choice((RESET, RANDOM, READ_ADDRESS, 0xFC01))))
            session.send(acl(b"data"))
        await asyncio.sleep(hostile.chance.random() / 10)
    assert len(asyncio.all_tasks()) <= tasks + 2
    assert len(session._outbox) <= 64 + 1
    assert len(session.notes) <= 200
    assert len(session.life.transitions) <= 256
    port.unplug()
    port.plug(Dongle())
    assert await session.wait_for(State.READY, timeout_s=60) is State.READY
    began = asyncio.get_running_loop().time()
    await session.close()
    assert asyncio.get_running_loop().time() - began < 3


@pytest.mark.parametrize("seed", FEW_SEEDS)
async def test_a_hostile_host_cannot_crash_hang_or_grow_the_session(seed):
    hostile, port = Hostile(seed), MemoryPort(Dongle())
    session = await opened(port)
    host = Host(session)
    port.say(LE_CONNECTED)
    await host.until(lambda: host.packets)
    for _ in range(3000):
        session.send(hostile.piece())
        group = hostile.chance.choice((1, 2, 3, 4, 5, 8, 0x3F)) << 10
        session.send(command(group | hostile.chance.randrange(1024), hostile.chance.randbytes(3)))
        session.send(acl(hostile.chance.randbytes(hostile.chance.randrange(300))))
        if hostile.chance.random() < 0.1:
            await asyncio.sleep(0)
    traffic = session.life.channel.traffic
    assert len(traffic.gate.queue) <= 64
    assert traffic.data.waiting_packets <= 64
    host.packets.clear()
    await asyncio.sleep(30)
    assert (await host.ask(RESET))[-1] == 0
    assert session.counters()["malformed packets of the client"] > 0
    await session.close()


@pytest.mark.slow
async def test_ten_minutes_of_flood_with_a_stalled_reader_cost_bounded_memory():
    """Reports and noise, a client that takes nothing and sends on; memory after one minute is memory after ten."""
    port = MemoryPort(Dongle())
    session = await opened(port, slow_client_ms=3_600_000)
    Host(session, room=False)
    sizes = []
    tracemalloc.start()
    for second in range(600):
        for number in range(100):
            port.say(report(number) * 5 + b"\xee" * 3)
        session.send(acl(b"to nobody"))
        await asyncio.sleep(1)
        if second in (60, 599):
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert session.counters()["advertising reports dropped"] > 250_000
    assert sizes[1] - sizes[0] < 100_000
    assert len(session._outbox) <= 64 + 1
    await session.close()


# Other lines to a controller


def wrapped(hostile: Hostile) -> bytes:
    """Something in a SLIP frame, at times as a packet of the link layer with a header that adds up."""
    body = hostile.piece()[1:120]
    if hostile.chance.random() < 0.5:
        head = bytes((hostile.chance.randrange(256), hostile.chance.choice((0, 1, 2, 4, 14, 15))))
        head = bytes((head[0], head[1] | (len(body) & 15) << 4, len(body) >> 4))
        body = head + bytes((0xFF - sum(head) & 0xFF,)) + body
    return slip_frame(body)


def on_an_endpoint(hostile: Hostile) -> bytes:
    """A piece of a USB transfer."""
    piece = hostile.piece()
    begin = hostile.chance.randrange(len(piece))
    return bytes((hostile.chance.choice((2, 3, 4, 9)),)) + piece[begin:]


@pytest.mark.parametrize("seed", FEW_SEEDS)
@pytest.mark.parametrize(
    ("framer", "made"),
    [(H5Framer, wrapped), (UsbFramer, on_an_endpoint)],
    ids=["three-wire", "usb"],
)
async def test_a_hostile_line_ends_every_command_and_grows_nothing(framer, made, seed):
    hostile, port = Hostile(seed), MemoryPort(Dongle())
    port.framer = framer
    session = Session("memory", port=port)
    host = Host(session)
    session.start()
    for _ in range(600):
        if port.link is not None and port.link.open:
            port.say(made(hostile))
        session.send(command(RANDOM))
        await asyncio.sleep(hostile.chance.random() / 10)
    sent = 600
    await asyncio.sleep(60)
    answers = [each for each in host.packets if each[:2] in (b"\x04\x0e", b"\x04\x0f")]
    unanswered = session.counters()["commands beyond the queue"]
    assert len(answers) >= sent - unanswered, "every command has an end"
    channel = session.life.channel
    if channel is not None:
        assert len(channel.framer._events) <= 1000
        assert len(channel.traffic.gate.queue) <= 64
    assert len(session.notes) <= 200
    began = asyncio.get_running_loop().time()
    await session.close()
    assert asyncio.get_running_loop().time() - began < 3


@pytest.mark.parametrize("seed", FEW_SEEDS)
async def test_a_probe_of_a_hostile_dongle_ends_in_a_report_or_one_of_our_errors(seed):
    hostile = Hostile(seed)

    class Liar(Dongle):
        def feed(self, data, now=0):
            out = super().feed(data, now) if hostile.chance.random() < 0.7 else []
            return out + [hostile.piece() for _ in range(hostile.chance.randrange(4))]

    with contextlib.suppress(BridgeError):
        found = await probe("serial:/dev/nowhere", port=lambda _: MemoryPort(Liar()))
        assert found.verdict
    assert asyncio.get_running_loop().time() < 60


# A simulated device on a hostile controller

ACCESSORY = """
title = "t"
duration = "1h"
[[node]]
name = "lock"
accessory = "lock"
set = { address = "c0:11:22:33:44:55", pin = "047115" }
"""


class Willing(Dongle):
    """Answers every command with success, as far as a host can tell, and may then say what it likes."""

    def __init__(self, hostile: Hostile) -> None:
        super().__init__()
        self.hostile = hostile
        self.answers[0x2003] = [complete(0x2003, bytes(9))]
        self.answers[0x1002] = [complete(0x1002, b"\0" + b"\xff" * 64)]

    def answer(self, packet):
        if packet[0] != 1:
            return []
        opcode = int.from_bytes(packet[1:3], "little")
        return self.answers.get(opcode) or [complete(opcode, bytes(1 + 8))]


@pytest.mark.parametrize("seed", FEW_SEEDS)
def test_an_accessory_on_a_hostile_controller_lives_on(seed):
    hostile = Hostile(seed)
    world = BenchWorld(parse(ACCESSORY), speed=None, seed=1)
    port = MemoryPort(Willing(hostile))
    session = Session("memory", port=port, settings=SessionSettings(listen_ms=0))
    world.use_dongle("lock", session)

    async def work() -> None:
        await session.ready()
        for _ in range(300):
            if port.link.open:
                port.say(hostile.piece())
            await asyncio.sleep(hostile.chance.random() / 10)
        assert await session.wait_for(*SERVING, timeout_s=60) in SERVING
        assert (await session.command(READ_ADDRESS)).status == 0
        await world.close_dongles()

    try:
        with world.session():
            world.loop.run_until_complete(work())
    finally:
        world.close()
    assert session.state is State.CLOSED
    assert isinstance(world._stacks["lock"], HardwareStack)


# Packets alone


@pytest.mark.parametrize("seed", SEEDS)
def test_hiding_keys_and_replacing_sets_survive_any_packets(seed):
    hostile, hider, sets = Hostile(seed), KeyHider(), LegacyAdvertising()
    for _ in range(2000):
        packet = hostile.piece()
        assert len(hider.hide(packet, sent=bool(hostile.chance.randrange(2)))) == len(packet)
        opcode = hostile.chance.randrange(0x2000, 0x2060)
        sets.to_controller(command(opcode, hostile.chance.randbytes(hostile.chance.randrange(40))))
        if is_whole(packet):  # as the session lets them through
            sets.to_host(packet)
    assert len(hider._heads) + len(hider._left) <= 4 * 4096
    assert len(sets._pending) <= 9


@pytest.mark.parametrize("seed", SEEDS)
def test_a_replay_of_anything_to_anybody_ends(seed):
    hostile = Hostile(seed)
    steps = [
        Step(bool(hostile.chance.randrange(2)), hostile.piece(), number) for number in range(300)
    ]
    player = Player(steps)
    player.begin()
    sent = 0
    while sent < 500:
        packet = hostile.piece()
        if is_whole(packet):  # as the session lets them through
            sent += 1
            player.host(packet)
    found = player.report()
    assert found.host_packets == 500
    assert found.left_out == sum(not is_whole(step.packet) for step in steps) > 0
    assert len(found.divergences) <= 1000
    assert found.lines()


# Radios, sniffers and daemons


@pytest.mark.parametrize("seed", SEEDS)
def test_any_octets_of_a_monitor_interface_are_a_frame_or_refused(seed):
    chance = random.Random(seed)
    for _ in range(2000):
        data = chance.randbytes(chance.randrange(80))
        if chance.random() < 0.7:
            data = b"\0\0" + chance.randrange(60).to_bytes(2, "little") + data
        with contextlib.suppress(DecodeError):
            heard = bare_frame(data)
            assert heard is None or len(heard.frame) <= len(data)


async def test_a_flood_of_frames_leaves_the_loop_its_turn():
    class Flood:
        """A socket that always has one more frame."""

        def recv(self, octets):
            return radiotap.header() + bytes(40)

        def settimeout(self, seconds):
            pass

        close = fileno = lambda self: 0

    radio = MonitorRadio("wlan0mon", Flood)
    radio._socket = Flood()
    heard = []
    radio.on_heard = heard.append
    radio._read()
    assert 0 < len(heard) <= 1000


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_hostile_firmware_of_a_radio_is_counted_and_the_next_frame_is_heard(seed):
    hostile, port = Hostile(seed), MemoryPort(Dongle())
    radio = SerialRadio("serial:/dev/ttyACM0", lambda _: port)
    heard = []
    radio.on_heard = heard.append
    await radio.open()
    for _ in range(300):
        port.say(hostile.piece() if hostile.chance.random() < 0.5 else wrapped(hostile))
    await asyncio.sleep(0.1)
    assert sum(radio.counts.values()) > 0
    heard.clear()
    port.say(b"\xc0" + carried(ord("R"), 1, 6, -48, b"frame" * 8))
    await asyncio.sleep(0.1)
    assert [each.frame for each in heard] == [b"frame" * 8]
    await radio.close()


async def test_a_line_that_takes_nothing_costs_bounded_memory_and_frames_count_as_not_sent():
    port = MemoryPort(Dongle())
    radio = SerialRadio("serial:/dev/ttyACM0", lambda _: port)
    fates = []
    radio.on_sent = lambda number, acked: fates.append(acked)
    await radio.open()
    port.stuck = True
    for number in range(1000):
        radio.send(number, bytes(1000), 6)
    assert port.link.buffered <= 65536 + 1100
    assert fates == [False] * radio.counts["frames that the line did not take"]
    assert len(fates) > 900
    await radio.close()


@pytest.mark.parametrize("kind", ["nrf-sniffer", "sniffle"])
@pytest.mark.parametrize("seed", FEW_SEEDS)
async def test_a_hostile_sniffer_is_refused_or_counted(kind, seed):
    hostile, packets = Hostile(seed), []

    class Board(Dongle):
        def feed(self, data, now=0):
            return [hostile.chance.choice((hostile.piece, lambda: data))() for _ in range(5)]

    port = MemoryPort(Board())
    sniffer = Sniffer("serial:/dev/ttyACM0", kind, packets.append, port=lambda _: port)
    with contextlib.suppress(BridgeError):
        await sniffer.start()
        for _ in range(300):
            port.say(hostile.piece() + hostile.chance.choice((b"", b"\xab", b"\xbc", b"\r\n")))
            await asyncio.sleep(0.01)
    await sniffer.close()
    assert asyncio.get_running_loop().time() < 60
    assert all(len(each.pdu) <= 65536 for each in packets)


class Deaf:
    """A control whose daemon says what a test wants."""

    path = "/run/nan0"

    def __init__(self, reply: str) -> None:
        self.reply = reply

    async def command(self, text: str) -> str:
        return self.reply


async def test_a_reply_of_thousands_of_digits_is_text_and_no_fault():
    told = []
    node = WpaNode(Deaf("9" * 5000), told.append)
    await node.do({"cmd": "publish", "service": "x"})
    assert told == [{"ok": {"handle": "9" * 5000}}]


def test_fields_of_an_event_cannot_give_it_another_name():
    from hw_bridge.wpa_control import read_event

    told = []
    node = WpaNode(Deaf(""), told.append)
    node.on_event(read_event("<3>NAN-RECEIVE id=1 event=pairing_result nik=00ff"))
    assert told == [{"event": "followup", "id": 1, "nik": "••••••"}]
