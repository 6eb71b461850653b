"""Every fault shows with it and not without it; set, cleared, traced, addressed, and wrong ones named."""

from __future__ import annotations

import itertools
from statistics import mean

import pytest

from protocols.errors import NodeError, ScenarioError, UsageError
from sim.ble.pdus import air_time_us
from sim.device import settings_table
from sim.fault_schedule import fault_of
from sim.faults import FAULTS, Fault
from sim.trace import line_of
from sim.typed import plain
from tests.sim import androids, ios_aware
from tests.sim.worlds import Ran, run, two, world

TIMED_OUT, NOT_ESTABLISHED = 0x08, 0x3E
SMP_TIMEOUT_US = 30_000_000
SIMULATED = [name for name, one in FAULTS if not one.not_simulated]
LOCK_STATE = "6b0a0003-53c1-4a0d-9d0e-6f1a3c5b7d90"
PAIR = "connect to='dev'\npair?\nwait for='500ms'"
READ = "connect to='dev'\nread uuid='2a19'\nwait for='500ms'"


def fault(name: str, settings: str = "", node: str = "dev", times: str = "") -> str:
    """A [[fault]] entry."""
    at = f'node = "{node}"\n' if node else ""
    return f'\n[[fault]]\nname = "{name}"\n{at}{times}\nset = {{ {settings} }}\n'


def lock(
    steps: str, *faults: str, settings: str = "", phone: str = "", duration: str = "100s"
) -> Ran:
    """A lock `dev` and a phone `ph`."""
    text = two("lock", steps, settings=settings, duration=duration)
    return run(
        text.replace('phone = "generic"', f'phone = "generic"\nset = {{ {phone} }}')
        + "".join(faults)
    )


def beacon(
    steps: str, *faults: str, accessory: str = "ibeacon", settings: str = "", **more: str
) -> Ran:
    """An accessory `dev` and a phone `ph`."""
    return run(two(accessory, steps, settings=settings, **more) + "".join(faults))


def outcomes(ran: Ran, sender: str, receiver: str) -> list[str]:
    """What became of the packets of `sender` at `receiver`."""
    return [
        e.fields["outcomes"][receiver]
        for e in ran.events
        if e.layer == "air" and e.node == sender and receiver in e.fields["outcomes"]
    ]


# Registry


@pytest.mark.parametrize("name", FAULTS.names())
def test_every_fault_is_documented(name: str) -> None:
    model = FAULTS.get(name)
    assert issubclass(model, Fault)
    assert model.title()
    assert "confidence" in model.about or model.not_simulated
    for row in settings_table(model.Settings):
        assert row["about"], f"{name}.{row['name']} has no doc line"


# The air


def test_loss_takes_its_part_of_the_packets_and_no_more() -> None:
    ran = beacon("scan for='60s'", fault("loss", "probability = 0.25"), duration="70s")
    found = outcomes(ran, "dev", "ph")
    assert len(found) > 500
    # 0.25 of n packets, within four standard deviations of a binomial
    spread = (0.25 * 0.75 / len(found)) ** 0.5
    assert abs(found.count("loss") / len(found) - 0.25) < 4 * spread
    assert "loss" not in outcomes(beacon("scan for='60s'", duration="70s"), "dev", "ph")


@pytest.mark.parametrize(
    ("name", "settings", "reason"),
    [("loss", "probability = 0.25", "loss"), ("corruption", "bit_error_rate = 0.001", "crc")],
)
def test_a_fault_counts_the_packets_that_it_stops(name: str, settings: str, reason: str) -> None:
    text = two("ibeacon", "scan for='5s'") + fault(name, settings) + fault(name, settings, "ph")
    ran = run(text)
    air = [event for event in ran.events if event.layer == "air"]
    stopped = sum(list(event.fields["outcomes"].values()).count(reason) for event in air)
    counts = [one.count for one in ran.world.faults.all]
    assert all(counts), "each of two of a kind has its own count"
    assert sum(counts) == stopped
    assert ran.world.faults.all[0].deeds() == f"stopped {counts[0]} packets"


@pytest.mark.parametrize(("direction", "lost"), [("from", False), ("to", True), ("both", True)])
def test_loss_is_of_a_node_and_of_a_direction(direction: str, lost: bool) -> None:
    settings = f"probability = 1.0, direction = '{direction}'"
    ran = beacon(
        "scan for='2s' active=false".replace(" active", ", active"),
        fault("loss", settings, node="ph"),
    )
    assert ("loss" in outcomes(ran, "dev", "ph")) == lost
    assert bool(ran.of("heard")) != lost


