"""Lines that are typed at devices, power that is taken away and given back, buttons and LEDs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from protocols.errors import UnknownNameError, UsageError
from sim import scenario
from sim.console import given, parse
from sim.units import Duration
from sim.world import World
from tests.sim.test_aware_accessories import play
from tests.sim.worlds import run, two

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def lock() -> Iterator[Any]:
    """A lock that was never switched on."""
    world = World(scenario.parse(two("lock", "wait for='1s'")))
    yield world.devices["dev"]
    world.close()


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("  ", None),
        ("019655", ("enter_pin", {"pin": "019655"})),
        ("turn locked=false", ("turn", {"locked": False})),
        ("enter_pin pin=123456 timeout=2s", ("enter_pin", {"pin": "123456", "timeout": "2s"})),
        ("forget peer='a b'", ("forget", {"peer": "a b"})),
        ("change setting=pin value=123456", ("change", {"setting": "pin", "value": "123456"})),
        (
            "change setting=keys value=['signing']",
            ("change", {"setting": "keys", "value": ["signing"]}),
        ),
        (
            'change setting=local_name value="Front door"',
            ("change", {"setting": "local_name", "value": "Front door"}),
        ),
    ],
)
def test_a_line_is_a_command_with_values_of_its_types(lock: Any, line: str, wanted: Any) -> None:
    found = parse("dev", line, str)
    assert (found and (found[0], given(lock, *found))) == wanted


@pytest.mark.parametrize(
    ("line", "error", "part"),
    [
        ("turn now", UsageError, "key=value"),
        ("sing", UnknownNameError, "unknown command of dev 'sing'"),
        ("turn locket=true", UnknownNameError, "locket"),
        ("turn locked=perhaps", UsageError, "locked"),
        ("enter_pin", UsageError, "needs pin"),
    ],
)
def test_a_wrong_line_says_what_is_wrong(lock: Any, line: str, error: Any, part: str) -> None:
    with pytest.raises(error, match=part):
        given(lock, *parse("dev", line, str))  # type: ignore[misc]  # none of them is blank


def test_without_power_nothing_works_and_bonds_stay() -> None:
    """The phone notices by its supervision timeout alone, and finds its bond when the power is back."""
    steps = (
        "connect to='dev'\npair\ndev switch_off\nwait for='10s'\ndev turn?\nconnect to='dev', timeout='2s'?\n"
        "wait for='10s'\nconnect to='dev'\nencrypt"
    )
    text = two("lock", steps, duration="90s")
    text = text.replace('do = "switch_off"', 'do = "switch_off"\nat = "6s"')
    text = text.replace('do = "turn"', 'do = "turn"\nat = "7s"')
    text += '\n[[step]]\nnode = "dev"\ndo = "switch_on"\nat = "20s"\n'
    ran = run(text)
    (off,) = ran.of("switched_off", "dev")
    (lost,) = [e for e in ran.of("disconnected", "ph", "ble") if e.t_us < 20_000_000]
    assert lost.fields["reason"] == 0x08
    assert 4_000_000 < lost.t_us - off.t_us < 6_000_000
    refused = ran.of("step_failed", "dev")
    assert "dev is switched off; switch_on" in refused[0].note
    (on,) = ran.of("switched_on", "dev")
    assert [e for e in ran.of("encrypted", "dev") if e.t_us > on.t_us]
    quiet = [e for e in ran.events if e.node == "dev" and e.layer == "air"]
    assert not [e for e in quiet if off.t_us < e.t_us < on.t_us]


def test_wi_fi_aware_is_switched_off_too() -> None:
    ran = play("aware_display", "dev @2s switch_off\ndev @5s switch_on\nph @8s console line='help'")
    (off,), (on,) = ran.of("switched_off", "dev"), ran.of("switched_on", "dev")
    sent = [e.t_us for e in ran.events if e.node == "dev" and e.layer == "air"]
    assert not [t_us for t_us in sent if off.t_us + 1000 < t_us < on.t_us]
    assert [t_us for t_us in sent if t_us > on.t_us]


def test_a_reboot_wakes_nothing_that_is_switched_off() -> None:
    """A fault that reboots by itself asks no command table."""
    world = World(scenario.parse(two("lock", "dev switch_off\nwait for='1s'", duration="3s")))
    try:
        world.run()
        device: Any = world.devices["dev"]
        world.loop.run_until_complete(device.reboot())
        assert device.is_off
    finally:
        world.close()


def test_the_led_of_the_headset_follows_its_button_and_its_phones() -> None:
    text = two("headset", "wait for='1s'", settings="pairing_time = '4s'", duration="40s")
    for at, command in (("2s", "press_button"), ("8s", "press_button"), ("9s", "switch_off")):
        text += f'\n[[step]]\nnode = "dev"\ndo = "{command}"\nat = "{at}"\n'
    text += '\n[[step]]\nnode = "ph"\ndo = "wait"\nset = { for = "20s" }\n'
    ran = run(text)
    assert [(e.t_us, e.fields["state"]) for e in ran.of("led", "dev")] == [
        (2_000_000, "blinks blue"),
        (6_000_000, "off"),
        (8_000_000, "blinks blue"),
        (9_000_000, "off"),
    ]
    connected = run(two("headset", "connect to='dev'\nwait for='1s'"))
    assert [e.fields["state"] for e in connected.of("led", "dev")] == ["blue"]


def test_a_changed_setting_waits_for_the_next_start() -> None:
    world = World(scenario.parse(two("lock", "dev change setting='wrong_pins_allowed', value=5")))
    try:
        world.run()
        device: Any = world.devices["dev"]
        assert device.changed == {"wrong_pins_allowed"}
        assert given(device, "change", {"setting": "lockout", "value": "3s"})["value"] == "3s"
        assert isinstance(device.settings.lockout, Duration)
    finally:
        world.close()
    world = World(
        scenario.parse(two("lock", "dev change setting='pin', value='111111'\ndev reboot"))
    )
    try:
        world.run()
        assert not world.devices["dev"].changed  # type: ignore[attr-defined]  # an accessory's
    finally:
        world.close()
