"""The session by itself: its table of states, hostile controllers and hosts, taps, three-wire lines."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from hw_bridge.activity import Activity
from hw_bridge.backoff import Backoff
from hw_bridge.command_gate import CommandGate, Timeouts
from hw_bridge.data_credits import Buffers, DataCredits
from hw_bridge.errors import BridgeError, LostError, RefusedError
from hw_bridge.identify import Facts
from hw_bridge.outbox import Outbox
from hw_bridge.session import Session
from hw_bridge.states import SERVING, TRANSITIONS, State, Trigger
from protocols.hci.replies import command, reply_of
from tests.hw_bridge.scripted import (
    HANDLE,
    LE_CONNECTED,
    RANDOM,
    READ_ADDRESS,
    RESET,
    Dongle,
    Host,
    MemoryPort,
    acl,
    complete,
    event,
    opened,
    report,
    status,
)


def test_every_state_but_the_last_has_a_way_out_and_can_be_closed():
    reached = {State.OPENING, State.ABSENT}
    for state, exits in TRANSITIONS.items():
        reached |= set(exits.values())
        if state is not State.CLOSED:
            assert exits[Trigger.CLOSE] is State.CLOSED
            assert set(exits.values()) - {state, State.CLOSED}
    assert reached == set(State) == set(TRANSITIONS)


def test_whatever_is_in_use_can_be_lost():
    for state in SERVING | {State.PROBING, State.FIRMWARE, State.MUTE}:
        assert TRANSITIONS[state][Trigger.LOST] is State.LOST


def test_the_back_off_doubles_up_to_its_limit():
    backoff = Backoff(50, 1000)
    assert [backoff.delay_s() for _ in range(7)] == [0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
    backoff.reset()
    assert backoff.delay_s() == 0.05


async def test_a_port_that_only_trying_tells_of_is_tried_again_and_never_said_to_be_there():
    """As TCP: once a second from the sixth try on, as digest 8.1 has it for whatever may come back."""
    port = MemoryPort(Dongle())
    port.error = RefusedError("memory: nobody listens")
    session = Session("memory", port=port)
    session.start()
    await session.wait_for(State.READY, timeout_s=6)
    await session.close()
    tries = [each for each in session.life.transitions if each.state is State.OPENING]
    assert {each.reason for each in tries} == {"memory: tried again"}
    pauses_ms = [(b.t_us - a.t_us) // 1000 for a, b in itertools.pairwise(tries)]
    assert pauses_ms[:6] == [100, 200, 400, 800, 1000, 1000]


async def test_a_port_that_was_seen_to_be_away_is_there_when_it_is_seen():
    port = MemoryPort(Dongle())
    port.there = False
    session = Session("memory", port=port)
    session.start()
    await session.wait_for(State.READY, timeout_s=1)
    port.there = True
    assert await session.wait_for(State.READY, timeout_s=5) is State.READY
    port.unplug()
    await session.wait_for(State.READY, timeout_s=1)
    port.there = True
    assert await session.wait_for(State.READY, timeout_s=5) is State.READY
    await session.close()
    opening = [each.reason for each in session.life.transitions if each.state is State.OPENING]
    assert opening == ["memory is there"] * 2


def test_an_outbox_drops_only_what_may_be_dropped():
    outbox = Outbox(packets=2, octets=100)
    for number in range(5):
        outbox.put(bytes((number,)), droppable=True)
    outbox.put(b"kept", droppable=False)
    assert [len(outbox), outbox.dropped_reports] == [3, 3]
    taken = []
    while len(outbox):
        taken.append(outbox.first())
        outbox.pop()
    assert taken == [b"\0", b"\1", b"kept"]
    assert outbox.octets == 0


# Credits and the gate


def test_a_second_command_waits_for_the_reply_to_the_first():
    gate = CommandGate()
    gate.submit(command(RANDOM), 0)
    gate.submit(command(READ_ADDRESS), 0)
    assert gate.next_command(0) == command(RANDOM)
    assert gate.next_command(0) is None
    assert gate.on_reply(reply_of(complete(RANDOM, bytes(9))), 0).opcode == RANDOM
    assert gate.next_command(0) == command(READ_ADDRESS)


def test_a_reset_is_repeated_and_given_up_at_its_times():
    gate = CommandGate(Timeouts(reset=(500, 1000, 2000)))
    gate.submit(command(RESET), 0)
    sent, now = [], 0
    while True:
        if (packet := gate.next_command(now)) is not None:
            sent.append((now, packet))
        now = gate.deadline()
        pending, words = gate.expire(now)
        if words:
            break
    assert sent == [(0, command(RESET)), (500, command(RESET)), (1500, command(RESET))]
    assert (now, pending.opcode) == (3500, RESET)


def test_a_command_that_has_no_reply_holds_nothing_up():
    gate = CommandGate()
    gate.submit(command(RANDOM), 0)
    gate.submit(command(0x0C35, b"\x01\x40\0\x01\0"), 0)
    assert gate.next_command(0) == command(RANDOM)
    assert gate.next_command(0) == command(0x0C35, b"\x01\x40\0\x01\0")
    assert gate.outstanding.opcode == RANDOM


def credits_with(buffers):
    found = DataCredits()
    found.set_buffers(buffers)
    found.connected(1, "le")
    found.connected(2, "le")
    return found


def drain(found):
    sent = []
    while (packet := found.next_packet(0)) is not None:
        sent.append(packet)
    return sent


def test_never_more_data_than_buffers_and_a_disconnection_gives_them_back():
    found = credits_with(Buffers(le=(2, 27)))
    packets = [acl(bytes((number,)), handle=1 + number % 2) for number in range(6)]
    for packet in packets:
        assert found.submit(packet) == ""
    assert drain(found) == packets[:2]
    found.completed(1, 5)
    assert drain(found) == [packets[2]], "what was not sent cannot be completed"
    found.disconnected(1)
    assert drain(found) == [packets[3]]
    assert found.counts["data of connections that ended"] == 1


def test_le_data_use_the_classic_buffers_where_there_are_no_others():
    found = credits_with(Buffers(br=(1, 1021)))
    found.connected(3, "br")
    for handle in (1, 3):
        found.submit(acl(b"", handle=handle))
    assert drain(found) == [acl(b"", handle=1)]
    found.completed(1, 1)
    assert drain(found) == [acl(b"", handle=3)]


@pytest.mark.parametrize(
    ("packet", "fault"),
    [(acl(b"", handle=9), "unknown handle"), (acl(bytes(28), handle=1), "longer than")],
)
def test_data_that_the_controller_cannot_take_are_refused(packet, fault):
    assert credits_with(Buffers(le=(2, 27))).submit(packet).startswith(fault)


# LE Create BIG Complete (7.7.65.27) with handles 0x51 and 0x52, and its end
BIG_UP = event(0x3E, b"\x1b\0\x07" + bytes(15) + b"\x02\x51\0\x52\0")
BIG_DOWN = event(0x3E, b"\x1c\x07\x16")


def test_connections_of_every_kind_come_and_go():
    activity = Activity()
    for packet in (
        LE_CONNECTED,
        event(0x03, b"\0\x41\0" + bytes(6) + b"\x01\0"),
        event(0x2C, b"\0\x42\0" + bytes(14)),
        event(0x3E, b"\x19\0\x43\0" + bytes(25)),
        event(0x3E, b"\x0a\x3e\x44\0" + bytes(27)),
        BIG_UP,
    ):
        activity.on_event(packet)
    assert activity.handles == {
        0x40: "le", 0x41: "br", 0x42: "sco", 0x43: "cis", 0x51: "bis", 0x52: "bis",
    }  # fmt: skip
    assert activity.on_event(BIG_DOWN) == ([], [0x51, 0x52])
    assert activity.on_event(event(0x05, b"\0\x41\0\x13")) == ([], [0x41])
    assert activity.on_event(event(0x05, b"\x02\x40\0\x13")) == ([], [])
    activity.on_done(command(RESET), RESET)
    assert activity.handles == {}


async def test_a_client_that_raises_does_not_stop_the_reader():
    port = MemoryPort(Dongle())
    session = await opened(port)

    class Clumsy(Host):
        def on_packet(self, packet):
            super().on_packet(packet)
            raise ZeroDivisionError("clumsy")

    host = Clumsy(session)
    port.say(report(1), report(2))
    await host.until(lambda: len(host.packets) == 2)
    assert any("ZeroDivisionError: clumsy" in text for _, _, text in session.notes)
    await session.close()


# Looking on


async def test_a_tap_sees_what_passes_between_client_and_controller_and_nothing_else():
    port = MemoryPort(Dongle())
    session = await opened(port)
    host = Host(session)
    seen, octets, states = [], [], []

    class Watcher:
        def on_packet(self, packet, *, sent, t_us):
            seen.append((sent, packet))

        def on_octets(self, data, *, sent, t_us):
            octets.append((sent, data))

        def on_transition(self, transition):
            states.append(transition.state)

    stop = session.tap(Watcher())
    await host.ask(RANDOM)
    await session.command(READ_ADDRESS)
    assert seen == [(True, command(RANDOM)), (False, port.dongle.answers[RANDOM][0])]
    assert [data for sent, data in octets if sent] == [command(RANDOM), command(READ_ADDRESS)]
    stop()
    await host.ask(RANDOM)
    assert len(seen) == 2
    port.unplug()
    assert states == []
    await session.close()


async def test_the_bridges_own_commands_are_not_answered_to_the_client():
    port = MemoryPort(Dongle())
    session = await opened(port)
    host = Host(session)
    session.send(command(RANDOM))
    reply = await session.command(READ_ADDRESS)
    assert reply.opcode == READ_ADDRESS
    assert host.packets == port.dongle.answers[RANDOM]
    port.unplug()
    with pytest.raises(BridgeError):
        await session.command(READ_ADDRESS)
    await session.close()


async def test_closing_leaves_the_controller_tidy():
    port = MemoryPort(Dongle())
    port.dongle.answers |= {
        0x200A: [complete(0x200A)],
        0x0406: [status(0x0406), event(0x05, b"\0\x40\0\x16")],
    }
    session = await opened(port)
    host = Host(session)
    await host.ask(0x200A, b"\x01")
    port.say(LE_CONNECTED)
    await host.until(lambda: len(host.packets) == 2)
    port.dongle.received.clear()
    await session.close()
    assert port.dongle.received == [
        command(0x200A, b"\0"),
        command(0x0406, HANDLE.to_bytes(2, "little") + b"\x13"),
        command(RESET),
    ]


@pytest.mark.parametrize(
    ("first", "now", "same"),
    [("c0:01", "c0:01", True), ("c0:01", "c0:02", False), ("c0:01", "", True), ("", "", True)],
)
def test_a_device_is_the_same_by_its_address_or_else_by_its_maker(first, now, same):
    facts = Facts(hci_version=13, hci_revision=0, lmp_version=13, manufacturer=2, lmp_subversion=1)
    one, other = (msgspec.structs.replace(facts, address=each) for each in (first, now))
    assert other.may_be(one) is same
    assert not msgspec.structs.replace(other, manufacturer=3, address="").may_be(one)


# Three-wire over a PTY


async def test_a_link_that_is_lost_tells_once():
    port = MemoryPort(Dongle())
    session = await opened(port)
    host = Host(session)
    channel = session.life.channel
    for _ in range(3):
        channel.on_lost(LostError("gone"))
    assert host.kinds() == ["lost"]
    await session.close()
