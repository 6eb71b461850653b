"""Every pairing method by the table of the Core specification, and every way to fail, as traces tell them."""

from __future__ import annotations

from itertools import product

import pytest

from protocols.data.smp_names import choose_method
from protocols.errors import ScenarioError
from sim.trace import line_of
from tests.sim.worlds import Ran, run, two, world

CONTROL = "6b0a0002-53c1-4a0d-9d0e-6f1a3c5b7d90"
IO = ("display_only", "display_yes_no", "keyboard_only", "none", "keyboard_display")
# Core 5.4 Vol 3 Part H table 2.8, typed from the specification: a column per initiator in the order of IO, a row per
# responder. J Just Works, i passkey with the initiator's display, r with the responder's, b both type; a pair of
# letters is legacy then Secure Connections, C numeric comparison.
TABLE = """
display_only      J  J  r  J  r
display_yes_no    J  JC r  J  rC
keyboard_only     i  i  b  J  i
none              J  J  J  J  J
keyboard_display  i  iC r  J  iC
"""
LETTERS = {
    "J": "just_works",
    "C": "numeric_comparison",
    "i": "passkey_initiator_displays",
    "r": "passkey_responder_displays",
    "b": "passkey_both_type",
}
EXPECTED = {
    (initiator, row[0], sc): LETTERS[cell[-1] if sc else cell[0]]
    for row in (line.split() for line in TABLE.strip().splitlines())
    for initiator, cell in zip(IO, row[1:], strict=True)
    for sc in (False, True)
}


def scenario(
    steps: str, phone: str = "", lock: str = "", *, accessory: str = "lock", duration: str = "90s"
) -> str:
    """A phone `ph` with settings `phone` and an accessory `dev` with settings `lock`."""
    text = two(accessory, f"{steps}\nwait for='1s'", settings=lock, duration=duration)
    return text.replace('phone = "generic"', f'phone = "generic"\nset = {{ {phone} }}')


def paired(ran: Ran) -> dict[str, dict[str, object]]:
    """Fields of `paired` by node."""
    return {event.node: event.fields for event in ran.of("paired")}


def failure(ran: Ran, node: str) -> tuple[object, ...]:
    """(side, step, reason) of the one failed pairing that `node` tells of."""
    (event,) = ran.of("not_paired", node)
    assert event.fields["remedy"]
    return tuple(event.fields[key] for key in ("side", "step", "reason"))


PAIR = "connect to='dev'\npair"


@pytest.mark.parametrize(("initiator", "responder", "sc"), list(product(IO, IO, (False, True))))
def test_the_method_is_what_the_table_says_and_works(
    initiator: str, responder: str, sc: bool
) -> None:
    want = "wanted" if sc else "no"
    ran = run(
        scenario(
            PAIR,
            f"io = '{initiator}', person_delay = '500ms', secure_connections = '{want}'",
            f"io = '{responder}', mitm = 'wanted', person_delay = '500ms'",
        )
    )
    expected = EXPECTED[initiator, responder, sc]
    (method,) = ran.of("pairing_method")
    assert method.fields["method"] == expected
    assert (initiator in method.note, responder in method.note) == (True, True)
    assert ran.result.failures == ()
    shown = {e.node for e in ran.of("pin_displayed")}
    asked = {e.node for e in ran.of("pin_required")}
    people = {
        "just_works": (set(), set()),
        "numeric_comparison": (set(), set()),
        "passkey_initiator_displays": ({"ph"}, {"dev"}),
        "passkey_responder_displays": ({"dev"}, {"ph"}),
        "passkey_both_type": (set(), {"dev", "ph"}),
    }
    assert (shown, asked) == people[expected]
    assert (len(ran.of("compare_required")) == 2) == (expected == "numeric_comparison")
    results = paired(ran)
    assert set(results) == {"ph", "dev"}
    for fields in results.values():
        assert fields["authenticated"] is (expected != "just_works")
        assert fields["secure_connections"] is sc


@pytest.mark.parametrize(
    ("mitm", "oob", "sc", "method"),
    [
        (
            (False, False),
            (False, False),
            True,
            "just_works",
        ),  # table 2.7: nobody asks for MITM protection
        ((False, True), (False, False), True, "numeric_comparison"),
        (
            (False, False),
            (True, False),
            True,
            "oob",
        ),  # Secure Connections: one side's data are enough
        (
            (True, True),
            (True, False),
            False,
            "passkey_initiator_displays",
        ),  # legacy: both need them
        ((True, True), (True, True), False, "oob"),
    ],
)
def test_flags_that_go_before_the_table(mitm, oob, sc: bool, method: str) -> None:
    found = choose_method(
        "keyboard_display", "keyboard_display", secure_connections=sc, mitm=mitm, oob=oob
    )
    assert found.method == method


