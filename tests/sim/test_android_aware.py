"""An Android's Wi-Fi Aware without pairing: what apps may ask, what is on the air, messages, availability, power."""

from __future__ import annotations

from itertools import pairwise

import pytest

from protocols.errors import ScenarioError
from tests.sim.androids import (
    ASKS,
    PUBLISH,
    SERVICE,
    SHOWS,
    SUBSCRIBE,
    androids,
    names,
    rules,
    told,
)

EIGHTH_US = 8 * 512 * 1024
"""Every 8th discovery window: 8 intervals of 512 TU of 1024 us."""


# What an app may ask for


@pytest.mark.parametrize(
    ("settings", "asked", "rule", "code"),
    [
        ("permission = false", SERVICE, "AA-50", "SecurityException"),
        ('model = "pixel6a_17"', SHOWS, "AA-02", "Aware Pairing is not supported"),
        ('pairing_supported = "no"', SHOWS, "AA-02", "Aware Pairing is not supported"),
        ("", 'service = "a lamp"', "AA-05", "IllegalArgumentException"),
        ("", f'service = "{"x" * 256}"', "AA-05", "IllegalArgumentException"),
        ("", f'{SERVICE}, passphrase = "seven77"', "AA-06", "IllegalArgumentException"),
        ("", f'{SERVICE}, pmk = "{"00" * 31}"', "AA-06", "IllegalArgumentException"),
        ("", f'{SERVICE}, pairing = {{ methods = ["service_managed"] }}', "AA-07", "IllegalArgumentException"),
    ],
)  # fmt: skip
def test_what_an_app_may_not_ask_is_an_exception_by_its_rule(settings, asked, rule, code):
    ran = androids(f"tablet aware_publish {asked}", settings)
    failed = ran.of("publish_failed", "tablet")
    assert [(one.rule, one.fields["code"]) for one in failed] == [(rule, code)]
    assert not ran.of("publish", "tablet")
    off = androids(
        f"tablet aware_publish {asked}", f'{settings}{", " * bool(settings)}rules = {{ "{rule}" = false }}'
    )  # fmt: skip
    assert rules(off, "publish_failed") in ([], [""]), "the rule is what refuses it"


@pytest.mark.parametrize(
    ("settings", "asked"),
    [
        ('model = "pixel9pro_17"', SHOWS),
        ("", 'service = "L-1_x.y"'),
        ("", f'service = "{"x" * 255}"'),
        ("", f'{SERVICE}, passphrase = "eight888"'),
        ("", f'{SERVICE}, pmk = "{"00" * 32}"'),
        ('model = "pixel9pro_17"', f'{SERVICE}, pairing = {{ methods = ["service_managed"] }}'),
    ],
)
def test_what_is_just_allowed_is_published(settings, asked):
    ran = androids(f"tablet aware_publish {asked}\n@4s tablet wait for = '1s'", settings)
    assert ran.of("publish_started", "tablet")
    assert ran.of("publish", "tablet")


def test_after_an_exception_the_app_asks_for_nothing():
    """A wrong name is the app's fault once, not for ever."""
    ran = androids(
        f'tablet aware_publish service = "a lamp"\n{PUBLISH}\n@3s tablet wait for = "1s"'
    )
    assert rules(ran, "publish_failed") == ["AA-05"]
    assert ran.of("publish_started", "tablet")


def test_a_setting_that_cannot_be_is_refused():
    with pytest.raises(ScenarioError, match="screen_off_wake: 9 is not 1 to 5"):
        androids("", "aware = { screen_off_wake = 9 }")


# What is on the air


def test_without_pairing_configuration_nothing_of_pairing_is_published():
    """AA-52: such an app is invisible for iPhones."""
    ran = androids(
        f'tablet aware_publish {SERVICE}, passphrase = "correct horse"\n@4s tablet wait for = "1s"'
    )
    shown = names(ran.of("publish", "tablet")[0])
    assert not shown & {"device_capability_extension", "pairing_bootstrapping"}
    suites = next(told(ran.of("publish", "tablet")[0]).all("cipher_suite_information")).suites
    assert [one.suite for one in suites] == [1]
    assert "security_context_information" in shown


@pytest.mark.parametrize(("model", "has"), [("aosp", True), ("s25_2025", False)])
def test_firmware_decides_on_the_dcea_in_publish_frames(model, has):
    """AA-51: a Galaxy S25 of 2025 has it in authentication frames only."""
    ran = androids(f"{PUBLISH}\n{SUBSCRIBE}\nphone aware_pair to = 'tablet'", f'model = "{model}"')
    assert ("device_capability_extension" in names(ran.of("publish", "tablet")[0])) == has
    assert "device_capability_extension" in names(ran.of("auth2", "tablet")[0])


