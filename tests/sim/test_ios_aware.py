"""An iPhone's Wi-Fi Aware: pickers, what is paired, how connections come and go; stories have scenarios of their own."""

from __future__ import annotations

import pytest

from tests.sim.ios_aware import SERVICE, connect, pick, ran


def rules(found, event: str) -> list[str]:
    """Rules of the iPhone's events of that name."""
    return [one.rule for one in found.of(event, "ph")]


# Picker


def test_a_pairing_by_pin_ends_in_settings_and_in_the_app():
    found = ran(f"{pick}\nph aware_paired_devices")
    (listed,) = found.of("paired_devices")
    assert listed.fields["settings"] == listed.fields["app_sees"] == ["Accessory"]
    assert [e.event for e in found.events if e.event in ("pin_displayed", "pin_entered")] == [
        "pin_displayed",
        "pin_entered",
    ]
    assert found.result.passed


@pytest.mark.parametrize(
    ("dev", "rule"),
    [
        ("dcea_in_publish = false", "IA-04"),
        ("pairing_setup = false", "IA-06"),
        ('service_name = "_nearbench._tcp"', "IA-25"),
        ("methods = []", "IA-30"),
        ('methods = ["qr_display"]', "IA-31"),
        ('methods = ["pin_keypad"]', "IA-32"),
        ('pairing_info = "none", port = 0', "IA-37"),
        ("cipher_suites = [8]", "IA-39"),
    ],
)
def test_what_the_picker_does_not_list(dev, rule):
    found = ran(f'ph aware_picker service="{SERVICE}", choose="dev", patience="3s"', dev=dev)
    assert rules(found, "not_shown") == [rule]
    assert not found.of("picker_shows")
    assert found.of("picker_failed")


def test_a_dropped_publish_does_not_reach_the_engines():
    found = ran(
        f'ph aware_picker service="{SERVICE}", patience="3s"', dev="dcea_in_publish = false"
    )
    assert not found.of("discovery", "ph")
    hidden = ran(f'ph aware_picker service="{SERVICE}", patience="3s"', dev="pairing_setup = false")
    assert hidden.of("discovery", "ph")


@pytest.mark.parametrize(
    ("wish", "ph", "event", "rule"),
    [
        ("", "", "app_crashed", "AK-01"),
        ("role = 7", 'plist = { supports = ["WiFi"] }', "picker_failed", "AK-12"),
        ('vendor = "Acme"', 'plist = { supports = ["WiFi"] }', "not_shown", "AK-14"),
        ("role = 20", 'plist = { supports = ["WiFi"] }', "not_shown", "AK-13"),
    ],
)
def test_the_picker_of_accessory_setup_kit_judges_the_descriptor(wish, ph, event, rule):
    more = f", {wish}" if wish else ""
    found = ran(
        f'ph aware_picker service="{SERVICE}", sheet="accessory_setup", choose="dev", patience="3s"{more}',
        ph=ph,
    )
    assert rules(found, event) == [rule]
    assert not found.of("aware_paired")


def test_accessory_setup_kit_gives_the_accessory_before_the_sheet_goes_and_takes_it_in_settings():
    found = ran(
        f'ph aware_picker service="{SERVICE}", sheet="accessory_setup", choose="dev", vendor="exam", model="Demo"\n'
        'ph forget_paired peer="dev"',
        ph='plist = { supports = ["WiFi"] }',
    )
    names = [e.event for e in found.events if e.node == "ph"]
    assert names.index("accessory_added") < names.index("picker_did_dismiss")
    assert rules(found, "accessory_removed") == ["AK-16"]


def test_a_wrong_pin_pairs_nothing_and_the_next_try_does():
    found = ran(f"{pick}\n{pick}", ph="wrong_pins = 1")
    assert len(found.of("pairing_failed", "ph")) == 1
    assert len(found.of("aware_paired", "ph")) == 1


def test_a_paired_accessory_is_not_listed_again():
    found = ran(f"{pick}\n{pick}")
    assert len(found.of("picker_shows")) == 1


