"""Pairing with an Android: bootstrapping that the framework answers, requests that the app answers, the pairing cache."""

from __future__ import annotations

import pytest

from tests.sim.androids import (
    ASKS,
    PUBLISH,
    SERVICE,
    SHOWS,
    SUBSCRIBE,
    androids,
    rules,
    scenario,
    told,
)
from tests.sim.worlds import Ran, world

PAIR = 'phone aware_pair to = "tablet"'
FAILED = f"{PAIR}?"


def offering(*methods: str) -> str:
    listed = ", ".join(f'"{one}"' for one in methods)
    return f"tablet aware_publish {SERVICE}, pairing = {{ methods = [{listed}] }}"


# Bootstrapping


@pytest.mark.parametrize(
    ("offered", "asked", "tablet", "phone", "rule"),
    [
        (("pin_display",), "pin_display", "same_bit", "same_bit", ""),
        (("pin_display",), "pin_display", "complement", "complement", ""),
        (("pin_display",), "pin_display", "same_bit", "complement", "AA-41"),
        (("pin_display", "pin_keypad"), "pin_display", "same_bit", "complement", ""),
        (("pin_keypad",), "pin_keypad", "same_bit", "same_bit", ""),
        (("opportunistic",), "opportunistic", "same_bit", "complement", ""),
    ],
)
def test_the_framework_compares_bits(offered, asked, tablet, phone, rule):
    """AA-40, AA-41: the same bit, unless firmware translates; who advertises both bits rejects neither."""
    ran = androids(
        f'{offering(*offered)}\n{SUBSCRIBE}\n{PAIR}, method = "{asked}"?',
        f'aware = {{ method_matching = "{tablet}" }}',
        f'aware = {{ method_matching = "{phone}" }}',
    )
    assert rules(ran, "bootstrapping_rejected", "tablet") == [rule] * bool(rule)
    assert bool(ran.of("bootstrapping_succeeded", "phone")) == (not rule)


def test_a_rejection_has_its_reason_on_the_air():
    ran = androids(
        f"{PUBLISH}\n{SUBSCRIBE}\n{FAILED}", phone='aware = { method_matching = "complement" }'
    )
    answer = told(ran.of("bootstrap_response", "tablet")[-1])
    npba = next(answer.all("pairing_bootstrapping"))
    assert (npba.status, npba.reason) == (1, 13)
    failed = ran.of("bootstrapping_failed", "phone")[0]
    assert "reason 13" in failed.note
    assert not ran.of("auth1")


def test_without_pairing_configuration_a_request_is_rejected(tmp_path):
    """AA-40: who asks all the same gets no."""
    node = '[[node]]\nname = "dev"\naccessory = "dev.py"\nat = [1.0, 1.0]\n'
    ran = androids(
        f"tablet aware_publish {SERVICE}\n@3s dev ask\n@9s dev ask\n@12s phone wait for = '1s'",
        base=tmp_path,
        more=node,
        dev=ASKS_ALL_THE_SAME,
    )
    assert rules(ran, "bootstrapping_rejected", "tablet") == ["AA-40", "AA-40"]


ASKS_ALL_THE_SAME = """
import msgspec
from sim.accessories.aware_display import AwareDisplay
from sim.device import command

class Dev(AwareDisplay):
    async def start(self):
        await super().start()
        self.mine = self.aware.subscribe("_lamp._udp")
        engine = self.aware.engine.bootstrapping
        engine.settings = msgspec.structs.replace(engine.settings, requires_advertisement=False)

    @command
    async def ask(self):
        engine = self.aware.engine
        peer = next(nmi for nmi in engine.station.peers if self.aware.name(nmi) == "tablet")
        self.aware.command(lambda now: engine.bootstrapping.start(peer, self.mine, 1, 0x20, now))

ACCESSORY = Dev
"""


@pytest.mark.parametrize(
    ("own", "shows", "types"),
    [("pin_display", "tablet", "phone"), ("pin_keypad", "phone", "tablet")],
)
def test_who_shows_and_who_types(own, shows, types):
    ran = androids(f"{offering(own)}\nphone aware_subscribe {ASKS}\n{PAIR}")
    assert [one.node for one in ran.of("pin_displayed")] == [shows]
    assert [one.node for one in ran.of("pin_entered")] == [types]
    assert {one.node for one in ran.of("pairing_setup_succeeded")} == {"tablet", "phone"}


