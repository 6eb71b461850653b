"""Bridges by keyboard: what each key does to a dongle, and runs on real controllers in real time with their questions."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import threading

import msgspec
import pytest

from hw_bridge import bench_world
from protocols.errors import UsageError
from tests.hw_bridge.scripted import QUICK, RESET, Dongle, PtyDongle
from tests.hw_bridge.served import ROOM, nearbench
from tests.tui.bench import Bench, bench, play
from tests.tui.bridge_fakes import ALL, DEGRADED, FOUND, OK, FakeBridges
from tui.app import NearbenchApp
from tui.bench.bridges import Bridges
from tui.bench.role import Role, add_bench_options, on_bench
from tui.bench.thread import BridgeThread
from tui.keys import keys_of
from tui.session import Request, open_session

GARBAGE = "\x1b[2J\x1b]0;x\x07\x00宽宽\u202e" + "serial:" * 3_000


class Live(Bench):
    """An app whose time is real."""

    def __init__(self, app, pilot):
        super().__init__(app)
        self.pilot = pilot
        del app.wall_s  # ours: a second per tick

    async def turn(self):
        for _ in range(2):
            self.app.tick()
            await self.pilot.pause()

    async def press(self, *keys):
        """Press keys on a screen that shows what is there now."""
        await self.turn()
        await super().press(*keys)

    async def see(self, what, limit_s=15.0):
        """Turns until `what()` is true."""
        async with asyncio.timeout(limit_s):
            while not what():
                await asyncio.to_thread(threading.Event().wait, 0.01)
                await self.turn()
        await self.turn()


@contextlib.asynccontextmanager
async def live(request, size=(80, 24), start="bridges"):
    """The app on a run in real time; a simulated one is held at its beginning."""

    def opening():
        session = open_session(request)
        if session.bridge is None:
            session.control.pause()
        return session

    app = NearbenchApp(opening, start=start)
    app.MESSAGE_S = 1e6
    async with app.run_test(size=size) as pilot:
        while app._session is None or app.bench_screen_or_none is None:
            await pilot.pause()
            assert app.failure is None, app.failure
        found = Live(app, pilot)
        await found.turn()
        try:
            yield found
        finally:
            app.finish()


async def shown(one, views=ALL):
    one.app._bridges = FakeBridges(views)
    await one.press("6")
    return one.app._bridges


def plug_nothing_in(one):
    """A machine without dongles, whatever this one has."""
    one.app.bridges.close()
    one.app._bridges = Bridges(BridgeThread(settings=QUICK, look=list))


@pytest.fixture(autouse=True)
def no_thread_left():
    """What is begun for dongles ends with the app."""
    yield
    assert not [one for one in threading.enumerate() if one.name == "nearbench-bridges"]


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """Moniker of a controller in a room with a thermometer and a lock, served by another process."""
    file = tmp_path_factory.mktemp("room") / "room.toml"
    file.write_text(ROOM, encoding="utf-8")
    with nearbench("bridge", "expose", file, "--as", "tcp") as program:
        text = program.until("tcp-client:")
        yield next(word for word in text.split() if word.startswith("tcp-client:"))


# Keys


def test_keys_do_what_they_say_and_capitals_ask():
    async def story():
        async with bench(play=("none",)) as one:
            fake = await shown(one, (FOUND, DEGRADED))
            await one.press("c", "u")
            assert "is not open: c opens it" in one.text
            await one.press("T", "n", "down", "D", "n")
            assert fake.wishes == [("connect", FOUND.moniker)]
            await one.press("D", "y")
            await one.found()
            assert fake.wishes[1:] == [("disconnect", DEGRADED.moniker)]
            assert "is given back" in one.text
            await one.press("T", "y")
            await one.found()
            assert fake.wishes[2:] == [("test", DEGRADED.moniker)]
            assert "round trip" in one.text
            await one.press("pagedown", "escape", "l")
            assert "Log of" in one.text
            await one.press("enter")
            assert len(one.app.screen_stack) == 1

    play(story())


def test_what_the_run_uses_is_not_taken_away_by_a_test():
    async def story():
        async with bench(play=("none",)) as one:
            fake = await shown(one, (OK,))
            await one.press("T")
            assert "the run uses it" in one.text
            await one.press("c")
            assert "used by the run" in one.text
            await one.press("D", "n")
            assert fake.wishes == []
            assert one.control.state == "paused"

    play(story())


def test_a_moniker_is_checked_while_it_is_typed():
    async def story():
        async with bench(play=("none",)) as one:
            fake = await shown(one, ())
            await one.press("A", "enter")
            await one.type("tcp-client:10.0.0.7")
            await one.press("enter")
            assert fake.wishes == [], "a moniker that is none stays where it is"
            await one.type(":4000")
            assert "enter adds it" in one.text
            await one.press("enter")
            assert fake.wishes == [("add", "tcp-client:10.0.0.7:4000")]
            assert "not open" in one.text
            await one.press("A", "escape")
            assert len(fake.wishes) == 1

    play(story())


def test_garbage_in_the_fields():
    async def story():
        async with bench(play=("none",)) as one:
            fake = await shown(one)
            for key in ("A", "r"):
                await one.press(key)
                await one.type(GARBAGE)
                await one.press("enter")
                await one.pilot.resize_terminal(120, 40)
                await one.pilot.resize_terminal(80, 24)
                await one.turn()
                assert not any(sign in one.text for sign in "\x1b\x00\u202e")
                await one.press("escape")
                assert len(one.app.screen_stack) == 1
            assert fake.wishes == []

    play(story())


def test_keys_of_bridges_need_a_dongle():
    async def story():
        async with bench(play=("none",)) as one:
            await shown(one, ())
            own = {key.id for key in keys_of("bridges")}
            assert own & {key.id for key in one.app.bench_screen.keys_here()} == {"bridges.add"}
            await one.press("c", "D", "T", "r", "l", "u", "y", "enter")
            assert len(one.app.screen_stack) == 1
            await shown(one, (FOUND,))
            here = {key.id for key in one.app.bench_screen.keys_here()}
            assert own - here == {"bridges.disconnect", "bridges.unplug"}

    play(story())


def test_an_opened_capture_has_bridges_too(tmp_path):
    file = tmp_path / "empty.pcapng"
    file.write_bytes(bytes.fromhex("0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000"))

    async def story():
        async with bench(file) as one:
            fake = await shown(one, (FOUND,))
            await one.press("c")
            assert fake.wishes == [("connect", FOUND.moniker)]

    play(story())


# Dongles


def test_a_dongle_from_connecting_to_leaving(tmp_path):
    async def story():
        async with (
            PtyDongle(tmp_path / "dongle", Dongle()) as dongle,
            live(Request(what="passkey_lock", play=("none",))) as one,
        ):
            plug_nothing_in(one)
            await one.see(lambda: "no dongle is plugged in" in one.text)
            one.app.bridges.add(f"serial:{dongle.path}")
            await one.press("home", "c")
            await one.see(lambda: "rtt" in one.text and "● ok" in one.text)
            assert "Zephyr controller" in one.text
            await one.press("u")
            await one.see(lambda: "✗ pulled out" in one.text and "retry in" in one.text)
            await one.press("u")
            await one.see(lambda: "● ok" in one.text)
            await one.press("l")
            await one.see(lambda: "pulled out in software" in one.text)
            await one.press("escape", "D", "y")
            await one.see(lambda: "not open" in one.text)
            resets = dongle.dongle.opcodes().count(RESET)
            await one.press("c")
            await one.see(lambda: "● ok" in one.text)
            await asyncio.to_thread(one.app.finish)
            assert dongle.dongle.opcodes().count(RESET) >= resets + 2, "left as after a Reset"

    play(story())


# Runs on real controllers


def test_an_observer_sees_the_air_of_the_dongle(room):
    request = Request(what="observer", moniker=room, role=Role(kind="observe"))

    async def story():
        async with live(request) as one:
            await one.see(lambda: "● ok" in one.text and "observer, in real time" in one.text)
            await one.press("1")
            await one.see(
                lambda: "C0:11:22:33:44:55" in one.text and "C0:11:22:33:44:66" in one.text
            )
            await one.press("3")
            await one.see(lambda: one.session.packets.source.end > 10)
            before_us = one.control.now_us
            await one.press("space", "full_stop", "plus", "equals_sign")
            assert "real time cannot be paused" in one.text
            assert one.control.state == "running"
            await one.press("x")
            assert "on a real radio" in one.text
            await one.see(lambda: one.control.now_us > before_us)
            assert one.events("packet", "observer"), "HCI is in the same trace"

    play(story())


def test_a_phone_on_a_dongle_asks_for_the_pin_on_the_screen(room):
    role = Role(kind="phone", name="generic", peer="c0:11:22:33:44:66", pair=True)
    request = Request(what=role.words, moniker=room, role=role, play=("phone", "accessory"))

    async def story():
        async with live(request) as one:
            await one.see(lambda: "PIN entry" in one.text)
            await one.press(*"047115", "enter")
            await one.see(lambda: one.events("paired"))
            await one.press("2")
            await one.see(lambda: "paired" in one.text.casefold())
            (answer,) = one.events("pairing_response")
            assert (answer.node, answer.direction, answer.peer) == ("generic", "rx", role.peer)
            assert "generic ↔ c0:11:22:33:44:66" in one.text, "who talks with it is a party"
            assert not one.control.world._scripts.failures

    play(story())


@pytest.mark.slow
def test_a_phone_on_a_dongle_pairs_again_after_a_wrong_pin_and_after_a_lost_dongle(room):
    role = Role(kind="phone", name="ios", peer="Lock", pair=True)
    request = Request(what=role.words, moniker=room, role=role, play=("phone", "accessory"))

    async def story():
        async with live(request, size=(120, 40)) as one:
            await one.see(lambda: "PIN entry" in one.text)
            await one.press(*"999999", "enter")
            await one.see(lambda: "Pairing failed" in one.text)
            assert "r: retry" in one.text
            await one.press("r")
            await one.see(lambda: "PIN entry" in one.text)
            one.session.bridge.toggle_cable()
            await one.see(lambda: "Pairing failed" in one.text)
            assert "Pairing failed · controller lost" in one.text
            assert "the controller of ios was lost" in one.app.screen.outcome.words
            assert "closer" not in one.text
            await one.press("r")
            assert "ios has no controller now" in one.text
            assert "PIN entry" not in one.text
            one.session.bridge.toggle_cable()
            await one.see(lambda: one.events("controller_back"))
            await one.see(lambda: not one.session.bridge.away)
            await one.press("2", "r")
            await one.see(lambda: "PIN entry" in one.text)
            await one.press(*"047115", "enter")
            await one.see(lambda: one.events("paired"))

    play(story())


def test_an_accessory_on_a_dongle_cannot_begin_a_pairing_anew():
    """The phone is a stranger: nothing is offered that only it can do."""

    async def story():
        async with bench(play=("phone", "accessory")) as one:
            pin = await one.asked()
            await one.press(*f"{(int(pin) + 1) % 1_000_000:06}", "enter")
            await one.ended()
            assert "r: retry" in one.text
            stranger = msgspec.structs.replace(
                one.session.outcomes.all[-1], node="lock", peer="c0:00:00:00:00:07"
            )
            one.session.outcomes.all.append(stranger)
            await one.press("escape")
            one.app.open_outcome(stranger)
            await one.turn()
            assert "Pairing failed" in one.text
            assert "retry" not in one.text
            commands = len(one.events("command"))
            one.app.people.retry()
            await one.turn()
            assert len(one.events("command")) == commands
            await one.press("escape")
            assert "c0:00:00:00:00:07 is no device of this run" in one.text
            one.app.message = ("", "")
            await one.press("2")
            assert "r retry" in one.text
            one.app.people.may_retry = lambda outcome: False
            await one.turn()
            assert "retry" not in one.text

    play(story())


@pytest.mark.parametrize(
    ("role", "said", "asked"),
    [
        (Role(kind="observe"), "an observer only listens", []),
        (Role(kind="accessory", name="passkey_lock"), "begin it on the phone", []),
        (Role(kind="phone", name="ios"), "ios knows nobody to pair with", []),
        (Role(kind="phone", name="ios", peer="Lock"), "", ["Lock"]),
    ],
)
def test_pair_on_a_dongle_is_the_matter_of_a_phone_that_knows_its_peer(role, said, asked):
    """No word of scenarios there; what only a stranger can begin is left to it."""

    async def story():
        async with bench() as one:
            one.session.request = msgspec.structs.replace(one.session.request, role=role)
            await one.press("p")
            assert said in one.text
            assert "of this scenario" not in one.text
            given = [one for one in one.events("command") if one.fields["do"] == "pair"]
            assert [event.fields["set"]["to"] for event in given] == asked

    play(story())


def test_a_role_takes_the_place_of_the_run_and_gives_the_dongle_back(room):
    async def story():
        async with live(Request(what="passkey_lock", play=("none",))) as one:
            plug_nothing_in(one)
            one.app.bridges.add(room)
            await one.press("home", "c")
            await one.see(lambda: "● ok" in one.text)
            await one.see(lambda: one.session.is_unsaved)
            await one.press("r")
            await one.type("thermometer")
            await one.press("enter")
            assert "is in no file" in one.text
            await one.press("n")
            assert one.session.bridge is None
            await one.press("r")
            await one.type("thermometer address=c0:00:00:00:00:01")
            await one.press("enter", "y")
            await one.see(lambda: one.session.bridge is not None)
            await one.see(lambda: "accessory thermometer, in real time" in one.text)
            assert room not in one.app.bridges.thread.links, "one at a time has it"
            await one.see(lambda: one.events("packet", "thermometer"))
            device = one.control.world.devices["thermometer"]
            assert device.settings.address == "c0:00:00:00:00:01"
            await one.press("u")
            await one.see(lambda: "✗ pulled out" in one.text)
            await one.press("u")
            await one.see(lambda: one.events("controller_back"))
            await one.press("D", "y")
            await one.see(lambda: "not open" in one.text)
            assert one.control.state == "stopped"

    play(story())


def test_a_run_without_its_dongle_says_so(monkeypatch):
    monkeypatch.setattr(bench_world, "_READY_S", 0.2)
    role = Role(kind="observe")
    request = Request(what="observer", moniker="tcp-client:127.0.0.1:1", role=role)

    async def story():
        async with live(request) as one:
            await one.see(lambda: one.control.state == "died")
            assert "the run ended" in one.text
            assert "127.0.0.1:1" in one.control.error
            assert "start the other side" in one.control.error
            await one.see(lambda: "not open" in one.text)

    play(story())


# Options


def options_of(*words):
    parser = argparse.ArgumentParser()
    parser.add_argument("--speed")
    add_bench_options(parser)
    return parser.parse_args(words)


def test_the_options_of_a_bench():
    plain = Request(what="demo")
    assert on_bench(plain, options_of(), "demo") is plain
    words = ("--bridge", "usb:0", "--phone", "ios", "--peer", "Lamp", "--pair")
    found = on_bench(plain, options_of(*words), "demo")
    assert (found.moniker, found.role) == (
        "usb:0",
        Role(kind="phone", name="ios", peer="Lamp", pair=True),
    )
    assert set(found.play) == {"phone", "accessory"}
    nobody = on_bench(
        Request(what="demo", play=("none",)), options_of("--bridge", "usb:0", "--observe"), "demo"
    )
    assert nobody.play == ("none",)


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--accessory", "lock"), "--accessory needs --bridge"),
        (("--bridge", "usb:0"), "say what is to be on it"),
        (("--bridge", "usb:0", "--accessory", "lock", "--observe"), "one of them"),
        (("--bridge", "usb:0", "--accessory", "lock", "--peer", "x"), "a phone's"),
        (("--bridge", "usb:0", "--phone", "ios", "--pair"), "--pair needs --peer"),
        (("--bridge", "usb:0", "--observe", "--speed", "2"), "real time"),
    ],
)
def test_options_that_do_not_go_together(words, part):
    with pytest.raises(UsageError, match=part):
        on_bench(Request(what="demo"), options_of(*words), "demo")


def test_a_scenario_and_a_dongle_are_two_things():
    with pytest.raises(UsageError, match="takes the place of lock_pin"):
        on_bench(Request(what="lock_pin"), options_of("--bridge", "usb:0", "--observe"), "demo")


@pytest.mark.parametrize(
    ("request_", "part"),
    [
        ({"moniker": "usb0", "role": Role(kind="observe")}, "no moniker"),
        ({"moniker": "usb:0"}, "say what is to be on it"),
        ({"moniker": "usb:0", "role": Role(kind="observe"), "faults": ("jam",)}, "simulated air"),
        ({"moniker": "usb:0", "role": Role(kind="accessory", name="lokc")}, "did you mean lock"),
    ],
)
def test_runs_that_cannot_be(request_, part):
    with pytest.raises(UsageError, match=part):
        open_session(Request(what="x", **request_))
