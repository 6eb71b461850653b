"""Legacy advertising on the air, row by row of what bumble's own controller gets wrong."""

from __future__ import annotations

import itertools

import pytest
from bumble import hci
from raw_host import ADV_DATA, MS, PROPERTIES, RANDOM_A, S, World, wire

from sim.ble.pdus import PduType

PUBLIC_A = "11:22:33:44:55:0A"
LEGACY_KINDS = [
    (0, PduType.ADV_IND, 0x00, 0x0013),
    (2, PduType.ADV_SCAN_IND, 0x02, 0x0012),
    (3, PduType.ADV_NONCONN_IND, 0x03, 0x0010),
]


@pytest.fixture
def world():
    with World() as made:
        yield made


@pytest.mark.parametrize(("kind", "pdu", "legacy_event", "extended_event"), LEGACY_KINDS)
@pytest.mark.parametrize("commands", ["legacy", "extended"])
@pytest.mark.parametrize("scanner", ["legacy", "extended"])
def test_event_types_are_those_of_the_pdu(
    world, kind, pdu, legacy_event, extended_event, commands, scanner
):
    """Rows "event types" and "legacy-only controller": PDU type and both report numberings agree."""
    a, b = world.host("a", public=PUBLIC_A), world.host("b")
    if commands == "legacy":
        a.legacy_set(kind)
    else:
        a.advertise({0: 0x13, 2: 0x12, 3: 0x10}[kind], ADV_DATA)
    b.scan(extended=scanner == "extended")
    world.run(S)
    assert {sent.data[0] & 0x0F for sent in world.sent} == {pdu}
    assert {sent.data[2:] for sent in world.sent} == {wire(PUBLIC_A) + ADV_DATA}
    reports = b.reports()
    assert len(reports) >= 8
    assert {report.event_type for report in reports} == {
        extended_event if scanner == "extended" else legacy_event
    }
    assert {report.address for report in reports} == {wire(PUBLIC_A)}
    assert {report.data for report in reports} == {ADV_DATA}
    if scanner == "extended":
        assert {
            (r.sid, r.tx_power, r.primary_phy, r.secondary_phy, r.interval) for r in reports
        } == {(0xFF, 127, 1, 0, 0)}


def test_a_scan_response_is_the_advertisers_own_and_only_for_active_scanners(world):
    """Row "scan response": passive scanners never ask, active ones get what the host has set as scan response."""
    a = world.host("a", public=PUBLIC_A)
    passive, active = world.host("p"), world.host("q")
    a.legacy_set(0, data=ADV_DATA, scan_response=b"\x05\x09nice")
    passive.scan(active=False)
    world.run(S)
    assert all(sent.data[0] & 0x0F == PduType.ADV_IND for sent in world.sent)
    active.scan(active=True)
    world.run(S)
    assert {r.event_type for r in passive.reports()} == {0x0013}
    responses = [r for r in active.reports() if r.event_type & 8]
    assert {(r.event_type, r.data) for r in responses} == {(0x001B, b"\x05\x09nice")}
    assert {r.data for r in active.reports() if not r.event_type & 8} == {ADV_DATA}


@pytest.mark.parametrize(("kind", "event"), [(0, 0x001B), (2, 0x001A)])
def test_an_empty_scan_response_is_still_reported_as_what_it_answers(world, kind, event):
    a, b = world.host("a"), world.host("b")
    a.legacy_set(kind, scan_response=b"")
    b.scan(active=True)
    world.run(S)
    assert {(r.event_type, r.data) for r in b.reports() if r.event_type & 8} == {(event, b"")}


def test_what_is_not_scannable_is_never_asked(world):
    a, b = world.host("a"), world.host("b")
    a.legacy_set(3, scan_response=b"\x02\x0a\x00")
    b.scan(active=True)
    world.run(S)
    assert not world.of("b")


