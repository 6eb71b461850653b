"""The thread of the dongles: scripted ones behind pseudo terminals, TCP and a stand-in for libusb, from another thread."""

from __future__ import annotations

import asyncio
import contextlib
import threading

import msgspec
import pytest

from hw_bridge import discover
from hw_bridge.discover import Candidate
from hw_bridge.errors import LostError, NotFoundError
from hw_bridge.link import LinkInfo
from hw_bridge.probe import ProbeSettings
from hw_bridge.pulled import PullablePort
from protocols.errors import NearbenchError, UnknownNameError
from tests.hw_bridge import fake_usb1
from tests.hw_bridge.real_time import real_time
from tests.hw_bridge.scripted import QUICK, RESET, Dongle, MemoryPort, PtyDongle, report
from tui.bench.bridges import Bridges
from tui.bench.thread import BridgeThread
from tui.models.bridges import health_of, remedy_of

SWIFT = ProbeSettings(
    listen_ms=20, reset_us=(200_000,), next_reset_us=(50_000,), other_ms=20, round_trips=3
)


@contextlib.asynccontextmanager
async def bench(look=list, probing=SWIFT):
    """Dongles of a person whose machine has `look()`; whatever happens, they are given back in time."""
    bridges = Bridges(BridgeThread(settings=QUICK, probing=probing, look=look))
    try:
        yield bridges
    finally:
        assert await asyncio.to_thread(bridges.close)


async def until(bridges, moniker, wanted, limit_s=5.0):
    """Look at a dongle until `wanted(view)`; the view."""
    async with asyncio.timeout(limit_s):
        while True:
            view = next((one for one in bridges.views() if one.moniker == moniker), None)
            if view is not None and wanted(view):
                return view
            await asyncio.to_thread(threading.Event().wait, 0.005)


def told(future):
    return asyncio.wrap_future(future)


def has(word):
    return lambda view: health_of(view).word == word


@real_time
async def test_a_dongle_is_opened_asked_and_given_back(tmp_path):
    async with PtyDongle(tmp_path / "dongle", Dongle()) as dongle:
        moniker = f"serial:{dongle.path}"
        async with bench() as bridges:
            assert bridges.views() == []
            await told(bridges.connect(moniker))
            view = await until(bridges, moniker, lambda view: view.round_trip_us is not None)
            assert health_of(view).word == "ok"
            assert (view.use, view.address, view.verdict) == (
                "open",
                "c0:11:22:33:44:55",
                "Zephyr controller",
            )
            assert view.version == "Bluetooth 5.4"
            assert [one.kind for one in view.happenings] == ["probing", "ready"]
            assert min(view.octets_sent, view.octets_received) > 0
            assert view.drops == 0
            resets = dongle.dongle.opcodes().count(RESET)
            await told(bridges.disconnect(moniker))
            assert dongle.dongle.opcodes().count(RESET) == resets + 1
            assert health_of(*bridges.views()).word == "not open"


@real_time
async def test_a_pulled_cable_is_looked_for_until_it_is_in_again(tmp_path):
    async with PtyDongle(tmp_path / "dongle", Dongle()) as dongle:
        moniker = f"serial:{dongle.path}"
        async with bench() as bridges:
            await told(bridges.connect(moniker))
            first = await until(bridges, moniker, has("ok"))
            assert bridges.link(moniker).toggle_cable()
            away = await until(bridges, moniker, lambda view: view.tries >= 3)
            assert health_of(away).word == "pulled out"
            assert away.retry_s is not None
            assert "u plugs it in" in remedy_of(away)
            assert [one.kind for one in away.happenings[2:5]] == ["lost", "backoff", "absent"]
            assert not bridges.link(moniker).toggle_cable()
            back = await until(bridges, moniker, has("ok"))
            assert back.generation > first.generation
            assert back.tries == 0
            assert back.retry_s is None


