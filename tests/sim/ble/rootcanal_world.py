"""rootcanal, the virtual controller of Android, behind the interface of `raw_host`: a judge that owes us nothing.

Each TCP connection to its HCI port is a controller. Rules of the file: real time, on the loopback interface only;
what was started is stopped, and everything waits for a bounded time.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import platform
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from bumble import hci as typed_hci
from bumble.device import Device
from raw_host import RawHost

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

hci: Any = typed_hci
START_S, ANSWER_S = 10.0, 2.0
HEADERS = {
    0x02: (4, 2, 2),
    0x04: (2, 1, 1),
    0x05: (4, 2, 2),
}  # type -> octets, offset and octets of the length


def binary() -> Path:
    """The program; skips the test where there is none, fails it where CI should have installed it."""
    runs_here = (platform.system(), platform.machine()) in (
        ("Linux", "x86_64"),
        ("Darwin", "x86_64"),
    )
    if importlib.util.find_spec("rootcanal") is not None:
        from rootcanal.binaries import (  # pyright: ignore[reportMissingImports] # optional
            get_package_binary_resource_path,
        )

        path: Path = get_package_binary_resource_path("rootcanal")
        return path
    message = (
        "rootcanal is not installed: .venv/bin/pip install -e '.[judge]' (x86-64 Linux and macOS)"
    )
    if os.environ.get("CI") and runs_here:
        pytest.fail(message)
    pytest.skip(message)


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        made = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in made:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in made]


class Process:
    """rootcanal on free ports, until `stop`."""

    def __init__(self) -> None:
        self.port, *others = _free_ports(4)
        names = ("test_port", "link_port", "link_ble_port")
        options = [f"-{name}={port}" for name, port in zip(names, others, strict=True)]
        self.process = subprocess.Popen(
            [str(binary()), f"-hci_port={self.port}", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + START_S
        while not self._listens():
            code = self.process.poll()
            if code is not None or time.monotonic() > until:
                self.stop()
                pytest.fail(f"rootcanal does not listen after {START_S} s, exit code {code}")
            time.sleep(0.05)

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1.0).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(5.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5.0)


class Wire(asyncio.Protocol):
    """H4 over TCP; a bumble packet source and sink at once."""

    def __init__(self) -> None:
        self.transport: Any = None
        self.buffer = b""
        self.host: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        if (
            sys.platform == "linux"
        ):  # its server writes in pieces: acknowledge at once, or wait 40 ms
            quick = self.transport.get_extra_info("socket")
            quick.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        self.buffer += data
        while len(self.buffer) > 4:
            octets, at, size = HEADERS[self.buffer[0]]
            length = int.from_bytes(self.buffer[1 + at : 1 + at + size], "little")
            end = 1 + octets + length
            if len(self.buffer) < end:
                return
            packet, self.buffer = self.buffer[:end], self.buffer[end:]
            if self.host is not None:
                self.host.on_packet(packet)

    def set_packet_sink(self, sink: Any) -> None:
        self.host = sink

    def on_packet(self, packet: bytes) -> None:
        self.transport.write(packet)

    def close(self) -> None:
        self.host = None
        self.transport.close()


class _Now:
    """The clock that `RawHost` stamps its events with."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._start_s = loop.time()

    @property
    def now_us(self) -> int:
        return round((self._loop.time() - self._start_s) * 1e6)


class RootcanalWorld:
    """A process of its own, and controllers in it: some commands end the program."""

    def __init__(self) -> None:
        self._process = Process()
        self._port = self._process.port
        self._asyncio = asyncio.new_event_loop()
        self.loop = _Now(self._asyncio)
        self._wires: list[Wire] = []

    def __enter__(self) -> RootcanalWorld:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            for wire in self._wires:
                wire.close()
            for task in asyncio.all_tasks(self._asyncio):
                task.cancel()
            self.run(20_000)
            self._asyncio.close()
        finally:
            self._process.stop()

    def run(self, duration_us: int) -> None:
        self._asyncio.run_until_complete(asyncio.sleep(duration_us / 1e6))

    def do(self, task: Coroutine[Any, Any, Any], *, limit_s: float = 15.0) -> Any:
        """Run a coroutine to its end, at most `limit_s`."""
        return self._asyncio.run_until_complete(asyncio.wait_for(task, limit_s))

    def wire(self) -> Wire:
        task = self._asyncio.create_connection(Wire, "127.0.0.1", self._port)
        _, wire = self._asyncio.run_until_complete(task)
        self._wires.append(wire)
        return wire

    def host(self, name: str, **_: Any) -> RootcanalHost:
        """Its public address is rootcanal's choice."""
        return RootcanalHost(self, name, self.wire())

    def device(self, name: str, address: str) -> Device:
        wire = self.wire()
        device = Device.with_hci(name, hci.Address(address), wire, wire)
        self.do(device.power_on())
        return device

    def vanish(self, host: Any) -> None:
        """Its power is gone."""
        host.controller.close()
        self.run(0)


def _answers(event: bytes, opcode: bytes) -> bool:
    """Whether it is the Command Complete or Command Status of `opcode`."""
    return event[4:6] == opcode if event[1] == 0x0E else event[1] == 0x0F and event[5:7] == opcode


class RootcanalHost(RawHost):
    """`RawHost` on a controller of rootcanal; it waits for answers."""

    def __init__(self, world: Any, name: str, wire: Wire) -> None:
        self.world = world
        self.name = name
        self.events: list[tuple[int, bytes]] = []
        self.controller: Any = wire
        wire.set_packet_sink(self)
        self.reset()

    def raw(self, packet: bytes) -> list[bytes]:
        before = len(self.events)
        self.controller.on_packet(packet)
        until_us = self.world.loop.now_us + ANSWER_S * 1e6
        octets = packet[1:3]
        while self.world.loop.now_us < until_us:
            self.world.run(1000)
            got = [event for _, event in self.events[before:]]
            if any(_answers(event, octets) for event in got):
                return got
        return [event for _, event in self.events[before:]]

    def command(self, command: Any) -> bytes:
        octets = command.op_code.to_bytes(2, "little")
        for event in self.raw(bytes(command)):
            if _answers(event, octets):
                return event[6:] if event[1] == 0x0E else event[3:4]
        raise AssertionError(f"no answer to {command.name}")