def test_scan_requests_and_responses_keep_the_interframe_space(world):
    """SCAN_REQ starts 150 us after the end of the ADV_IND, SCAN_RSP 150 us after that (Vol 6 Part B, 4.1.1)."""
    a, b = world.host("a"), world.host("b")
    a.legacy_set(0, scan_response=b"\x02\x0a\x00")
    b.scan(active=True)
    world.run(S)
    kinds = [sent.data[0] & 0x0F for sent in world.sent]
    at = kinds.index(PduType.SCAN_REQ)
    advert, request, response = world.sent[at - 1 : at + 2]
    assert response.data[0] & 0x0F == PduType.SCAN_RSP
    assert advert.channel == request.channel == response.channel
    assert request.start_us - advert.end_us == response.start_us - request.end_us == 150
    assert (
        request.end_us - request.start_us == 176
    )  # 22 octets with preamble, access address and CRC


@pytest.mark.parametrize("interval_ms", [20, 100, 152.5, 1000])
@pytest.mark.parametrize("commands", ["legacy", "extended"])
def test_the_interval_is_what_the_host_set_plus_0_to_10_ms(world, interval_ms, commands):
    """Row "interval": events interval + advDelay apart, the delay evenly over 0..10 ms; channels 37, 38, 39."""
    a = world.host("a")
    if commands == "legacy":
        a.legacy_set(3, interval_ms=interval_ms)
    else:
        a.advertise(0x10, ADV_DATA, interval_ms=interval_ms)
    world.run(int(interval_ms * MS * 200))
    starts = [sent.start_us for sent in world.sent if sent.channel == 37]
    gaps = [after - before - interval_ms * MS for before, after in itertools.pairwise(starts)]
    assert min(gaps) >= 0
    assert max(gaps) <= 10 * MS
    assert min(gaps) < 1 * MS < 9 * MS < max(gaps)
    assert 4 * MS < sum(gaps) / len(gaps) < 6 * MS
    channels = [sent.channel for sent in world.sent]
    assert channels[:6] == [37, 38, 39, 37, 38, 39]


def test_the_channel_map_is_honoured(world):
    a = world.host("a")
    a.legacy_set(0, channels=0b101)
    world.run(S)
    assert {sent.channel for sent in world.sent} == {37, 39}


def test_enabling_again_does_not_start_a_second_chain_of_events(world):
    """Row "Enable while already enabled": 40 -> 80 reports/s in bumble."""
    a = world.host("a")
    a.advertise(0x10, ADV_DATA)
    world.run(S)
    assert a.enable_set(0)[0] == 0
    world.run(10 * S)
    assert 100 <= sum(sent.channel == 37 for sent in world.sent) <= 111


@pytest.mark.parametrize("commands", ["legacy", "extended"])
def test_disabling_ends_it_at_once(world, commands):
    a = world.host("a")
    if commands == "legacy":
        a.legacy_set(0)
    else:
        a.advertise(0x13, ADV_DATA)
    world.run(S)
    if commands == "legacy":
        a.ok(hci.HCI_LE_Set_Advertising_Enable_Command(advertising_enable=0))
    else:
        assert a.enable_set(on=0)[0] == 0
    before = len(world.sent)
    world.run(S)
    assert len(world.sent) <= before + 1  # what was on the air


def test_duration_ends_a_set_with_a_terminated_event(world):
    """Row "duration / max_events": after 0.2 s, status 0x3C (advertising timeout), with the number of events."""
    a = world.host("a")
    assert a.set_parameters(3, 0x10, interval_ms=20)[0] == 0
    assert a.enable_set(3, duration=20)[0] == 0
    start_us = world.loop.now_us
    world.run(S)
    [(t_us, event)] = a.le(0x12)
    assert t_us == start_us + 200 * MS
    events = sum(sent.channel == 37 for sent in world.sent)
    assert event == bytes((0x3C, 3, 0, 0, events))
    assert 6 <= events <= 10
    assert max(sent.start_us for sent in world.sent) < t_us