def test_loss_of_everything_needs_no_node_and_takes_a_crowd_too() -> None:
    text = (
        two("ibeacon", "scan for='3s'")
        + '[[crowd]]\nname = "others"\ncount = 5\narea = [3.0, 3.0]\n'
        + (
            'fields = { uuid = "fda50693-a4e2-4fb1-afcf-c6eb07647825", major = 1, minor = "{n}", measured_power_1m_dbm = -59 }\n'
        )
    )
    heard = {e.peer for e in run(text).of("heard")}
    assert heard == {"dev", "others"}
    crowd_lost = {
        e.peer for e in run(text + fault("loss", "probability = 1.0", node="others")).of("heard")
    }
    assert crowd_lost == {"dev"}
    assert not run(text + fault("loss", "probability = 1.0", node="")).of("heard")


def test_corruption_hits_long_packets_more() -> None:
    rate = 0.001
    short, long = "020106", "020106" + "1bff4c00" + "00" * 24
    shares = []
    for octets in (short, long):
        settings = f"advertising_hex = '{octets}'"
        ran = beacon(
            "scan for='120s', active=false", fault("corruption", f"bit_error_rate = {rate}"),
            accessory="custom", settings=settings, duration="130s",
        )  # fmt: skip
        found = outcomes(ran, "dev", "ph")
        shares.append(found.count("crc") / len(found))
        # access address 4, header 2, address 6, data, CRC 3: all bits have to be right
        bits = 8 * (4 + 2 + 6 + len(bytes.fromhex(octets)) + 3)
        expected = 1 - (1 - rate) ** bits
        assert abs(shares[-1] - expected) < 4 * (expected * (1 - expected) / len(found)) ** 0.5
    assert shares[0] < shares[1]
    clean = beacon("scan for='5s'", accessory="custom", settings=f"advertising_hex = '{long}'")
    assert set(outcomes(clean, "dev", "ph")) == {"heard"}


def test_a_connection_survives_loss_and_corruption_by_repeating() -> None:
    for one in (fault("loss", node=""), fault("corruption", node="")):
        ran = lock("connect to='dev', timeout='20s'\nread uuid='2a19'\nwait for='1s'", one)
        assert ran.of("read", "ph"), one
        assert [e for e in ran.of("ll_data") if e.fields.get("again")]


def test_a_jammer_spoils_its_channels_near_it() -> None:
    ran = beacon("scan for='3s'", fault("jammer", "channels = [37]", node="ph"))
    reasons = {
        channel: {
            e.fields["outcomes"]["ph"]
            for e in ran.events
            if e.layer == "air"
            and e.node == "dev"
            and "ph" in e.fields["outcomes"]
            and e.fields["channel"] == channel
        }
        for channel in (37, 38, 39)
    }
    assert reasons == {37: {"collision"}, 38: {"heard"}, 39: {"heard"}}
    far = beacon("scan for='3s'", fault("jammer", "at = [90000.0, 0.0]", node=""))
    assert set(outcomes(far, "dev", "ph")) == {"heard"}


def test_a_jammer_in_bursts_leaves_gaps_of_its_duty() -> None:
    one = fault("jammer", "duty_pct = 30.0, period = '50ms'", node="ph")
    found = outcomes(beacon("scan for='100s', active=false", one, duration="110s"), "dev", "ph")
    # a packet of 376 us (47 octets at 1 Mbit/s, preamble included) is hit by a burst of 15 ms in 50 ms
    packet_us = air_time_us(2 + 6 + 30, 1)
    expected = (15_000 + packet_us) / 50_000
    assert abs(found.count("collision") / len(found) - expected) < 0.06


def test_a_jammer_on_all_channels_ends_a_connection() -> None:
    one = fault("jammer", "channels = []", times='from = "3s"', node="ph")
    ran = beacon("connect to='dev'\nwait for='12s'", one, accessory="thermometer")
    (gone,) = ran.of("disconnected", "ph", "ble")
    assert gone.fields["reason"] == TIMED_OUT
    # the phone's supervision timeout of 5 s after the last packet, at most an interval of 30 ms before
    assert 8_000_000 - 30_000 <= gone.t_us <= 8_000_000


# Clock, adverts


def test_clock_drift_loses_a_connection_whose_widening_does_not_cover_it() -> None:
    steps = "connect to='dev', timeout='20s'\nwait for='20s'"
    for ppm, lost in ((5000, True), (-5000, True), (20, False)):
        ran = beacon(
            steps, fault("clock_drift", f"ppm = {ppm}"), accessory="thermometer", duration="40s"
        )
        reasons = {e.fields["reason"] for e in ran.of("disconnected", layer="ble")}
        failed = {e.fields["reason"] for e in ran.of("connect_failed", layer="ble")}
        assert bool((reasons | failed) & {TIMED_OUT, NOT_ESTABLISHED}) == lost, ppm


