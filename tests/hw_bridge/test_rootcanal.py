"""A foreign controller behind the bridge: number 33 of digest 9, with rootcanal over TCP."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import platform
import socket
import subprocess

import pytest
from bumble import hci
from bumble.device import Device, Peer
from bumble.gatt import Characteristic, Service
from bumble.host import Host as BumbleHost

from hw_bridge.bumble_host import BumbleTransport
from hw_bridge.session import Session, SessionSettings
from hw_bridge.states import State
from tests.hw_bridge.real_time import real_time

SERVICE, VALUE = "7d2a4f10-0f4c-4d0a-9a57-3c1e2b6f0a01", "7d2a4f11-0f4c-4d0a-9a57-3c1e2b6f0a01"


def program() -> str:
    """The binary; skips without it, fails where CI should have installed it."""
    if importlib.util.find_spec("rootcanal") is not None:
        from rootcanal.binaries import (  # pyright: ignore[reportMissingImports] # optional
            get_package_binary_resource_path,
        )

        return str(get_package_binary_resource_path("rootcanal"))
    message = (
        "rootcanal is not installed: .venv/bin/pip install -e '.[judge]' (x86-64 Linux and macOS)"
    )
    if os.environ.get("CI") and (platform.system(), platform.machine()) == ("Linux", "x86_64"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture
def number():
    """HCI port of a running rootcanal."""
    with contextlib.ExitStack() as stack:
        made = [stack.enter_context(socket.socket()) for _ in range(4)]
        for each in made:
            each.bind(("127.0.0.1", 0))
        numbers = [each.getsockname()[1] for each in made]
    names = ("hci_port", "test_port", "link_port", "link_ble_port")
    options = [f"-{name}={each}" for name, each in zip(names, numbers, strict=True)]
    process = subprocess.Popen(
        [program(), *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield numbers[0]
    process.terminate()
    process.wait(10)


async def device(session: Session, name: str, address: str) -> Device:
    session.start()
    await session.ready()
    transport = BumbleTransport(session)
    host = BumbleHost(transport.source, transport.sink)
    return Device(name=name, address=hci.Address(address), host=host)


@pytest.mark.slow
@real_time
async def test_33_two_controllers_of_rootcanal_meet_through_two_sessions(number):
    sessions = [
        Session(f"tcp-client:127.0.0.1:{number}", settings=SessionSettings(listen_ms=20))
        for _ in range(2)
    ]
    phone = await device(sessions[0], "phone", "F0:00:00:00:00:01")
    lamp = await device(sessions[1], "lamp", "F0:00:00:00:00:02")
    value = Characteristic(
        VALUE, Characteristic.Properties.READ, Characteristic.READABLE, b"a lamp's value"
    )
    lamp.add_service(Service(SERVICE, [value]))
    async with asyncio.timeout(15):
        await phone.power_on()
        await lamp.power_on()
        await lamp.start_advertising()
        connection = await phone.connect(lamp.random_address)
        peer = Peer(connection)
        await peer.discover_services()
        await peer.discover_characteristics()
        found = peer.get_characteristics_by_uuid(value.uuid)[0]
        assert await found.read_value() == b"a lamp's value"
        await connection.disconnect()
    assert [session.state for session in sessions] == [State.READY] * 2
    assert all(session.counters()["octets skipped"] == 0 for session in sessions)
    for session in sessions:
        await session.close()
