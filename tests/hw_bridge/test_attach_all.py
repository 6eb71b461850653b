"""Every device that can be listed, on a controller that is not the simulation's; what has no Bluetooth is refused."""

from __future__ import annotations

import asyncio

import pytest
from bleak.backends.device import BLEDevice

from hw_bridge.attach import plan_accessory, plan_phone
from hw_bridge.bench_person import put_on_bench
from hw_bridge.bench_world import BenchWorld
from protocols.errors import UsageError
from sim.accessories import ACCESSORIES
from sim.phones import PHONES
from sim.scenario import parse
from tests.hw_bridge import test_rootcanal, test_system_bluetooth
from tests.hw_bridge.served import ROOM, nearbench
from tests.hw_bridge.test_attach import Bench, steps
from tests.hw_bridge.test_system_bluetooth import System
from tui.cli import main

rootcanal_port = test_rootcanal.number
WITH_BLUETOOTH = [name for name, one in ACCESSORIES if "ble" in one.radios]
WITHOUT = [name for name, one in ACCESSORIES if "ble" not in one.radios]
WITH_WIFI_AWARE = [name for name, one in PHONES if "wifi_aware" in one.radios]
NO_RADIO = "no Wi-Fi Aware on this bench"


def with_steps(plan) -> str:
    """The steps of a plan as a scenario's text."""
    told = []
    for step in plan.scenario.step:
        values = {key: str(value).lower() for key, value in step.set.items()}
        quoted = (
            f"{key} = {one}" if one == "true" else f'{key} = "{step.set[key]}"'
            for key, one in values.items()
        )
        told.append(
            f'[[step]]\nnode = "{plan.node}"\ndo = "{step.do}"\nset = {{ {", ".join(quoted)} }}\n'
        )
    return "".join(told)


@pytest.mark.parametrize("name", WITH_BLUETOOTH)
def test_every_accessory_with_bluetooth_works_on_a_dongle(name):
    plan = plan_accessory(name, {})
    node = f'title = "One"\nduration = "1h"\n[[node]]\nname = "{name}"\naccessory = "{name}"\n'
    bench = Bench(node, plan.node)
    bench.run(3)
    states = [one.fields["state"] for one in bench.of("controller", name)]
    assert "ready" in states
    assert not {"degraded", "mute", "blocked"} & set(states)
    assert not bench.world._scripts.failures
    asked = {one.data[1:3] for one in bench.of("packet", name) if one.data[0] == 1}
    assert bytes.fromhex("3920") in asked, "LE Set Extended Advertising Enable"


def test_a_recorded_address_gives_way_to_that_of_the_controller():
    node = 'title = "One"\nduration = "1h"\n[[node]]\nname = "b"\naccessory = "fsc_bp105n"\n'
    bench = Bench(node, "b")
    own = bench.session.life.port.controller.public_address
    bench.run(1)
    (told,) = bench.of("other_address", "b")
    assert str(own).partition("/")[0].lower() in told.note


def test_a_computer_sits_there_until_a_program_uses_it():
    bench = Bench(ROOM + '[[node]]\nname = "pc"\nphone = "computer"\n', "pc")
    bench.run(1)
    assert "ready" in [one.fields["state"] for one in bench.of("controller", "pc")]
    assert not plan_phone("computer", {}).scenario.step
    with pytest.raises(UsageError, match="--phone generic"):
        plan_phone("computer", {}, peer="Lock")


@pytest.mark.parametrize("name", [name for name in PHONES.names() if name != "computer"])
def test_every_phone_finds_connects_pairs_and_reads_on_a_dongle(name):
    text = ROOM + f'[[node]]\nname = "{name}"\nphone = "{name}"\n'
    bench = Bench(text + with_steps(plan_phone(name, {}, peer="Lock", pair=True)), name)
    put_on_bench(bench.world.devices[name], lambda _: None, pin="047115")
    bench.run(15)
    assert not bench.world._scripts.failures
    (paired,) = bench.of("paired", "lock")
    assert paired.fields["authenticated"]
    assert bench.of("disconnected", name)
    said = [one.note for one in bench.of("no_radio", name)]
    assert [NO_RADIO in one for one in said] == [True] * (name in WITH_WIFI_AWARE)


