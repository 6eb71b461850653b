"""Dongles that do what a test says: one brain, served in memory (virtual time) or over a PTY (real octets)."""

from __future__ import annotations

import asyncio
import os
import tty
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from hw_bridge.errors import LostError, NotFoundError
from hw_bridge.link import LinkInfo
from hw_bridge.session import Session, SessionSettings
from protocols.hci.framing import Received
from protocols.hci.h4 import H4Framer
from protocols.hci.replies import opcode_of

if TYPE_CHECKING:
    from hw_bridge.client import Notice
    from protocols.hci.framing import Framer

RESET, READ_VERSION, READ_ADDRESS, RANDOM = 0x0C03, 0x1001, 0x1009, 0x2018
LE_CONNECTED = bytes.fromhex(
    "043e1301 00 4000 00 00 665544332211 1800 0000 4800 00".replace(" ", "")
)
HANDLE = 0x0040


def event(code: int, parameters: bytes) -> bytes:
    return bytes((4, code, len(parameters))) + parameters


def complete(opcode: int, parameters: bytes = b"\0", credits_: int = 1) -> bytes:
    return event(0x0E, bytes((credits_,)) + opcode.to_bytes(2, "little") + parameters)


def status(opcode: int, code: int = 0, credits_: int = 1) -> bytes:
    return event(0x0F, bytes((code, credits_)) + opcode.to_bytes(2, "little"))


def nop(credits_: int = 1) -> bytes:
    return complete(0, b"", credits_)


def completed(handle: int = HANDLE, count: int = 1) -> bytes:
    return event(0x13, b"\x01" + handle.to_bytes(2, "little") + count.to_bytes(2, "little"))


def report(number: int = 0) -> bytes:
    """An LE Advertising Report."""
    return event(0x3E, b"\x02\x01\x00\x01" + number.to_bytes(6, "little") + b"\x03\x02\x01\x06\xc4")


def acl(data: bytes, handle: int = HANDLE, boundary: int = 2) -> bytes:
    head = (handle | boundary << 12).to_bytes(2, "little") + len(data).to_bytes(2, "little")
    return b"\x02" + head + data


def version(manufacturer: int = 0x05F1, lmp: int = 0xFFFF, revision: int = 0) -> bytes:
    numbers = (manufacturer.to_bytes(2, "little"), lmp.to_bytes(2, "little"))
    return b"\0\x0d" + revision.to_bytes(2, "little") + b"\x0d" + b"".join(numbers)


class Dongle:
    """A controller: answers to commands by opcode, and knobs for what may go wrong with it."""

    def __init__(self, address: str = "c0:11:22:33:44:55", *, framer: Framer | None = None) -> None:
        self.framer = framer or H4Framer(to_host=False)
        self.received: list[bytes] = []
        self.answers: dict[int, list[bytes]] = {
            RESET: [complete(RESET)],
            READ_VERSION: [complete(READ_VERSION, version())],
            READ_ADDRESS: [
                complete(READ_ADDRESS, b"\0" + bytes.fromhex(address.replace(":", ""))[::-1])
            ],
            0x1003: [complete(0x1003, b"\0" + (1 << 37).to_bytes(8, "little"))],
            0x2002: [complete(0x2002, b"\0\xfb\0\x03")],
            RANDOM: [complete(RANDOM, bytes(9))],
        }
        self.mute = False
        self.resets_ignored = 0
        self.banner = b""
        """Sent when it is opened."""

    def opcodes(self) -> list[int]:
        """Of the commands that came."""
        return [opcode_of(packet) for packet in self.received if packet[0] == 1]

    def feed(self, data: bytes, now: int = 0) -> list[bytes]:
        """What it says to octets of the host."""
        out: list[bytes] = []
        self.framer.receive(data, now)
        while (found := self.framer.next_event()) is not None:
            if isinstance(found, Received):
                self.received.append(found.packet)
                out += self.answer(found.packet)
        return out

    def answer(self, packet: bytes) -> list[bytes]:
        if self.mute or packet[0] != 1:
            return []
        opcode = opcode_of(packet)
        if opcode == RESET and self.resets_ignored:
            self.resets_ignored -= 1
            return []
        return self.answers.get(opcode, [complete(opcode, b"\x01")])