def test_clock_drift_ends_with_the_fault() -> None:
    one = fault("clock_drift", times='until = "2s"')
    ran = beacon("wait for='3s'\nconnect to='dev'\nwait for='10s'", one, accessory="thermometer")
    assert ran.of("connected", "ph")
    assert not ran.of("disconnected", layer="ble")


def data_of(ran: Ran) -> list[tuple[int, str]]:
    """(time, advertising data) of the adverts of `dev` on channel 37."""
    kinds = ("adv_ind", "adv_nonconn_ind", "adv_scan_ind")
    return [
        (e.t_us, e.data[8:].hex())
        for e in ran.events
        if e.node == "dev" and e.event in kinds and e.data and e.fields["channel"] == 37
    ]


def test_a_tail_is_behind_every_advert_while_the_fault_is_set() -> None:
    one = fault("malformed_ad_tail", "tail_hex = '0b'", times='from = "1s"\nuntil = "2s"')
    plain = "02010607095353536561" + "74"
    ran = beacon("scan for='3s'", one, accessory="custom", settings=f"advertising_hex = '{plain}'")
    for t_us, data in data_of(ran):
        assert data == (plain + "0b" if 1_001_000 < t_us < 2_000_000 else plain), t_us
    assert {data for _, data in data_of(ran)} == {plain, plain + "0b"}


def test_a_tail_that_does_not_fit_makes_the_last_structure_too_long() -> None:
    full = "020106" + "1bff4c00" + "11" * 24
    ran = beacon(
        "scan for='1s'",
        fault("malformed_ad_tail"),
        accessory="custom",
        settings=f"advertising_hex = '{full}'",
    )
    assert {data for _, data in data_of(ran)} == {full[:-2]}
    assert [
        e
        for e in ran.of("heard")
        if e.fields.get("wrong") or "malformed" in e.note or "wrong" in e.note
    ]


def test_flags_are_missing_and_nothing_else() -> None:
    settings = "advertising_hex = '02010607095353536561740302aafe'"
    ran = beacon("scan for='1s'", fault("missing_flags"), accessory="custom", settings=settings)
    assert {data for _, data in data_of(ran)} == {"07095353536561740302aafe"}
    clean = beacon("scan for='1s'", accessory="custom", settings=settings)
    assert {data for _, data in data_of(clean)} == {"02010607095353536561740302aafe"}


def test_an_iphone_hides_what_these_two_do() -> None:
    """The rule that US-16 gives for each, from the fault alone."""
    for name, rule in (("missing_flags", "IB-04"), ("malformed_ad_tail", "IB-05")):
        text = two(
            "custom",
            "app_scan for='2s'",
            settings="advertising_hex = '0201060709535353656174'",
            phone="ios",
        )
        assert {e.rule for e in run(text + fault(name)).of("not_shown")} == {rule}
        assert not run(text).of("not_shown")


def test_an_advert_keeps_its_fault_when_the_firmware_changes_its_data() -> None:
    """eddystone_beacon sets new data with each frame."""
    ran = beacon("scan for='6s'", fault("missing_flags"), accessory="eddystone_beacon")
    found = {data for _, data in data_of(ran)}
    assert len(found) > 1
    assert not [data for data in found if data.startswith("0201")]
    assert all(
        data.startswith("0201")
        for _, data in data_of(beacon("scan for='6s'", accessory="eddystone_beacon"))
    )


def test_a_slow_interval_is_the_interval() -> None:
    ran = beacon("scan for='60s'", fault("slow_interval", "interval_ms = 2000.0"), duration="70s")
    gaps = [b - a for (a, _), (b, _) in itertools.pairwise(data_of(ran))]
    assert all(2_000_000 <= gap <= 2_010_000 for gap in gaps)  # advDelay is 0 to 10 ms
    assert 2_004_000 < mean(gaps) < 2_006_000
    fast = [b - a for (a, _), (b, _) in itertools.pairwise(data_of(beacon("scan for='5s'")))]
    assert max(fast) < 1_500_000


def test_adverts_that_rest_during_a_connection_come_back_with_the_fault() -> None:
    one = fault("missing_flags", times='from = "2s"')
    ran = beacon(
        "connect to='dev'\nwait for='3s'\ndisconnect\nscan for='1s'", one, accessory="thermometer"
    )
    before = {data for t_us, data in data_of(ran) if t_us < 2_000_000}
    after = {data for t_us, data in data_of(ran) if t_us > 3_000_000}
    assert all(data.startswith("0201") for data in before)
    assert after
    assert not [data for data in after if data.startswith("0201")]


# Hosts


