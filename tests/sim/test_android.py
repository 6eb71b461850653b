"""The Android phone: filters, scan records, limits, companion devices."""

from __future__ import annotations

import pytest

from protocols.errors import ScenarioError
from tests.sim.worlds import run, two

KITCHEN = 'advertising_hex = "02010603030d1808094b69746368656e", scan_response_hex = "05ffffff0102"'


def android(steps: str, accessory: str = KITCHEN, phone: str = "", **how):
    """One custom accessory, one Android phone with settings `phone`."""
    text = two("custom", steps, settings=accessory, phone="android", **how)
    return run(text.replace('phone = "android"\n', f'phone = "android"\nset = {{ {phone} }}\n'))


def test_a_scan_record_joins_advert_and_scan_response():
    record = android('app_scan for = "1s"').of("discovered", "ph")[-1].fields["scan_record"]
    assert record == {
        "bytes": ("02010603030d1808094b69746368656e" + "05ffffff0102").ljust(124, "0"),
        "advertiseFlags": 6,
        "serviceUuids": ["180d"],
        "manufacturerSpecificData": {"ffff": "0102"},
        "deviceName": "Kitchen",
    }


def test_the_padding_is_a_setting():
    ran = android('app_scan for = "1s"', phone="pads_scan_record = false")
    assert (
        ran.of("discovered", "ph")[0].fields["scan_record"]["bytes"]
        == "02010603030d1808094b69746368656e"
    )


def test_a_malformed_record_keeps_its_octets_and_is_shown():
    """AB-09: what an iPhone drops."""
    ran = android('app_scan for = "1s"', 'advertising_hex = "0201060609"')
    shown = ran.of("discovered", "ph")[0]
    assert shown.rule == "AB-09"
    assert list(shown.fields["scan_record"]) == ["bytes"]


@pytest.mark.parametrize(
    ("filters", "passes"),
    [
        ("[]", True),
        ('[{ name = "Kitchen" }]', True),
        ('[{ name = "Kit" }]', False),  # equal, no substring
        ('[{ service = "0000180D-0000-1000-8000-00805F9B34FB" }]', True),
        ('[{ service = "180f" }]', False),
        ('[{ service = "180f" }, { name = "Kitchen" }]', True),  # several are OR-ed
        ('[{ service = "180d", name = "Kit" }]', False),  # fields are AND-ed
        ('[{ company = "FFFF" }]', True),
        ('[{ company = "ffff", manufacturer_hex = "0100", manufacturer_mask_hex = "ff00" }]', True),
        ('[{ company = "ffff", manufacturer_hex = "0100" }]', False),
        ('[{ company = "ffff", manufacturer_hex = "010203" }]', False),
        ('[{ service_data_uuid = "180d" }]', False),
    ],
)
def test_scan_filters(filters, passes):
    ran = android(f'app_scan filters = {filters}, for = "1s"')
    assert bool(ran.of("discovered", "ph")) == passes
    if not passes:
        assert "no ScanFilter" in ran.of("not_shown", "ph")[0].note


def test_a_mask_needs_data_of_its_length():
    from protocols.errors import ScenarioError

    with pytest.raises(ScenarioError, match="a mask needs data of the same length"):
        android('app_scan filters = [{ company = "ffff", manufacturer_mask_hex = "ff" }]')


def test_the_sixth_scan_within_thirty_seconds_is_silent():
    """AB-02"""
    five = 'app_scan for = "1s"\n' * 5
    ran = android(f'{five}app_scan for = "1s"', duration="60s")
    silent = ran.of("scan_silent", "ph")[0]
    assert silent.rule == "AB-02"
    hidden = ran.of("not_shown", "ph")
    assert {event.rule for event in hidden} == {"AB-02"}
    assert all(event.t_us > silent.t_us for event in hidden)
    later = android(f'{five}wait for = "30s"\napp_scan for = "1s"', duration="60s")
    assert not later.of("scan_silent")
    off = android(f'{five}app_scan for = "1s"', phone='rules = { "AB-02" = false }')
    assert not off.of("not_shown")