def test_opportunistic_pairing_needs_no_pin_and_no_sae():
    """AA-09."""
    ran = androids(f"{offering('opportunistic')}\n{SUBSCRIBE}\n{PAIR}")
    assert not ran.of("pin_displayed")
    assert {one.fields["akm"] for one in ran.of("pairing_result")} == {"pasn"}
    assert len(ran.of("pairing_setup_succeeded")) == 2


def test_a_method_that_the_peer_does_not_offer_is_no_request_at_all():
    ran = androids(f'{PUBLISH}\n{SUBSCRIBE}\n{PAIR}, method = "qr_display"?')
    assert ran.of("bootstrapping_failed", "phone")
    assert not ran.of("bootstrap_request")


def test_an_unanswered_request_is_given_up_after_twenty_seconds():
    """AA-24: from the request on, however often it is repeated."""
    steps = (
        f"{PUBLISH}\n{SUBSCRIBE}\n@4s tablet aware_detach\n@5s {FAILED}\n@50s phone wait for = '1s'"
    )
    ran = androids(steps)
    assert [(one.rule, one.t_us) for one in ran.of("bootstrapping_failed", "phone")] == [
        ("AA-24", 25_000_000)
    ]
    patient = androids(steps, phone='rules = { "AA-24" = false }')
    assert not patient.of("bootstrapping_failed")


COMES_BACK = """
from sim.accessories.aware_display import AwareDisplay

class Dev(AwareDisplay):
    async def start(self):
        self.aware.ceremony.automatic = AUTOMATIC
        await super().start()

ACCESSORY = Dev
"""


@pytest.mark.parametrize(("automatic", "rule"), [(True, ""), (False, "AA-25")])
def test_android_comes_back_once_after_as_many_seconds(tmp_path, automatic, rule):
    """AA-25: the number in the comeback is taken for seconds; a second comeback is a rejection."""
    node = (
        '[[node]]\nname = "dev"\naccessory = "dev.py"\nat = [1.0, 1.0]\n'
        'set = { comeback_tu = 3, method_matching = "same_bit" }\n'
    )
    ran = androids(
        'phone aware_subscribe service = "_nearbench._udp", pairing = {}\n'
        'phone aware_pair to = "dev"?',
        base=tmp_path,
        more=node,
        dev=COMES_BACK.replace("AUTOMATIC", str(automatic)),
    )
    asked = ran.of("bootstrap_request", "phone")
    assert len(asked) == 2
    assert 3_000_000 <= asked[1].t_us - asked[0].t_us < 4_300_000
    assert rules(ran, "bootstrapping_failed", "phone") == [rule] * bool(rule)
    assert bool(ran.of("pairing_setup_succeeded", "phone")) == (not rule)


# Setup


def test_the_app_may_reject():
    ran = androids(f"{PUBLISH}\n{SUBSCRIBE}\n{FAILED}", 'answers_pairing = "reject"')
    assert told(ran.of("auth2", "tablet")[0]).status == 1
    assert ran.of("pairing_setup_failed", "phone")
    assert not ran.of("pairing_setup_succeeded")


def test_the_app_may_answer_by_command_and_name_the_peer():
    ran = androids(
        f'{PUBLISH}\n{SUBSCRIBE}\n{PAIR}, alias = "kitchen"\n@8s tablet accept_pairing peer = "phone", alias = "mine"',
        'answers_pairing = "by_command"',
    )
    done = {one.node: one.fields["alias"] for one in ran.of("pairing_setup_succeeded")}
    assert done == {"phone": "kitchen", "tablet": "mine"}
    assert ran.of("auth2", "tablet")[0].t_us >= 8_000_000


def test_rejecting_by_command():
    ran = androids(
        f"{PUBLISH}\n{SUBSCRIBE}\n{FAILED}\ntablet reject_pairing", 'answers_pairing = "by_command"'
    )
    assert ran.of("pairing_setup_failed", "phone")


def test_a_command_without_request_waits_in_vain():
    ran = androids(f"{PUBLISH}\ntablet accept_pairing timeout = '5s'?")
    assert "no pairing request" in ran.of("step_failed", "tablet")[0].note