def test_a_slow_host_answers_late_and_in_order() -> None:
    ran = lock(READ, fault("delay", "delay = '700ms'"))
    (asked,) = ran.of("read_request", "ph")
    (answered,) = ran.of("read_response", "dev")
    assert 700_000 <= answered.t_us - asked.t_us < 800_000
    is_acl = [e.data[:1] == b"\x02" for e in ran.of("packet", "dev", "hci") if e.direction == "tx"]
    assert ran.world.faults.all[0].deeds() == f"delayed {sum(is_acl)} PDUs", "none is in pieces"
    clean = lock(READ)
    assert clean.of("read_response")[0].t_us - clean.of("read_request")[0].t_us < 100_000


def test_jitter_never_changes_the_order() -> None:
    steps = "connect to='dev'\nsubscribe uuid='2a1c'\nwait for='10s'"
    settings = "measurement_interval = '200ms', swing_c = 2.0"
    slow = beacon(
        steps,
        fault("delay", "delay = '50ms', jitter = '900ms'"),
        accessory="thermometer",
        settings=settings,
    )
    values = [e.fields["value_hex"] for e in slow.of("indication", "ph")]
    sent = [e.fields["value_hex"] for e in slow.of("indicate", "dev")]
    assert len(values) > 3
    assert values == sent[: len(values)]


def test_a_host_slower_than_30_s_fails_the_request() -> None:
    ran = lock(
        "connect to='dev'\nwait for='2s'\ndiscover?\nwait for='1s'",
        fault("delay", "delay = '31s'", times='from = "1s"'),
    )
    (failed,) = ran.of("step_failed")
    assert "30 s" in failed.note


def test_a_silent_peer_leaves_the_other_side_waiting_for_30_s() -> None:
    ran = lock(PAIR, fault("silent_peer", node="ph"))
    assert not ran.of("pairing_request")
    ran = lock(PAIR, fault("silent_peer"))
    (asked,) = ran.of("pairing_request")
    told = ran.of("not_paired", "ph")[0]
    assert told.t_us - asked.t_us >= SMP_TIMEOUT_US
    assert told.fields["side"] == "link"
    assert not ran.of("paired")
    assert not ran.of("pairing_response")
    assert lock(PAIR).of("paired")


def test_a_silent_peer_says_some_pdus_first_and_still_serves_att() -> None:
    ran = lock(
        "connect to='dev'\npair wait=false\nread uuid='2a19'\nwait for='40s'",
        fault("silent_peer", "after = 2"),
    )
    assert ran.of("pairing_response", "dev")
    assert ran.of("public_key", "dev")
    assert not ran.of("pairing_confirm", "dev")
    assert ran.of("read", "ph")
    assert ran.of("fault_acted", "dev")


def test_a_server_silent_on_att_times_out() -> None:
    one = fault("silent_peer", "protocol = 'att'", times='from = "2s"')
    ran = lock("connect to='dev'\nwait for='3s'\nread uuid='2a19'?", one)
    (failed,) = ran.of("step_failed")
    assert "did not answer within 30 s" in failed.note


# Pairing


def test_a_wrong_pin_fails_once_or_always() -> None:
    ran = lock(f"{PAIR}\npair?\nwait for='500ms'", fault("wrong_pin", "times = 1", node="ph"))
    assert [e.fields["reason"] for e in ran.of("not_paired", "dev")] == [
        0x04
    ]  # Confirm Value Failed
    assert ran.of("paired", "ph")
    always = lock(f"{PAIR}\npair?\nwait for='500ms'", fault("wrong_pin", node="ph"))
    assert len(always.of("not_paired", "dev")) == 2
    assert not always.of("paired")
    assert not lock(PAIR).of("not_paired")


def moments(ran: Ran) -> tuple[int, int, list[int]]:
    """When the phone first asked for a PIN, when one was typed, and when the fault came and went."""
    asked, typed = (ran.of(name, "ph")[0].t_us for name in ("pin_required", "pin_entered"))
    return asked, typed, [one.t_us for one in ran.of("fault")]


@pytest.mark.parametrize("over", ["ble", "wifi_aware"])
def test_a_wrong_pin_that_is_set_while_the_pin_is_asked_for_is_typed_wrong(over: str) -> None:
    """What counts is when somebody types, not when the question came up."""
    mistake = fault("wrong_pin", node="ph", times='from = "2s"')
    ran = lock(PAIR + "?", mistake) if over == "ble" else aware_pin(times='from = "2s"')
    asked, typed, (begun,) = moments(ran)
    assert asked < begun < typed
    assert ran.of("fault_acted", "ph")[0].t_us == typed


def test_a_wrong_pin_that_is_over_when_the_pin_is_typed_changes_nothing() -> None:
    times = 'from = "1ms"\nuntil = "2s"'
    ran = lock(PAIR, fault("wrong_pin", node="ph", times=times))
    asked, typed, (begun, ended) = moments(ran)
    assert begun < asked < ended < typed
    assert not ran.of("fault_acted")
    assert ran.of("paired", "ph")


