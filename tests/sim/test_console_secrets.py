"""Consoles: what is typed, what they answer, and that PINs are not echoed unless the run reveals them."""

from __future__ import annotations

import pytest

from sim import scenario
from sim.redaction import Secret, masked, masked_line
from sim.trace import line_of
from sim.world import World
from tests.sim.worlds import Ran, run, two

PIN = "246802"


def trace(ran: Ran) -> str:
    return "".join(line_of(event).decode() for event in ran.events)


def test_a_blank_line_is_nothing() -> None:
    ran = run(two("lock", "dev console line=''\ndev console line='   '"))
    assert not ran.of("step_failed")


def test_help_lists_what_can_be_typed() -> None:
    ran = run(two("lock", "dev console line='help'"))
    said = [event.note for event in ran.of("help_line", "dev")]
    assert any(line.startswith("turn locked=: Turn the knob") for line in said)
    assert any(line.startswith("log: ") for line in said)


def test_digits_are_text_where_the_setting_is_text() -> None:
    ran = run(two("lock", f"dev console line='change setting=pin value={PIN}'"))
    assert not ran.of("step_failed")
    assert ran.world.devices["dev"].settings.pin == PIN


@pytest.mark.parametrize(
    "step",
    [
        f"dev enter_pin pin='{PIN}', timeout='1s'?",
        f"dev change setting='pin', value='{PIN}'",
        f"dev console line='change setting=pin value={PIN}'",
        f"dev console line='enter_pin pin={PIN} timeout=1s'?",
        f"dev console line='enter_pin {PIN}'?",
    ],
)
def test_a_typed_pin_is_not_echoed(step: str) -> None:
    assert PIN not in trace(run(two("lock", step)))


def test_revealed_it_is() -> None:
    text = two("lock", f"dev change setting='pin', value='{PIN}'")
    world = World(scenario.parse(text), reveal=True)
    try:
        assert f"value = {PIN}" in trace(Ran(world))
    finally:
        world.close()


def test_passphrases_are_found_in_lists_too() -> None:
    given = {"setting": "networks", "value": [{"ssid": "home", "passphrase": "very secret"}]}
    shown = str(masked(given, Secret))
    assert "home" in shown
    assert "very secret" not in shown
    assert "abc" not in masked_line("x passphrase=abc", Secret)
    assert masked_line("press keys=12 count=123456", Secret) == "press keys=12 count=123456"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("enter 4711", "enter #"),
        ("enter 1234567890123456 now", "enter # now"),
        ("enter 123 12345678901234567", "enter 123 12345678901234567"),
        ("pin 12345678", "pin #"),
        ("PIN: swordfish", "PIN: #"),
        ("join passphrase xyz ssid=home", "join passphrase # ssid=home"),
        ("join passphrase = xyz", "join passphrase = #"),
        ("join passphrase='open sesame' ssid=home", "join passphrase=# ssid=home"),
        ("join passphrase 'open sesame' ssid=home", "join passphrase # ssid=home"),
        ("it's passphrase xyz", "it's passphrase #"),
        ("say 'the passphrase xyz' twice", "say 'the passphrase #' twice"),
        ("change setting=passphrase value='open sesame'", "change setting=passphrase value=#"),
        ("change setting=pin timeout=1s", "change setting=pin timeout=1s"),
        ("pin", "pin"),
        ("spin 12 times", "spin 12 times"),
    ],
)
def test_a_secret_is_known_by_its_digits_or_by_the_word_before_it(line: str, shown: str) -> None:
    assert masked_line(line, lambda _: "#") == shown
    assert masked_line(line, str) == line, "revealed it is as it was typed"


def test_the_error_about_a_word_without_a_key_hides_a_pin() -> None:
    ran = run(two("lock", f"dev console line='enter_pin {PIN}'?"))
    assert "write arguments as key=value" in ran.of("step_failed", "dev")[0].note