def test_an_unanswered_request_ends_after_twenty_seconds_on_both_sides():
    """AA-23 on the side that asks, AA-42 on the side whose app is silent."""
    ran = androids(
        f"{PUBLISH}\n{SUBSCRIBE}\n{FAILED}\n@40s phone wait for = '1s'",
        'answers_pairing = "by_command"',
    )
    begun = ran.of("auth1", "phone")[0].t_us
    asked = ran.of("pairing_request_received", "tablet")[0].t_us
    failed = {one.node: (one.rule, one.t_us) for one in ran.of("pairing_setup_failed")}
    assert failed["tablet"] == ("AA-42", asked + 20_000_000)
    assert failed["phone"][0] == "AA-23"
    assert abs(failed["phone"][1] - begun - 20_000_000) < 10_000


@pytest.mark.parametrize(
    ("at_us", "tablet"), [(1_700_000, ""), (3_000_000, ""), (4_000_000, 'answer_delay = "9s"')]
)
def test_the_phone_that_asks_may_doze_off_itself(at_us, tablet):
    """AA-29: while the PIN is typed, or while the other side's app thinks; its app hears of it at once."""
    made = world(scenario(f"{PUBLISH}\n{SUBSCRIBE}\n{FAILED}", tablet))
    phone = made.devices["phone"]

    def nod() -> None:
        phone.is_dozing = True
        phone.availability_changed()

    made.loop.at_us(at_us, nod)
    ran = Ran(made)
    made.close()
    failed = ran.of("pairing_setup_failed", "phone")
    assert [one.rule for one in failed] == ["AA-29"]
    assert failed[0].t_us < 4_100_000
    assert ran.of("step_failed", "phone")


def test_a_wrong_pin_fails_on_both_sides():
    ran = androids(
        f"{PUBLISH}\n{SUBSCRIBE}\n{FAILED}\n@40s phone wait for = '1s'", phone="wrong_pins = 1"
    )
    assert {one.node for one in ran.of("pairing_setup_failed")} == {"tablet", "phone"}
    assert not ran.of("pairing_setup_succeeded")


def test_a_pin_that_nobody_types_is_given_up():
    ran = androids(
        f"{PUBLISH}\n{SUBSCRIBE}\n{FAILED}", phone='person = "asked", pin_patience = "7s"'
    )
    assert "nobody has typed a PIN in 7 s" in ran.of("pairing_setup_failed", "phone")[0].note
    assert not ran.of("auth1")


@pytest.mark.parametrize("node", ["tablet", "phone"])
def test_firmware_that_wants_eight_characters_takes_no_pin(node):
    """AA-10, off unless asked for: six digits are too short, a password of eight is not."""
    settings = {node: 'rules = { "AA-10" = true }'}
    ran = androids(
        f"{PUBLISH}\n{SUBSCRIBE}\n{FAILED}", settings.get("tablet", ""), settings.get("phone", "")
    )
    assert rules(ran, "pairing_setup_failed", node) == ["AA-10"]
    assert not ran.of("pairing_setup_succeeded")
    longer = androids(
        f"""{PUBLISH}
        {SUBSCRIBE}
        {PAIR}, pin = "12345678"
        tablet accept_pairing pin = "12345678" """,
        f'answers_pairing = "by_command", {settings.get("tablet", "")}'.rstrip(", "),
        settings.get("phone", ""),
    )
    assert len(longer.of("pairing_setup_succeeded")) == 2


def test_pins_and_passwords_are_not_in_the_trace():
    ran = androids(
        f"""{PUBLISH}
        {SUBSCRIBE}
        {PAIR}, pin = "24681357"
        tablet accept_pairing pin = "24681357" """,
        'answers_pairing = "by_command"',
    )
    assert len(ran.of("pairing_setup_succeeded")) == 2
    assert not [one for one in ran.events if "24681357" in f"{one.fields} {one.note}"]


@pytest.mark.parametrize("cipher", ["pk_pasn_128", "pk_pasn_256"])
def test_the_cipher_of_the_pairing(cipher):
    ran = androids(f'{PUBLISH}\n{SUBSCRIBE}\n{PAIR}, cipher = "{cipher}"')
    wanted = {"pk_pasn_128": "ccmp_128", "pk_pasn_256": "gcmp_256"}[cipher]
    assert {one.fields["cipher"] for one in ran.of("pairing_result")} == {wanted}


# The cache