def test_a_wrong_pin_of_a_node_that_displays_changes_nothing() -> None:
    ran = lock(PAIR, fault("wrong_pin", node="dev"))
    assert ran.of("paired")
    assert not ran.of("fault_acted")


def aware_pin(**more: str) -> Ran:
    """An iPhone `ph` picks a Wi-Fi Aware display twice; its person mistypes."""
    return ios_aware.ran(
        f"{ios_aware.pick}\n{ios_aware.pick}", more=fault("wrong_pin", node="ph", **more)
    )


def test_a_wrong_pin_in_wifi_aware_ends_at_the_initiator_in_the_confirm_of_auth2() -> None:
    """Digest of pairing 6.2: status 1 there, no third frame, and the side that displays hears of nothing."""
    ran = aware_pin(settings="times = 1")
    (acted,) = ran.of("fault_acted", "ph")
    results = [(e.node, e.fields["status"]) for e in ran.of("pairing_result")]
    assert (results[0], sorted(results[1:])) == (("ph", 1), [("dev", 0), ("ph", 0)])
    (failed,) = ran.of("pairing_failed", "ph")
    frames = [e.event for e in ran.events if e.layer == "aware" and e.direction == "tx"]
    sent = [name for name in frames if name.startswith("auth")]
    assert sent == ["auth1", "auth2", "auth1", "auth2", "auth3"]
    assert acted.t_us <= failed.t_us < ran.of("auth3")[0].t_us
    assert "NB-07" in failed.fields["rules"]
    assert len(ran.of("aware_paired", "ph")) == 1


def test_a_pin_that_is_always_wrong_pairs_nobody_over_wifi_aware() -> None:
    ran = aware_pin()
    assert len(ran.of("fault_acted", "ph")) == 2
    assert not ran.of("aware_paired")
    assert not ran.of("auth3")


def test_a_wrong_pin_typed_at_the_publisher_shows_at_the_initiator_that_displays_it() -> None:
    publish = f'tablet aware_publish {androids.SERVICE}, pairing = {{ methods = ["pin_keypad"] }}'
    pair = 'phone aware_pair to = "tablet"?'
    mistake = fault("wrong_pin", node="tablet")
    ran = androids.androids(f"{publish}\n{androids.SUBSCRIBE}\n{pair}", more=mistake)
    assert ran.of("fault_acted", "tablet")
    assert [(e.node, e.fields["status"]) for e in ran.of("pairing_result")] == [("phone", 1)]
    assert not ran.of("auth3")


def test_an_early_security_request_comes_before_anything_was_refused() -> None:
    steps = "app_scan\nwait_discovered what='dev'\nstop_scan\nconnect to='dev'\nwait for='1s'"
    text = two("thermometer", steps, phone="ios")
    ran = run(text + fault("early_security_request", "after = '200ms'"))
    (asked,) = ran.of("security_request", "dev")
    assert 150_000 < asked.t_us - ran.of("connected", "dev", "ble")[0].t_us < 250_000
    assert [e.rule for e in ran.of("security_request_ignored")] == ["IB-31"]
    assert not run(text).of("security_request")


def test_a_wrong_identity_address_is_what_goes_over_the_air() -> None:
    ran = lock(PAIR, fault("wrong_identity_address"), phone="bad_identity = 'refuse'")
    assert [e.fields["address"] for e in ran.of("identity_address", "dev")] == ["00:00:00:00:00:00"]
    assert ran.of("identity_refused", "ph")
    assert not ran.of("paired", "ph")
    assert lock(PAIR, phone="bad_identity = 'refuse'").of("paired", "ph")


def test_the_identity_of_somebody_else_makes_a_bond_that_is_not_found_again() -> None:
    steps = f"{PAIR}\ndisconnect\nwait for='1s'\nconnect to='dev'\nencrypt?\nwait for='500ms'"
    ran = lock(steps, fault("wrong_identity_address", "address = 'c0:ff:ee:00:00:01'"))
    assert [e.fields["identity"] for e in ran.of("bond_stored", "ph")] == ["C0:FF:EE:00:00:01"]
    assert "no bond" in ran.of("step_failed")[0].note
    assert not lock(steps).of("step_failed")