def test_max_events_ends_a_set_with_limit_reached(world):
    a = world.host("a")
    assert a.set_parameters(0, 0x10, interval_ms=20)[0] == 0
    assert a.enable_set(0, events=2)[0] == 0
    world.run(S)
    assert [sent.channel for sent in world.sent] == [37, 38, 39] * 2
    assert [event for _, event in a.le(0x12)] == [bytes((0x43, 0, 0, 0, 2))]


def test_several_sets_keep_their_own_address_data_and_interval(world):
    a, b = world.host("a", public=PUBLIC_A), world.host("b")
    for handle in range(3):
        assert (
            a.set_parameters(handle, 0x10, own_type=1, interval_ms=50 * (handle + 1), sid=handle)[0]
            == 0
        )
        address = hci.Address(f"C0:00:00:00:00:0{handle}")
        a.ok(
            hci.HCI_LE_Set_Advertising_Set_Random_Address_Command(
                advertising_handle=handle, random_address=address
            )
        )
        assert a.set_data(bytes((2, 0xFF, handle)), handle)[0] == 0
    assert a.enable_set(0, 1, 2)[0] == 0
    b.scan()
    world.run(20 * S)
    count: dict[tuple[bytes, bytes], int] = {}
    for report in b.reports():
        count[report.address, report.data] = count.get((report.address, report.data), 0) + 1
    assert {address[0]: data[2] for address, data in count} == {0: 0, 1: 1, 2: 2}
    by_set = [count[key] for key in sorted(count)]
    assert by_set[0] > 1.6 * by_set[1] > 1.6 * by_set[2]


def test_two_sets_never_send_at_the_same_time(world):
    a = world.host("a")
    for handle in range(4):
        a.advertise(0x13, ADV_DATA, handle, interval_ms=20)
    world.run(5 * S)
    ordered = sorted(world.sent, key=lambda sent: sent.start_us)
    assert all(one.end_us <= two.start_us for one, two in itertools.pairwise(ordered))


def test_rssi_follows_distance_and_power(world):
    """Row "RSSI": reports carry what the air says, not a constant."""
    a = world.host("a")
    near, far = (
        world.host("n", position=(1.0, 0.0, 0.0)),
        world.host("f", position=(20.0, 0.0, 0.0)),
    )
    assert a.set_parameters(0, 0x10, power=-12)[1] == 256 - 12
    assert a.enable_set(0)[0] == 0
    near.scan()
    far.scan(extended=False)
    world.run(2 * S)
    expected = {
        host: world.air.losses.rssi_dbm(a.controller.radio, host.controller.radio) - 12
        for host in (near, far)
    }
    assert {r.rssi for r in near.reports()} == {expected[near]}
    assert {r.rssi for r in far.reports()} == {expected[far]}
    assert expected[near] > expected[far] + 10


@pytest.mark.parametrize("own_type", [0, 1])
def test_any_own_address_type_is_the_one_on_the_air(world, own_type):
    a, b = world.host("a", public=PUBLIC_A), world.host("b")
    a.random_address(RANDOM_A)
    a.legacy_set(0, own_type=own_type)
    b.scan()
    world.run(S)
    expected = (own_type, wire(RANDOM_A if own_type else PUBLIC_A))
    assert {(r.address_type, r.address) for r in b.reports()} == {expected}


def test_a_random_address_that_was_never_set_cannot_be_used(world):
    a = world.host("a")
    a.legacy_set(0, own_type=1, enable=False)
    assert a.command(hci.HCI_LE_Set_Advertising_Enable_Command(advertising_enable=1)) == b"\x12"
    assert not a.controller.privacy_in_use()


