"""Scanning: windows, duplicates, policies, duration, back-off; rows that bumble's own controller ignores."""

from __future__ import annotations

import pytest
from bumble import hci
from raw_host import ADV_DATA, MS, S, World, wire

from sim.ble.pdus import PduType
from sim.crowd import Crowd, Member

PUBLIC_A = "11:22:33:44:55:0A"


@pytest.fixture
def world():
    with World() as made:
        yield made


@pytest.mark.parametrize("extended", [False, True])
def test_a_scanner_hears_as_much_as_its_window_is_of_its_interval(world, extended):
    """Row "scan window/interval": a tenth of the time gives about a tenth of the reports."""
    a, full, tenth = world.host("a"), world.host("f"), world.host("t")
    a.legacy_set(3, interval_ms=20)
    full.scan(extended=extended, interval_ms=100, window_ms=100)
    tenth.scan(extended=extended, interval_ms=100, window_ms=10)
    world.run(40 * S)
    sent = sum(one.channel == 37 for one in world.sent)
    assert len(full.reports()) > 0.95 * sent  # each event crosses the one channel heard
    assert 0.06 < len(tenth.reports()) / sent < 0.14


def test_a_scanner_takes_the_three_channels_in_turn(world):
    a, b = world.host("a"), world.host("b")
    a.legacy_set(3, interval_ms=20, channels=0b010)  # only channel 38
    b.scan(interval_ms=100, window_ms=100)
    world.run(9 * S)
    turns = {report.t_us // (100 * MS) % 3 for report in b.reports()}
    assert len(turns) == 1


def test_duplicates_are_filtered_by_address_and_kind(world):
    """Row "duplicates filter": one advertisement and one scan response per device."""
    a, other = world.host("a"), world.host("o", public=PUBLIC_A)
    all_of_them, once = world.host("b"), world.host("c")
    a.legacy_set(0, scan_response=b"\x02\x0a\x00")
    other.legacy_set(3)
    all_of_them.scan(active=True)
    once.scan(active=True, duplicates=1)
    world.run(5 * S)
    assert len(all_of_them.reports()) > 100
    assert sorted((r.event_type, r.address) for r in once.reports()) == sorted(
        [
            (0x0010, wire(PUBLIC_A)),
            (0x0013, wire("00:00:00:00:00:01")),
            (0x001B, wire("00:00:00:00:00:01")),
        ]
    )
    requests = [sent for sent in world.of("c") if sent.data[0] & 0x0F == PduType.SCAN_REQ]
    assert len(requests) < 10  # the answered device is not asked again


def test_enabling_again_forgets_the_duplicates(world):
    a, b = world.host("a"), world.host("b")
    a.legacy_set(3)
    b.scan(duplicates=1)
    world.run(S)
    b.ok(
        hci.HCI_LE_Set_Extended_Scan_Enable_Command(
            enable=1, filter_duplicates=1, duration=0, period=0
        )
    )
    world.run(S)
    assert len(b.reports()) == 2


def test_a_period_resets_the_duplicates_when_asked_to(world):
    """Filter value 2: fresh duplicates in each period of 1.28 s."""
    a, b = world.host("a"), world.host("b")
    a.legacy_set(3, interval_ms=50)
    b.scan(duplicates=2, duration=100, period=1)
    world.run(4 * 1280 * MS - 1)
    assert len(b.reports()) == 4


def test_duration_ends_scanning_with_a_timeout_event(world):
    a, b = world.host("a"), world.host("b")
    a.legacy_set(3, interval_ms=20)
    b.scan(duration=50)  # 500 ms
    start_us = world.loop.now_us
    world.run(2 * S)
    assert [t_us for t_us, _ in b.le(0x11)] == [start_us + 500 * MS]
    assert max(r.t_us for r in b.reports()) <= start_us + 500 * MS
    assert not b.controller.scanner.enabled


def test_disabling_ends_reports_at_once(world):
    a, b = world.host("a"), world.host("b")
    a.legacy_set(3, interval_ms=20)
    b.scan(extended=False)
    world.run(S)
    b.ok(hci.HCI_LE_Set_Scan_Enable_Command(le_scan_enable=0, filter_duplicates=0))
    count = len(b.reports())
    assert count
    world.run(S)
    assert len(b.reports()) == count


def test_parameters_cannot_change_while_scanning(world):
    b = world.host("b")
    b.scan(extended=False)
    command = hci.HCI_LE_Set_Scan_Parameters_Command(
        le_scan_type=0,
        le_scan_interval=16,
        le_scan_window=16,
        own_address_type=0,
        scanning_filter_policy=0,
    )
    assert b.command(command) == b"\x0c"


@pytest.mark.parametrize(("interval", "window"), [(4, 5), (3, 3), (0x4001, 4)])
def test_impossible_windows_are_refused(world, interval, window):
    b = world.host("b")
    command = hci.HCI_LE_Set_Scan_Parameters_Command(
        le_scan_type=0,
        le_scan_interval=interval,
        le_scan_window=window,
        own_address_type=0,
        scanning_filter_policy=0,
    )
    assert b.command(command) == b"\x12"


@pytest.mark.parametrize(("phys", "status"), [(0b000, 0x12), (0b010, 0x11), (0b1001, 0x11)])
def test_only_primary_phys_can_be_scanned(world, phys, status):
    command = hci.HCI_LE_SET_EXTENDED_SCAN_PARAMETERS_COMMAND
    each = bytes.fromhex("00 1000 1000") * phys.bit_count()
    assert world.host("b").opcode(command, bytes((0, 0, phys)) + each) == bytes((status,))


@pytest.mark.parametrize("extended", [False, True])
def test_the_accept_list_is_honoured_by_scan_policy_1(world, extended):
    """Row "filter accept list": the list is used, not only stored."""
    a, other, b = world.host("a", public=PUBLIC_A), world.host("o"), world.host("b")
    a.legacy_set(3)
    other.legacy_set(3)
    b.ok(
        hci.HCI_LE_Add_Device_To_Filter_Accept_List_Command(
            address_type=0, address=hci.Address(PUBLIC_A + "/P")
        )
    )
    b.scan(extended=extended, policy=1)
    world.run(S)
    assert {r.address for r in b.reports()} == {wire(PUBLIC_A)}


@pytest.mark.parametrize("extended", [False, True])
def test_policy_2_reports_directed_adverts_to_private_addresses_it_cannot_resolve(world, extended):
    """Directed report (legacy commands) or target type 0xFE (extended commands), Vol 4 Part E, 7.7.65.11."""
    target = "40:00:00:00:00:0C"  # two top bits 01: resolvable private
    a, basic, b = world.host("a", public=PUBLIC_A), world.host("p"), world.host("b")
    a.legacy_set(4, peer=target)
    basic.scan(extended=extended)
    b.scan(extended=extended, policy=2)
    world.run(S)
    assert not basic.events or not basic.reports()
    if extended:
        assert {(r.event_type, r.target_type, r.target) for r in b.reports()} == {
            (0x0015, 0xFE, wire(target))
        }
    else:
        events = {event[:-1] for _, event in b.le(0x0B)}
        assert events == {b"\x01\x01\x00" + wire(PUBLIC_A) + b"\x01" + wire(target)}


@pytest.mark.parametrize("extended", [False, True])
def test_policy_3_does_so_for_the_accept_list_alone(world, extended):
    target = "40:00:00:00:00:0C"
    a, other, b = world.host("a", public=PUBLIC_A), world.host("o"), world.host("b")
    a.legacy_set(4, peer=target)
    other.legacy_set(4, peer=target)
    address = hci.Address(PUBLIC_A + "/P")
    b.ok(hci.HCI_LE_Add_Device_To_Filter_Accept_List_Command(address_type=0, address=address))
    b.scan(extended=extended, policy=3)
    world.run(S)
    senders = {r.address for r in b.reports()} | {event[3:9] for _, event in b.le(0x0B)}
    assert senders == {wire(PUBLIC_A)}


def test_unanswered_requests_back_off_and_answered_ones_come_back():
    """Vol 6 Part B, 4.4.3.2: the upper limit doubles after two failures, halves after two successes."""
    with World() as world:
        a, b = world.host("a"), world.host("b")
        a.legacy_set(
            0, interval_ms=20, scan_response=b"", policy=1
        )  # scan requests: accept list only, empty
        b.scan(active=True)
        world.run(10 * S)
        requests = [sent.start_us for sent in world.of("b")]
        adverts = sum(sent.channel == 37 for sent in world.of("a"))
        assert 4 <= len(requests) < adverts / 8
        a.ok(hci.HCI_LE_Set_Advertising_Enable_Command(advertising_enable=0))
        a.legacy_set(0, interval_ms=20)
        world.run(60 * S)
        late = [sent for sent in world.of("b") if sent.start_us > world.loop.now_us - S]
        assert len(late) > 30  # nearly every advertisement is asked again


def test_two_active_scanners_do_not_stay_in_each_others_way(world):
    """Where they meet on a channel their requests collide; the back-off separates them."""
    a = world.host("a")
    scanners = [world.host("b"), world.host("c")]
    a.legacy_set(0, scan_response=b"\x02\x0a\x00")
    scanners[0].scan(active=True, interval_ms=60, window_ms=60)
    scanners[1].scan(active=True, interval_ms=70, window_ms=70)
    world.run(20 * S)
    for scanner in scanners:
        assert sum(bool(r.event_type & 8) for r in scanner.reports()) > 10


def test_crowd_members_are_reported_like_any_advertiser(world):
    """Their packets come as bare octets and are parsed."""
    b = world.host("b")
    pdu = bytes((2 | 0x40, 9)) + wire("C0:00:00:00:00:11") + ADV_DATA
    Crowd(world.air, "crowd", [Member((1.0, 0.0, 0.0), 100 * MS, pdu, 0)])
    b.scan()
    world.run(2 * S)
    found = {(r.event_type, r.address_type, r.address, r.data) for r in b.reports()}
    assert found == {(0x0010, 1, wire("C0:00:00:00:00:11"), ADV_DATA)}


def test_a_scanner_whose_exchange_would_not_fit_the_window_does_not_ask(world):
    """Windows of 2.5 ms: every answer that is awaited lies inside its window."""
    a, b = world.host("a"), world.host("b")
    a.legacy_set(0, interval_ms=20, scan_response=bytes(31))
    b.scan(active=True, interval_ms=10, window_ms=2.5)
    world.run(30 * S)
    asked = list(world.of("b"))
    answers = [r for r in b.reports() if r.event_type & 8]
    assert len(asked) > 20
    assert len(answers) == len(asked)
