"""Networks of an Android app: who must ask first, how they are secured, addresses, ports, data, limits, ends."""

from __future__ import annotations

import pytest

from sim.phones._aware_android_traffic import Told, told_by
from tests.sim.androids import PUBLISH, SERVICE, SUBSCRIBE, androids, rules, scenario
from tests.sim.worlds import Ran, world

RESPONDS = 'tablet request_network role = "responder"'
REQUEST = 'phone request_network to = "tablet"'
PLAIN = f"tablet aware_publish {SERVICE}\nphone aware_subscribe {SERVICE}"
THIRD = '[[node]]\nname = "third"\nphone = "android"\nat = [1.0, 1.0]\n'


def test_a_path_without_pairing_and_without_key_is_open():
    """AA-55."""
    ran = androids(f"{PLAIN}\n{RESPONDS}\n{REQUEST}")
    assert [one.fields["csid"] for one in ran.of("ndp_connected", "phone")] == [0]
    assert {one.node for one in ran.of("network_available")} == {"tablet", "phone"}


@pytest.mark.parametrize(
    ("tablet", "phone", "works"),
    [
        ('passphrase = "correct horse"', 'passphrase = "correct horse"', True),
        ('passphrase = "correct horse"', 'passphrase = "wrong donkey"', False),
        (f'pmk = "{"11" * 32}"', f'pmk = "{"11" * 32}"', True),
        (f'pmk = "{"11" * 32}"', f'pmk = "{"22" * 32}"', False),
        ('passphrase = "correct horse"', "", False),
    ],
)
def test_keys_of_a_path_must_be_the_same(tablet, phone, works):
    request = f"{REQUEST}, {phone}".rstrip(", ")
    ran = androids(
        f"tablet aware_publish {SERVICE}, {tablet}\n{RESPONDS}, {tablet}\n"
        f"phone aware_subscribe {SERVICE}\n{request}?"
    )
    assert [one.fields.get("csid") for one in ran.of("ndp_connected", "phone")] == [1] * works
    assert bool(ran.of("network_available", "phone")) == works
    assert bool(ran.of("network_unavailable", "phone")) == (not works)


def test_keys_are_not_in_the_trace():
    key = f'pmk = "{"5a" * 32}", passphrase = "correct horse"'
    ran = androids(f"tablet aware_publish {SERVICE}, {key}\n{RESPONDS}, {key}")
    told = " ".join(f"{one.fields} {one.note}" for one in ran.events)
    assert "5a5a5a5a" not in told
    assert "correct horse" not in told


@pytest.mark.parametrize("words", ['passphrase = "seven77"', f'pmk = "{"00" * 16}"'])
def test_a_key_of_the_wrong_length_is_an_exception_on_the_initiator_too(words):
    """AA-06."""
    ran = androids(f"{PLAIN}\n{RESPONDS}\n{REQUEST}, {words}?")
    assert rules(ran, "network_failed", "phone") == ["AA-06"]
    assert not ran.of("ndp_m1")


def test_a_paired_peer_gets_the_key_of_the_pairing():
    """AA-04: NCS-SK-128 is the suite for data, whatever was paired with."""
    ran = androids(
        f"{PUBLISH}\n{SUBSCRIBE}\n{RESPONDS}\nphone aware_pair to = 'tablet', cipher = 'pk_pasn_128'\n{REQUEST}"
    )
    assert [one.fields["csid"] for one in ran.of("ndp_connected", "phone")] == [1]


# Who must have asked


@pytest.mark.parametrize(
    ("before", "accepted"), [("", False), (RESPONDS, True), ('@2s tablet aware_wait peer = "phone", timeout = "1s"?', False)]
)  # fmt: skip
def test_a_responder_must_have_asked_for_a_network(before, accepted):
    """AA-47: rejected at once, with reason 10."""
    ran = androids(f"{PLAIN}\n{before}\n@4s {REQUEST}?")
    assert rules(ran, "data_path_rejected", "tablet") == ["AA-47"] * (not accepted)
    assert bool(ran.of("network_available", "phone")) == accepted
    if not accepted:
        ended = ran.of("ndp_disconnected", "phone")[0]
        assert ended.fields["reason"] == 10
        asked = ran.of("ndp_request", "tablet")[0]
        assert ran.of("data_path_rejected", "tablet")[0].t_us == asked.t_us