def test_an_unfiltered_scan_with_the_screen_off():
    """AB-02"""
    ran = android('screen on = false\napp_scan for = "1s"')
    assert ran.of("not_shown", "ph")[0].rule == "AB-02"
    assert not ran.of("discovered", "ph")
    assert android('screen on = false\napp_scan filters = [{ name = "Kitchen" }], for = "1s"').of(
        "discovered", "ph"
    )


def test_a_very_long_scan_is_demoted():
    """AB-02"""
    ran = android('app_scan for = "20s"', phone='long_scan = "10s"')
    assert ran.of("not_shown", "ph")[0].t_us > 10_000_000
    assert ran.of("discovered", "ph")


def test_modes_hear_more_or_less():
    heard = [
        len(android(f'app_scan mode = "{mode}", for = "20s"').of("heard", "ph"))
        for mode in ("low_power", "balanced", "low_latency")
    ]
    assert heard[0] < heard[1] < heard[2]


def test_extended_adverts_only_when_asked_for():
    pen = 'advertising_hex = "020106040950656e", extended = true'
    assert "setLegacy" in android('app_scan for = "1s"', pen).of("not_shown", "ph")[0].note
    assert android('app_scan legacy = false, for = "1s"', pen).of("discovered", "ph")


@pytest.mark.parametrize(
    ("priority", "low_ms", "high_ms"),
    [("high", 11.25, 15), ("balanced", 30, 50), ("low_power", 100, 125)],
)
def test_connection_priorities(priority, low_ms, high_ms):
    """AB-03"""
    ran = android('app_scan for = "1s"\nconnect to = "dev"', phone=f'priority = "{priority}"')
    assert low_ms <= ran.of("connected", "ph", "ble")[0].fields["interval_ms"] <= high_ms


def test_the_first_mtu_request():
    """AB-01"""
    ran = android('app_scan for = "1s"\nconnect to = "dev"')
    asked = ran.of("mtu_request", "ph")
    assert [event.fields["mtu_octets"] for event in asked] == [517]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ('name_regex = "Kit.*"', True),
        ('name_regex = "Kit"', False),  # the whole name
        ('raw_hex = "020106", raw_mask_hex = "ffffff"', True),
        ('raw_hex = "03030d18", raw_mask_hex = "ffffffff"', False),  # from octet 0, not anywhere
        ('raw_hex = "0000000000000d18", raw_mask_hex = "000000000000ffff"', False),
        ('raw_hex = "00000000000d18", raw_mask_hex = "0000000000ffff"', True),
        ('filter = { service = "180d" }', True),
        ('filter = { service = "180f" }', False),
    ],
)
def test_companion_devices(arguments, found):
    """AB-07"""
    ran = android(f'companion {arguments}, timeout = "3s"')
    assert bool(ran.of("companion_found", "ph")) == found
    assert all(
        event.rule == "AB-07" for event in (*ran.of("companion_found"), *ran.of("not_shown"))
    )


def test_models_are_versions():
    assert (
        android('app_scan for = "1s"', phone='model = "s25_2025"').world.devices["ph"].version()
        == "15"
    )
    assert (
        android('app_scan for = "1s"', phone='model = "s25_2025", version = "16"')
        .world.devices["ph"]
        .version()
        == "16"
    )


def test_parameters_are_taken_as_they_are_asked_for():
    """No rule of Android is known against them."""
    ran = android('app_scan for = "1s"')
    assert ran.world.devices["ph"].on_parameter_request("dev", 7.5, 7.5, 0, 1000).accepted


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ('app_scan filters = [{ service = "nothex" }]', "service: 'nothex' is no UUID"),
        ('app_scan filters = [{ service_data_uuid = "12" }]', "service_data_uuid: '12' is no UUID"),
        ('app_scan filters = [{ manufacturer_hex = "zz" }]', "manufacturer_hex: 'zz' is not hexa"),
    ],
)
def test_wrong_filters_are_refused_where_they_stand(step, words):
    with pytest.raises(ScenarioError, match=words):
        android(step)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ('raw_hex = "xy"', "companion: raw_hex: 'xy' is not hexadecimal"),
        ('raw_hex = "00", raw_mask_hex = "0"', "companion: raw_mask_hex: '0' is not hexadecimal"),
        ('name_regex = "("', "companion: name_regex: "),
    ],
)
def test_companion_names_the_wrong_argument(arguments, words):
    assert words in android(f"companion {arguments}?").of("step_failed", "ph")[0].note