@real_time
async def test_a_cable_pulled_by_hand_says_when_it_is_tried_again(tmp_path):
    dongle = PtyDongle(tmp_path / "dongle", Dongle())
    moniker = f"serial:{dongle.path}"
    async with bench() as bridges:
        await told(bridges.connect(moniker))
        await until(bridges, moniker, has("ok"))
        dongle.unplug()
        away = await until(bridges, moniker, lambda view: view.tries >= 2 and view.retry_s)
        assert health_of(away).word == "down"
        dongle.plug()
        await until(bridges, moniker, has("ok"))
        dongle.unplug()


@real_time
async def test_losses_are_live_and_make_it_degraded(tmp_path):
    async with PtyDongle(tmp_path / "dongle", Dongle()) as dongle:
        moniker = f"serial:{dongle.path}"
        async with bench() as bridges:
            await told(bridges.connect(moniker))
            await until(bridges, moniker, has("ok"))
            dongle.say(b"\xff\xff\xff" + report())
            view = await until(bridges, moniker, has("degraded"))
            assert dict(view.losses)["octets skipped"] == 3
            assert view.resyncs == 1
            assert "c resets it" in remedy_of(view)
            bridges.link(moniker).reset()
            ready = await until(bridges, moniker, lambda view: view.state == "ready")
            assert health_of(ready).word == "degraded", "the loss was a moment ago"
            assert "RTS/CTS" in remedy_of(ready)


@real_time
async def test_a_mute_dongle_keeps_nobody_waiting_at_the_end(tmp_path):
    dongle = Dongle()
    dongle.mute = True
    async with PtyDongle(tmp_path / "dongle", dongle) as served:
        moniker = f"serial:{served.path}"
        async with bench() as bridges:
            await told(bridges.connect(moniker))
            await until(bridges, moniker, lambda view: view.state == "probing")


@real_time
async def test_a_test_leaves_the_dongle_and_takes_it_again(tmp_path):
    async with PtyDongle(tmp_path / "dongle", Dongle()) as dongle:
        moniker = f"serial:{dongle.path}"
        async with bench() as bridges:
            await told(bridges.connect(moniker))
            await until(bridges, moniker, has("ok"))
            testing = bridges.test(moniker)
            await until(bridges, moniker, has("testing"))
            found = await told(testing)
            assert found.speaks == "hci"
            assert found.verdict == "Zephyr controller"
            assert bridges.report(moniker) is found
            await until(bridges, moniker, has("ok"))


@real_time
async def test_a_test_of_a_listening_port_says_whom_it_waits_for(tmp_path):
    moniker = f"pty:{tmp_path / 'controller'}"
    async with bench(probing=ProbeSettings(peer_ms=60_000)) as bridges:
        bridges.add(moniker)
        testing = bridges.test(moniker)
        seen = await until(bridges, moniker, lambda view: view.told)
        assert has("testing")(seen)
        assert "nobody has opened" in remedy_of(seen)
        assert "waiting 60 s" in remedy_of(seen)
    assert testing.cancelled()
    assert not bridges.thread.told


@real_time
async def test_the_end_interrupts_a_test(tmp_path):
    dongle = Dongle()
    dongle.mute = True
    slow = ProbeSettings(listen_ms=60_000)
    async with PtyDongle(tmp_path / "dongle", dongle) as served:
        moniker = f"serial:{served.path}"
        async with bench(probing=slow) as bridges:
            testing = bridges.test(moniker)
            await until(bridges, moniker, has("testing"))
        assert testing.cancelled()


@real_time
async def test_a_listener_that_is_not_there_is_refused_and_tried_again():
    moniker = "tcp-client:127.0.0.1:1"
    async with bench() as bridges:
        await told(bridges.connect(moniker))
        view = await until(bridges, moniker, lambda view: view.tries >= 2 and view.reason)
        assert health_of(view).word == "down"
        assert "start the other side first" in remedy_of(view)