@pytest.mark.parametrize("sc", ["wanted", "no"])
def test_oob(sc: str) -> None:
    settings = f"io = 'none', secure_connections = '{sc}'"
    ran = run(scenario("tap to='dev'\n" + PAIR, settings, f"oob = true, {settings}"))
    assert ran.of("pairing_method")[0].fields["method"] == "oob"
    assert set(paired(ran)) == {"ph", "dev"}
    assert all(fields["authenticated"] for fields in paired(ran).values())


def test_oob_without_reading_the_tag_is_just_works() -> None:
    ran = run(scenario(PAIR, "io = 'none'", "io = 'none', oob = true, mitm = 'wanted'"))
    assert ran.of("pairing_method")[0].fields["method"] == "just_works"


def test_oob_without_a_tag_says_so() -> None:
    ran = run(scenario("tap to='dev'"))
    assert "no tag" in ran.result.failures[0]


# Failures


@pytest.mark.parametrize(("sc", "step"), [("wanted", "bit"), ("no", "confirm values")])
def test_wrong_pin(sc: str, step: str) -> None:
    ran = run(scenario(PAIR + "?", f"wrong_pins = 1, secure_connections = '{sc}'"))
    for node, side in (("dev", "here"), ("ph", "peer")):
        told, at, code = failure(ran, node)
        assert (told, code) == (side, 0x04)
        assert str(at).startswith(step)
    (sent,) = ran.of("pairing_failed")
    assert (sent.node, sent.data) == ("dev", b"\x05\x04")
    assert "the same PIN" in ran.of("not_paired", "ph")[0].note
    after = [e for e in ran.events if e.t_us > sent.t_us and e.event.startswith("pairing_")]
    assert not after


def test_the_second_try_is_right_on_the_same_connection() -> None:
    ran = run(scenario(PAIR + "?\npair", "wrong_pins = 1"))
    assert set(paired(ran)) == {"ph", "dev"}
    pins = [e.fields["pin"].value for e in ran.of("pin_displayed")]
    assert len(set(pins)) == 2


def test_rejected_comparison_is_0x0c_from_who_said_no() -> None:
    ran = run(scenario(PAIR + "?", "confirms = false", accessory="badge"))
    assert failure(ran, "ph") == ("here", "comparison", 0x0C)
    assert failure(ran, "dev")[::2] == ("peer", 0x0C)
    assert not ran.of("encrypted")


def test_rejected_just_works_on_the_phone() -> None:
    ran = run(scenario(PAIR + "?", "confirms = false", accessory="headset"))
    assert failure(ran, "ph") == ("here", "consent", 0x08)
    assert "does not want to pair" in ran.of("not_paired", "ph")[0].note


def test_legacy_just_works_asks_the_person_too() -> None:
    settings = "confirms = false, secure_connections = 'no'"
    ran = run(scenario(PAIR + "?", settings, accessory="headset"))
    assert failure(ran, "ph") == ("here", "consent", 0x08)


def test_refused_pin_entry_is_0x01() -> None:
    ran = run(scenario("connect to='dev'\npair wait=false\nreject", "person = 'asked'"))
    assert failure(ran, "ph") == ("here", "PIN entry", 0x01)
    assert failure(ran, "dev")[::2] == ("peer", 0x01)


def test_enter_pin_and_accept_are_steps() -> None:
    steps = "connect to='dev'\npair wait=false\nenter_pin pin='042042'\nwait_for what='paired'"
    ran = run(scenario(steps, "person = 'asked'", "pin = '042042'"))
    assert set(paired(ran)) == {"ph", "dev"}
    (entered,) = ran.of("pin_entered")
    assert entered.fields["pin"] == "042042"
    steps = "connect to='dev'\npair wait=false\naccept\nwait_for what='paired'"
    ran = run(scenario(steps, "person = 'asked'", accessory="badge"))
    assert set(paired(ran)) == {"ph", "dev"}


@pytest.mark.parametrize("pin", ["12345", "1234567", "12345a", ""])
def test_a_pin_that_is_none_is_refused_where_it_is_typed(pin: str) -> None:
    ran = run(scenario(f"enter_pin pin='{pin}'"))
    assert "six digits" in ran.result.failures[0]


def test_a_wrong_pin_in_the_settings_names_its_line() -> None:
    with pytest.raises(ScenarioError, match=r"test\.toml:\d+: node\[0\]\.set\.pin: .*six digits"):
        world(scenario("", lock="pin = '12'"))


def test_commands_that_wait_for_a_question_in_vain_say_so() -> None:
    ran = run(scenario("accept timeout='3s'"))
    assert "waited 3 s for a question (compare or consent)" in ran.result.failures[0]


