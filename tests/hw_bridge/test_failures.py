"""What goes wrong with dongles, by the numbers of digest 9: the session and the ways to the controller.

Tests without a port of their own run in virtual time on a port in memory; those with octets on a line use real PTYs
and sockets.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import re
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from hw_bridge import discover
from hw_bridge.bumble_host import BumbleTransport
from hw_bridge.errors import AccessError, BusyError, MuteError, NotFoundError, RefusedError
from hw_bridge.locks import holders_of
from hw_bridge.session import Session, SessionSettings
from hw_bridge.states import SERVING, State
from hw_bridge.transports import port_for
from protocols.errors import UsageError
from tests.hw_bridge.real_time import descriptors, real_time
from tests.hw_bridge.scripted import (
    HANDLE,
    LE_CONNECTED,
    QUICK,
    RANDOM,
    READ_ADDRESS,
    READ_VERSION,
    RESET,
    Dongle,
    Host,
    MemoryPort,
    PtyDongle,
    acl,
    complete,
    completed,
    event,
    nop,
    opened,
    report,
    status,
)

LOST_STATES = [State.LOST, State.BACKOFF, State.ABSENT]


def states(session: Session) -> list[State]:
    return [transition.state for transition in session.life.transitions]


def now_us() -> int:
    return round(asyncio.get_running_loop().time() * 1e6)


def test_every_number_of_the_list_has_a_test():
    folders = (Path(__file__).parent, Path(__file__).parents[1] / "protocols" / "hci")
    names = [
        name
        for folder in folders
        for file in sorted(folder.glob("test_*.py"))
        for name in re.findall(r"(?m)^(?:async )?def test_(\d\d)_", file.read_text("utf-8"))
    ]
    assert {int(name) for name in names} == set(range(1, 41))


async def settle(turns: int = 20) -> None:
    """Let what is ready run, without time passing."""
    for _ in range(turns):
        await asyncio.sleep(0)


# 1 to 3: before the first answer


async def test_01_a_mute_dongle_is_called_mute_in_four_seconds_with_hints():
    dongle = Dongle()
    dongle.mute = True
    session = Session("memory", port=MemoryPort(dongle))
    session.start()
    assert await session.wait_for(State.MUTE) is State.MUTE
    assert now_us() <= 4_000_000
    assert dongle.opcodes() == [RESET] * 3
    for word in ("baud", "TX and RX", "RTS/CTS"):
        assert word in session.life.reason
    with pytest.raises(MuteError, match="not one octet"):
        await session.ready()
    await session.close()


async def test_01_a_mute_dongle_is_asked_again_and_found_when_it_wakes_up():
    dongle = Dongle()
    dongle.mute = True
    port = MemoryPort(dongle)
    session = Session("memory", port=port)
    session.start()
    await session.wait_for(State.MUTE)
    dongle.mute = False
    began = now_us()
    port.say(nop())  # as Zephyr does when it has booted
    assert await session.wait_for(State.READY) is State.READY
    assert now_us() - began < 500_000
    await session.close()


async def test_01_the_tries_at_a_mute_dongle_get_rarer():
    dongle = Dongle()
    dongle.mute = True
    session = Session("memory", port=MemoryPort(dongle))
    session.start()
    await asyncio.sleep(60)
    retries = [each.t_us for each in session.life.transitions if each.state is State.MUTE]
    gaps = [later - earlier for earlier, later in itertools.pairwise(retries)]
    assert gaps == sorted(gaps)
    assert gaps[-1] >= 2 * gaps[0]
    await session.close()


async def test_02_a_dongle_that_answers_only_the_second_reset_is_ready():
    dongle = Dongle()
    dongle.resets_ignored = 1
    session = await opened(MemoryPort(dongle))
    assert dongle.opcodes()[:3] == [RESET, RESET, READ_VERSION]
    await session.close()


async def test_03_a_banner_is_skipped_and_kept():
    dongle = Dongle()
    dongle.banner = b"*** Booting Zephyr OS build v3.7.0 ***\r\n"
    session = await opened(MemoryPort(dongle))
    assert session.state is State.READY
    assert session.counters()["octets skipped"] == len(dongle.banner)
    assert b"".join(each.octets for each in session.skipped) == dongle.banner
    await session.close()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"uart:~$ help\r\n", "a console, or the wrong port ('uart:~$ help')"),
        (
            b"\x1b[1;32muart:~$ \x1b[mhelp\r\n",
            "a console, or the wrong port ('[1;32muart:~$ [mhelp')",
        ),
        (bytes(range(0xC0, 0x100)), "wrong baud or parity"),
    ],
)
async def test_03_a_console_is_named_as_one(said, words):
    dongle = Dongle()
    dongle.mute = True
    dongle.banner = said
    session = Session("memory", port=MemoryPort(dongle))
    session.start()
    await session.wait_for(State.MUTE)
    assert words in session.life.reason
    await session.close()


# 4 to 8: the stream. The tables of losses are in tests/protocols/hci/test_h4.py


async def test_04_garbage_degrades_and_a_reset_makes_it_ready_again():
    port = MemoryPort(Dongle())
    session = await opened(port)
    host = Host(session)
    port.say(report(1) + random.Random(4).randbytes(20) + report(2), report(3))
    await host.until(lambda: report(3) in host.packets)
    assert session.state is State.DEGRADED
    assert "Reset is due" in session.life.reason
    assert (await host.ask(RESET))[-1] == 0
    assert session.state is State.READY
    await session.close()


@pytest.mark.parametrize("stray", [b"\x01", b"\x02", b"\x04"])
@real_time
async def test_05_a_stray_octet_costs_at_most_five_packets(stray, tmp_path):
    async with PtyDongle(tmp_path / "dongle", Dongle()) as dongle:
        session = Session(f"serial:{dongle.path}", settings=QUICK)
        session.start()
        await session.ready()
        host = Host(session)
        dongle.say(stray + b"".join(report(number) for number in range(50)))
        last = report(49)
        await host.until(lambda: last in host.packets)
        assert len(set(host.packets) & {report(number) for number in range(50)}) >= 45
        await session.close()


async def test_06_a_length_beyond_the_limit_is_no_packet():
    port = MemoryPort(Dongle())
    session = await opened(port)
    host = Host(session)
    port.say(b"\x02\x40\x20\xff\xff" + report(1))
    await host.until(lambda: report(1) in host.packets)
    assert session.counters()["octets skipped"] == 5
    await session.close()


async def test_07_half_an_event_is_given_up_when_the_line_is_silent():
    port = MemoryPort(Dongle())
    session = await opened(port)
    host = Host(session)
    port.say(report(1)[:10])
    await asyncio.sleep(0.2)
    assert session.counters()["octets skipped"] == 10
    port.say(report(2))
    await host.until(lambda: host.packets == [report(2)])
    await session.close()


@pytest.mark.parametrize("size", [1, 4096])
async def test_08_pieces_of_any_size_give_the_same_packets(size):
    port = MemoryPort(Dongle())
    session = await opened(port)
    host = Host(session)
    port.say(LE_CONNECTED)
    wanted = [LE_CONNECTED] + [packet for n in range(40) for packet in (report(n), acl(bytes(n)))]
    stream = b"".join(wanted[1:])
    for start in range(0, len(stream), size):
        port.say(stream[start : start + size])
    await host.until(lambda: len(host.packets) >= len(wanted))
    assert host.packets == wanted
    await session.close()


# 9, 10: the controller by itself


async def test_09_a_nop_without_reason_is_a_restart():
    port = MemoryPort(Dongle())
    session = await opened(port)
    host = Host(session)
    port.say(LE_CONNECTED)
    await host.until(lambda: host.packets)
    port.dongle.answers[0x2015] = [complete(0x2015, b"\x02\x40\0\0\0\0\0\0")]
    port.say(nop())
    await host.until(lambda: "returned" in host.kinds())
    assert host.packets[1:] == [bytes.fromhex("04050400400008"), bytes.fromhex("04100100")]
    assert host.kinds() == ["lost", "returned"]
    assert session.state is State.READY
    await session.close()


async def test_09_a_nop_at_boot_with_no_connection_is_a_restart():
    port = MemoryPort(Dongle())
    session = await opened(port)
    host = Host(session)
    resets, generation = port.dongle.opcodes().count(RESET), session.generation
    port.say(nop())
    await host.until(lambda: "returned" in host.kinds())
    assert host.packets == [bytes.fromhex("04100100")], "no connection is there to be ended"
    assert port.dongle.opcodes().count(RESET) == resets + 1
    assert 0x2015 not in port.dongle.opcodes(), "there is no connection to ask for"
    assert (session.state, session.generation) == (State.READY, generation)
    await session.close()


async def test_09_a_nop_of_a_controller_that_kept_its_connections_is_none():
    port = MemoryPort(Dongle())
    session = await opened(port)
    host = Host(session)
    port.say(LE_CONNECTED)
    await host.until(lambda: host.packets)
    port.dongle.answers[0x2015] = [complete(0x2015, b"\x00\x40\0\xff\xff\xff\xff\x1f")]
    port.say(nop())
    await asyncio.sleep(1)
    assert (session.state, host.kinds()) == (State.READY, [])
    await session.close()


async def test_10_a_zephyr_crash_is_named_with_file_and_line():
    port = MemoryPort(Dongle())
    session = await opened(port)
    host = Host(session)
    port.dongle.mute = True
    crash = event(0xFF, b"\xaa" + b"ctlr/ull.c\0" + (1284).to_bytes(4, "little"))
    port.say(crash)
    await session.wait_for(State.MUTE)
    assert "crashed in ctlr/ull.c:1284" in session.life.reason
    assert crash in host.packets
    assert host.kinds() == ["lost"]
    assert (await host.ask(RESET))[-1] == 0x03
    await session.close()


# 11 to 15: unplugged and plugged


async def test_11_unplugged_while_idle_ends_every_connection():
    port = MemoryPort(Dongle())
    session = await opened(port)
    host = Host(session)
    port.say(LE_CONNECTED)
    await host.until(lambda: host.packets)
    port.unplug()
    assert host.packets[1:] == [bytes.fromhex("04050400400008")]
    assert session.state is State.LOST
    await session.close()


async def test_11_unplugged_with_a_command_pending_answers_it_first():
    port = MemoryPort(Dongle())
    session = await opened(port)
    host = Host(session)
    port.say(LE_CONNECTED)
    await host.until(lambda: host.packets)
    port.dongle.answers[RANDOM] = []
    session.send(bytes.fromhex("01182000"))
    session.send(bytes.fromhex("010d2019") + bytes(25))
    await asyncio.sleep(0.1)
    port.unplug()
    await settle()
    assert host.packets[1:] == [
        complete(RANDOM, b"\x03" + bytes(8)),
        status(0x200D, 0x03),
        bytes.fromhex("04050400400008"),
    ]
    await session.close()


async def test_11_what_was_half_read_or_half_written_is_counted():
    port = MemoryPort(Dongle())
    session = await opened(port)
    host = Host(session)
    port.say(report(1)[:10])
    await settle()
    port.stuck = True
    session.send(bytes.fromhex("01182000"))
    port.unplug()
    await host.until(lambda: host.packets)
    assert session.counters()["octets skipped"] == 10
    assert session.counters()["octets not sent when the link was lost"] == 4
    await session.close()


async def test_11_what_was_advertising_and_scanning_is_told_beside_hci():
    port = MemoryPort(Dongle())
    port.dongle.answers |= {0x200A: [complete(0x200A)], 0x2042: [complete(0x2042)]}
    session = await opened(port)
    host = Host(session)
    await host.ask(0x200A, b"\x01")
    await host.ask(0x2042, b"\x01\0\0\0\0\0")
    port.unplug()
    assert host.notices[-1].was_on == ("advertising", "extended scanning")
    await session.close()


@real_time
async def test_11_unplugged_in_full_traffic_leaves_nothing_behind(tmp_path):
    dongle = PtyDongle(tmp_path / "dongle", Dongle())
    session = Session(f"serial:{dongle.path}", settings=QUICK)
    session.start()
    await session.ready()
    host = Host(session)
    dongle.say(LE_CONNECTED)
    await host.until(lambda: host.packets)
    for number in range(30):
        session.send(acl(bytes(200)))
        dongle.say(report(number) * 5)
    dongle.unplug()
    await host.until(lambda: "lost" in host.kinds())
    assert host.packets[-1] == bytes.fromhex("04050400400008")
    assert session.counters()["data of connections that ended"] > 0
    await session.close()


@pytest.mark.parametrize("opcode", [RESET, READ_VERSION, READ_ADDRESS])
async def test_11_unplugged_during_the_probe_goes_on_looking(opcode):
    dongle = Dongle()
    port = MemoryPort(dongle)
    answer = dongle.answer

    def unplug_at(packet):
        if packet[1:3] == opcode.to_bytes(2, "little"):
            port.unplug()
            return []
        return answer(packet)

    dongle.answer = unplug_at
    session = Session("memory", port=port)
    session.start()
    assert await session.wait_for(*LOST_STATES) in LOST_STATES
    dongle.answer = answer
    port.plug()
    assert await session.wait_for(State.READY) is State.READY
    await session.close()


@real_time
async def test_11_unplugged_during_close_does_not_keep_it(tmp_path):
    dongle = PtyDongle(tmp_path / "dongle", Dongle())
    session = Session(f"serial:{dongle.path}", settings=QUICK)
    session.start()
    await session.ready()
    asyncio.get_running_loop().call_soon(dongle.unplug)
    began = now_us()
    await session.close()
    assert now_us() - began < 2_000_000
    assert session.state is State.CLOSED


@real_time
async def test_12_a_dongle_that_returns_on_another_node_is_ready_in_time(tmp_path):
    dongle = PtyDongle(tmp_path / "dongle", Dongle())
    session = Session(f"serial:{dongle.path}", settings=QUICK)
    session.start()
    await session.ready()
    host = Host(session)
    generation = session.generation
    dongle.unplug()
    await session.wait_for(State.ABSENT)
    began = now_us()
    dongle.plug()
    assert await session.wait_for(State.READY) is State.READY
    assert now_us() - began < 1_500_000
    assert session.generation == generation + 1
    assert host.packets[-1] == bytes.fromhex("04100100")
    assert (await host.ask(RANDOM))[-9] == 0x03, "before its Reset the host is refused"
    assert (await host.ask(RESET))[-1] == 0
    assert (await host.ask(RANDOM))[-9] == 0
    await session.close()
    dongle.unplug()


async def test_13_another_controller_on_the_same_node_is_refused():
    port = MemoryPort(Dongle())
    session = await opened(port)
    host = Host(session)
    port.unplug()
    port.plug(Dongle("c0:66:77:88:99:aa"))
    assert await session.wait_for(State.BLOCKED) is State.BLOCKED
    assert "another device" in session.life.reason
    assert "c0:66:77:88:99:aa" in session.life.reason
    assert (await host.ask(RESET))[-1] == 0x03
    with pytest.raises(RefusedError):
        await session.ready()
    port.unplug()
    port.plug(Dongle())
    assert await session.wait_for(State.READY) is State.READY, "the right one is taken again"
    await session.close()


async def test_13_another_usb_device_on_the_same_node_is_refused_without_a_word():
    port = MemoryPort(Dongle(), vid=0x2FE3, pid=0x000B, serial="A")
    session = await opened(port)
    port.unplug()
    port.info = discover.LinkInfo(node="memory", vid=0x2FE3, pid=0x000B, serial="B")
    stranger = Dongle()
    port.plug(stranger)
    assert await session.wait_for(State.BLOCKED) is State.BLOCKED
    assert stranger.received == []
    await session.close()


async def test_14_flapping_fifty_times_in_virtual_time_is_no_log_flood():
    port = MemoryPort(Dongle())
    session = await opened(port)
    tasks = len(asyncio.all_tasks())
    for _ in range(50):
        port.unplug()
        port.plug()
        assert await session.wait_for(State.READY) is State.READY
    assert len(asyncio.all_tasks()) == tasks
    assert len(session.life.transitions) <= 256
    assert len(session.notes) == 0
    await session.close()


@real_time
async def test_14_flapping_over_a_pty_keeps_no_descriptor_thread_or_task(tmp_path):
    dongle = PtyDongle(tmp_path / "dongle", Dongle())
    quick = SessionSettings(listen_ms=1, listen_again_ms=1, backoff_ms=1, backoff_most_ms=5)
    session = Session(f"serial:{dongle.path}", settings=quick)
    session.start()
    await session.ready()
    before = descriptors()
    for _ in range(50):
        dongle.unplug()
        await session.wait_for(*LOST_STATES)
        dongle.plug()
        await session.wait_for(State.READY)
    assert len(descriptors()) == len(before)
    await session.close()
    dongle.unplug()


def test_15_a_device_that_vanishes_while_it_is_listed_is_no_error(monkeypatch, tmp_path):
    calls = []

    def flaky():
        calls.append(1)
        raise TypeError("int() can't convert non-string with explicit base")

    monkeypatch.setattr(discover, "_comports", flaky)
    assert all(info.vid is None for info in discover.serial_ports())
    assert len(calls) == 3
    (tmp_path / "1-1").mkdir()
    (tmp_path / "1-1" / "idVendor").write_text("")
    (tmp_path / "1-2").mkdir()
    for name, value in {"idVendor": "2fe3", "idProduct": "000b", "bDeviceClass": "e0"}.items():
        (tmp_path / "1-2" / name).write_text(value + "\n")
    found = discover.usb_devices(tmp_path)
    assert [(info.vid, info.pid) for info, _ in found] == [(0x2FE3, 0x000B)]


# 16 to 20: commands, credits, flow control


async def test_16_a_late_reply_does_not_answer_the_next_command():
    port = MemoryPort(Dongle())
    session = await opened(port)
    host = Host(session)
    port.dongle.answers[RANDOM] = []
    assert await host.ask(RANDOM) == complete(RANDOM, b"\x03" + bytes(8))
    assert session.state is State.DEGRADED
    port.dongle.answers[READ_ADDRESS] = []
    session.send(bytes.fromhex("01091000"))
    await settle()
    port.say(complete(RANDOM, b"\0" + b"\x77" * 8))
    port.say(complete(READ_ADDRESS, b"\0" + bytes(6)))
    await host.until(lambda: len(host.packets) == 2)
    assert host.packets[1] == complete(READ_ADDRESS, b"\0" + bytes(6))
    assert session.counters()["replies that no command waits for"] == 1
    await session.close()


@pytest.mark.parametrize(
    ("opcode", "answer"),
    [(RANDOM, status(RANDOM, 0x0C)), (0x0406, complete(0x0406, b"\x02"))],
    ids=["status for complete", "complete for status"],
)
async def test_17_either_kind_of_reply_ends_a_command(opcode, answer):
    port = MemoryPort(Dongle())
    session = await opened(port)
    host = Host(session)
    port.dongle.answers[opcode] = [answer]
    assert await host.ask(opcode) == answer
    assert (await host.ask(READ_ADDRESS))[6] == 0
    assert session.state is State.READY
    await session.close()


async def test_17_a_pending_status_may_be_followed_by_a_complete():
    port = MemoryPort(Dongle())
    session = await opened(port)
    host = Host(session)
    vendor = 0xFC01
    port.dongle.answers[vendor] = [status(vendor), complete(vendor, b"\0\x2a")]
    await host.ask(vendor)
    await host.until(lambda: len(host.packets) == 2)
    assert host.packets == [status(vendor), complete(vendor, b"\0\x2a")]
    await session.close()


async def test_18_without_credits_it_waits_and_goes_on():
    port = MemoryPort(Dongle())
    session = await opened(port)
    host = Host(session)
    port.dongle.answers[RANDOM] = [complete(RANDOM, bytes(9), 0)]
    await host.ask(RANDOM)
    session.send(bytes.fromhex("01091000"))
    await asyncio.sleep(1)
    assert port.dongle.opcodes()[-1] == RANDOM, "nothing was sent without credit"
    port.say(nop())
    await host.until(lambda: len(host.packets) == 3)
    assert host.packets[1] == nop()
    assert host.packets[2][4:6] == b"\x09\x10"
    assert session.state is State.READY
    await session.close()


async def test_18_credits_that_never_return_are_assumed_after_two_seconds():
    port = MemoryPort(Dongle())
    session = await opened(port)
    host = Host(session)
    port.dongle.answers[RANDOM] = [complete(RANDOM, bytes(9), 0)]
    await host.ask(RANDOM)
    began = now_us()
    session.send(bytes.fromhex("01091000"))
    await host.until(lambda: len(host.packets) == 3)
    assert host.packets[1:] == [nop(), port.dongle.answers[READ_ADDRESS][0]]
    assert 1_900_000 <= now_us() - began <= 2_200_000
    assert session.state is State.DEGRADED
    assert "credits" in session.life.reason
    await session.close()


@pytest.mark.parametrize("always", [False, True], ids=["after-reset", "always"])
async def test_18_a_controller_without_credits_is_not_mute_while_it_is_asked(always):
    dongle = Dongle()
    dongle.answers[RESET] = [complete(RESET, credits_=0)]
    answer = dongle.answer
    if always:
        dongle.answer = lambda packet: [each[:3] + b"\0" + each[4:] for each in answer(packet)]
    session = Session("memory", port=MemoryPort(dongle))
    session.start()
    began = now_us()
    assert await session.wait_for(State.READY, State.MUTE) is State.READY
    assert 2_000_000 <= now_us() - began < 6_000_000
    assert session.counters()["degrade notes"] >= 1
    await session.close()


async def test_19_a_lost_report_of_completed_packets_is_named():
    port = MemoryPort(Dongle())
    session = await opened(port)
    host = Host(session)
    port.say(LE_CONNECTED)
    await host.until(lambda: host.packets)
    for number in range(5):
        session.send(acl(bytes((number,))))
    await settle()
    assert [packet for packet in port.dongle.received if packet[0] == 2] == [
        acl(bytes((number,))) for number in range(3)
    ], "no more than the controller has buffers for"
    await asyncio.sleep(6)
    assert session.state is State.DEGRADED
    assert f"3 of handle {HANDLE:#06x}" in session.life.reason
    port.say(completed(count=2))
    await settle()
    assert port.dongle.received[-1] == acl(b"\x04")
    await session.close()


async def test_20_a_dongle_that_does_not_read_is_noticed_and_left():
    port = MemoryPort(Dongle())
    session = await opened(port)
    host = Host(session)
    port.stuck = True
    session.send(bytes.fromhex("01182000"))
    await asyncio.sleep(2.5)
    assert session.state is State.DEGRADED
    assert "RTS/CTS" in " ".join(text for _, _, text in session.notes)
    assert host.packets == [complete(RANDOM, b"\x03" + bytes(8))]
    session.send(bytes.fromhex("01182000"))
    await host.until(lambda: len(host.packets) == 2, timeout_s=30)
    assert host.packets[1] == complete(RANDOM, b"\x03" + bytes(8)), (
        "what cannot be sent is answered"
    )
    began = now_us()
    await session.close()
    assert now_us() - began <= 2_000_000


@real_time
async def test_20_a_full_pty_keeps_no_close(tmp_path):
    dongle = PtyDongle(tmp_path / "dongle", Dongle())
    session = Session(f"serial:{dongle.path}", settings=QUICK)
    session.start()
    await session.ready()
    host = Host(session)
    dongle.say(LE_CONNECTED)
    await host.until(lambda: host.packets)
    asyncio.get_running_loop().remove_reader(dongle.master)
    session.life.channel.traffic.data.set_buffers(type(session.life.facts.buffers)())
    session.life.channel.traffic.data.connected(HANDLE, "le")
    told_to_wait = False
    for _ in range(1000):
        told_to_wait = not session.send(acl(bytes(250)))
        await asyncio.sleep(0)
    assert told_to_wait
    assert session.life.channel.link.buffered > 0
    began = now_us()
    await session.close()
    assert now_us() - began <= 2_000_000
    dongle.unplug()


# 21 to 25: clients and other programs


async def test_21_a_slow_client_in_a_flood_of_reports_costs_bounded_memory():
    port = MemoryPort(Dongle())
    session = await opened(port, slow_client_ms=60_000)
    host = Host(session, room=False)
    for start in range(0, 20_000, 100):
        port.say(b"".join(report(number) for number in range(start, start + 100)))
        await settle(2)
    assert len(session._outbox) <= 64
    assert session.counters()["advertising reports dropped"] == 20_000 - 64
    assert port.link.reading, "reports are dropped, the dongle is not stopped"
    host.room = True
    session.client_ready()
    assert host.packets == [report(number) for number in range(64)]
    await session.close()


async def test_21_a_slow_client_stops_the_reading_of_what_may_not_be_dropped_and_is_dropped_itself():
    port = MemoryPort(Dongle())
    session = await opened(port)
    host = Host(session, room=False)
    port.say(LE_CONNECTED)
    sent = [acl(bytes((number,))) for number in range(200)]
    port.say(*sent)
    await asyncio.sleep(0.5)
    assert not port.link.reading
    assert len(session._outbox) <= 64 + 1
    began = now_us()
    await asyncio.sleep(2)
    assert host.kinds() == ["dropped"]
    assert now_us() - began <= 2_000_000
    assert session.state in SERVING, "never the dongle"
    assert port.link.reading
    Host(session)
    await session.close()


async def test_21_a_slow_client_that_takes_something_now_and_then_loses_nothing():
    port = MemoryPort(Dongle())
    session = await opened(port)
    host = Host(session, room=False)
    sent = [LE_CONNECTED, *(acl(bytes((number,))) for number in range(200))]
    port.say(*sent)
    for _ in range(10):
        await asyncio.sleep(1.5)
        host.room = True
        session.client_ready()
        host.room = False
    assert host.packets == sent
    await session.close()


async def test_21_a_client_that_takes_one_packet_and_then_none_is_dropped_as_well():
    port = MemoryPort(Dongle())
    session = await opened(port)
    host = Host(session, room=False)
    port.say(LE_CONNECTED, *(acl(bytes((number,))) for number in range(200)))
    await asyncio.sleep(1)
    host.on_packet = lambda packet: not host.packets and not host.packets.append(packet)
    session.client_ready()
    await asyncio.sleep(2.5)
    assert host.packets == [LE_CONNECTED]
    assert host.kinds() == ["dropped"]
    assert port.link.reading
    await session.close()


async def test_21_a_client_that_sends_and_never_reads_costs_bounded_memory():
    port = MemoryPort(Dongle())
    session = await opened(port, slow_client_ms=3_600_000)
    host = Host(session, room=False)
    for _ in range(2000):
        session.send(bytes.fromhex("01182000"))
        await settle(3)
    assert len(session._outbox) <= 64 + 1
    assert session.counters()["commands of a client that does not read"] > 1800
    host.room = True
    session.client_ready()
    assert (await host.ask(RANDOM))[6] == 0
    await session.close()


async def test_22_the_reset_of_the_next_client_is_answered():
    port = MemoryPort(Dongle())
    session = await opened(port)
    first = Host(session)
    port.say(LE_CONNECTED)
    await first.until(lambda: first.packets)
    port.dongle.answers[RANDOM] = []
    session.send(bytes.fromhex("01182000"))
    generation = session.generation
    session.detach(first)
    assert session.generation == generation + 1
    second = Host(session)
    port.say(report(1), complete(RANDOM, bytes(9)))
    assert await second.ask(RESET) == complete(RESET)
    assert second.packets == [complete(RESET)], "nothing of the first client's reaches the second"
    assert not session.life.channel.traffic.activity.handles
    await session.close()


async def test_23_a_second_client_is_refused_and_the_first_goes_on():
    session = await opened(MemoryPort(Dongle()))
    host = Host(session)
    with pytest.raises(BusyError, match="one at a time"):
        Host(session)
    assert (await host.ask(RESET))[-1] == 0
    await session.close()


@real_time
async def test_23_a_second_peer_of_a_listening_port_is_cut_off():
    port = port_for("tcp-server:0")
    session = Session("tcp-server:0", port=port, settings=QUICK)
    session.start()
    await settle()
    host, number = port.address.split(":")
    assert host == "127.0.0.1"
    first = await _peer(Dongle(), number)
    await session.ready()
    reader, writer = await asyncio.open_connection(host, number)
    assert await reader.read() == b""
    writer.close()
    assert port.refused == 1
    assert (await session.command(READ_ADDRESS)).status == 0
    first.close()
    await session.close()


async def _peer(dongle: Dongle, number: str) -> asyncio.WriteTransport:
    """A dongle that connects to a listening port."""

    class Served(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport = transport

        def data_received(self, data):
            for packet in dongle.feed(data):
                self.transport.write(packet)

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_connection(Served, "127.0.0.1", int(number))
    return transport


@real_time
async def test_22_a_peer_that_leaves_in_mid_packet_does_not_spoil_the_next():
    port = port_for("tcp-server:0")
    session = Session("tcp-server:0", port=port, settings=QUICK)
    session.start()
    await settle()
    number = port.address.split(":")[1]
    first = await _peer(Dongle(), number)
    await session.ready()
    first.write(report(1)[:9])
    first.close()
    await session.wait_for(*LOST_STATES)
    second = await _peer(Dongle(), number)
    assert await session.wait_for(State.READY) is State.READY
    second.close()
    await session.close()


@real_time
async def test_24_a_stale_link_is_replaced_and_a_file_is_not(tmp_path):
    link = tmp_path / "controller"
    link.symlink_to("/dev/pts/99999")
    port = port_for(f"pty:{link}")
    with pytest.raises(NotFoundError, match="nobody has opened"):
        await port.open(None)
    assert str(link.readlink()) != "/dev/pts/99999"
    with pytest.raises(BusyError):
        await port_for(f"pty:{link}").open(None)
    await port.close()
    assert not link.is_symlink()
    link.write_text("mine")
    with pytest.raises(UsageError, match="no link to a terminal of ours"):
        await port_for(f"pty:{link}").open(None)
    assert link.read_text() == "mine"


@real_time
async def test_24_a_stale_unix_socket_and_an_occupied_tcp_port_are_named(tmp_path):
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    with pytest.raises(RefusedError, match=r"unix:.*refused"):
        await port_for(f"unix:{path}").open(None)
    with pytest.raises(NotFoundError):
        await port_for(f"unix:{tmp_path}/none").open(None)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        number = other.getsockname()[1]
        with pytest.raises(BusyError, match="another port"):
            await port_for(f"tcp-server:{number}").open(None)


@real_time
async def test_25_a_port_that_is_open_elsewhere_is_blocked_with_the_reason(tmp_path):
    async with PtyDongle(tmp_path / "dongle", Dongle()) as dongle:
        first = Session(f"serial:{dongle.path}", settings=QUICK)
        first.start()
        await first.ready()
        second = Session(f"serial:{dongle.path}", settings=QUICK)
        second.start()
        assert await second.wait_for(State.BLOCKED) is State.BLOCKED
        assert f"process {os.getpid()}" in second.life.reason
        await second.close()
        await first.close()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="who holds a port is read from /proc")
@real_time
async def test_25_a_program_that_locks_nothing_is_found_by_name(tmp_path):
    async with PtyDongle(tmp_path / "dongle", Dongle()) as dongle:
        program = f"import sys; held = open({dongle.path!r}); print(flush=True); sys.stdin.read()"
        other = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        await other.stdout.readline()
        session = Session(f"serial:{dongle.path}", settings=QUICK)
        session.start()
        assert await session.wait_for(State.BLOCKED) is State.BLOCKED
        assert f"({other.pid})" in session.life.reason
        await session.close()
        other.stdin.close()
        await other.wait()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="who holds a port is read from /proc")
@real_time
async def test_25_the_maker_of_a_pseudo_terminal_may_keep_it_open():
    program = "import os, sys; print(os.ttyname(os.openpty()[1]), flush=True); sys.stdin.read()"
    maker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    node = (await maker.stdout.readline()).decode().strip()
    assert holders_of(node) == []
    link = await port_for(f"serial:{node}").open(None)
    await link.close()
    maker.stdin.close()
    await maker.wait()


async def test_25_permissions_that_come_late_are_waited_for_the_first_time_as_well():
    port = MemoryPort(Dongle())
    port.there = False
    port.error = AccessError("memory: permission denied")
    session = Session("memory", port=port)
    session.start()
    await asyncio.sleep(3)
    port.plug()
    asyncio.get_running_loop().call_later(1.5, setattr, port, "error", None)
    assert await session.wait_for(State.READY, State.BLOCKED) is State.READY
    await session.close()


async def test_25_a_port_that_was_there_and_is_forbidden_is_blocked_at_once():
    port = MemoryPort(Dongle())
    port.error = AccessError("memory: permission denied")
    session = Session("memory", port=port)
    session.start()
    with pytest.raises(AccessError, match="permission denied"):
        await session.ready()
    assert now_us() < 1_000_000
    await session.close()


async def test_25_permissions_that_come_late_are_waited_for():
    port = MemoryPort(Dongle())
    session = await opened(port)
    port.unplug()
    port.error = AccessError("memory: permission denied")
    port.plug()
    asyncio.get_running_loop().call_later(1.0, setattr, port, "error", None)
    assert await session.wait_for(State.READY, State.BLOCKED) is State.READY
    assert State.BLOCKED not in states(session)
    await session.close()


# 33: a foreign controller, 40: other platforms


def test_40_everything_imports_where_posix_modules_are_missing():
    program = textwrap.dedent("""
        import asyncio, socket, sys, tempfile  # as this platform has them
        for name in ("fcntl", "termios", "tty", "pty", "grp", "pwd", "usb1", "serial", "bumble"):
            sys.modules[name] = None
        sys.platform = "win32"
        from hw_bridge import discover, locks, session
        from hw_bridge.transports import TRANSPORTS, parse, port_for
        from hw_bridge.errors import BridgeError
        for name, transport in TRANSPORTS:
            parse(transport.example)
        for moniker in ("pty:", "unix:/x", "hci-socket:hci0"):
            try:
                port_for(moniker)
            except BridgeError as error:
                print(error.kind)
        locks.PortLock("COM3", "test").release()
    """)
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=root, check=False
    )
    assert (done.returncode, done.stdout.split()) == (0, ["no-backend"] * 3), done.stderr


@real_time
async def test_a_bumble_host_in_this_process_works_through_a_session(tmp_path):
    """Beside the numbers: the host that most users have."""
    from bumble.controller import Controller
    from bumble.host import Host as BumbleHost
    from bumble.link import LocalLink
    from bumble.transport import open_transport

    async with await open_transport(f"pty:{tmp_path}/dongle") as (source, sink):
        Controller("C", host_source=source, host_sink=sink, link=LocalLink())
        session = Session(f"serial:{tmp_path}/dongle", settings=QUICK)
        session.start()
        await session.ready()
        transport = BumbleTransport(session)
        host = BumbleHost(transport.source, transport.sink)
        await asyncio.wait_for(host.reset(), 5)
        assert host.ready
        await transport.close()
        await session.close()
