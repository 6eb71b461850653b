"""The console's models: the log of one device, completion, history, its settings in words. No screen."""

from __future__ import annotations

import pytest

from sim import scenario
from sim.console import given, parse
from sim.redaction import HIDDEN, Secret
from sim.trace import TraceLog
from sim.world import World
from tests.sim.worlds import two
from tui.feed import Feed
from tui.models.accessory_console import History, completed, help_of
from tui.models.accessory_log import DeviceLog, Line, Notes
from tui.models.accessory_state import button_of, settings_of
from tui.signs import ASCII, UNICODE

NODES = ("dev", "ph")


@pytest.fixture(scope="module")
def devices():
    """A lock and a phone that were never switched on."""
    text = two("lock", "wait for='1s'", settings="pin = '246802', local_name = 'Front door'")
    world = World(scenario.parse(text))
    yield world.devices
    world.close()


# What can be typed


@pytest.mark.parametrize(
    ("line", "wanted", "choices"),
    [
        ("tu", "turn ", []),
        ("switch", "switch_o", []),
        ("switch_o", "switch_o", ["switch_off", "switch_on"]),
        ("turn ", "turn locked=", []),
        ("turn locked=f", "turn locked=false ", []),
        ("turn locked=", "turn locked=", ["locked=false", "locked=true"]),
        ("turn locked=true l", "turn locked=true l", []),
        ("forget peer=", "forget peer=ph ", []),
        ("change setting=wrong_pins_a", "change setting=wrong_pins_allowed ", []),
        ("change setting=mitm value=re", "change setting=mitm value=required ", []),
        ("change value=re", "change value=re", []),
        ("nothing such=", "nothing such=", []),
        ("", "", None),
    ],
)
def test_completion(devices, line, wanted, choices):
    found, offered = completed(devices["dev"], NODES, line)
    assert found == wanted
    if choices is not None:
        assert offered == choices


def test_every_completed_command_is_one(devices):
    for device in devices.values():
        _, offered = completed(device, NODES, "")
        assert "console" not in offered
        known = {*type(device).commands(), "help", "log"}
        assert set(offered) <= known
        assert {"enter_pin", "forget", "help"} <= set(offered)


def test_help_is_about_all_or_one(devices):
    lock = devices["dev"]
    typed = dict(help_of(lock))
    assert typed["turn locked="].startswith("Turn the knob")
    assert help_of(lock, "turn")[1] == ("  locked=", "bool = True")
    assert help_of(lock, "sing") == []


def test_history_goes_back_and_forth_and_keeps_no_pin():
    history = History()
    for line in (
        "turn",
        "enter_pin pin=246802",
        "019655",
        "change setting=pin value=1",
        "turn",
        "reboot",
    ):
        history.add(line)
    assert history.lines == ["turn", "reboot"]
    assert history.back("for") == "reboot"
    assert history.back("reboot") == "turn"
    assert history.back("turn") == "turn"
    assert history.forth("turn") == "reboot"
    assert history.forth("reboot") == "for", "what was being typed comes back"
    assert history.forth("forget") == "forget"
    assert History().back("x") == "x"


# Settings


def test_settings_can_be_typed_again_and_hide_pins(devices):
    lock = devices["dev"]
    rows = {one.name: one for one in settings_of(lock)}
    assert rows["pin"].text == HIDDEN
    assert rows["pin"].typed == ""
    assert rows["local_name"].typed == '"Front door"'
    assert rows["lockout"].text == "1min"
    assert "1 to" not in rows["pairable"].about
    assert rows["pairable"].about == "whether pairing requests are accepted at all."
    for one in rows.values():
        if one.typed:
            line = f"change setting={one.name} value={one.typed}"
            value = given(lock, *parse("dev", line, str))["value"]
            kept = getattr(lock.settings, one.name)
            assert value in (kept, one.text) or tuple(value) == kept


def test_a_lock_has_no_button(devices):
    assert button_of(devices["dev"]) == ""
    assert button_of(devices["ph"]) == ""


# The log


class Clock:
    now = 0


def feed_of(*events):
    """A feed with these events: (node, layer, name, details)."""
    clock = Clock()
    trace = TraceLog(lambda: clock.now)
    feed = Feed(trace)
    for number, (node, layer, name, details) in enumerate(events):
        clock.now = number * 1_000_000
        trace.emit(node, layer, name, **details)
    feed.pull()
    return feed, trace


