"""USB, with a stand-in for libusb below bumble: numbers 26 and 27 of digest 9."""

from __future__ import annotations

import asyncio
import threading

import msgspec
import pytest

from hw_bridge import discover
from hw_bridge.command_gate import Timeouts
from hw_bridge.errors import BadMonikerError, BridgeError, BusyError
from hw_bridge.session import Session
from hw_bridge.states import State
from hw_bridge.transports import port_for
from hw_bridge.transports import usb as ours
from protocols.hci.framing import Received, Skipped
from protocols.hci.usb import UsbFramer
from tests.hw_bridge import fake_usb1
from tests.hw_bridge.real_time import real_time
from tests.hw_bridge.scripted import (
    LE_CONNECTED,
    QUICK,
    RANDOM,
    READ_ADDRESS,
    RESET,
    Dongle,
    Host,
    acl,
    complete,
    report,
)


@pytest.fixture
def bus(monkeypatch):
    """A bus with one dongle, in the place of libusb."""
    from bumble.transport import usb

    found = fake_usb1.Usb(Dongle())
    monkeypatch.setattr(usb, "usb1", found.module())
    monkeypatch.setattr(usb, "load_libusb", lambda: None)
    monkeypatch.setattr(discover, "usb_devices", list)
    monkeypatch.setattr(ours, "why_not", lambda _target: None)
    yield found
    for thread in found.threads:
        thread.join(3)
        assert not thread.is_alive(), "a thread of libusb is left"


class Keeper:
    """A receiver to which nothing happens."""

    def on_data(self, data):
        pass

    on_trouble = on_lost = on_data

    def on_writable(self):
        pass


async def until(wanted, limit_s=5.0):
    """Let the loop run until `wanted()` holds."""
    async with asyncio.timeout(limit_s):
        while not wanted():  # noqa: ASYNC110  # what is waited for has no event
            await asyncio.sleep(0.001)


async def in_use(moniker="usb:2fe3:000b", settings=QUICK):
    session = Session(moniker, settings=settings)
    session.start()
    await session.ready()
    return session


@pytest.mark.parametrize("target", ["0", "2fe3:000b", "2FE3:000B/S1", "2fe3:000b#0"])
@real_time
async def test_every_way_to_name_it_leads_to_the_dongle(bus, target):
    session = await in_use(f"usb:{target}")
    host = Host(session)
    assert await host.ask(RESET) == complete(RESET)
    await session.close()
    assert (bus.open_contexts, bus.open_handles) == (0, 0)


@pytest.mark.parametrize("target", ["", "x", "2fe3", "2fe3:000b/", "-1"])
def test_a_target_that_is_none_is_refused_before_anything_is_opened(target):
    if target == "2fe3":
        target = "2fe3:"
    with pytest.raises(BadMonikerError, match="usb:"):
        port_for(f"usb:{target}")


@pytest.mark.parametrize(
    ("where", "error", "kind"),
    [
        ("claim_error", fake_usb1.USBErrorBusy(-6), "busy"),
        ("open_error", fake_usb1.USBErrorAccess(-3), "no-permission"),
        ("open_error", fake_usb1.USBErrorNotSupported(-12), "no-backend"),
        ("open_error", fake_usb1.USBErrorNoDevice(-4), "not-found"),
        ("context_error", fake_usb1.USBErrorOther(-99), "no-backend"),
    ],
)
@real_time
async def test_26_errors_of_libusb_are_ours_and_leave_nothing_open(bus, where, error, kind):
    setattr(bus, where, error)
    with pytest.raises(BridgeError) as caught:
        await port_for("usb:2fe3:000b").open(None)
    assert caught.value.kind == kind
    assert "usb:2fe3:000b" in str(caught.value)
    assert bus.open_contexts == 0


@real_time
async def test_26_an_absent_device_and_one_without_endpoints_leave_nothing_open(bus):
    bus.endpoints = bus.endpoints[:1]
    with pytest.raises(BridgeError, match="no compatible interface"):
        await port_for("usb:0").open(None)
    bus.there = False
    with pytest.raises(BridgeError, match="not found"):
        await port_for("usb:0").open(None)
    assert bus.open_contexts == 0