def test_the_pairing_that_lacks_a_nira_leaves_no_key_behind():
    found = ran(f"{pick}\nph aware_paired_devices", dev="nira_in_follow_up = false")
    assert found.of("paired_devices")[0].fields["settings"] == []
    assert not found.world.devices["ph"].aware.identities


# The app


@pytest.mark.parametrize(
    ("ph", "declared", "event", "rule", "code"),
    [
        ('entitlement = ["Publish"]', None, "picker_failed", "IA-20", "entitlementMissing"),
        ("", 'services = { "_other._udp" = { Subscribable = {} } }', "picker_failed", "IA-28", "serviceNotDeclared"),
        ("", f'services = {{ "{SERVICE}" = {{ Publishable = {{}} }} }}', "picker_failed", "IA-28", "serviceNotDeclared"),
        ("", f'services = {{ "{SERVICE}" = true }}', "app_crashed", "IA-22", None),
        ("", f'services = {{ "{SERVICE}" = {{}} }}', "app_crashed", "IA-23", None),
        ('model = "iPhone 11"', None, "picker_failed", "IA-01", "wifiAwareUnsupported"),
        ('version = "18.7.2"', None, "picker_failed", "IA-01", "wifiAwareUnsupported"),
    ],
)  # fmt: skip
def test_what_an_app_gets_instead_of_a_picker(ph, declared, event, rule, code):
    more = {} if declared is None else {"declared": declared}
    found = ran(pick, ph=ph, **more)
    (told,) = found.of(event, "ph")
    assert told.rule == rule
    assert told.fields.get("code") == code
    assert not found.of("picker_did_present")
    assert not found.world.devices["ph"].aware.on, "nothing goes on the air"


def test_a_name_that_ends_with_tcp_traps_only_when_switched_on():
    tcp = "_nearbench._tcp"
    steps = f'ph aware_picker service="{tcp}", patience="2s"'
    declared = f'services = {{ "{tcp}" = {{ Subscribable = {{}} }} }}'
    assert not ran(steps, declared=declared).of("app_crashed")
    assert rules(ran(steps, ph='rules = { "IA-24" = true }', declared=declared), "app_crashed") == [
        "IA-24"
    ]


@pytest.mark.parametrize(
    ("steps", "event"),
    [
        (f'ph aware_listen service="{SERVICE}", devices="user_specified"', "listener_failed"),
        (f'ph aware_browse service="{SERVICE}", devices="selected"', "browser_silent"),
    ],
)
def test_a_listener_or_browser_for_nobody(steps, event):
    assert rules(ran(f"{pick}\n{steps}"), event) == ["IA-26"]


def test_a_browser_for_selected_devices_finds_these_alone():
    steps = f'{pick}\nph aware_browse service="{SERVICE}", devices="selected", selected=["dev"]\nph wait for="2s"'
    assert len(ran(steps).of("browser_result")) == 1


# Connections


def test_data_goes_both_ways_by_udp_and_the_greeting_comes_by_tcp():
    found = ran(
        f'{pick}\n{connect}\nph aware_send text="hi"\nph aware_receive\nph aware_stop\n'
        f'ph aware_connect to="dev", service="{SERVICE}", transport="tcp"\nph aware_receive'
    )
    assert [bytes.fromhex(e.fields["hex"]) for e in found.of("data_received", "ph")] == [
        b"hi",
        b"hello\n",
    ]
    assert found.result.passed


def test_a_port_that_nobody_serves_is_refused():
    steps = f'{pick}\nph aware_connect to="dev", service="{SERVICE}", transport="tcp", port=9\nph aware_send text="x" ?'
    (failed,) = ran(steps).of("step_failed")
    assert "nobody listens on port 9" in failed.note


def test_the_connection_right_after_the_pairing_needs_no_verification_a_later_one_does():
    found = ran(f"{pick}\n{connect}\nph aware_stop\n{connect}")
    assert len(found.of("connection_ready", "ph")) == 2
    assert rules(found, "verified") == ["IA-53"]
    assert len(found.of("nik_received", "ph")) == 1, "identity keys are exchanged once"