EVENTS = (
    ("dev", "accessory", "log", {"note": "hello"}),
    ("dev", "ble", "public_key", {"direction": "tx", "peer": "ph"}),
    ("ph", "ble", "public_key", {"direction": "tx", "peer": "dev"}),
    ("ph", "ble", "public_key", {"direction": "tx", "peer": "other"}),
    ("dev", "ble", "pairing_random", {"direction": "tx", "peer": "ph", "often": True}),
    ("dev", "hci", "packet", {"direction": "tx", "data": b"\x01"}),
    ("dev", "aware", "phase", {"quiet": True}),
    ("dev", "ble", "not_paired", {"peer": "ph", "note": "no"}),
    ("dev", "control", "command", {"do": "enter_pin", "set": {"pin": Secret("246802"), "timeout": "0us"}}),
    ("ph", "phone", "log", {"note": "of the phone"}),
)  # fmt: skip


@pytest.mark.parametrize(
    ("level", "wanted"),
    [
        ("quiet", ["hello", "no", "enter_pin"]),
        ("info", ["hello", "▶ public key", "◀ public key", "no", "enter_pin"]),
        (
            "all",
            ["hello", "▶ public key", "◀ public key", "▶ pairing random", "▶ packet", "phase", "no", "enter_pin"],
        ),
    ],
)  # fmt: skip
def test_levels(level, wanted):
    feed, _ = feed_of(*EVENTS)
    log = DeviceLog(feed, Notes(), "dev", level=level, signs=UNICODE)
    assert log.read()
    assert len(log.rows) == len(wanted)
    for row, part in zip(log.rows, wanted, strict=True):
        assert part in row.text
    assert not log.read()
    assert log.rows[-1].text == f"> enter_pin pin={HIDDEN}"


def test_notes_keep_their_place_whatever_the_level():
    feed, trace = feed_of(EVENTS[0])
    notes = Notes()
    notes.add("dev", feed.end, Line(0, "said in between", ""))
    notes.add("ph", feed.end, Line(0, "said to the phone", ""))
    trace.emit("dev", "accessory", "log", note="after it")
    feed.pull()
    for level in ("quiet", "all"):
        log = DeviceLog(feed, notes, "dev", level=level, signs=ASCII)
        log.read()
        assert [row.text.split()[-1] for row in log.rows] == ["hello", "between", "it"]


def test_what_the_console_says_is_broken_and_what_happens_is_not():
    words = "far too many words for a line of twenty columns"
    feed, _ = feed_of(
        ("dev", "accessory", "log", {"note": words}), ("dev", "ble", "not_paired", {"note": words})
    )
    log = DeviceLog(feed, Notes(), "dev", level="info", signs=UNICODE, width=20)
    log.read()
    first, *rest = log.rows
    assert first.text.endswith(words)
    assert len(rest) > 2
    assert all(len(row.text) <= 20 for row in rest)


def test_a_log_is_bounded_and_counts_what_left():
    feed, _ = feed_of(*[("dev", "accessory", "log", {"note": str(n)}) for n in range(7000)])
    log = DeviceLog(feed, Notes(), "dev", level="quiet", signs=UNICODE)
    while log.read():
        pass
    assert len(log.rows) + log.gone == 7000
    assert len(log.rows) <= 5500
    assert log.rows[-1].text.endswith("6999")


def test_names_from_outside_cannot_command_the_terminal():
    feed, _ = feed_of(("dev", "accessory", "log", {"note": "\x1b[2J\x00evil"}))
    log = DeviceLog(feed, Notes(), "dev", level="info", signs=UNICODE)
    log.read()
    assert "\x1b" not in log.rows[0].text
    assert log.rows[0].text.isprintable()


def test_presses_and_bonds_are_learnt():
    feed, _ = feed_of(
        ("dev", "control", "step", {"label": "press_button"}),
        ("dev", "control", "command", {"do": "press_button", "set": {}}),
        ("dev", "control", "command", {"do": "reboot", "set": {}}),
        (
            "dev",
            "ble",
            "paired",
            {"peer": "ph", "authenticated": True, "secure_connections": False},
        ),
    )
    log = DeviceLog(feed, Notes(), "dev", level="info", signs=UNICODE, button="press_button")
    log.read()
    assert list(log.presses) == [0, 1_000_000]
    assert log.bonds == {"ph": "protected, legacy"}