def test_a_request_for_one_peer_is_no_request_for_another():
    """AA-47: matching means the peer, too."""
    ran = androids(
        f"""{PLAIN}
        phone aware_message to = "tablet", hex = "00"
        third aware_subscribe {SERVICE}
        @5s {RESPONDS}, to = "phone"
        @8s third request_network to = "tablet"?
        @12s {REQUEST}""",
        more=THIRD,
    )
    assert [(one.peer, one.rule) for one in ran.of("data_path_rejected", "tablet")] == [
        ("third", "AA-47")
    ]
    assert ran.of("network_available", "phone")


def test_a_responder_publishes_first():
    ran = androids(f"{RESPONDS}?\n{PUBLISH}")
    assert "a responder publishes first" in ran.of("step_failed", "tablet")[0].note


# Limits


def test_a_second_network_finds_no_interface():
    """AA-49, on the initiator: the framework does not even ask."""
    steps = f"""{PLAIN}
        {RESPONDS}
        third aware_publish {SERVICE}
        third request_network role = "responder"
        {REQUEST}
        phone request_network to = "third"?"""
    ran = androids(steps, more=THIRD)
    assert rules(ran, "network_unavailable", "phone") == ["AA-49"]
    assert len(ran.of("ndp_m1", "phone")) == 1
    both = androids(steps, phone='rules = { "AA-49" = false }', more=THIRD)
    assert len(both.of("network_available", "phone")) == 2


def test_one_network_for_any_peer_serves_several():
    ran = androids(
        f"{PLAIN}\n{RESPONDS}\n{REQUEST}\nthird aware_subscribe {SERVICE}\n@6s third request_network to = 'tablet'",
        more=THIRD,
    )
    assert [one.peer for one in ran.of("network_available", "tablet")] == ["phone", "third"]


def test_the_chip_has_so_many_data_paths():
    """AA-04."""
    ran = androids(
        f"""{PLAIN}
        {RESPONDS}
        third aware_publish {SERVICE}
        third request_network role = "responder"
        {REQUEST}
        phone request_network to = "third"?""",
        phone='rules = { "AA-49" = false }, aware = { data_paths = 1 }',
        more=THIRD,
    )
    assert rules(ran, "network_unavailable", "phone") == ["AA-04"]


@pytest.mark.parametrize(("kept", "after_s"), [("true", 20), ("false", 30)])
def test_a_data_path_has_twenty_seconds(kept, after_s):
    """AA-22: here between the request and the answer of a responder that thinks for ever."""
    rule = f'rules = {{ "AA-22" = {kept} }}'
    made = world(scenario(f"{PLAIN}\n{RESPONDS}\n{REQUEST}?", rule, rule))
    tablet = made.devices["tablet"]
    made.loop.at_us(1, lambda: setattr(tablet.networks, "on_request", lambda event: None))
    ran = Ran(made)
    made.close()
    asked = ran.of("ndp_m1", "phone")[0].t_us
    gone = ran.of("network_unavailable", "phone")[0].t_us
    assert abs(gone - asked - after_s * 1_000_000) < 100_000


# Addresses and ports


def test_the_address_of_the_peer_is_the_eui_64_of_its_interface():
    """AA-48: RFC 4291 appendix A, fffe in the middle and the universal bit turned over."""
    ran = androids(
        f"{PLAIN}\n{RESPONDS}\n{REQUEST}", 'aware = { interface_address = "02:00:5e:10:00:01" }'
    )
    address = ran.of("network_available", "phone")[0].fields["ipv6"]
    assert address.partition("%")[0] == "fe80::5eff:fe10:1"


@pytest.mark.parametrize(
    ("check", "after_s"), [("0s", 0), ("300ms", 1), ("1s", 1), ("4500ms", 5), ("6s", None)]
)
def test_the_framework_polls_for_the_own_address(check, after_s):
    """AA-26: every second, and gives up after five."""
    ran = androids(
        f"{PLAIN}\n{RESPONDS}\n{REQUEST}?", phone=f'aware = {{ address_check = "{check}" }}'
    )
    up = ran.of("ndp_connected", "phone")[0].t_us
    if after_s is None:
        gone = ran.of("network_unavailable", "phone")[0]
        assert (gone.rule, gone.t_us) == ("AA-26", up + 5_000_000)
        assert not ran.of("network_available", "phone")
    else:
        assert ran.of("network_available", "phone")[0].t_us == up + after_s * 1_000_000


