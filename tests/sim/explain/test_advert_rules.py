"""Adverts in captures that know nothing of us, and the rule that names what is wrong with each."""

from __future__ import annotations

import pytest

from sim.explain.ad import ad_of, uuid_key
from tests.sim.explain.logs import ACCESSORY, SEAT, Air, Hci, rules, the

GOOD = "02010603030d18020a0406094b6974656e"
"""Flags, one service UUID, TX power, name."""


def test_the_real_advert_without_flags():
    """Known answer: nordicsemi/IOS-nRF-Connect #54, seen by Android and sniffers, not by iOS apps."""
    log = Hci()
    log.advert(SEAT, times=4)
    found = log.findings()
    one = the(found, "IB-04", "ios-ble")
    assert one.severity == "error"
    assert one.frames == (1, 2, 3, 4)
    assert SEAT.lower() in one.evidence
    assert one.device == ACCESSORY
    assert one.stories == ("US-16",)
    assert the(found, "AB-09").phone == "android-ble"


def test_the_same_advert_with_flags_has_no_error():
    log = Hci()
    log.advert(f"020106{SEAT}", times=4)
    assert rules(log.findings(), "error") == set()


def test_flags_may_be_left_out_of_an_advert_nobody_can_connect_to():
    log = Hci()
    log.advert("06094b6974656e", kind=3)
    assert the(log.findings("ios-ble"), "IB-04").severity == "warning"


def test_flags_in_the_scan_response_do_not_count():
    log = Hci()
    log.advert("06094b6974656e")
    log.advert("020106", kind=4)
    assert the(log.findings("ios-ble"), "IB-04").severity == "error"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("02010606094b6974656e0a", "ad_length_overrun"),  # a length octet and nothing behind it
        ("02010607094b6974656e", "ad_length_overrun"),  # the name says one octet more than there is
        ("02010600000305", "early_termination_nonzero"),  # padding with something in it
    ],
)
def test_lengths_that_do_not_add_up(data, code):
    log = Hci()
    log.advert(data)
    one = the(log.findings("ios-ble"), "IB-05")
    assert one.severity == "error"
    assert code in one.evidence


def test_zeros_behind_the_last_structure_are_allowed():
    log = Hci()
    log.advert("02010606094b6974656e000000")
    assert "IB-05" not in rules(log.findings())


def test_a_malformed_scan_response_is_a_warning():
    log = Hci()
    log.advert(GOOD)
    log.advert("0609", kind=4)
    assert the(log.findings("ios-ble"), "IB-05").severity == "warning"


def test_a_service_that_is_nowhere_on_the_air():
    log = Hci()
    log.advert("02010606094b6974656e")
    assert (
        the(log.findings("ios-ble"), "IB-06").severity == "note"
    )  # it may be in the scan response
    log.advert("020a04", kind=4)
    one = the(log.findings("ios-ble"), "IB-06")
    assert one.severity == "warning"
    assert "or the scan response" in one.evidence


@pytest.mark.parametrize("kind", ["advert", "response"])
def test_a_service_in_advert_or_scan_response_is_enough(kind):
    log = Hci()
    log.advert(GOOD if kind == "advert" else "02010606094b6974656e")
    log.advert("03030d18" if kind == "response" else "020a04", kind=4)
    assert "IB-06" not in rules(log.findings())


def test_telemetry_that_is_on_the_air_and_not_in_the_app():
    """US-15: the octets are there, the advert is not connectable: the phone, not the accessory."""
    tlm = "0201060303aafe1116aafe20000be680000339ffa229bbce8a"
    log = Hci()
    log.advert(tlm, kind=3)
    one = the(log.findings(), "IB-07")
    assert one.severity == "warning"
    assert "not at fault" in one.why
    log = Hci()
    log.advert(tlm, kind=0)
    assert "IB-07" not in rules(log.findings())


