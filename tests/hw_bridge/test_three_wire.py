"""Dongles on a three-wire line (H5) behind a session: number 28 of digest 9. The link layer's own tests stand beside it."""

from __future__ import annotations

import asyncio
import os
import random

import pytest

from hw_bridge.session import Session
from hw_bridge.states import State
from protocols.hci.framing import PacketFramer
from protocols.hci.h4 import H4Framer
from protocols.hci.h5 import H5Framer
from protocols.hci.h5_packets import Config
from tests.hw_bridge.real_time import real_time
from tests.hw_bridge.scripted import (
    QUICK,
    RANDOM,
    READ_ADDRESS,
    RESET,
    Dongle,
    Host,
    MemoryPort,
    complete,
)


class ThreeWire:
    """A dongle on H5 behind a PTY."""

    def __init__(self, path):
        self.dongle, self.end = (
            Dongle(framer=H4Framer(to_host=False)),
            H5Framer(Config(4, crc=True)),
        )
        self.master, self.slave = os.openpty()
        os.set_blocking(self.master, False)
        path.symlink_to(os.ttyname(self.slave))
        self.loop = asyncio.get_running_loop()
        self.loop.add_reader(self.master, self.read)
        self.timer = None
        self.write()

    def now(self):
        return round(self.loop.time() * 1e6)

    def read(self):
        self.end.receive(os.read(self.master, 4096), self.now())
        while (found := self.end.next_event()) is not None:
            for packet in self.dongle.feed(getattr(found, "packet", b"")):
                self.end.send(packet, self.now())
        self.write()

    def write(self):
        if octets := self.end.to_send(self.now()):
            os.write(self.master, octets)
        if self.timer is None and (due := self.end.next_timer()) is not None:
            self.timer = self.loop.call_at(due / 1e6, self.expire, due)

    def expire(self, due):
        self.timer = None
        self.end.handle_timer(due)
        self.write()

    def close(self):
        if self.timer is not None:
            self.timer.cancel()
        self.loop.remove_reader(self.master)
        os.close(self.master)
        os.close(self.slave)


@real_time
async def test_28_a_three_wire_dongle_is_used_and_its_restart_noticed(tmp_path):
    wire = ThreeWire(tmp_path / "dongle")
    session = Session(f"serial:{tmp_path}/dongle?framing=h5&crc=on", settings=QUICK)
    session.start()
    await session.ready()
    host = Host(session)
    assert (await host.ask(RANDOM))[6] == 0
    assert wire.end.config.crc
    wire.end = H5Framer(Config(4, crc=True))
    wire.write()
    await host.until(lambda: "returned" in host.kinds())
    assert session.state is State.READY
    assert (await host.ask(RESET))[-1] == 0
    await session.close()
    wire.close()


class BadLine(MemoryPort):
    """A dongle on H5 in memory; every octet of either direction may be lost or damaged."""

    def __init__(self, config, rate, *, flip=False, seed=28):
        super().__init__(Dongle(framer=PacketFramer()))
        self.config, self.rate, self.flip = config, rate, flip
        self.chance = random.Random(seed)
        self.feed = self.spoiled
        self.timer = None

    def framer(self):
        return H5Framer(self.config)

    async def open(self, receiver):
        self.end, self.loop = H5Framer(self.config), asyncio.get_running_loop()
        link = await super().open(receiver)
        honest, self.dongle = self.dongle, self
        self.answering = honest
        self.carry()
        return link

    banner = b""

    def spoil(self, octets):
        out = bytearray()
        for octet in octets:
            hit = self.chance.random() < self.rate
            if not hit or self.flip:
                out.append(octet ^ (1 << self.chance.randrange(8)) if hit else octet)
        return bytes(out)

    def now(self):
        return round(self.loop.time() * 1e6)

    def spoiled(self, data):
        """Takes octets of the host; what is said to them goes by `carry`."""
        self.end.receive(self.spoil(data), self.now())
        self.carry()
        return []

    def carry(self):
        while (found := self.end.next_event()) is not None:
            for packet in self.answering.feed(getattr(found, "packet", b"")):
                self.end.send(packet, self.now())
        while octets := self.end.to_send(self.now()):
            self.link.say(self.spoil(octets))
        if self.timer is None and (due := self.end.next_timer()) is not None:
            self.timer = self.loop.call_at(due / 1e6, self.expire, due)

    def expire(self, due):
        self.timer = None
        self.end.handle_timer(max(due, self.now()))
        self.carry()


@pytest.mark.parametrize(
    ("config", "rate", "flip"),
    [
        (Config(1), 0.01, False),
        (Config(7), 0.01, False),
        (Config(1, crc=True), 0.01, True),
        (Config(7, crc=True), 0.01, True),
    ],
    ids=["lost, window 1", "lost, window 7", "flipped, window 1", "flipped, window 7"],
)
async def test_28_every_command_over_a_bad_three_wire_line_gets_its_own_reply(config, rate, flip):
    port = BadLine(config, rate, flip=flip)
    session = Session("memory", port=port)
    session.start()
    await session.ready(60)
    host = Host(session)
    for _ in range(100):
        assert await host.ask(RANDOM) == complete(RANDOM, bytes(9))
        assert (await host.ask(READ_ADDRESS))[4:6] == b"\x09\x10"
    assert port.end.resends > 0, "the line was bad"
    assert host.kinds() == []
    await session.close()
    if port.timer is not None:
        port.timer.cancel()


async def test_28_a_three_wire_peer_that_never_comes_up_is_mute():
    port = MemoryPort(Dongle())
    port.framer = H5Framer
    session = Session("memory", port=port)
    session.start()
    assert await session.wait_for(State.MUTE) is State.MUTE
    assert asyncio.get_running_loop().time() <= 4.1
    await session.close()