@pytest.mark.parametrize(
    ("phone", "settings", "command"),
    [
        (
            "ios",
            'services = { "_x._tcp" = { Subscribable = {} } }',
            "aware_browse service=_x._tcp",
        ),
        ("android", "", "aware_attach"),
    ],
)
def test_what_wants_wi_fi_aware_says_that_the_bench_has_none(phone, settings, command):
    node = f'[[node]]\nname = "phone"\nphone = "{phone}"\nset = {{ {settings} }}\n'
    text = ROOM + node + steps("phone", command)
    bench = Bench(text, "phone")
    bench.run(3)
    (failure,) = bench.world._scripts.failures
    assert NO_RADIO in failure
    assert "monitor:" in failure


class HearsAgain(test_system_bluetooth.Scanner):
    """Tells of the same advert until it is stopped, as systems do."""

    system = System()

    async def start(self):
        await super().start()
        self.again = asyncio.get_running_loop().call_later(0.1, self.report)

    def report(self) -> None:
        device = BLEDevice(test_system_bluetooth.ADDRESS, "Lamp", {})
        self.call_detection_callbacks(device, test_system_bluetooth.ADVERT)
        self.again = asyncio.get_running_loop().call_later(0.1, self.report)

    async def stop(self):
        self.again.cancel()


@pytest.mark.parametrize("name", WITH_WIFI_AWARE)
def test_every_phone_works_on_the_systems_bluetooth(name, monkeypatch):
    plain = test_system_bluetooth.ADVERT._replace(manufacturer_data={}, service_data={})
    monkeypatch.setattr(test_system_bluetooth, "ADVERT", plain)
    client = System().backends()[1]
    plan = plan_phone(name, {}, peer="Lamp", on_system=True)
    world = BenchWorld(plan.scenario, speed=None, seed=1)
    world.use_system(name, backends=(HearsAgain, client))
    events = []
    world.trace.add_sink(events.append)
    try:
        with world.session():
            world.loop.run_until_us(10_000_000)
    finally:
        world.close()
    assert not world._scripts.failures
    told = {one.event: one for one in events if one.node == name}
    assert NO_RADIO in told["no_radio"].note
    assert {"discovered", "disconnected"} <= set(told)
    assert "not_shown" not in told, "the system hides Flags; that is no fault of the peer"


@pytest.mark.parametrize("name", WITHOUT)
def test_an_accessory_without_bluetooth_is_refused(name, capsys):
    assert main(["bridge", "attach", "usb:0", "--accessory", name]) == 2
    done = capsys.readouterr()
    assert "has no Bluetooth" in done.err
    assert "monitor:" in done.err
    assert done.out == ""


def test_a_device_without_bluetooth_gets_no_dongle_by_another_way():
    text = 'title = "One"\nduration = "1h"\n[[node]]\nname = "tv"\naccessory = "aware_display"\n'
    world = BenchWorld(parse(text), speed=None, seed=1)
    try:
        with pytest.raises(UsageError, match="tv has no Bluetooth"):
            world.use_dongle("tv", None)  # type: ignore[arg-type]  # is not looked at
    finally:
        world.close()


def test_commands_are_carried_out_while_the_peer_is_connected():
    plan = plan_phone("generic", {}, peer="Lamp", commands=["read uuid=2a00"])
    names = [step.do for step in plan.scenario.step]
    assert names.index("connect") < names.index("read") < names.index("disconnect")


@pytest.mark.parametrize("phone", WITH_WIFI_AWARE)
@pytest.mark.slow
def test_the_command_line_pairs_as_a_phone_of_a_maker_through_an_exposed_controller(
    phone, tmp_path
):
    room = tmp_path / "room.toml"
    room.write_text(ROOM)
    words = ["--phone", phone, "--peer", "Lock", "--pair", "--pin", "047115"]
    with nearbench("bridge", "expose", room) as served:
        moniker = served.until("\n").split()[0]
        with nearbench("bridge", "attach", moniker, *words) as attached:
            assert attached.finish(30) == 0, attached.output
        assert "paired: protected against a man in the middle, bonded" in attached.output
        assert "no Wi-Fi Aware" in attached.output


@pytest.mark.slow
@pytest.mark.parametrize("phone", WITH_WIFI_AWARE)
def test_33_a_phone_of_a_maker_pairs_on_a_foreign_controller(phone, rootcanal_port):
    moniker = f"tcp-client:127.0.0.1:{rootcanal_port}"
    words = ["--accessory", "lock", "--set", "pin=047115"]
    with nearbench("bridge", "attach", moniker, *words) as lock:
        lock.until("controller ready")
        words = ["--phone", phone, "--peer", "Lock", "--pair", "--pin", "047115"]
        with nearbench("bridge", "attach", moniker, *words) as attached:
            assert attached.finish(60) == 0, attached.output
        assert "paired: protected against a man in the middle, bonded" in attached.output
        assert lock.stop() == 0
