"""What is said of dongles: a word for every state, a remedy for every trouble, nothing cut that tells what to do."""

from __future__ import annotations

import msgspec
import pytest

from hw_bridge.states import State
from protocols.errors import UsageError
from tests.tui.bridge_fakes import (
    ALL,
    BOOTLOADER,
    DEGRADED,
    DOWN,
    FORBIDDEN,
    FOUND,
    OK,
    REPORT,
    happened,
)
from tui.commands._bridge_probe import lines as probe_lines
from tui.models.bridge_roles import chosen, matching
from tui.models.bridge_words import detail_lines, log_lines, report_lines
from tui.models.bridges import BridgeView, figures, health_of, remedy_of, worst
from tui.signs import ASCII, UNICODE
from tui.text import cells

replace = msgspec.structs.replace


def text_of(lines):
    return [one if isinstance(one, str) else "".join(piece for piece, _ in one) for one in lines]


@pytest.mark.parametrize("state", State)
def test_every_state_of_a_session_has_a_word_a_sign_and_a_remedy(state):
    view = BridgeView(moniker="usb:0", use="open", state=state.value)
    health = health_of(view)
    assert health.word
    assert UNICODE[health.sign] != ""
    assert ASCII[health.sign].isascii()
    assert len(remedy_of(view)) > 10


@pytest.mark.parametrize(
    ("view", "word"),
    [
        (OK, "ok"),
        (DEGRADED, "degraded"),
        (DOWN, "down"),
        (FORBIDDEN, "no permission"),
        (replace(DOWN, state="opening"), "down"),
        (replace(DOWN, state="probing"), "connecting"),
        (BOOTLOADER, "wrong firmware"),
        (FOUND, "found"),
        (replace(FOUND, may_open=False), "no permission"),
        (replace(FOUND, holders=("ModemManager (812)",)), "in use"),
        (replace(FOUND, protocols=("sniffle",)), "sniffer"),
        (replace(OK, busy="testing"), "testing"),
        (replace(OK, state="absent", is_out=True), "pulled out"),
        (replace(OK, queue=48), "degraded"),
        (replace(OK, queue=47), "ok"),
        (replace(OK, has_new_losses=True), "degraded"),
        (replace(OK, state="degraded", needs_firmware=True), "needs firmware"),
        (replace(OK, state="firmware"), "needs firmware"),
        (replace(OK, state="mute"), "mute"),
        (replace(FORBIDDEN, error_kind="busy"), "in use"),
        (replace(FORBIDDEN, error_kind="no-backend"), "no driver"),
        (replace(FORBIDDEN, error_kind="refused"), "refused"),
    ],
)
def test_health_is_a_word(view, word):
    assert health_of(view).word == word


def test_a_mute_dongle_stays_mute_while_it_is_asked_again():
    """The word does not flicker with each try."""
    mute = replace(OK, state="mute", error_kind="mute", tries=2)
    assert health_of(replace(mute, state="probing")) == health_of(mute)
    assert health_of(replace(mute, state="probing", tries=0)).word == "connecting"


@pytest.mark.parametrize(
    ("tries", "retry_s", "text"),
    [
        (1, 0.2, "retry in 1 s (1st)"),
        (2, 1.6, "retry in 2 s (2nd)"),
        (3, 4.0, "retry in 4 s (3rd)"),
        (11, 30.0, "retry in 30 s (11th)"),
        (22, 5.0, "retry in 5 s (22nd)"),
    ],
)
def test_the_next_try_is_counted_down(tries, retry_s, text):
    assert figures(replace(DOWN, tries=tries, retry_s=retry_s))[0] == text


def test_figures_of_a_dongle_in_use():
    assert figures(DEGRADED) == ("rtt 41.2 ms", "q 58/64", "1 216 lost")
    assert figures(replace(OK, round_trip_us=-1))[0] == "no reply"
    assert figures(replace(OK, round_trip_us=None))[0] == "rtt -"


def test_what_no_host_wanted_is_no_loss():
    counters = (("octets received", 9), ("packets without a client", 4), ("degrade notes", 2))
    assert replace(OK, counters=counters).drops == 0
    assert replace(OK, counters=(*counters, ("octets skipped", 3))).drops == 3


