"""Each built-in accessory: what it puts on the air decodes to its settings, and its GATT table says the same."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from protocols.errors import ScenarioError
from sim.accessories import ACCESSORIES, Accessory, AccessorySettings
from sim.device import settings_table
from tests.sim.worlds import Ran, run, two, world


def payloads(ran: Ran) -> list[bytes]:
    """Advertising data of `dev` in order, each event once (channel 37)."""
    kinds = ("adv_ind", "adv_nonconn_ind", "adv_scan_ind")
    return [
        e.data[8:]
        for e in ran.events
        if e.node == "dev" and e.event in kinds and e.data and e.fields["channel"] == 37
    ]


BLE = [name for name in ACCESSORIES.names() if "ble" in ACCESSORIES.get(name).radios]


@pytest.mark.parametrize("name", BLE)
def test_every_accessory_starts_with_its_defaults_and_is_documented(name) -> None:
    model = ACCESSORIES.get(name)
    assert issubclass(model, Accessory)
    assert issubclass(model.Settings, AccessorySettings)
    assert "confidence" in model.about
    for row in settings_table(model.Settings):
        assert row["about"], f"{name}.{row['name']} has no doc line"
    settings = "advertising_hex = '020106'" if name == "custom" else ""
    ran = run(two(name, "scan for='300ms'", settings=settings))
    assert ran.of("heard")
    assert not [e for e in ran.of("heard") if "wrong" in e.fields]


# iBeacon


def test_ibeacon_sends_its_settings() -> None:
    settings = 'uuid = "00112233-4455-6677-8899-aabbccddeeff", major = 65535, minor = 258, measured_power_1m_dbm = -70'
    ran = run(two("ibeacon", "wait for='300ms'", settings=settings))
    # Apple's layout by hand: 4C 00, 02 15, UUID, major, minor, power
    assert {data.hex() for data in payloads(ran)} == {
        "020106" + "1aff4c000215" + "00112233445566778899aabbccddeeff" + "ffff0102ba"
    }
    assert not ran.of("adv_ind")


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ("minor = 70000", "minor"),
        ('uuid = "xyz"', "uuid"),
        ("minor = 'a'", "minor"),
        ("colour = 1", "colour"),
    ],
)
def test_wrong_ibeacon_settings_name_file_line_and_key(settings, key) -> None:
    with pytest.raises(ScenarioError, match=rf"^test\.toml:9: node\[0\]\.set.*{key}"):
        world(two("ibeacon", "", settings=settings))


# Feasycom


def test_fsc_sends_the_recorded_octets() -> None:
    ran = run(two("fsc_bp105n", "wait for='1500ms'", settings="frame_time = '200ms'"))
    telemetry = "0201060303aafe1116aafe" + "20000be680000339ffa229bbce8a"
    general = "0201060e16f0ff" + "36021892dc0d3015aeb164" + "0b09" + b"FSC-BP105N".hex()
    sent = [data.hex() for data in payloads(ran)]
    assert set(sent) == {telemetry, general}
    changes = sum(a != b for a, b in pairwise(sent))
    assert changes >= 5
    assert not [e for e in ran.of("scan_rsp") if len(e.data or b"") > 8]


def test_fsc_counters_run_on_when_asked() -> None:
    ran = run(two("fsc_bp105n", "scan for='10s', active=false", settings="running = true"))
    frames = [
        e.fields["decoded"]["eddystone"]
        for e in ran.of("heard")
        if "eddystone" in e.fields["decoded"]
    ]
    first, last = frames[0], frames[-1]
    assert first["adv_count"] == 0x0339FFA2
    assert first["uptime_s"] == pytest.approx(0x29BBCE8A / 10, abs=0.2)
    assert last["uptime_s"] - first["uptime_s"] == pytest.approx(9.0, abs=0.6)
    assert last["adv_count"] - first["adv_count"] == pytest.approx(9.0 / 0.105, rel=0.1)
    assert last["temperature_c"] is None


def test_fsc_gatt_only_when_connectable() -> None:
    ran = run(two("fsc_bp105n", "connect to='dev'\nread uuid='2a24'\nread uuid='Device Name'"))
    assert [e.fields["value"]["text"] for e in ran.of("read", "ph")] == ["FSC-BP105N", "FSC-BP105N"]
    silent = run(
        two("fsc_bp105n", "connect to='dev', timeout='2s'?", settings="connectable = false")
    )
    assert not silent.of("adv_ind")
    assert not silent.of("connected")


# Thermometer


def test_thermometer_curve_is_a_triangle() -> None:
    made = world(
        two(
            "thermometer", "", settings="temperature_c = 20.0, swing_c = 10.0, swing_period = '40s'"
        )
    )
    thermometer: Any = made.devices["dev"]
    expected = {
        0: 20.0,
        5: 25.0,
        10: 30.0,
        15: 25.0,
        20: 20.0,
        25: 15.0,
        30: 10.0,
        35: 15.0,
        40: 20.0,
    }
    for second, celsius in expected.items():
        made.loop.now_us = second * 1_000_000
        assert thermometer.celsius() == celsius
    made.loop.now_us = 0
    made.close()


def test_thermometer_battery_empties() -> None:
    steps = "connect to='dev'\nread uuid='2a19'\nwait for='30s'\nread uuid='2a19'"
    ran = run(
        two(
            "thermometer", steps, duration="40s", settings="battery_pct = 50, battery_life = '100s'"
        )
    )
    levels = [e.fields["value"]["battery_pct"] for e in ran.of("read", "ph")]
    assert levels[0] in (49, 50)
    assert levels[0] - levels[1] in (30, 31)


def test_thermometer_indicates_the_interval_asked_for_and_stops_with_the_subscription() -> None:
    steps = "connect to='dev'\nsubscribe uuid='2a1c'\nwait for='5100ms'\nunsubscribe uuid='2a1c'\nwait for='3s'"
    ran = run(
        two(
            "thermometer",
            steps,
            settings="measurement_interval = '500ms', site = 'ear', swing_c = 0.0",
        )
    )
    values = ran.of("indication", "ph")
    assert {e.fields["value_hex"] for e in values} == {"046e0100ff03"}  # 36.6, ear
    assert 8 <= len(values) <= 10
    (off,) = ran.of("unsubscribed")
    assert not [e for e in ran.of("indicate", "dev") if e.t_us > off.t_us]


def test_thermometer_serves_two_subscriptions_after_each_other() -> None:
    steps = "connect to='dev'\nsubscribe uuid='2a1c'\nwait for='1500ms'\ndisconnect\nconnect to='dev'\nsubscribe uuid='2a1c'\nwait for='2500ms'"
    ran = run(two("thermometer", steps))
    assert len(ran.of("indication", "ph")) in (3, 4)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("battery_pct = 101", "battery_pct 101"),
        ("site = 'elbow'", "site"),
        ("measurement_interval = 5", "write a number with a unit"),
    ],
)
def test_wrong_thermometer_settings(settings, words) -> None:
    with pytest.raises(ScenarioError, match=rf"test\.toml:9: .*{words}"):
        world(two("thermometer", "", settings=settings))