def test_directed_advertising_is_for_its_target_alone(world):
    """Row "directed adv": others do not report it, the target does, as connectable and directed."""
    a = world.host("a", public=PUBLIC_A)
    target, other = (
        world.host("t", public="00:00:00:00:00:0C"),
        world.host("o", public="00:00:00:00:00:0D"),
    )
    a.legacy_set(4, peer="00:00:00:00:00:0C/P")
    target.scan()
    other.scan()
    world.run(S)
    assert {sent.data[0] & 0x0F for sent in world.sent} == {PduType.ADV_DIRECT_IND}
    assert {sent.data[2:] for sent in world.sent} == {wire(PUBLIC_A) + wire("00:00:00:00:00:0C")}
    assert {(r.event_type, r.data, r.target) for r in target.reports()} == {
        (0x0015, b"", wire("00:00:00:00:00:0C"))
    }
    assert other.reports() == []


@pytest.mark.parametrize("commands", ["legacy", "extended"])
def test_high_duty_directed_advertising_ends_after_1_28_s(world, commands):
    """Events at most 3.75 ms apart; then Connection Complete (legacy) or terminated (extended) with 0x3C."""
    a = world.host("a")
    start_us = world.loop.now_us
    if commands == "legacy":
        a.legacy_set(1, peer="00:00:00:00:00:0C/P")
    else:
        kind = PROPERTIES["ADV_DIRECT_IND_HIGH"]
        assert a.set_parameters(0, kind, peer="00:00:00:00:00:0C/P")[0] == 0
        assert [a.enable_set(0, duration=d)[0] for d in (0, 129, 128)] == [0x12, 0x12, 0]
    world.run(2 * S)
    starts = [sent.start_us for sent in world.sent if sent.channel == 37]
    assert max(b - a for a, b in itertools.pairwise(starts)) <= 3750
    end_us = start_us + 1_280_000
    assert starts[-1] <= end_us
    if commands == "legacy":
        [one] = a.connections()
        assert (one["status"], one["role"]) == (0x3C, 1)
    else:
        [(t_us, event)] = a.le(0x12)
        assert (t_us, event[0]) == (end_us, 0x3C)


def test_scan_requests_are_told_to_a_host_that_asks_for_it(world):
    a, b = world.host("a"), world.host("b", public="00:00:00:00:00:0C")
    a.advertise(0x13, ADV_DATA, notify=1)
    b.scan(active=True)
    world.run(S)
    events = [event for _, event in a.le(0x13)]
    assert events
    assert set(events) == {b"\0\0" + wire("00:00:00:00:00:0C")}


def test_the_advertiser_answers_only_devices_of_its_accept_list(world):
    a = world.host("a")
    friend, stranger = (
        world.host("f", public="00:00:00:00:00:0C"),
        world.host("s", public="00:00:00:00:00:0D"),
    )
    a.ok(
        hci.HCI_LE_Add_Device_To_Filter_Accept_List_Command(
            address_type=0, address=hci.Address("00:00:00:00:00:0C/P")
        )
    )
    a.legacy_set(0, scan_response=b"\x02\x0a\x00", policy=3)
    friend.scan(active=True)
    stranger.scan(active=True)
    world.run(3 * S)
    assert any(r.event_type & 8 for r in friend.reports())
    assert not any(r.event_type & 8 for r in stranger.reports())
    stranger.connect("00:00:00:00:00:01/P", extended=True)
    world.run(S)
    assert not a.connections()
    assert [event[3] for _, event in stranger.event(0x05)] == [0x3E]
    friend.connect("00:00:00:00:00:01/P", extended=True)
    world.run(S)
    assert [one["status"] for one in friend.connections()] == [0]


def test_one_seed_gives_the_same_packets_and_another_seed_others():
    def trace(seed: int) -> list[tuple[int, object, bytes]]:
        with World(seed, loss=0.2) as world:
            a, b = world.host("a"), world.host("b")
            a.legacy_set(0, scan_response=b"\x02\x0a\x00")
            b.scan(active=True)
            world.run(3 * S)
            return [(sent.start_us, sent.channel, sent.data) for sent in world.sent]

    assert trace(1) == trace(1) != trace(2)