def test_an_ibeacon_is_core_locations():
    log = Hci()
    log.advert("0201061aff4c000215" + "11" * 16 + "00010002c5", kind=3)
    found = log.findings("ios-ble")
    assert the(found, "IB-08").severity == "note"
    assert rules(found, "error") == set()


def test_an_iphone_app_in_the_background_hides_its_services_from_android():
    """Overflow area: 14 ff 4c 00 01 and 16 octets of hashed bits."""
    log = Hci()
    log.advert("02011a14ff4c0001" + "00" * 15 + "10")
    assert the(log.findings(), "IB-11").phone == "android-ble"


@pytest.mark.parametrize(
    ("every_ms", "severity"),
    [(20.0, None), (152.5, None), (1285.0, None), (100.0, "note"), (2000.0, "warning")],
)
def test_intervals_of_the_guidelines(every_ms, severity):
    """advDelay makes the gaps 5 ms longer on average (Core Vol 6 Part B 4.4.2.2)."""
    log = Hci()
    log.advert(GOOD, times=20, every_ms=every_ms + 5)
    found = [one for one in log.findings("ios-ble") if one.rule == "IB-01"]
    assert [one.severity for one in found] == ([severity] if severity else [])


def test_missed_packets_do_not_make_the_interval_longer():
    log = Hci()
    for pause in (157.5, 157.5, 315.0, 157.5, 945.0, 157.5, 157.5, 157.5):
        log.advert(GOOD, every_ms=pause)
    interval = log.scene(".btsnoop").devices[ACCESSORY].interval_ms()
    assert interval == pytest.approx(152.5, abs=0.1)


def test_the_three_channels_of_one_event_are_one_event():
    log = Air()
    for _ in range(10):
        for channel in (37, 38, 39):
            log.advert(GOOD, channel=channel)
            log.t_us += 400
        log.t_us += 155_000
    assert log.scene(".pcapng").devices[ACCESSORY].interval_ms() == pytest.approx(152.5, abs=3)


def test_a_channel_that_is_never_used():
    log = Air()
    log.advert(GOOD, channel=39, address="d0:00:00:00:00:01")  # the sniffer does hear channel 39
    for _ in range(10):
        for channel in (37, 38):
            log.advert(GOOD, channel=channel)
        log.t_us += 157_500
    one = the([one for one in log.findings("ios-ble") if one.device == ACCESSORY], "IB-02")
    assert "channel 39" in one.evidence


def test_a_sniffer_on_one_channel_proves_nothing_about_channels():
    log = Air()
    for _ in range(20):
        log.advert(GOOD)
        log.t_us += 157_500
    assert "IB-02" not in rules(log.findings())


def test_directed_advertising_alone():
    log = Air()
    peer = bytes.fromhex("05040302015a")
    for _ in range(3):
        log.pdu(b"\x41\x0c" + bytes.fromhex("5544332211c0") + peer)
    found = log.findings("ios-ble")
    assert the(found, "IB-02").severity == "warning"
    assert rules(found, "error") == set()  # it has no data in which anything could be missing


@pytest.mark.parametrize(
    ("t_ifs_us", "is_wrong"), [(150, False), (152, False), (148, False), (165, True), (140, True)]
)
def test_scan_responses_out_of_time(t_ifs_us, is_wrong):
    """Core Vol 6 Part B 4.1.1: 150 us, plus or minus 2."""
    log = Air()
    for _ in range(5):
        log.scanned(GOOD, t_ifs_us)
    found = log.findings("ios-ble")
    assert ("IB-09" in rules(found, "error")) == is_wrong


def test_a_capture_with_a_rough_clock_accuses_nobody():
    """Stamped by the host: the times jump about."""
    log = Air()
    for t_ifs_us in (160, 240, 120, 190, 152, 210):
        log.scanned(GOOD, t_ifs_us)
    assert "IB-09" not in rules(log.findings())


def test_names_with_a_colon_and_no_power():
    log = Hci()
    log.advert("02010603030d1806094b693a656e")
    found = [one for one in log.findings("ios-ble") if one.rule == "IB-03"]
    assert {one.severity for one in found} == {"note", "warning"}


