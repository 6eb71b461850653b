"""A controller in trouble, lost and back again: who resets it, and what its device does afterwards."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from hw_bridge.healing import Healer
from hw_bridge.states import State, Trigger
from tests.hw_bridge.scripted import (
    LE_CONNECTED,
    RESET,
    Dongle,
    Host,
    MemoryPort,
    opened,
    status,
)
from tests.hw_bridge.test_attach import PHONE, VISIT, Bench, steps

CREATE_CONNECTION = 0x200D


async def degraded(port, session) -> None:
    port.say(b"\xee" * 5)
    await session.wait_for(State.DEGRADED)


async def test_a_degraded_controller_is_begun_anew_once_it_has_no_connection():
    port = MemoryPort(Dongle())
    session = await opened(port)
    host = Host(session)
    Healer(session)
    port.say(LE_CONNECTED)
    await degraded(port, session)
    before = port.dongle.opcodes().count(RESET)
    assert await session.wait_for(State.READY, timeout_s=20) is State.DEGRADED
    port.say(bytes.fromhex("04050400400013"))
    assert await session.wait_for(State.READY, timeout_s=20) is State.READY
    assert port.dongle.opcodes().count(RESET) == before + 1
    await host.until(lambda: "returned" in host.kinds())
    await session.close()


async def test_a_line_that_stays_noisy_is_begun_anew_less_and_less_often():
    port = MemoryPort(Dongle())
    session = await opened(port)
    Healer(session)
    stamps = []
    for _ in range(6):
        await degraded(port, session)
        await session.wait_for(State.READY, timeout_s=100)
        stamps.append(session.life.transitions[-1].t_us)
    gaps = [later - earlier for earlier, later in itertools.pairwise(stamps)]
    assert gaps == sorted(gaps)
    assert gaps[-1] > 30_000_000
    await session.close()


async def test_what_is_lost_while_it_waits_is_not_begun_anew():
    port = MemoryPort(Dongle())
    session = await opened(port)
    Healer(session)
    await degraded(port, session)
    port.unplug()
    resets = port.dongle.opcodes().count(RESET)
    await asyncio.sleep(30)
    assert session.state in (State.ABSENT, State.BACKOFF)
    assert port.dongle.opcodes().count(RESET) == resets
    await session.close()


def test_an_attached_accessory_comes_out_of_trouble_by_itself():
    text = PHONE + steps("phone", "wait for=8s", *VISIT, "read uuid=2a00")
    bench = Bench(text, "thermometer")
    bench.run(6, lambda: bench.session.life.move(Trigger.TROUBLE, "noise"))
    assert bench.of("controller_back", "thermometer")
    assert bench.session.life.transitions[-2].state is State.READY
    assert bench.of("read", "phone")
    assert not bench.world._scripts.failures


async def test_a_connection_that_is_being_made_is_not_cut_off():
    port = MemoryPort(Dongle())
    port.dongle.answers[CREATE_CONNECTION] = [status(CREATE_CONNECTION)]
    session = await opened(port)
    host = Host(session)
    Healer(session)
    await host.ask(CREATE_CONNECTION, bytes(25))
    await degraded(port, session)
    assert await session.wait_for(State.READY, timeout_s=20) is State.DEGRADED
    port.say(LE_CONNECTED[:4] + b"\x02" + LE_CONNECTED[5:])  # none came about
    assert await session.wait_for(State.READY, timeout_s=20) is State.READY
    await session.close()


def heard_after(bench: Bench, event: str) -> list[str]:
    """Whom the phone heard after the last `event`."""
    since_us = bench.of(event, "phone")[-1].t_us
    return [one.peer for one in bench.of("heard", "phone") if one.t_us > since_us]


def test_an_attached_observer_comes_out_of_trouble_and_goes_on_listening():
    bench = Bench(PHONE + steps("phone", "scan"), "phone")
    bench.run(6, lambda: bench.session.life.move(Trigger.TROUBLE, "noise"))
    assert bench.session.life.transitions[-2].state is State.READY
    assert "thermometer" in heard_after(bench, "controller_back")
    assert len(bench.of("scanning_again", "phone")) == 1


def test_a_phone_that_does_not_scan_does_not_begin_to():
    bench = Bench(PHONE + steps("phone", "scan", "wait for=1s", "stop_scan"), "phone")
    bench.run(6, lambda: bench.session.life.move(Trigger.TROUBLE, "noise"))
    assert bench.session.life.transitions[-2].state is State.READY
    assert heard_after(bench, "controller_back") == []


@pytest.mark.parametrize("wish", ["scan", "stop_scan"])
def test_what_a_phone_wants_while_its_dongle_is_away_holds_when_it_is_back(wish):
    before = ["scan"] if wish == "stop_scan" else []
    bench = Bench(PHONE + steps("phone", *before, "wait for=7s", wish), "phone")

    def unplug() -> None:
        bench.port.unplug()
        bench.world.loop.call_later(3, setattr, bench.port, "there", True)

    bench.run(6, unplug)
    assert not bench.world._scripts.failures
    assert bool(heard_after(bench, "controller_back")) is (wish == "scan")


@pytest.mark.parametrize("node", ["phone", "thermometer"])
def test_a_dongle_that_goes_while_its_device_starts_anew_is_waited_for_again(node):
    bench = Bench(PHONE + steps("phone", "scan", "wait for=1s"), node)
    went = []

    packets = []

    def go_again(event) -> None:
        if event.event == "controller_back":
            packets.clear()
        elif event.event == "packet":
            packets.append(event)
            if bench.of("controller_back") and len(packets) == 6 and len(went) < 3:
                went.append(event.t_us)
                bench.world.loop.call_soon(pull)

    def pull() -> None:
        bench.port.unplug()
        bench.world.loop.call_later(1, setattr, bench.port, "there", True)

    bench.world.trace.add_sink(go_again)
    bench.run(20, pull)
    assert len(went) == 3
    assert [one for one in bench.of("controller_away", node) if "starting anew" in one.note]
    assert not bench.world._scripts.failures
    hearer_heard = [one for one in bench.of("heard", "phone") if one.t_us > went[-1] + 5_000_000]
    assert hearer_heard, "in the end all is as before"