def test_an_erased_bond_is_missing_at_the_next_connection() -> None:
    steps = f"{PAIR}\ndisconnect\nwait for='15s'\nconnect to='dev'\nencrypt?\nwait for='500ms'"
    one = fault("bond_erased", times='from = "14s"')
    ran = lock(steps, one)
    assert ran.of("bond_removed", "dev")
    assert ran.of("bond_missing", "dev")
    assert [e.fields["reason"] for e in ran.of("encryption_failed", "ph")] == [
        0x06
    ]  # PIN or Key Missing
    assert not lock(steps).of("bond_missing")
    both = lock(steps, fault("bond_erased", "other_side_too = true", times='from = "14s"'))
    assert {e.node for e in both.of("bond_removed")} == {"dev", "ph"}
    assert "no bond" in both.of("step_failed")[0].note
    stranger = lock(steps, fault("bond_erased", "peer = 'nobody'", times='from = "14s"'))
    assert not stranger.of("bond_removed")


def test_supervision_loss_ends_a_connection_at_both_sides_and_leaves_the_adverts() -> None:
    one = fault("supervision_loss", times='from = "3s"\nuntil = "12s"')
    ran = lock("connect to='dev'\nwait for='12s'\nconnect to='dev'\nread uuid='2a19'", one)
    for node in ("dev", "ph"):
        gone = ran.of("disconnected", node, "ble")[0]
        assert gone.fields["reason"] == TIMED_OUT
        assert 7_900_000 <= gone.t_us <= 8_100_000  # 5 s after the last packet
    assert "silenced" in outcomes(ran, "ph", "dev")
    assert [e for e in ran.of("adv_ind") if 8_200_000 < e.t_us < 12_000_000]
    assert ran.of("read", "ph")


def test_supervision_loss_from_the_start_lets_no_connection_come_about() -> None:
    ran = lock("connect to='dev', timeout='3s'?\nwait for='500ms'", fault("supervision_loss"))
    assert {e.fields["reason"] for e in ran.of("connect_failed", "ph", "ble")} == {NOT_ESTABLISHED}
    assert not ran.of("connected", "ph")
    assert lock("connect to='dev', timeout='3s'").of("connected", "ph")


@pytest.mark.parametrize("step", ["pairing_request", "pairing_confirm", "identity_key"])
def test_a_reboot_in_the_middle_of_a_pairing(step: str) -> None:
    steps = f"{PAIR}\nwait for='6s'\nconnect to='dev'\npair?\nwait for='500ms'"
    ran = lock(steps, fault("reboot_mid_pairing", f"step = '{step}'"))
    first = ran.of(step)[0]
    failed = ran.of("not_paired", "ph")
    assert failed
    assert failed[0].fields["side"] == "link"
    assert first.t_us <= ran.of("fault_acted", "dev")[0].t_us < first.t_us + 1000
    assert TIMED_OUT in {e.fields["reason"] for e in ran.of("disconnected", "ph", "ble")}
    assert ran.of("paired", "ph")  # once it is up again
    assert not lock(steps).of("not_paired")


def test_a_parameter_loop_ends_when_it_has_what_it_wants() -> None:
    steps = "connect to='dev'\nwait for='12s'"
    ran = beacon(steps, fault("connection_parameter_loop"), accessory="thermometer")
    assert len(ran.of("parameter_request", "dev")) == 1  # the neutral phone accepts
    assert not beacon(steps, accessory="thermometer").of("parameter_request")
    text = two(
        "thermometer", f"app_scan\nwait_discovered what='dev'\nstop_scan\n{steps}", phone="ios"
    )
    refused = run(text + fault("connection_parameter_loop", "interval_max_ms = 30.0"))
    assert len(refused.of("parameter_request", "dev")) > 8
    assert {e.rule for e in refused.of("parameters_refused", "ph")} == {"IB-20"}
    limited = run(text + fault("connection_parameter_loop", "interval_max_ms = 30.0, times = 3"))
    assert len(limited.of("parameter_request", "dev")) == 3


VOLUME = "6b0a0032-53c1-4a0d-9d0e-6f1a3c5b7d90"
MEET_BY_NAME = (
    "wait for='8s'\nscan\nwait_for what='{name}'\nstop_scan\nconnect to='{name}'\npair?\n"
)


def test_a_man_in_the_middle_of_just_works_reads_and_passes_on_everything() -> None:
    steps = MEET_BY_NAME.format(name="Headset") + (
        f"subscribe uuid='{VOLUME}'\nwrite uuid='{VOLUME}', hex='1e'\nwait for='1s'\nread uuid='{VOLUME}'\nwait for='1s'"
    )
    text = two("headset", steps, settings="phones = 1")
    ran = run(text + fault("mitm_just_works"))
    assert ran.result.failures == ()
    assert {(e.node, e.peer) for e in ran.of("paired")} == {
        ("ph", "mitm_front"), ("mitm_front", "ph"), ("mitm_back", "dev"), ("dev", "mitm_back"),
    }  # fmt: skip
    assert not [e for e in ran.of("paired") if e.fields["authenticated"]]
    assert not [e for e in ran.events if e.layer == "ble" and {e.node, e.peer} == {"ph", "dev"}]
    assert [e.fields["value_hex"] for e in ran.of("read", "ph")] == ["1e"]  # the headset has it
    assert [e.fields["value_hex"] for e in ran.of("notification", "ph")] == ["1e"]
    assert [e.note for e in ran.of("log", "dev")] == ["volume 30 by mitm_back"]
    known = {
        (e.fields["outcome"], e.fields["value_hex"])
        for e in ran.of("fault_acted")
        if "value_hex" in e.fields
    }
    assert {("written", "1e"), ("notified", "1e"), ("read", "1e")} <= known
    clean = run(text)
    assert {(e.node, e.peer) for e in clean.of("paired")} == {("ph", "dev"), ("dev", "ph")}
    assert [e.fields["value_hex"] for e in clean.of("read", "ph")] == ["1e"]