@pytest.mark.parametrize(
    ("sc", "pin"), list(product(["wanted", "no"], ["000000", "999999", "000001"]))
)
def test_passkeys_at_the_ends(sc: str, pin: str) -> None:
    ran = run(scenario(PAIR, f"secure_connections = '{sc}'", f"pin = '{pin}'"))
    assert set(paired(ran)) == {"ph", "dev"}


def test_silent_peer_ends_after_30_s_on_both_sides_and_the_link_pairs_no_more() -> None:
    steps = "connect to='dev'\npair?\npair?\nwait for='31s'\ndisconnect\nwait for='1s'\nconnect to='dev'\npair?"
    ran = run(scenario(steps, "person = 'asked'", duration="150s"))
    first = {node: ran.of("not_paired", node)[0] for node in ("ph", "dev")}
    for event in first.values():
        assert (event.fields["side"], event.fields["reason"]) == ("link", None)
        assert "30 s" in event.note
    sent = {node: ran.of("public_key", node)[0].t_us for node in ("ph", "dev")}
    for node in ("ph", "dev"):
        assert first[node].t_us - sent[node] == 30_000_000
    assert "disconnect before" in ran.of("step_failed")[1].note
    requests = ran.of("pairing_request")
    assert len(requests) == 2  # the one in between was never sent
    assert requests[1].t_us > ran.of("disconnected", "ph")[0].t_us


def test_an_answer_just_before_the_timer_is_in_time() -> None:
    in_time = run(scenario(PAIR + "?", "person_delay = '29900ms'"))
    late = run(scenario(PAIR + "?", "person_delay = '30100ms'"))
    assert set(paired(in_time)) == {"ph", "dev"}
    assert not paired(late)


def test_cancel_ends_it_on_both_sides() -> None:
    steps = "connect to='dev'\npair wait=false\nwait for='1s'\ncancel\nwait for='1s'"
    ran = run(scenario(steps, "person = 'asked'"))
    assert failure(ran, "ph")[::2] == ("here", 0x08)
    assert failure(ran, "dev")[::2] == ("peer", 0x08)


def test_a_connection_lost_in_the_middle_is_told_on_both_sides() -> None:
    steps = "connect to='dev'\npair wait=false\nwait for='1s'\ndisconnect\nwait for='2s'"
    ran = run(scenario(steps))
    assert failure(ran, "ph")[0] == failure(ran, "dev")[0] == "link"


def test_reboot_in_the_middle() -> None:
    text = scenario("connect to='dev'\npair?\nconnect to='dev'\npair")
    text += '\n[[step]]\nnode = "dev"\ndo = "reboot"\nat = "1s"\n'
    ran = run(text)
    assert failure(ran, "dev")[0] == "here"
    assert ran.of("not_paired", "ph")[0].fields["side"] == "link"
    assert set(paired(ran)) == {"ph", "dev"}


@pytest.mark.parametrize(
    ("phone", "lock", "code", "words"),
    [
        (
            "secure_connections = 'no'",
            "secure_connections = 'required'",
            0x03,
            "insists on Secure Connections",
        ),
        (
            "secure_connections = 'required'",
            "secure_connections = 'no'",
            0x03,
            "insists on Secure Connections",
        ),
        ("io = 'none'", "mitm = 'required'", 0x03, "does not do Just Works"),
        ("mitm = 'required'", "io = 'none', mitm = 'no'", 0x03, "does not do Just Works"),
        ("", "pairable = false", 0x05, "not in pairing mode"),
    ],
)
def test_what_the_two_cannot_agree_on(phone: str, lock: str, code: int, words: str) -> None:
    ran = run(scenario(PAIR + "?", phone, lock))
    (sent,) = ran.of("pairing_failed")
    assert sent.fields["reason"] == code
    (teller,) = ran.of("not_paired", sent.node)
    assert words in teller.note
    assert (teller.fields["side"], teller.fields["step"]) == ("here", "feature exchange")
    assert not ran.of("public_key", "dev" if sent.node == "ph" else "ph") or code != 0x05


def test_repeated_attempts_wait_longer_each_time() -> None:
    steps = "connect to='dev'\npair?\npair?\nwait for='4s'\npair?\npair?\nwait for='9s'\npair"
    ran = run(
        scenario(
            steps,
            "wrong_pins = 2, person_delay = '100ms'",
            "retry_wait = '4s', wrong_pins_allowed = 0",
        )
    )
    reasons = [e.fields["reason"] for e in ran.of("not_paired", "ph")]
    assert reasons == [0x04, 0x09, 0x04, 0x09]
    assert set(paired(ran)) == {"ph", "dev"}