def test_a_phone_that_cannot_pair_is_not_shown_what_needs_pairing():
    """AA-03."""
    steps = f"{PUBLISH}\nphone aware_subscribe {SERVICE}\n@5s phone wait for = '1s'"
    hidden = androids(steps, phone='model = "pixel6a_17"')
    assert rules(hidden, "not_shown", "phone") == ["AA-03"]
    assert not hidden.of("service_discovered")
    other = androids(
        steps.replace(SHOWS, f'{SHOWS}, passphrase = "correct horse"'), phone='model = "pixel6a_17"'
    )
    assert other.of("service_discovered", "phone"), "data with a passphrase are another way"


def test_a_match_is_reported_once_for_each_peer():
    """AA-33."""
    ran = androids(f"{PUBLISH}\n{SUBSCRIBE}\n@15s phone wait for = '1s'")
    assert len(ran.of("publish", "tablet")) > 20
    assert len(ran.of("service_discovered", "phone")) == 1


def test_a_publisher_that_is_gone_is_lost_and_found_again_under_its_handle():
    ran = androids(
        f"""{PUBLISH}
        {SUBSCRIBE}
        @5s tablet doze on = true
        @15s tablet doze on = false
        @16s tablet aware_publish {SHOWS}
        @25s phone wait for = "1s" """
    )
    found = ran.of("service_discovered", "phone")
    assert [one.fields["handle"] for one in found] == [1, 1]
    assert found[0].t_us < ran.of("service_lost", "phone")[0].t_us < found[1].t_us


# Messages


def test_messages_go_both_ways():
    ran = androids(
        f"""{PUBLISH}
        {SUBSCRIBE}
        phone aware_message to = "tablet", hex = "c0ffee"
        @5s tablet aware_message to = "phone", hex = "cafe" """
    )
    assert [one.fields["hex"] for one in ran.of("message_received", "tablet")] == ["c0ffee"]
    assert [one.fields["hex"] for one in ran.of("message_received", "phone")] == ["cafe"]
    assert len(ran.of("message_send_succeeded")) == 2


@pytest.mark.parametrize(("kept", "refused"), [("true", 1), ("false", 0)])
def test_fifty_messages_may_be_under_way(kept, refused):
    """AA-21."""
    sends = 'phone aware_message to = "tablet", hex = "00", wait = false?\n' * 51
    ran = androids(
        f"{PUBLISH}\n{SUBSCRIBE}\nphone aware_wait peer = 'tablet'\n{sends}",
        phone=f'rules = {{ "AA-21" = {kept} }}',
    )
    assert len(ran.of("message_sent", "phone")) == 51 - refused
    assert rules(ran, "message_send_failed")[:1] == ["AA-21"] * refused


def test_a_message_that_nobody_hears_fails():
    """AA-21: ten seconds at most, and no repetition by the framework."""
    ran = androids(
        f"""{PUBLISH}
        {SUBSCRIBE}
        @5s tablet aware_detach
        @5s phone aware_message to = "tablet", hex = "00"?"""
    )
    failed = ran.of("message_send_failed", "phone")
    assert len(failed) == 1
    assert 0 < failed[0].t_us - 5_000_000 <= 10_000_000
    assert ran.of("step_failed", "phone")


def test_a_message_has_at_most_255_octets():
    """AA-04."""
    steps = f"{PUBLISH}\n{SUBSCRIBE}\nphone aware_message to = 'tablet', hex = 'OCTETS'?"
    for size, arrives in ((255, True), (256, False)):
        ran = androids(steps.replace("OCTETS", "00" * size))
        assert bool(ran.of("message_received", "tablet")) == arrives


# Availability


@pytest.mark.parametrize("by", ["wifi_off", "soft_ap", "wifi_direct", "tethering"])
def test_what_takes_the_radio_ends_the_sessions(by):
    """AA-01."""
    ran = androids(
        f"""{PUBLISH}
        @5s tablet use_radio by = "{by}"
        tablet aware_publish {SHOWS}
        @9s tablet use_radio by = "free"
        tablet aware_publish {SHOWS}
        @13s tablet wait for = "1s" """
    )
    assert rules(ran, "session_terminated") == ["AA-01"]
    assert rules(ran, "attach_failed") == ["AA-01"]
    assert [one.fields["available"] for one in ran.of("aware_state")] == [False, True]
    published = [one.t_us for one in ran.of("publish", "tablet")]
    assert any(at < 5_000_000 for at in published)
    assert not any(5_000_000 <= at < 9_000_000 for at in published)
    assert any(at > 9_000_000 for at in published)


def test_doze_disables_wifi_aware_unless_it_is_set_not_to():
    """AA-29."""
    steps = f"{PUBLISH}\n@3s tablet doze on = true\n@6s tablet wait for = '1s'"
    assert rules(androids(steps), "session_terminated") == ["AA-29"]
    kept = androids(steps, "aware = { doze_disables = false }")
    assert not kept.of("session_terminated")
    assert kept.of("publish", "tablet")[-1].t_us > 5_000_000