def test_a_man_in_the_middle_gets_nowhere_with_a_device_that_wants_a_pin() -> None:
    steps = f"wait for='8s'\nconnect to='dev', timeout='30s'\npair\nread uuid='{LOCK_STATE}'\nwait for='500ms'"
    ran = lock(steps, fault("mitm_just_works", times='until = "10s"'))
    (told,) = [e for e in ran.of("fault_acted") if e.fields["outcome"] == "failed"]
    assert (
        "does not do Just Works" in told.note or "authentication requirements" in told.note.lower()
    )
    assert not [e for e in ran.of("paired") if e.node.startswith("mitm")]
    assert not [e for e in ran.of("adv_ind") if e.node.startswith("mitm")]
    assert {(e.node, e.peer) for e in ran.of("paired")} == {
        ("ph", "dev"),
        ("dev", "ph"),
    }  # after it has left


# Times, trace, errors


def test_a_fault_is_traced_when_set_and_when_cleared() -> None:
    one = fault("loss", "probability = 1.0", times='from = "1s"\nuntil = "2s"')
    ran = beacon("scan for='3s'", one)
    told = [
        (e.t_us, e.node, e.layer, e.fields["fault"], e.fields["state"]) for e in ran.of("fault")
    ]
    assert told == [
        (1_000_000, "dev", "control", "loss", "set"),
        (2_000_000, "dev", "control", "loss", "cleared"),
    ]
    assert ran.of("fault")[0].fields["settings"] == {"probability": 1.0}
    assert ran.of("fault")[1].cause == ran.of("fault")[0].seq
    heard = [e.t_us for e in ran.of("heard")]
    assert [t for t in heard if t < 1_000_000]
    assert not [t for t in heard if 1_001_000 < t < 2_000_000]
    assert [t for t in heard if t > 2_000_000]


@pytest.mark.parametrize("name", [n for n in SIMULATED if not FAULTS.get(n).momentary])
def test_a_cleared_fault_leaves_nothing_behind(name: str) -> None:
    """After its end the run can do all that it could without: connect, pair, read; its defects are gone."""
    made = world(
        two(
            "lock",
            f"wait for='2s'\nconnect to='dev'\npair\nread uuid='{LOCK_STATE}'",
            duration="90s",
        )
        + fault(name, times='from = "500ms"\nuntil = "1s"')
    )
    try:
        ran = Ran(made)
    finally:
        made.close()
    assert ran.result.failures == ()
    assert [e.fields["state"] for e in ran.of("fault")] == ["set", "cleared"]
    left = made.defects("dev")
    lists = (left.adverts, left.typed, left.outgoing, left.connected)
    assert (lists, left.clock_ppm) == (([], [], [], []), 0)
    assert not made.air.by_chance


@pytest.mark.parametrize("name", SIMULATED)
def test_a_run_with_a_fault_is_the_same_every_time(name: str) -> None:
    times = 'from = "4s"' if FAULTS.get(name).momentary else ""
    text = two("lock", f"{PAIR}\nscan for='3s'", duration="60s") + fault(name, times=times)
    one, two_ = run(text), run(text)
    assert [line_of(e) for e in one.events] == [line_of(e) for e in two_.events]
    assert one.of("fault")


def test_the_chance_of_a_fault_disturbs_no_other() -> None:
    """With a second fault that concerns nobody the first one loses the same packets."""
    one = fault("loss", node="")
    away = fault("corruption", "bit_error_rate = 0.5", node="far")
    text = two("ibeacon", "scan for='5s', active=false") + (
        '[[node]]\nname = "far"\naccessory = "ibeacon"\nat = [90000.0, 0.0]\n'
    )
    assert outcomes(run(text + one), "dev", "ph") == outcomes(run(text + one + away), "dev", "ph")