def test_the_lock_locks_out_who_guesses() -> None:
    steps = "connect to='dev'\npair?\npair?\npair?\npair?\nwait for='61s'\npair"
    ran = run(scenario(steps, "wrong_pins = 3, person_delay = '100ms'", duration="120s"))
    assert [e.fields["reason"] for e in ran.of("not_paired", "ph")] == [0x04, 0x04, 0x04, 0x09]
    assert len(ran.of("locked_out", "dev")) == 1
    assert set(paired(ran)) == {"ph", "dev"}


def test_a_person_who_cancels_is_no_guess(tmp_path) -> None:
    """Passkey Entry Failed (0x01) says that there was no PIN; Confirm Value Failed (0x04), that it was wrong."""
    cancel = "pair?\n" * 5
    steps = f"connect to='dev'\n{cancel}pair"
    source = CANCELLING.format(times=5)
    text = two("lock", f"{steps}\nwait for='1s'", duration="120s", phone="canceller.py")
    ran = run(text, tmp_path, canceller=source)
    assert [e.fields["reason"] for e in ran.of("not_paired", "ph")] == [0x01] * 5
    assert not ran.of("locked_out", "dev")
    said = [e.note for e in ran.of("log", "dev")]
    assert not [note for note in said if "wrong PIN" in note]
    assert len([note for note in said if "cancelled with ph" in note]) == 5
    assert set(paired(ran)) == {"ph", "dev"}


CANCELLING = """
from sim.person import Policy
from sim.phones.generic import Generic

class Hesitant(Policy):
    left = {times}

    async def ask_pin(self, peer):
        if self.left:
            self.left -= 1
            return None
        return await super().ask_pin(peer)

class Canceller(Generic):
    _mine = None

    def delegate(self):
        self._mine = self._mine or Hesitant(self)
        return self._mine

PHONE = Canceller
"""

PERSON = """
from sim.accessories.lock import Lock
from sim.person import Scripted

class Nervous(Scripted):
    def {method}(self, *_):
        raise RuntimeError("dropped the pen")

class MyLock(Lock):
    _mine = None
    def delegate(self):
        self._mine = self._mine or Nervous(True, True)
        return self._mine

ACCESSORY = MyLock
"""


@pytest.mark.parametrize(
    ("method", "settings", "sc"),
    [
        ("new_pin", "", "wanted"),
        ("new_pin", "", "no"),
        ("display_pin", "", "wanted"),
        ("display_pin", "", "no"),
        ("ask_pin", "io = 'keyboard_only'", "wanted"),
        ("ask_pin", "io = 'keyboard_only'", "no"),
        ("compare", "io = 'display_yes_no'", "wanted"),
        ("confirm", "io = 'none', mitm = 'no'", "wanted"),
        ("confirm", "io = 'none', mitm = 'no'", "no"),
    ],
)
def test_a_delegate_that_raises_ends_the_pairing_with_its_reason(
    tmp_path, method: str, settings: str, sc: str
) -> None:
    text = scenario(PAIR + "?", f"secure_connections = '{sc}'", settings, accessory="mine.py")
    ran = run(text, tmp_path, mine=PERSON.format(method=method))
    assert failure(ran, "dev")[::2] == ("here", 0x08)
    note = ran.of("not_paired", "dev")[0].note
    assert "RuntimeError: dropped the pen" in note
    assert "mine.py:" in note
    assert failure(ran, "ph")[::2] == ("peer", 0x08)


def test_pins_and_keys_are_dots_unless_revealed() -> None:
    from sim import scenario as scenarios
    from sim.world import World

    text = scenario(
        PAIR,
        "keys = ['encryption', 'identity', 'signing']",
        "pin = '271828', keys = ['encryption', 'identity', 'signing']",
    )
    lines: dict[bool, bytes] = {}
    for reveal in (False, True):
        made = World(scenarios.parse(text, file="t.toml"), reveal=reveal)
        ran = Ran(made)
        made.close()
        lines[reveal] = b"".join(map(line_of, ran.events))
        irk = made.devices["dev"].ble._stack.irk.hex().encode()
    assert b"271828" in lines[True]
    assert b"271828" not in lines[False]
    assert irk in lines[True]
    assert irk not in lines[False]
    backwards = bytes.fromhex(irk.decode())[::-1].hex().encode()
    assert backwards not in lines[False]


def test_two_runs_are_the_same_to_the_octet() -> None:
    text = scenario("connect to='dev'\npair?\npair\nread uuid='Battery Level'", "wrong_pins = 1")
    first, again = (b"".join(map(line_of, run(text).events)) for _ in range(2))
    assert first == again