@real_time
async def test_usb_without_permission_says_so(monkeypatch):
    from bumble.transport import usb

    bus = fake_usb1.Usb(Dongle())
    bus.open_error = fake_usb1.USBErrorAccess(-3)
    monkeypatch.setattr(usb, "usb1", bus.module())
    monkeypatch.setattr(usb, "load_libusb", lambda: None)
    monkeypatch.setattr(discover, "usb_devices", list)
    monkeypatch.setattr("hw_bridge.transports.usb.why_not", lambda _target: None)
    async with bench() as bridges:
        await told(bridges.connect("usb:2fe3:000b"))
        view = await until(bridges, "usb:2fe3:000b", has("no permission"))
        assert "udev" in remedy_of(view)
        assert view.retry_s is not None


@real_time
async def test_names_that_are_none_are_refused_before_anything_is_opened():
    async with bench() as bridges:
        with pytest.raises(UnknownNameError, match="did you mean serial"):
            bridges.add("serail:/dev/ttyACM0")
        with pytest.raises(NearbenchError):
            bridges.connect("no moniker")
        with pytest.raises(NearbenchError):
            bridges.test("serial:/dev/ttyS0?speed=3")
        assert bridges.views() == []


@real_time
async def test_what_is_plugged_in_is_listed_and_never_opened():
    """The node does not even exist."""
    info = LinkInfo(node="/dev/ttyACM99", vid=0x2FE3, pid=0x000B, product="HCI")
    one = Candidate(moniker="serial:2fe3:000b/A1", info=info, protocols=("hci",), may_open=False)
    found = [[one], [one, msgspec.structs.replace(one, moniker="usb:1-2", may_open=True)], []]
    async with bench(lambda: found.pop(0) if len(found) > 1 else found[0]) as bridges:
        bridges.add("tcp-client:127.0.0.1:9")
        bridges.look()
        view = await until(bridges, one.moniker, lambda view: True)
        assert [one.moniker for one in bridges.views()] == [
            "serial:2fe3:000b/A1",
            "tcp-client:127.0.0.1:9",
        ]
        assert (view.ids, view.use, view.state) == ("2fe3:000b", "", "")
        assert health_of(view).word == "no permission"
        bridges.look()
        assert health_of(await until(bridges, "usb:1-2", lambda view: True)).word == "found"
        bridges.look()
        async with asyncio.timeout(5):
            while len(bridges.views()) > 1:  # what was added stays
                await asyncio.to_thread(threading.Event().wait, 0.005)


@real_time
async def test_ports_that_cannot_be_listed_are_no_end():
    def broken():
        raise OSError("sysfs is gone")

    async with bench(broken) as bridges:
        bridges.look()
        async with asyncio.timeout(5):
            while not bridges.trouble:
                await asyncio.to_thread(threading.Event().wait, 0.005)
        assert "sysfs is gone" in bridges.trouble


@real_time
async def test_pulled_while_it_is_being_opened():
    """A link that was opened to a cable that is out meanwhile is closed, and not used."""
    inner = MemoryPort(Dongle())
    port = PullablePort("memory", inner)
    opening = inner.open

    async def slow(receiver):
        link = await opening(receiver)
        port.pull()
        return link

    inner.open = slow
    with pytest.raises(NotFoundError, match="plug it in"):
        await port.open(None)
    assert not inner.link.open
    assert not port.present()
    port.plug()
    assert port.present()


@real_time
async def test_pulling_goes_the_way_of_every_loss():
    lost = []

    class Receiver:
        on_lost = staticmethod(lost.append)

    port = PullablePort("memory", MemoryPort(Dongle()))
    await port.open(Receiver())
    port.pull()
    port.pull()
    assert [type(error) for error in lost] == [LostError]


@real_time
async def test_nothing_begins_after_the_end():
    async with bench() as bridges:
        bridges.look()
    bridges.look()
    late = bridges.connect("tcp-client:127.0.0.1:1")
    assert late.cancelled()