@real_time
async def test_26_a_stall_is_reported_and_the_command_answered(bus):
    impatient = msgspec.structs.replace(QUICK, timeouts=Timeouts(other=100_000))
    session = await in_use(settings=impatient)
    host = Host(session)
    bus.out_status = fake_usb1.TRANSFER_STALL
    assert await host.ask(RANDOM) == complete(RANDOM, b"\x03" + bytes(8))
    assert session.state is State.DEGRADED
    assert any("stall" in text for _, _, text in session.notes)
    assert (await host.ask(RESET))[-1] == 0
    assert session.state is State.READY
    await session.close()


@real_time
async def test_26_a_stalled_bulk_endpoint_is_cleared(bus):
    session = await in_use()
    host = Host(session)
    bus.handle.say(LE_CONNECTED)
    await host.until(lambda: host.packets)
    bus.out_status = fake_usb1.TRANSFER_STALL
    session.send(acl(b"lost"))
    await host.until(lambda: bus.cleared)
    session.send(acl(b"kept"))
    for _ in range(2):
        await host.ask(READ_ADDRESS)
    assert acl(b"kept") in bus.dongle.received
    assert acl(b"lost") not in bus.dongle.received
    await session.close()


@real_time
async def test_26_a_transfer_that_libusb_does_not_take_is_reported_and_the_next_one_goes(bus):
    impatient = msgspec.structs.replace(QUICK, timeouts=Timeouts(other=100_000))
    session = await in_use(settings=impatient)
    host = Host(session)
    bus.submit_error = fake_usb1.USBErrorOther(-99)
    assert await host.ask(RANDOM) == complete(RANDOM, b"\x03" + bytes(8))
    assert any("libusb did not take it" in text for _, _, text in session.notes)
    assert session.life.channel.link.buffered == 0
    bus.submit_error = None
    assert (await host.ask(RESET))[-1] == 0
    await session.close()


@real_time
async def test_26_what_bumble_cannot_send_is_reported_and_stops_nothing(bus):
    """Synchronous data without an isochronous endpoint: bumble drops them without a callback."""
    told, room = [], asyncio.Event()
    keeper = Keeper()
    keeper.on_trouble, keeper.on_writable = told.append, room.set
    link = await port_for("usb:0").open(keeper)
    link.write(bytes.fromhex("03400001ff"))
    await asyncio.wait_for(room.wait(), 5)
    assert link.buffered == 0
    assert "libusb did not take it" in told[0]
    room.clear()
    link.write(bytes.fromhex("01030c00"))
    await asyncio.wait_for(room.wait(), 5)
    assert bus.dongle.opcodes() == [RESET]
    await link.close()


@real_time
async def test_26_packets_wait_with_us_and_not_in_bumbles_queue(bus):
    session = await in_use()
    host = Host(session)
    bus.handle.say(LE_CONNECTED)
    await host.until(lambda: host.packets)
    queued = []
    sink = session.life.channel.link._transport.sink
    put = sink.packets.put_nowait
    sink.packets.put_nowait = lambda packet: (put(packet), queued.append(sink.packets.qsize()))
    session.life.channel.traffic.data.set_buffers(type(session.life.facts.buffers)())
    session.life.channel.traffic.data.connected(0x40, "le")
    sent = [acl(bytes((number,))) for number in range(60)]
    for packet in sent:
        session.send(packet)
    await until(lambda: bus.dongle.received[-1] == sent[-1])
    assert [each for each in bus.dongle.received if each[0] == 2] == sent
    assert max(queued) == 1
    await session.close()


@real_time
async def test_26_opening_that_waits_in_libusb_does_not_stop_the_loop_and_ends_in_time(
    bus, monkeypatch
):
    monkeypatch.setattr("hw_bridge.transports._usb_claim.OPEN_S", 0.5)
    bus.hold = threading.Event()
    turns = 0

    async def beat() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.01)

    beating = asyncio.create_task(beat())
    with pytest.raises(BridgeError, match="no result within"):
        await port_for("usb:0").open(None)
    assert turns >= 10, "the loop went on"
    with pytest.raises(BusyError, match="hangs in an earlier opening"):
        await port_for("usb:0").open(None)
    monkeypatch.setattr("hw_bridge.transports._usb_claim.OPEN_S", 5.0)
    bus.hold.set()
    await until(lambda: bus.threads and not bus.open_contexts)
    assert bus.open_handles == 0, "what came too late is closed"
    link = await port_for("usb:0").open(Keeper())
    await link.close()
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)