class MemoryLink:
    """The link of a MemoryPort."""

    def __init__(self, port: MemoryPort, receiver) -> None:
        self.port, self.receiver = port, receiver
        self.info = port.info
        self.taken = 0
        self.reading = True
        self.open = True
        self._out = bytearray()
        self._in: deque[bytes] = deque()
        self._loop = asyncio.get_running_loop()

    @property
    def buffered(self) -> int:
        return len(self._out)

    def write(self, data: bytes) -> None:
        if self.open:
            self._out += data
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        if self.port.stuck or not self.open or not self._out:
            return
        data, self._out = bytes(self._out), bytearray()
        self.taken += len(data)
        for packet in self.port.dongle.feed(data):
            self.say(packet)
        self.receiver.on_writable()

    def say(self, data: bytes) -> None:
        self._in.append(data)
        self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        while self._in and self.reading and self.open:
            self.receiver.on_data(self._in.popleft())

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True
        self._loop.call_soon(self._deliver)

    async def close(self) -> None:
        self.open = False


class MemoryPort:
    """A port without octets on a wire, for tests in virtual time."""

    needs_probe = True

    def __init__(self, dongle: Dongle, **info) -> None:
        self.dongle = dongle
        self.info = LinkInfo(node="memory", **info)
        self.there = True
        self.stuck = False
        self.error: Exception | None = None
        self.opened = 0
        self.link: MemoryLink | None = None

    def framer(self) -> H4Framer:
        return H4Framer()

    def present(self) -> bool:
        return self.there

    async def open(self, receiver) -> MemoryLink:
        if self.error is not None:
            raise self.error
        if not self.there:
            raise NotFoundError("memory: not there")
        self.opened += 1
        self.link = MemoryLink(self, receiver)
        if self.dongle.banner:
            self.link.say(self.dongle.banner)
        return self.link

    async def close(self) -> None:
        pass

    def unplug(self) -> None:
        self.there = False
        if self.link is not None and self.link.open:
            self.link.open = False
            self.link.receiver.on_lost(LostError("memory: unplugged"))

    def plug(self, dongle: Dongle | None = None) -> None:
        self.there, self.dongle = True, dongle or self.dongle

    def say(self, *packets: bytes) -> None:
        for packet in packets:
            self.link.say(packet)


class PtyDongle:
    """A dongle behind a real PTY; `path` is a link that stays when the terminal changes."""

    def __init__(self, path, dongle: Dongle) -> None:
        self.path, self.dongle = str(path), dongle
        self.master = -1
        self.slave = -1
        self.plug()

    def plug(self) -> None:
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        os.set_blocking(self.master, False)
        Path(self.path).symlink_to(os.ttyname(self.slave))
        asyncio.get_running_loop().add_reader(self.master, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return
        for packet in self.dongle.feed(data, round(asyncio.get_running_loop().time() * 1e6)):
            os.write(self.master, packet)

    def say(self, data: bytes) -> None:
        os.write(self.master, data)

    def unplug(self) -> None:
        if self.master >= 0:
            Path(self.path).unlink()
            asyncio.get_running_loop().remove_reader(self.master)
            os.close(self.slave)
            os.close(self.master)
            self.master = -1

    async def __aenter__(self) -> PtyDongle:
        return self

    async def __aexit__(self, *exc) -> None:
        self.unplug()


class Host:
    """A client that keeps what it gets; `room` off makes it a slow one."""

    def __init__(self, session: Session, *, room: bool = True) -> None:
        self.session = session
        self.packets: list[bytes] = []
        self.notices: list[Notice] = []
        self.room = room
        self._news = asyncio.Event()
        session.attach(self)

    def on_packet(self, packet: bytes) -> bool:
        if self.room:
            self.packets.append(packet)
            self._news.set()
        return self.room

    def on_notice(self, notice: Notice) -> None:
        self.notices.append(notice)
        self._news.set()

    def on_room(self) -> None:
        self._news.set()

    async def until(self, wanted, timeout_s: float = 5.0):
        """Wait until `wanted()` holds."""
        async with asyncio.timeout(timeout_s):
            while not (found := wanted()):
                self._news.clear()
                await self._news.wait()
        return found

    async def ask(self, opcode: int, parameters: bytes = b"") -> bytes:
        """The packet that answers a command."""
        before = len(self.packets)
        self.session.send(
            b"\x01" + opcode.to_bytes(2, "little") + bytes((len(parameters),)) + parameters
        )
        await self.until(lambda: len(self.packets) > before)
        return self.packets[-1]

    def kinds(self) -> list[str]:
        return [notice.kind for notice in self.notices if notice.kind not in ("state", "note")]


QUICK = SessionSettings(listen_ms=20, listen_again_ms=10)
"""For PTYs, where time is real."""


async def opened(port: MemoryPort, **settings) -> Session:
    """A session on a port in memory, in use."""
    session = Session("memory", port=port, settings=SessionSettings(**settings))
    session.start()
    await session.ready()
    return session
