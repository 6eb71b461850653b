"""What an iPhone's Wi-Fi Aware puts on the air: the observed values of the profile, read back from its frames."""

from __future__ import annotations

import pytest

from protocols.wifi_aware.frame import read
from protocols.wifi_aware.service_info import strings, sub_attributes
from sim.explain import explain, view_of
from sim.explain.reading import scene_of_events
from tests.sim.ios_aware import SERVICE, connect, pick, ran


@pytest.fixture(scope="module")
def paired():
    """An iPhone that has paired with an accessory and opened a data path."""
    return ran(f"{pick}\n{connect}")


@pytest.fixture(scope="module")
def published():
    """An iPhone with its pairing view open."""
    return ran(f'ph aware_pairing_view service="{SERVICE}", patience="3s"')


def frames(found, name: str):
    """Frames of that name that the iPhone sent, in clear."""
    return [read(e.data) for e in found.of(name, "ph") if e.data]


def test_the_view_publishes_pin_display_and_who_it_is(published):
    frame = frames(published, "publish")[0]
    assert frame.first("pairing_bootstrapping").methods == 0x0002
    assert frame.first("device_capability_extension").pairing_setup
    info = frame.first("service_descriptor_extension").service_info
    said = [
        strings(one.value) for one in sub_attributes(bytes.fromhex(info.specific)) if one.id == 4
    ]
    assert said == [{"vendorName": "Apple Inc.", "modelName": "iPhone", "pairingName": "iPhone"}]


def test_its_availability_repeats_after_more_than_512_tu(published):
    frame = frames(published, "publish")[0]
    entries = frame.first("nan_availability").entries
    assert all(64 << one.time_bitmap.period > 512 for one in entries)


def test_it_announces_group_and_beacon_keys_without_a_group_suite(published):
    csia = frames(published, "publish")[0].first("cipher_suite_information")
    assert csia.group_support == 2
    assert [one.suite for one in csia.suites] == [7]


def test_it_asks_by_pin_keypad_and_says_who_it_is(paired):
    frame = frames(paired, "bootstrap_request")[0]
    assert frame.first("pairing_bootstrapping").methods == 0x0020
    assert b"Apple Inc." in bytes.fromhex(
        frame.first("service_descriptor_extension").service_info.specific
    )


def test_its_identity_key_comes_late_and_without_lifetime(paired):
    (result,) = paired.of("pairing_result", "ph")
    (sent,) = paired.of("nik", "ph")
    assert 2_550_000 <= sent.t_us - result.t_us < 2_620_000
    (heard,) = paired.of("nik_received", "dev")
    assert heard.fields.get("lifetime_s") is None
    assert heard.fields["cipher_version"] == 0


def test_it_asks_for_a_data_path_of_suite_sk_128(paired):
    (up,) = paired.of("ndp_connected", "ph")
    assert up.fields["csid"] == 1
    other = ran(f"{pick}\n{connect}", ph='aware = { data_suite = "pairing" }')
    assert other.of("ndp_connected", "ph")[0].fields["csid"] == 7


def test_the_trace_of_a_failure_explains_itself_by_the_rule_that_the_phone_acted_on():
    scene = scene_of_events(ran(pick, dev="dcea_in_publish = false").events)
    found = explain(scene, view_of("ios-aware"))
    assert "IA-04" in [one.rule for one in found if one.severity != "note"]


def test_the_trace_of_a_success_has_no_error(paired):
    found = explain(scene_of_events(paired.events), view_of("ios-aware"))
    assert [(one.rule, one.evidence) for one in found if one.severity == "error"] == []