def test_the_app_may_close_its_session():
    ran = androids(f"{PUBLISH}\n@3s tablet aware_detach\n@6s tablet wait for = '1s'")
    assert rules(ran, "session_terminated") == [""]
    assert ran.of("publish", "tablet")[-1].t_us < 3_000_000


# Power


def test_with_the_screen_off_every_8th_window_is_attended():
    """AA-28, and the frames say so: committed windows of 2.4 GHz every 2**3rd, none at 5 GHz."""
    ran = androids(f"{PUBLISH}\n@3s tablet screen on = false\n@40s tablet wait for = '1s'")
    late = [one for one in ran.of("publish", "tablet") if one.t_us > 8_000_000]
    gaps = [b.t_us - a.t_us for a, b in pairwise(late)]
    assert gaps
    assert all(abs(gap - EIGHTH_US) < 16 * 1024 for gap in gaps), "within the width of a window"
    capability = next(told(late[0]).all("device_capability"))
    assert (capability.wake_2_4, capability.wake_5) == (4, 0)


def test_the_rule_of_the_screen_can_be_switched_off():
    ran = androids(
        f"{PUBLISH}\n@3s tablet screen on = false\n@13s tablet wait for = '1s'",
        'rules = { "AA-28" = false }',
    )
    assert len([one for one in ran.of("publish", "tablet") if one.t_us > 4_000_000]) > 15


@pytest.mark.parametrize("at", ["20s", "22s", "23s"])
def test_a_message_to_a_phone_with_its_screen_off_waits_for_a_window(at):
    steps = f"""{PUBLISH}
        {SUBSCRIBE}
        @3s tablet screen on = false
        INSTANT
        @{at} phone aware_message to = "tablet", hex = "00" """
    asleep = androids(steps.replace("INSTANT", "")).of("message_received", "tablet")[0].t_us
    instant = androids(steps.replace("INSTANT", "@15s tablet instant_mode"))
    awake = instant.of("message_received", "tablet")[0].t_us
    sent_us = int(at.removesuffix("s")) * 1_000_000
    assert awake - sent_us < 600_000, "AA-31: in the instant mode it is there at once"
    assert asleep - sent_us <= EIGHTH_US + 16 * 1024
    window = androids(steps.replace("INSTANT", "")).of("publish", "tablet")[-1].t_us
    apart = (asleep - window) % EIGHTH_US
    assert min(apart, EIGHTH_US - apart) < 16 * 1024


def test_the_instant_mode_lasts_thirty_seconds():
    """AA-31."""
    ran = androids(
        f"{PUBLISH}\n@3s tablet screen on = false\n@5s tablet instant_mode\n@50s tablet wait for = '1s'"
    )
    assert [one.t_us for one in ran.of("instant_mode")] == [5_000_000, 35_000_000]
    published = [one.t_us for one in ran.of("publish", "tablet")]
    assert len([at for at in published if 6_000_000 < at < 34_000_000]) > 40
    assert len([at for at in published if at > 40_000_000]) < 5


# Addresses and restarts


def test_the_address_changes_every_thirty_minutes():
    """AA-30: 1800 s after the radio went on, unless the rule is off."""
    steps = f"tablet aware_publish {SERVICE}\n@1802s tablet wait for = '1s'"
    ran = androids(steps, "aware = { wake = 5 }", duration="1805s")
    before = ran.of("attached", "tablet")[0].note
    changes = ran.of("identity_changed", "tablet")
    assert [(one.t_us, one.rule) for one in changes] == [(1_800_000_000, "AA-30")]
    assert changes[0].fields["nmi"] not in before


@pytest.mark.parametrize(("kept", "changes"), [("true", 2), ("false", 0)])
def test_the_address_changes_again_and_again(kept, changes):
    ran = androids(
        f"tablet aware_publish {SERVICE}\n@25s tablet wait for = '1s'",
        f'aware = {{ address_time = "10s" }}, rules = {{ "AA-30" = {kept} }}',
    )
    assert len({one.fields["nmi"] for one in ran.of("identity_changed", "tablet")}) == changes


def test_a_restart_ends_what_the_app_had():
    ran = androids(
        f"{PUBLISH}\n{SUBSCRIBE}\n@5s tablet reboot\n@15s phone wait for = '1s'",
    )
    assert ran.of("session_terminated", "tablet")
    assert ran.of("publish", "tablet")[-1].t_us < 5_000_000
    assert ran.of("service_lost", "phone")


def test_bluetooth_and_wifi_aware_are_both_there():
    ran = androids(
        f"{PUBLISH}\nphone aware_subscribe {ASKS}\nphone app_scan for = '3s'",
        more='[[node]]\nname = "beacon"\naccessory = "ibeacon"\nat = [1.0, 0.0]\n',
    )
    assert ran.of("discovered", "phone")
    assert ran.of("service_discovered", "phone")