def test_a_picker_needs_a_service_or_a_company():
    log = Hci()
    log.advert("02010606094b6974656e")
    log.advert("", kind=4)
    assert (
        the(log.findings(), "AK-05").severity == "warning"
    )  # nobody said that it is meant for a picker
    assert the(log.findings("ios-ask"), "AK-05").severity == "error"
    log = Hci()
    log.advert("02010605ffffff0001")
    assert "AK-05" not in rules(log.findings("ios-ask"))


def test_twins_that_a_picker_cannot_tell_apart():
    """US-13: two advertisers with one service."""
    log = Hci()
    log.advert(GOOD)
    log.advert(GOOD, address="c0:11:22:33:44:56")
    one = the(log.findings(), "AK-07")
    assert one.severity == "warning"
    assert "nothing in their manufacturer data" in one.evidence
    assert {ACCESSORY, "c0:11:22:33:44:56"} == set(one.device.split(", "))
    assert "AK-07" not in rules(log.findings("ios-ask@18.2"))  # there all are listed


def test_twins_with_manufacturer_data_of_their_own():
    log = Hci()
    log.advert("02010603030d1805ffffff0001")
    log.advert("02010603030d1805ffffff0002", address="c0:11:22:33:44:56")
    assert "tell them apart" in the(log.findings(), "AK-07").evidence
    assert "differs" in the(log.findings(), "AK-07").evidence


def test_different_devices_are_no_twins():
    log = Hci()
    log.advert(GOOD)
    log.advert("02010603030f18", address="c0:11:22:33:44:56")
    assert "AK-07" not in rules(log.findings())


def test_a_bystander_without_flags_is_no_error_beside_a_working_exchange():
    log = Hci()
    log.advert(SEAT, address="d0:00:00:00:00:01", times=3)
    log.advert(GOOD, times=3)
    assert "IB-04" in rules(log.findings(), "error")
    log.connect()
    log.served()
    assert rules(log.findings(), "error") == set()
    assert "IB-04" in rules(log.findings("ios-ble"), "error")  # asked for by name


def test_the_same_finding_in_a_host_log_and_in_a_sniffer_log():
    host, air = Hci(), Air()
    host.advert(SEAT, times=3)
    for _ in range(3):
        air.advert(SEAT)
    assert (
        rules(host.findings("ios-ble"), "error")
        == rules(air.findings("ios-ble"), "error")
        == {"IB-04"}
    )


def test_an_accessorys_own_log_is_judged_by_what_it_tells_its_controller():
    """Zephyr or BlueZ as peripheral: no report says what is sent, the commands do."""
    log = Hci()
    log.command(0x2006, {
        "interval_min_ms": 100.0, "interval_max_ms": 100.0, "advertising_type": 0, "own_address_type": "random",
        "peer_address_type": "public", "peer_address": "00:00:00:00:00:00", "channel_map": 7, "filter_policy": 0,
    })  # fmt: skip
    log.command(0x2008, {"data": SEAT.lower()})
    assert log.findings() == []
    frame = log.command(0x200A, {"enable": 1})
    one = the(log.findings("ios-ble"), "IB-04")
    assert one.frames == (frame,)
    assert one.device == "this host"


def test_uuids_are_compared_in_every_spelling():
    assert uuid_key("0000FEAA-0000-1000-8000-00805F9B34FB") == uuid_key("feaa") == "feaa"
    assert uuid_key("12345678-0000-1000-8000-00805f9b34fb") == "12345678"
    assert (
        uuid_key("6E400001-B5A3-F393-E0A9-E50E24DCCA9E") == "6e400001-b5a3-f393-e0a9-e50e24dcca9e"
    )
    listed = ad_of(bytes.fromhex("1107fb349b5f80000080001000000d180000"))
    assert listed.service_uuids == ("180d",)
