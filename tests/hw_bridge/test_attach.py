"""Simulated devices on controllers that are not theirs: in simulated time on a session, and by the command line."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest
from bumble import hci as typed_hci

from hw_bridge.air_port import AirPort
from hw_bridge.attach import plan_accessory, plan_observer, plan_phone
from hw_bridge.bench_person import BenchPerson, put_on_bench
from hw_bridge.bench_world import BenchWorld
from hw_bridge.errors import LostError
from hw_bridge.legacy_advertising import LegacyAdvertising
from hw_bridge.session import Session, SessionSettings
from protocols.errors import UnknownNameError, UsageError
from protocols.hci.replies import command
from sim.scenario import parse
from tests.hw_bridge import test_rootcanal
from tests.hw_bridge.served import ROOM, nearbench

hci: Any = typed_hci  # its names are made by decorators
rootcanal_port = test_rootcanal.number
PHONE = """
title = "Somebody with a phone"
duration = "1h"
[[node]]
name = "thermometer"
accessory = "thermometer"
[[node]]
name = "phone"
phone = "generic"
at = [1.0, 1.0]
"""
VISIT = ["scan", "wait_for what=Thermometer", "stop_scan", "connect to=Thermometer"]


def steps(node: str, *commands: str) -> str:
    return "".join(
        f'[[step]]\nnode = "{node}"\ndo = "{one.split()[0]}"\nset = {{ '
        + ", ".join(f'{key} = "{value}"' for key, value in (w.split("=") for w in one.split()[1:]))
        + " }\n"
        for one in commands
    )


class Unpluggable(AirPort):
    """A dongle that can be pulled out and put in again."""

    there = True

    def present(self) -> bool:
        return self.there

    async def open(self, receiver):
        self.link = await super().open(receiver)
        return self.link

    def unplug(self) -> None:
        self.there = False
        self.controller.host = None
        self.controller.on_packet(command(0x0C03))
        self.link._receiver.on_lost(LostError("dongle: unplugged"))


class Bench:
    """A world in simulated time whose `node` is on a dongle; the dongle stands in the same air."""

    def __init__(self, text: str, node: str, *, without: Any = None, seed: int | None = 1):
        self.world = BenchWorld(parse(text), speed=None, seed=seed)
        controller = self.world.add_foreign("dongle", (0.5, 0.5))
        if without is not None:
            controller.le_features &= ~without
            controller.start_port()
        self.port = Unpluggable(controller)
        settings = SessionSettings(listen_ms=0)
        self.session = Session("dongle", port=self.port, settings=settings)
        self.world.use_dongle(node, self.session)
        self.events = []
        self.world.trace.add_sink(self.events.append)

    def run(self, seconds: float, then=None) -> None:
        """Let time pass; `then` in the middle of it; give the dongle back."""

        async def work() -> None:
            await asyncio.sleep(seconds)
            if then is not None:
                then()
                await asyncio.sleep(seconds)
            await self.world.close_dongles()

        try:
            with self.world.session():
                self.world.loop.run_until_complete(work())
        finally:
            self.world.close()

    def of(self, event: str, node: str = "") -> list:
        return [one for one in self.events if one.event == event and node in ("", one.node)]


def test_an_accessory_on_a_dongle_is_found_and_read_by_a_phone():
    bench = Bench(PHONE + steps("phone", *VISIT, "read uuid=2a00"), "thermometer")
    bench.run(5)
    (read,) = bench.of("read", "phone")
    assert read.fields["value"] == {"text": "Thermometer"}
    assert bench.of("connected", "thermometer")
    assert bench.of("packet", "thermometer"), "its HCI is in the trace"
    assert not bench.world._scripts.failures


def test_a_phone_on_a_dongle_pairs_with_an_accessory_by_pin():
    text = ROOM + '[[node]]\nname = "phone"\nphone = "generic"\n'
    text += steps("phone", "connect to=lock", "pair", "read uuid=2a00")
    bench = Bench(text, "phone")
    told = []
    put_on_bench(bench.world.devices["phone"], told.append, pin="047115")
    bench.run(10)
    assert bench.of("paired", "phone")
    assert bench.of("read", "phone")
    (paired,) = bench.of("paired", "lock")
    assert paired.fields["authenticated"]
    assert not bench.world._scripts.failures


@pytest.mark.parametrize("node", ["phone", "lock"])
def test_a_dongle_that_is_lost_in_mid_pairing_is_what_the_end_is_put_down_to(node):
    text = ROOM + '[[node]]\nname = "phone"\nphone = "generic"\nset = { person = "asked" }\n'
    bench = Bench(text + steps("phone", "connect to=lock", "pair"), node)
    bench.run(5, bench.port.unplug)
    assert bench.of("pin_required", "phone")
    (end,) = bench.of("not_paired", node)
    assert f"the controller of {node} was lost (dongle: unplugged)" in end.note
    assert end.fields["words"] in end.note.partition("; ")[0], "so that a card shows all of it"
    assert "dongle" in end.fields["remedy"]
    assert "closer" not in end.fields["remedy"]


def test_a_connection_that_is_lost_over_a_dongle_that_works_is_put_down_to_the_way():
    text = ROOM + '[[node]]\nname = "phone"\nphone = "generic"\nset = { person = "asked" }\n'
    bench = Bench(text + steps("phone", "connect to=lock", "pair"), "phone")
    bench.run(5, lambda: bench.world.devices["lock"].ble._stack.power_off())
    (end,) = bench.of("not_paired", "phone")
    assert "closer" in end.fields["remedy"]
    assert "controller" not in end.note


def test_afterwards_the_dongle_is_silent_and_its_peers_know_why():
    bench = Bench(PHONE + steps("phone", *VISIT), "thermometer")
    bench.run(5)
    assert bench.of("disconnected", "phone")[0].fields["reason"] == 0x13, "not by a timeout"
    assert not bench.port.controller.advertiser.enabled


def test_an_accessory_starts_anew_when_its_dongle_is_back():
    text = PHONE + steps("phone", *VISIT, "wait for=6s", *VISIT, "read uuid=2a00")
    bench = Bench(text, "thermometer")

    def unplug() -> None:
        bench.port.unplug()
        bench.world.loop.call_later(1, setattr, bench.port, "there", True)

    bench.run(6, unplug)
    assert bench.of("disconnected", "thermometer")[0].fields["reason"] == 0x08
    assert bench.of("controller_back", "thermometer")
    assert len(bench.of("connected", "thermometer")) == 2
    assert bench.of("read", "phone")
    assert not bench.world._scripts.failures


def test_what_an_accessory_wants_while_its_dongle_is_away_is_no_fault():
    text = PHONE.replace('accessory = "thermometer"', 'accessory = "eddystone_beacon"')
    bench = Bench(text, "thermometer")

    def unplug() -> None:
        bench.port.unplug()
        bench.world.loop.call_later(10, setattr, bench.port, "there", True)

    bench.run(20, unplug)
    away = bench.of("controller_away", "thermometer")
    back = bench.of("controller_back", "thermometer")[0]
    assert away
    assert away[0].t_us < back.t_us
    sent = [one.t_us for one in bench.of("adv_nonconn_ind", "dongle")]
    assert [t for t in sent if t > back.t_us], "it advertises again"


def test_a_dongle_of_bluetooth_4_advertises_by_the_old_commands():
    text = PHONE + steps("phone", *VISIT, "read uuid=2a00", "disconnect", "wait for=1s", *VISIT)
    bench = Bench(text, "thermometer", without=hci.LeFeatureMask.LE_EXTENDED_ADVERTISING)
    bench.run(12)
    opcodes = {one.data[1:3] for one in bench.of("packet", "thermometer") if one.data[0] == 1}
    assert bytes.fromhex("0a20") in opcodes, "LE Set Advertising Enable"
    assert bytes.fromhex("3920") not in opcodes, "LE Set Extended Advertising Enable"
    assert bench.of("read", "phone")
    assert len(bench.of("connected", "thermometer")) == 2, "it advertises again after the first"
    assert not bench.world._scripts.failures


def test_keys_of_a_device_on_a_dongle_are_drawn_anew():
    keys = []
    for _ in range(2):
        text = ROOM + '[[node]]\nname = "phone"\nphone = "generic"\n'
        bench = Bench(text + steps("phone", "connect to=lock", "pair"), "phone", seed=None)
        put_on_bench(bench.world.devices["phone"], lambda _: None, pin="047115")
        bench.run(10)
        assert bench.of("paired", "phone")
        bonds = bench.world.devices["lock"].ble._stack.bonds
        keys.append(bonds.keys_of(bonds.names()[0]).ltk.value)
    assert keys[0] != keys[1]


def test_a_public_address_that_the_dongle_does_not_have_is_refused():
    text = PHONE.replace(
        'accessory = "thermometer"',
        'accessory = "thermometer"\nset = { address = "00:11:22:33:44:55 public" }',
    )
    bench = Bench(text, "thermometer")
    with pytest.raises(UsageError, match=r"has the public address .* not 00:11:22:33:44:55"):
        bench.run(1)


# The person


class Display:
    """What BenchPerson asks of a device."""

    name = "lock"

    def __init__(self, **settings) -> None:
        self.settings = SimpleNamespace(**{"io": "none", "pin": "", "confirms": True} | settings)
        self.place = SimpleNamespace(faces={}, secret=lambda value: value)
        self.events = []

    def emit(self, event, **details):
        self.events.append(event)


async def test_a_person_answers_with_the_given_pin_and_no_other():
    told = []
    assert (
        await BenchPerson(Display(), told.append, pin="012345", asks=False).ask_pin("p") == "012345"
    )
    assert await BenchPerson(Display(), told.append, asks=False).ask_pin("p") is None
    assert "--pin" in told[-1]


async def test_a_comparison_is_agreed_to_only_when_told():
    told = []
    display = Display(io="display_yes_no")
    assert await BenchPerson(display, told.append, asks=False).compare("p", "123456") is False
    assert "123456" in told[-1]
    assert await BenchPerson(display, told.append, yes=True, asks=False).compare("p", "1") is True


def test_the_display_is_shown_whatever_the_trace_hides():
    told = []
    BenchPerson(Display(), told.append).display_pin("phone", "047115")
    assert "047115" in told[0]


# Plans and advertising sets as values


def test_a_plan_is_a_scenario_with_one_node():
    plan = plan_phone("generic", {}, peer="Lamp", pair=True)
    assert [step.do for step in plan.scenario.step] == [
        *("scan", "wait_for", "stop_scan"),
        *("connect", "pair", "discover", "disconnect"),
    ]
    assert plan.ends
    assert not plan_observer().ends
    plan = plan_accessory("lock", {"pin": "000000"}, commands=["change setting=pin value=012345"])
    assert plan.scenario.step[0].set["value"] == "012345"
    with pytest.raises(UsageError, match="key=value"):
        plan_phone("generic", {}, commands=["scan active"])
    with pytest.raises(UnknownNameError, match="generic"):
        plan_phone("generik", {}, commands=["scan"])


PARAMETERS = bytes.fromhex("00 1300 a00000 b00000 07 01 00 000000000000 00 00 01 00 01 00 00")
READY = [(0x2036, PARAMETERS), (0x2037, bytes.fromhex("00030103020106"))]


def shim(*commands) -> LegacyAdvertising:
    made = LegacyAdvertising()
    for opcode, parameters in commands:
        out, _ = made.to_controller(command(opcode, parameters))
        if out is not None:
            made.to_host(bytes((4, 0x0E, 4, 1)) + out[1:3] + b"\0")
    return made


def test_parameters_of_a_set_become_those_of_bluetooth_4():
    out, answer = LegacyAdvertising().to_controller(command(0x2036, PARAMETERS))
    assert (out, answer) == (
        command(0x2006, bytes.fromhex("a000 b000 00 01 00 000000000000 07 00")),
        None,
    )


def test_replies_are_those_of_the_command_that_was_asked():
    made = LegacyAdvertising()
    made.to_controller(command(0x2036, PARAMETERS))
    assert made.to_host(bytes.fromhex("040e0401062000")) == [bytes.fromhex("040e050136200000")]
    assert made.to_host(bytes.fromhex("040e0401030c00")) == [bytes.fromhex("040e0401030c00")]


def test_data_is_padded_as_the_old_command_wants_it():
    out, _ = shim(READY[0]).to_controller(command(*READY[1]))
    assert out == command(0x2008, b"\x03\x02\x01\x06" + bytes(28))


def test_a_connection_ends_the_set_before_it_is_told():
    connected = bytes.fromhex("043e1301 00 4000 01 00 665544332211 1800 0000 4800 00")
    terminated, same = shim(*READY).to_host(connected)
    assert terminated == bytes.fromhex("043e061200004000 00".replace(" ", ""))
    assert same == connected
    central = bytes.fromhex("043e1301 00 4000 00 00 665544332211 1800 0000 4800 00")
    assert shim(*READY).to_host(central) == [central]


@pytest.mark.parametrize(
    ("opcode", "parameters", "status"),
    [
        (0x2036, b"\1" + PARAMETERS[1:], 0x07),
        (0x2036, PARAMETERS[:1] + b"\0\0" + PARAMETERS[3:], 0x11),
        (0x2036, b"\0", 0x12),
        (0x2037, bytes.fromhex("0103010102"), 0x42),
        (0x2037, bytes.fromhex("00010120"), 0x07),
        (0x2039, bytes.fromhex("0101010000 00".replace(" ", "")), 0x42),
        (0x203C, b"\1", 0x42),
    ],
)
def test_what_one_set_cannot_do_is_refused_as_by_a_controller(opcode, parameters, status):
    out, answer = shim(*READY).to_controller(command(opcode, parameters))
    assert out is None
    assert answer[:2] == b"\x04\x0e"
    assert answer[6] == status


# The command line


def test_the_command_line_attaches_an_accessory_to_a_controller_elsewhere(tmp_path):
    room, trace = tmp_path / "room.toml", tmp_path / "trace.jsonl"
    text = '[[node]]\nname = "phone"\nphone = "generic"\n' + steps(
        "phone", *VISIT, "read uuid=2a00", "disconnect"
    )
    room.write_text('title = "A phone"\nduration = "1h"\n' + text)
    record = tmp_path / "session.pcapng"
    with nearbench("bridge", "expose", room, "--jsonl", trace) as served:
        moniker = served.until("\n").split()[0]
        words = ["--accessory", "thermometer", "--record", record]
        with nearbench("bridge", "attach", moniker, *words) as attached:
            attached.until("disconnected")
            assert "← read Device Name" in attached.output
            assert attached.stop() == 0
            assert "Traceback" not in attached.output
        assert served.stop() == 0
    assert record.stat().st_size > 1000
    events = [json.loads(line) for line in trace.read_text().splitlines()]
    assert [one["peer"] for one in events if one["event"] == "read"] == ["host"]
    (told,) = [one for one in events if one["event"] == "read_response"]
    assert (told["node"], told["direction"], told["fields"]["name"]) == (
        "phone",
        "rx",
        "Device Name",
    )


def test_the_command_line_pairs_as_a_phone_and_ends_when_it_is_done(tmp_path):
    room = tmp_path / "room.toml"
    room.write_text(ROOM)
    with nearbench("bridge", "expose", room) as served:
        moniker = served.until("\n").split()[0]
        words = ["--phone", "generic", "--peer", "Lock", "--pair"]
        with nearbench("bridge", "attach", moniker, *words, terminal=True) as attached:
            attached.until("which PIN does")
            served.until("the display of lock shows the PIN 047115 for ")
            attached.type("047115\n")
            assert attached.finish() == 0
        assert "paired" in attached.output
        assert "types ••••••" in attached.output
        with nearbench("bridge", "attach", moniker, "--observe", "--for", "1s") as attached:
            assert attached.finish() == 0
        assert '"Thermometer"' in attached.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing:0", "--observe"], "unknown transport 'nothing'"),
        (["usb:0", "--accessory", "termometer"], "did you mean thermometer"),
        (["usb:0", "--phone", "generic", "--pair"], "--pair needs --peer"),
        (["usb:0", "--accessory", "lock", "--peer", "x"], "an accessory waits"),
        (["usb:0", "--accessory", "lock", "--set", "pin"], "key=value"),
        (["usb:0", "--phone", "generic", "--do", "skan"], "did you mean scan"),
        (["usb:0"], "--observe"),
    ],
)
def test_wrong_requests_are_named(words, said, capsys):
    from tui.cli import main

    assert main(["bridge", "attach", *words]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.slow
def test_33_an_accessory_and_a_phone_meet_and_pair_on_foreign_controllers(rootcanal_port, tmp_path):
    """rootcanal gives each connection a controller of its own; nothing of the simulated air is in between."""
    moniker, record = f"tcp-client:127.0.0.1:{rootcanal_port}", tmp_path / "phone.pcapng"
    words = ["--accessory", "lock", "--set", "pin=047115"]
    with nearbench("bridge", "attach", moniker, *words) as lock:
        lock.until("controller ready")
        words = ["--phone", "generic", "--peer", "Lock", "--pair", "--pin", "047115"]
        with nearbench("bridge", "attach", moniker, *words, "--record", record) as phone:
            assert phone.finish(60) == 0, phone.output
        assert "discovered: Generic Access" in phone.output
        assert "paired: protected against a man in the middle, bonded" in phone.output
        lock.until("disconnected")
        assert lock.stop() == 0
        assert "PIN 047115" in lock.output, "its display is shown to the person"
    assert record.stat().st_size > 4000