@real_time
async def test_26_who_stops_waiting_in_the_moment_of_opening_leaves_nothing_open(bus):
    """Cancelled while the result is on its way through the loop, and before that, and while it is given back."""
    for turns in range(6):
        opening = asyncio.create_task(port_for("usb:0").open(Keeper()))
        known = len(bus.threads)
        await until(lambda known=known: len(bus.threads) > known)
        for _ in range(turns):
            await asyncio.sleep(0)
        opening.cancel()
        (outcome,) = await asyncio.gather(opening, return_exceptions=True)
        if not isinstance(outcome, BaseException):
            leaving = asyncio.create_task(outcome.close())
            await asyncio.sleep(0)
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)
        await until(lambda: not bus.open_contexts and len(asyncio.all_tasks()) == 1)
        assert bus.open_handles == 0


@real_time
async def test_26_an_unplugged_device_is_lost_closed_and_found_again(bus):
    session = await in_use()
    host = Host(session)
    bus.handle.say(LE_CONNECTED)
    await host.until(lambda: host.packets)
    bus.handle.vanish()
    await host.until(lambda: "lost" in host.kinds())
    assert host.packets[-1] == bytes.fromhex("04050400400008")
    bus.there = True
    await session.wait_for(State.READY)
    await session.close()
    assert (bus.open_contexts, bus.open_handles) == (0, 0)
    assert [each for each in bus.threads if each.is_alive()] == []


@real_time
async def test_26_a_clone_is_read_in_pieces_of_its_packet_size(bus, monkeypatch):
    session = await in_use("usb:2fe3:000b?int-read=64")
    assert bus.handle.read_sizes == {0x81: 64, 0x82: 64}
    await session.close()
    info = discover.LinkInfo(node="1-1", vid=0x0A12, pid=0x0001, location="1-1")
    monkeypatch.setattr("hw_bridge.transports.usb.UsbPort._info", lambda self: info)
    session = await in_use("usb:0")
    assert bus.handle.read_sizes[0x81] == 16
    await session.close()


@real_time
async def test_27_events_in_pieces_of_sixteen_octets(bus):
    session = await in_use()
    host = Host(session)
    for number in range(20):
        bus.handle.say(report(number), piece=16)
    await host.until(lambda: len(host.packets) == 20)
    assert host.packets == [report(number) for number in range(20)]
    assert session.counters()["octets skipped"] == 0
    await session.close()


@real_time
async def test_27_iso_data_on_the_bulk_endpoint_come_out_as_iso_data(bus):
    session = await in_use()
    host = Host(session)
    established = bytes.fromhex("043e1d19004200") + bytes(25)
    bus.handle.say(established)
    bus.handle.say(acl(b"sdu", handle=0x0042))
    bus.handle.say(acl(b"acl", handle=0x0040))
    await host.until(lambda: len(host.packets) == 3)
    assert [packet[0] for packet in host.packets[1:]] in ([5, 2], [2, 5])
    await session.close()


def test_27_a_lost_tail_costs_little():
    framer = UsbFramer()
    wanted = [report(number)[1:] for number in range(20)]
    framer.receive(b"\x04" + wanted[0][:16], 0)
    for packet in wanted[1:]:
        framer.receive(b"\x04" + packet, 0)
    framer.handle_timer(10**6)
    found, skipped = [], 0
    while (each := framer.next_event()) is not None:
        if isinstance(each, Received):
            found.append(each.packet[1:])
        else:
            assert isinstance(each, Skipped)
            skipped += len(each.octets)
    assert len(set(wanted[1:]) - set(found)) <= 2
    assert skipped > 0


@real_time
async def test_a_slow_client_stops_libusb_and_loses_nothing(bus):
    session = await in_use()
    blocked, loop = asyncio.Event(), asyncio.get_running_loop()

    class Watched(threading.Semaphore):
        def acquire(self):
            if not super().acquire(blocking=False):
                loop.call_soon_threadsafe(blocked.set)
                super().acquire()
            return True

    session.life.channel.link._pieces = Watched(64)
    host = Host(session, room=False)
    bus.handle.say(LE_CONNECTED)
    sent = [acl(bytes((number,))) for number in range(250)]
    for packet in sent:
        bus.handle.say(packet)
    await asyncio.wait_for(blocked.wait(), 5)
    assert len(session.life.channel.link._held) <= 64
    host.room = True
    session.client_ready()
    await host.until(lambda: len(host.packets) == 251)
    assert [packet for packet in host.packets if packet[0] == 2] == sent
    await session.close()