@pytest.mark.parametrize(
    ("tablet", "phone", "cached"),
    [("true", "true", True), ("false", "true", False), ("true", "false", False)],
)
def test_both_sides_must_want_to_cache(tablet, phone, cached):
    ran = androids(
        f"""tablet aware_publish {SERVICE}, pairing = {{ caching = {tablet} }}
        phone aware_subscribe {SERVICE}, pairing = {{ caching = {phone} }}
        {PAIR}"""
    )
    assert bool(ran.of("nik_received")) == cached
    aliases = [one.fields.get("alias", "") for one in ran.of("pairing_setup_succeeded")]
    assert sorted(aliases) == (["phone", "tablet"] if cached else ["", ""])


RESTARTED = f"""{PUBLISH}
    tablet request_network role = "responder"
    @10s tablet reboot
    tablet aware_publish {SHOWS}
    tablet request_network role = "responder"
    {SUBSCRIBE}
    {PAIR}
    @20s phone request_network to = "tablet"?"""


def test_a_restart_forgets_pairings_that_are_in_memory():
    """AA-44: and the identity key is another one, so that the other side does not recognise it either."""
    ran = androids(RESTARTED)
    assert rules(ran, "pairings_lost", "tablet") == ["AA-44"]
    found = ran.of("service_discovered", "phone")
    assert found[-1].t_us < 10_000_000 or not found[-1].fields.get("alias")
    assert not ran.of("pairing_verified")


def test_a_vendor_may_store_pairings():
    ran = androids(RESTARTED, 'pairing_cache = "stored"')
    assert not ran.of("pairings_lost")
    verified = {one.node: one.fields["alias"] for one in ran.of("pairing_verified")}
    assert verified == {"tablet": "phone", "phone": "tablet"}
    assert ran.of("network_available", "phone")


def test_doze_forgets_no_pairing():
    """The cache is the framework's: Wi-Fi Aware off and on again is no restart."""
    ran = androids(
        RESTARTED.replace("tablet reboot", "tablet doze on = true\ntablet doze on = false")
    )
    assert {one.node for one in ran.of("pairing_verified")} == {"tablet", "phone"}


def test_an_alias_that_is_not_there_cannot_be_removed():
    ran = androids(f"{PUBLISH}\n{SUBSCRIBE}\n{PAIR}\nphone remove_paired alias = 'kitchen'")
    assert ran.of("nothing_to_forget", "phone")
    assert not ran.of("paired_removed")


def test_a_removed_peer_is_a_stranger():
    """Own side: its NIRA resolves to nobody, so there is nothing to verify."""
    ran = androids(
        f"""{PUBLISH}
        tablet request_network role = "responder"
        {SUBSCRIBE}
        {PAIR}
        phone remove_paired alias = "tablet"
        phone request_network to = "tablet"?"""
    )
    assert not ran.of("pairing_verified")
    assert not [one for one in ran.of("ndp_connected") if one.fields["csid"]]


@pytest.mark.parametrize(("typing_s", "thinking_s"), [(2, 5), (8, 5)])
def test_the_app_answers_when_it_has_thought_and_the_pin_is_typed(typing_s, thinking_s):
    ran = androids(
        f"{offering('pin_keypad')}\n{SUBSCRIBE}\n{PAIR}\n@30s phone wait for = '1s'",
        f'person_delay = "{typing_s}s", answer_delay = "{thinking_s}s"',
    )
    asked = ran.of("pairing_request_received", "tablet")[0].t_us
    answered = ran.of("auth2", "tablet")[0].t_us
    wanted_us = max(typing_s, thinking_s) * 1_000_000
    assert abs(answered - asked - wanted_us) < 100_000
    assert not ran.of("pairing_answer_late")


@pytest.mark.parametrize(
    ("tablet", "phone", "rejected"),
    [("true", "true", 0), ("false", "true", 1), ("true", "false", 0)],
)
def test_verification_is_a_part_of_the_configuration(tablet, phone, rejected):
    """setPairingVerificationEnabled: whoever has it off neither asks for it nor answers."""
    ran = androids(
        f"""tablet aware_publish {SERVICE}, pairing = {{ verification = {tablet} }}
        tablet request_network role = "responder"
        phone aware_subscribe {SERVICE}, pairing = {{ verification = {phone} }}
        {PAIR}
        @20s phone request_network to = "tablet"?"""
    )
    assert len(ran.of("verification_rejected", "tablet")) == rejected
    both = tablet == phone == "true"
    assert {one.node for one in ran.of("pairing_verified")} == (
        {"tablet", "phone"} if both else set()
    )