@pytest.mark.parametrize(
    ("entry", "line", "words"),
    [
        ('name = "los"', 1, "did you mean loss"),
        ('name = "delay"', 1, "needs the node that it befalls"),
        ('name = "delay"\nnode = "nobody"', 2, "no node is called 'nobody'"),
        ('name = "slow_interval"\nnode = "ph"', 2, "befalls accessories, and ph is a phone"),
        ('name = "loss"\nnode = "dev"\nset = { probability = 2 }', 3, "allowed are 0 to 1"),
        ('name = "loss"\nset = { chance = 0.5 }', 2, "chance"),
        ('name = "delay"\nnode = "dev"\n[fault.set]\ndelay = 3', 4, "no duration"),
        ('name = "loss"\nfrom = "2s"\nuntil = "1s"', 3, "later than from"),
        ('name = "bond_erased"\nnode = "dev"', 1, "say when"),
        ('name = "bond_erased"\nnode = "dev"\nfrom = "1s"\nuntil = "2s"', 4, "give from alone"),
        ('name = "jammer"', 1, "say where it stands"),
        ('name = "loss"\nfrom = 3', 2, "no duration"),
        ('name = "loss"\nwhen = "3s"', 2, "unknown key 'when'"),
        ('name = "missing.py"', 1, "missing.py does not exist"),
        ('name = "wrong_pin"\nnode = "ph"\nset = { off_by = 1000000 }', 3, "off_by"),
        ('name = "mitm_just_works"\nnode = "dev"\n[[fault]]\nname = "mitm_just_works"\nnode = "dev"', 4, "one attacker"),
    ],
)  # fmt: skip
def test_a_wrong_entry_is_named_by_file_line_and_key(
    entry: str, line: int, words: str, tmp_path
) -> None:
    text = two("lock", "wait for='1s'")
    before = len(text.splitlines()) + 1
    with pytest.raises(ScenarioError) as caught:
        world(
            f"{text}\n[[fault]]\n{entry}\n".replace("\n\n[[fault]]", "\n[[fault]]"), tmp_path
        ).close()
    assert words in str(caught.value)
    assert str(caught.value).startswith("test.toml:")
    assert abs(caught.value.line - before - line) <= 1


OWN = """
from sim.device import Settings
from sim.faults import Fault

class OwnSettings(Settings, frozen=True, kw_only=True):
    note: str = "?"
    '''what it says.'''

class Own(Fault):
    'Says something.'
    Settings = OwnSettings
    about = "confidence: ours"

    def apply(self, world):
        self.acted(self.settings.note)
        if self.settings.note == "boom":
            raise KeyError("boom")

FAULT = Own
"""


def test_a_fault_of_the_users_own_by_its_path(tmp_path) -> None:
    text = two("ibeacon", "wait for='1s'")
    ran = run(text + fault("own.py", "note = 'hello'"), tmp_path, own=OWN)
    assert [e.note for e in ran.of("fault_acted", "dev")] == ["hello"]
    with pytest.raises(NodeError, match=r"dev at .*own\.py:17"):
        run(text + fault("own.py", "note = 'boom'"), tmp_path, own=OWN)
    with pytest.raises(ScenarioError, match="no subclass of Fault"):
        run(text + fault("not_one.py"), tmp_path, not_one="FAULT = 3\n")


@pytest.mark.parametrize(
    ("text", "name", "node", "settings", "from_us", "until_us"),
    [
        ("loss", "loss", "", {}, 0, None),
        ("loss:probability=0.2", "loss", "", {"probability": 0.2}, 0, None),
        ("delay:node=a,delay=2s,from=1s,until=3s", "delay", "a", {"delay": "2s"}, 1_000_000, 3_000_000),
        ("jammer:channels=[37, 38],at=[1.0,2.0]", "jammer", "", {"channels": [37, 38], "at": [1.0, 2.0]}, 0, None),
        ("wrong_identity_address:address='00:11:22:33:44:55 public'", "wrong_identity_address", "", {"address": "00:11:22:33:44:55 public"}, 0, None),
        ("C:\\x\\own.py:note=a", "C:\\x\\own.py", "", {"note": "a"}, 0, None),
        ("/x/own.py", "/x/own.py", "", {}, 0, None),
    ],
)  # fmt: skip
def test_an_option_is_an_entry(text, name, node, settings, from_us, until_us) -> None:
    found = fault_of(text)
    given = {key: plain(value) for key, value in found.set.items()}
    assert (found.name, found.node, given, found.from_, found.until) == (
        name,
        node,
        settings,
        from_us,
        until_us,
    )


@pytest.mark.parametrize("text", ["loss:probability", "loss:from=3", "loss:0.2"])
def test_an_option_that_is_none_says_how_to_write_it(text: str) -> None:
    with pytest.raises(UsageError, match="--fault"):
        fault_of(text)
