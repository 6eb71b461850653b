"""A real dongle: `pytest tests/hw_bridge/test_hardware.py --hw serial:/dev/ttyACM0`. Skipped without one.

A controller that another program serves (`tcp-client:`, `unix:`) does as well; what needs a device to hold in the hand
is skipped with it. Rule of the file: every session is closed, whatever became of its test: the next test wants the dongle.
"""

from __future__ import annotations

import contextlib

import pytest

from hw_bridge.probe import probe
from hw_bridge.session import Session
from hw_bridge.states import State
from hw_bridge.transports import parse
from protocols.hci.replies import reply_of
from tests.hw_bridge.real_time import real_time
from tests.hw_bridge.scripted import RANDOM, READ_ADDRESS, READ_VERSION, RESET, Host

DEVICES = ("serial", "usb", "hci-socket")
"""Schemes behind which there is something that can be unplugged, and that the system gives to one program."""


@pytest.fixture
def moniker(request):
    given = request.config.getoption("--hw")
    if given is None:
        pytest.skip(
            "needs a dongle: pytest tests/hw_bridge/test_hardware.py --hw serial:/dev/ttyACM0"
        )
    return given


@contextlib.asynccontextmanager
async def started(moniker):
    session = Session(moniker)
    session.start()
    try:
        yield session
    finally:
        await session.close()


@contextlib.asynccontextmanager
async def in_use(moniker):
    async with started(moniker) as session:
        await session.ready()
        yield session


@real_time
async def test_02_it_answers_and_says_who_it_is(moniker):
    report = await probe(moniker)
    assert report.speaks in ("hci", "h5"), report
    assert report.is_controller
    assert report.missing == ()


@real_time
async def test_14_it_can_be_opened_and_closed_again_and_again(moniker):
    for _ in range(3):
        async with in_use(moniker) as session:
            host = Host(session)
            for _ in range(20):
                assert (await host.ask(RESET))[-1] == 0
            assert session.counters()["octets skipped"] == 0


@real_time
async def test_16_every_reply_answers_its_own_command(moniker):
    async with in_use(moniker) as session:
        host = Host(session)
        for opcode in [RESET, *(READ_VERSION, READ_ADDRESS, RANDOM) * 30]:
            assert reply_of(await host.ask(opcode)).opcode == opcode
        assert session.counters()["replies that no command waits for"] == 0


@real_time
async def test_25_a_second_opening_is_refused_with_the_reason(moniker):
    if parse(moniker).scheme not in DEVICES:
        pytest.skip(
            "the system does not guard a controller that a program serves: its server refuses the second "
            "client, which is number 23 (test_expose.py)"
        )
    async with in_use(moniker) as first, started(moniker) as second:
        assert await second.wait_for(State.BLOCKED, State.READY, timeout_s=8) is State.BLOCKED
        assert second.life.reason
        assert (await Host(first).ask(RESET))[-1] == 0


@real_time
async def test_12_it_returns_after_it_was_unplugged(moniker, request):
    if parse(moniker).scheme not in DEVICES:
        pytest.skip("there is nothing to unplug: number 12 of test_failures.py plays it")
    async with in_use(moniker) as session:
        with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
            print("\nunplug the dongle within 8 s, and plug it in again", flush=True)
        lost = (State.LOST, State.BACKOFF, State.ABSENT)
        if await session.wait_for(*lost, timeout_s=8) not in lost:
            pytest.skip("nobody unplugged it")
        assert await session.wait_for(State.READY, timeout_s=8) is State.READY