@pytest.mark.parametrize(
    ("octets", "strict", "told"),
    [
        ("", True, (0, "")),
        ("000200581b", True, (7000, "")),
        ("000200581b01010011", True, (7000, "udp")),
        ("000200581b01010006", True, (7000, "tcp")),
    ],
)
def test_port_and_protocol_of_the_responder(octets, strict, told):
    """Wi-Fi Aware 4.0, Generic service protocol: sub-attribute, length of two octets, both little-endian."""
    found = told_by(octets, strict=strict)
    assert (found.port, found.protocol, found.fault) == (*told, "")


@pytest.mark.parametrize("octets", ["0002000000", "00010058", "000300581b00"])
def test_a_wrong_port_voids_the_service_info(octets):
    """AA-48: a port of 0, or of another length than two octets."""
    found = told_by(octets + "01010011", strict=True)
    assert "invalid" in found.fault
    assert (found.port, found.protocol) == (0, "")
    assert told_by(octets + "01010011", strict=False) != Told()


def test_the_port_is_told_in_the_data_path():
    ran = androids(f'{PLAIN}\n{RESPONDS}, port = 8080, protocol = "tcp"\n{REQUEST}')
    available = ran.of("network_available", "phone")[0].fields
    assert (available["port"], available["protocol"]) == (8080, "tcp")


# Data and ends


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_data_go_both_ways(protocol):
    ran = androids(
        f"""{PLAIN}
        {RESPONDS}, port = 7000, protocol = "{protocol}"
        {REQUEST}
        phone aware_send text = "hello"
        @5s tablet aware_receive
        tablet aware_send hex = "c0ffee"
        phone aware_receive"""
    )
    assert bytes.fromhex(ran.of("data_received", "tablet")[0].fields["hex"]) == b"hello"
    assert ran.of("data_received", "phone")[0].fields["hex"] == "c0ffee"


def test_nothing_can_be_sent_without_a_network():
    ran = androids(f"{PLAIN}\nphone aware_send text = 'hello'?")
    assert "no network" in ran.of("step_failed", "phone")[0].note


def test_a_released_network_is_lost_on_the_other_side():
    ran = androids(
        f"{PLAIN}\n{RESPONDS}\n{REQUEST}\n@6s phone release_network\n@8s phone wait for = '1s'"
    )
    assert ran.of("network_released", "phone")
    lost = ran.of("network_lost", "tablet")
    assert len(lost) == 1
    assert lost[0].t_us < 7_000_000
    assert not ran.of("network_lost", "phone"), "whoever releases it is not told that it is lost"


def test_releasing_the_responder_takes_the_request_back():
    """AA-47 holds again."""
    ran = androids(f"{PLAIN}\n{RESPONDS}\ntablet release_network\n@4s {REQUEST}?")
    assert rules(ran, "data_path_rejected", "tablet") == ["AA-47"]


@pytest.mark.parametrize(
    ("what", "rule"), [('use_radio by = "wifi_off"', "AA-01"), ("doze on = true", "AA-29")]
)
def test_a_network_ends_with_wifi_aware(what, rule):
    ran = androids(f"{PLAIN}\n{RESPONDS}\n{REQUEST}\n@6s phone {what}\n@40s tablet wait for = '1s'")
    assert rules(ran, "network_lost", "phone") == [rule]
    assert ran.of("network_lost", "tablet"), "by its idle timer: nobody told it"


def test_a_network_keeps_the_phone_awake_with_its_screen_off():
    """The slots of the data link stay, only the windows are fewer."""
    ran = androids(
        f"""{PLAIN}
        {RESPONDS}, port = 7000
        {REQUEST}
        @6s tablet screen on = false
        @20s phone aware_send text = "hello"
        @20s tablet aware_receive"""
    )
    received = ran.of("data_received", "tablet")[0]
    assert received.t_us - 20_000_000 < 600_000