@pytest.mark.parametrize(
    ("reason", "part"),
    [
        ("advertising reports dropped", "raise the baud"),
        ("octets skipped", "RTS/CTS"),
        ("commands without a reply", "T tests it"),
        ("something else", "l shows"),
    ],
)
def test_a_loss_has_a_remedy_of_its_own(reason, part):
    view = replace(OK, counters=((reason, 7),), has_new_losses=True)
    assert remedy_of(view).startswith(f"7 {reason}")
    assert part in remedy_of(view)


def test_errors_are_told_without_the_name_that_stands_beside_them():
    assert remedy_of(FORBIDDEN).startswith("Access denied; add yourself")
    assert remedy_of(BOOTLOADER).endswith("nrfutil dfu usb-serial")
    assert "ModemManager (812) has it open" in remedy_of(
        replace(FOUND, holders=("ModemManager (812)",))
    )
    due = replace(OK, state="degraded", reason="octets were skipped; a Reset is due")
    assert remedy_of(due) == "octets were skipped; c resets it"


def test_the_worst_is_one_that_is_used():
    assert worst(ALL) is FORBIDDEN
    assert worst([OK, DEGRADED, FOUND]) is DEGRADED
    assert worst([OK, FOUND, replace(FOUND, may_open=False)]) is None


@pytest.mark.parametrize("view", ALL, ids=lambda view: view.moniker)
@pytest.mark.parametrize(("width", "height"), [(76, 11), (56, 8), (116, 16), (20, 4), (1, 1)])
def test_what_to_do_is_never_cut(view, width, height):
    lines = text_of(detail_lines(view, width, height))
    told = " ".join(" ".join(lines).split())
    assert " ".join(remedy_of(view).split()) in told
    if width >= 20:
        assert all(cells(line) <= width for line in lines)
    if (width, height) == (76, 11):
        assert len(lines) <= height


def test_text_of_devices_is_no_command_for_the_terminal():
    evil = replace(FOUND, product="\x1b[2J\x00dongle\u202e", note="\x1b]0;x\x07")
    log = replace(OK, happenings=happened((1.0, "note", "\x1b[31m" + "x" * 500)))
    for line in (*text_of(detail_lines(evil, 76, 11)), *text_of(log_lines(log, 60))):
        assert line.isprintable()


def test_the_log_ends_with_what_was_lost():
    lines = text_of(log_lines(DEGRADED, 60))
    at = lines.index("lost, and counted")
    assert [line.strip() for line in lines[at + 1 :]] == [
        "1 204  advertising reports dropped",
        "12  octets skipped",
    ]
    assert any("ready" in line and "answers" in line for line in lines[:at])
    assert "nothing has happened" in text_of(log_lines(FOUND, 60))[0]


@pytest.mark.parametrize("width", [62, 40, 100])
def test_a_report_keeps_its_words_at_any_width(width):
    told = probe_lines(REPORT)
    lines = text_of(report_lines(told, width))
    assert " ".join(" ".join(lines).split()) == " ".join(" ".join(told).split())
    assert all(len(line) <= width for line in lines)
    assert any(line.startswith("round trip") for line in lines)


# Roles


def test_roles_are_those_with_bluetooth():
    """A dongle carries no Wi-Fi Aware."""
    roles = [choice.role for choice in matching("")]
    names = {role.name for role in roles}
    assert roles[0].kind == "observe"
    assert {"thermometer", "lock", "ios", "generic"} <= names
    assert "aware_display" not in names


def test_a_role_with_what_stands_behind_it():
    (choice,) = matching("phone generic peer=Lamp pair=yes pin=047115")
    role = chosen(choice, "phone generic peer=Lamp pair=yes pin=047115")
    assert (role.name, role.peer, role.pair) == ("generic", "Lamp", True)
    assert role.settings == {"pin": "047115"}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("thermometer peer=Lamp", "are a phone's"),
        ("phone generic pair=yes", "needs peer="),
        ("observe pin=1", "has no settings"),
        ("thermometer =3", "key=value"),
    ],
)
def test_roles_that_cannot_be(text, part):
    with pytest.raises(UsageError, match=part):
        chosen(matching(text)[0], text)


def test_a_file_is_a_role_of_ones_own():
    kinds = [choice.role.kind for choice in matching("./lamp.py")]
    assert kinds == ["accessory", "phone"]
    assert all(choice.role.name == "./lamp.py" for choice in matching("./lamp.py"))