def test_a_restart_gives_another_address_and_keeps_the_pairing():
    found = ran(f"{pick}\nph restart\n{connect}")
    addresses = {e.data[10:16] for e in found.of("auth1", "ph") if e.data}
    assert len(addresses) == 2
    assert rules(found, "verified") == ["IA-53"]
    assert found.of("connection_ready", "ph")


def test_an_accessory_with_a_new_address_is_recognised_by_its_nira():
    found = ran(f"{pick}\n@8s dev new_address\n@10s ph aware_stop\n{connect}")
    (seen,) = found.of("recognised", "ph")
    assert seen.peer == "dev"
    assert rules(found, "verified") == ["IA-53"]
    assert found.of("connection_ready", "ph")


def test_an_idle_connection_is_collected():
    found = ran(f'{pick}\n{connect}\nph wait for="12s"', ph='aware = { idle_time = "10s" }')
    (closed,) = found.of("connection_closed", "ph")
    (ready,) = found.of("connection_ready", "ph")
    assert (closed.rule, closed.fields["code"]) == ("IA-66", "connectionIdleTimeout")
    assert closed.t_us - ready.t_us == 10_000_000


def test_data_keep_a_connection_from_being_collected():
    steps = f'{pick}\n{connect}\n@12s ph aware_send text="x"\n@18s ph wait for="1s"'
    assert not ran(steps, ph='aware = { idle_time = "10s" }').of("connection_closed")


def test_quic_works_from_ios_27_on_as_far_as_it_is_simulated():
    steps = f'{pick}\nph aware_connect to="dev", service="{SERVICE}", transport="quic" ?'
    assert rules(ran(steps, ph='version = "26.6"'), "connection_failed") == ["IA-63"]
    newer = ran(steps, ph='version = "27.0"')
    assert not newer.of("connection_failed")
    assert "not simulated" in newer.of("step_failed")[0].note


def test_commands_without_a_connection_say_so():
    found = ran(
        'ph aware_send text="x" ?\nph aware_send hex="xy" ?\nph aware_receive ?\nph aware_stop'
    )
    notes = [e.note for e in found.of("step_failed")]
    assert "no connection" in notes[0]
    assert "'xy' is not hexadecimal" in notes[1]
    assert "no connection" in notes[2]


def test_after_a_reinstallation_the_ids_are_others_unless_told():
    def ids(ph: str) -> set[str]:
        found = ran(f"{pick}\nph reinstall", ph=ph)
        told = [*found.of("paired_device_added"), *found.of("reinstalled")]
        return {
            word for e in told for word in e.note.replace(",", " ").split() if word.count("-") == 4
        }

    assert len(ids("")) == 2
    assert len(ids("same_ids_after_reinstall = true")) == 1


def test_wifi_off_closes_what_is_open():
    found = ran(f"{pick}\n{connect}\nph switch_wifi on=false\nph wait for='1s'")
    assert found.of("connection_closed", "ph")
    assert not found.world.devices["ph"].aware.on


@pytest.mark.parametrize("off_at", ["500ms", "2s", "3216ms", "4s"])
def test_wifi_that_goes_off_in_the_middle_of_a_pairing_ends_it_in_words(off_at):
    found = ran(f'ph switch_wifi on=true, for="{off_at}"\n{pick}', duration="20s")
    assert found.result.passed, found.result.failures
    assert found.of("pairing_failed", "ph") or found.of("picker_failed", "ph")
    assert found.of("picker_did_dismiss", "ph")
    assert not found.of("aware_paired", "ph")


def test_a_listener_waits_for_wifi():
    found = ran(f'ph aware_listen service="{SERVICE}"\n{pick}', ph="wifi = false", duration="40s")
    assert [e.fields["code"] for e in found.of("listener_waiting")] == [50]
    assert not found.world.devices["ph"].aware.on
