"""Periodic advertising: trains, synchronisation, reports, loss."""

from __future__ import annotations

import itertools
import struct
from typing import Any

import pytest
from bumble import hci
from raw_host import ADV_DATA, MS, S, World, wire

from protocols.ble.link_layer import decode_packet
from sim.ble.pdus import ADV_ACCESS_ADDRESS

PUBLIC_A = "11:22:33:44:55:0A"


@pytest.fixture
def world():
    with World() as made:
        yield made


def data_of(size: int) -> bytes:
    return bytes(i * 5 & 0xFF for i in range(size))


def train(host, *, interval: int = 160, data: bytes = ADV_DATA, sid: int = 3, **options) -> None:
    """A set with a periodic train (`interval` in 1.25 ms units), both on."""
    assert host.set_parameters(0, 0x00, sid=sid, **options)[0] == 0
    parameters = hci.HCI_LE_Set_Periodic_Advertising_Parameters_Command(
        advertising_handle=0,
        periodic_advertising_interval_min=interval,
        periodic_advertising_interval_max=interval,
        periodic_advertising_properties=0,
    )
    host.ok(parameters)
    assert set_data(host, data)[0] == 0
    host.ok(hci.HCI_LE_Set_Periodic_Advertising_Enable_Command(enable=1, advertising_handle=0))
    assert host.enable_set(0)[0] == 0


def set_data(host, data: bytes) -> bytes:
    parts = [data[i : i + 252] for i in range(0, len(data), 252)] or [b""]
    answer = b""
    for number, part in enumerate(parts):
        first, last = number == 0, number == len(parts) - 1
        operation = 3 if first and last else 1 if first else 2 if last else 0
        command = hci.HCI_LE_Set_Periodic_Advertising_Data_Command(
            advertising_handle=0, operation=operation, advertising_data=part
        )
        answer = host.command(command)
    return answer


def create_sync(
    host,
    address: str = PUBLIC_A,
    *,
    sid: int = 3,
    timeout: int = 100,
    skip: int = 0,
    options: int = 0,
):
    return host.command(
        hci.HCI_LE_Periodic_Advertising_Create_Sync_Command(
            options=options,
            advertising_sid=sid,
            advertiser_address_type=0,
            advertiser_address=hci.Address(address + "/P"),
            skip=skip,
            sync_timeout=timeout,
            sync_cte_type=0,
        )
    )


def periodic_reports(host) -> list[tuple[int, int, int, bytes]]:
    """(time, handle, status, data) of each report."""
    found = []
    for t_us, event in host.le(0x0F):
        handle, _, _, _, status, length = struct.unpack_from("<HbbBBB", event)
        assert len(event) == 7 + length
        found.append((t_us, handle, status, event[7:]))
    return found


def packets(world):
    return [sent for sent in world.sent if sent.meta.access_address != ADV_ACCESS_ADDRESS]


def test_the_train_keeps_the_interval_the_host_set(world):
    """Row "periodic adv": 500 ms asked on a 50 ms set; bumble sent every 25 ms."""
    a = world.host("a")
    train(a, interval=400, interval_ms=50)
    world.run(10 * S)
    starts = [sent.start_us for sent in packets(world)]
    gaps = {after - before for before, after in itertools.pairwise(starts)}
    assert gaps == {500 * MS}
    assert len(starts) == 20


def test_a_scanner_synchronises_and_gets_every_packet(world):
    a, b = world.host("a", public=PUBLIC_A), world.host("b")
    train(a, interval=80)
    b.scan()
    assert create_sync(b) == b"\0"
    world.run(10 * S)
    [(t_us, event)] = b.le(0x0E)
    status, handle, sid, kind, address, phy, interval, accuracy = struct.unpack("<BHBB6sBHB", event)
    assert (status, sid, kind, address, phy, interval) == (0, 3, 0, wire(PUBLIC_A), 1, 80)
    assert accuracy <= 7
    reports = periodic_reports(b)
    assert {(handle, 0, ADV_DATA)} == {report[1:] for report in reports}
    assert len(reports) == len([s for s in packets(world) if s.end_us >= t_us])
    assert {r.interval for r in b.reports()} == {80}


@pytest.mark.parametrize("size", [0, 1, 246, 247, 248, 252, 253, 255, 1650])
def test_data_of_any_size_arrives_in_reports_of_at_most_247(world, size):
    a, b = world.host("a", public=PUBLIC_A), world.host("b")
    train(a, data=data_of(size))
    b.scan()
    create_sync(b)
    world.run(5 * S)
    whole, part = [], b""
    for _, _, status, data in periodic_reports(b):
        assert len(data) <= 247
        part += data
        if status == 0:
            whole.append(part)
        if status != 1:  # 2: the set's own events took the radio away from the rest of the chain
            part = b""
    assert len(whole) > 10
    assert set(whole) == {data_of(size)}


def test_a_sync_survives_the_end_of_scanning(world):
    a, b = world.host("a", public=PUBLIC_A), world.host("b")
    train(a)
    b.scan()
    create_sync(b)
    world.run(2 * S)
    b.ok(
        hci.HCI_LE_Set_Extended_Scan_Enable_Command(
            enable=0, filter_duplicates=0, duration=0, period=0
        )
    )
    before = len(periodic_reports(b))
    world.run(10 * S)
    assert len(periodic_reports(b)) - before == 50


def test_a_lost_train_is_reported_after_the_timeout(world):
    """Row "periodic adv": no sync lost event in bumble."""
    a, b = world.host("a", public=PUBLIC_A), world.host("b")
    train(a, interval=80)
    b.scan()
    create_sync(b, timeout=100)
    world.run(3 * S)
    handle = periodic_reports(b)[0][1]
    a.ok(hci.HCI_LE_Set_Periodic_Advertising_Enable_Command(enable=0, advertising_handle=0))
    last_us = periodic_reports(b)[-1][0]
    world.run(5 * S)
    [(t_us, event)] = b.le(0x10)
    assert event == handle.to_bytes(2, "little")
    assert 1 * S <= t_us - last_us <= 1 * S + 110 * MS
    assert not b.controller.syncs.active


def test_a_few_lost_packets_do_not_end_a_sync():
    with World(loss=0.3) as world:
        a, b = world.host("a", public=PUBLIC_A), world.host("b")
        train(a, interval=80)
        b.scan()
        create_sync(b, timeout=200)
        world.run(60 * S)
        assert b.le(0x10) == []
        assert 0.55 < len(periodic_reports(b)) / len(packets(world)) < 0.8


def test_clocks_that_drift_stay_synchronised(world):
    """50 ppm apart over an hour is 180 ms: the receiver follows each anchor it hears."""
    a = world.host("a", public=PUBLIC_A, clock_ppm=40)
    b = world.host("b", clock_ppm=-10)
    train(a, interval=800)
    b.scan()
    create_sync(b, timeout=500)
    world.run(2 * S)
    b.ok(
        hci.HCI_LE_Set_Extended_Scan_Enable_Command(
            enable=0, filter_duplicates=0, duration=0, period=0
        )
    )
    assert a.enable_set(on=0)[0] == 0
    world.run(3600 * S)
    assert b.le(0x10) == []
    gaps = {y[0] - x[0] for x, y in zip(periodic_reports(b), periodic_reports(b)[1:], strict=False)}
    assert gaps <= {1_000_040}


def test_disabling_the_train_does_not_disable_the_set_and_the_other_way_round(world):
    """Row "periodic adv": stop_periodic stopped the set itself."""
    a = world.host("a")
    train(a)
    world.run(S)
    a.ok(hci.HCI_LE_Set_Periodic_Advertising_Enable_Command(enable=0, advertising_handle=0))
    world.sent.clear()
    world.run(S)
    assert packets(world) == []
    assert len(world.sent) >= 27
    a.ok(hci.HCI_LE_Set_Periodic_Advertising_Enable_Command(enable=1, advertising_handle=0))
    assert a.enable_set(0, on=0)[0] == 0
    world.sent.clear()
    world.run(S)
    assert len(packets(world)) == len(world.sent) == 5


def test_a_train_waits_for_its_set(world):
    a = world.host("a")
    train(a)
    assert a.enable_set(0, on=0)[0] == 0
    a.ok(hci.HCI_LE_Set_Periodic_Advertising_Enable_Command(enable=0, advertising_handle=0))
    a.ok(hci.HCI_LE_Set_Periodic_Advertising_Enable_Command(enable=1, advertising_handle=0))
    world.sent.clear()
    world.run(S)
    assert packets(world) == []


def test_cancelling_ends_in_an_event_with_0x44(world):
    b = world.host("b")
    cancel = hci.HCI_LE_Periodic_Advertising_Create_Sync_Cancel_Command()
    assert b.command(cancel) == b"\x0c"
    assert create_sync(b) == b"\0"
    assert create_sync(b) == b"\x0c"
    assert b.command(cancel) == b"\0"
    assert [event[0] for _, event in b.le(0x0E)] == [0x44]
    assert create_sync(b) == b"\0"


def test_terminating_a_sync_ends_its_reports(world):
    a, b = world.host("a", public=PUBLIC_A), world.host("b")
    train(a)
    b.scan()
    create_sync(b)
    world.run(2 * S)
    assert create_sync(b) == b"\x0b"  # exists
    handle = periodic_reports(b)[0][1]
    b.ok(hci.HCI_LE_Periodic_Advertising_Terminate_Sync_Command(sync_handle=handle))
    count = len(periodic_reports(b))
    world.run(2 * S)
    assert len(periodic_reports(b)) == count
    assert (
        b.command(hci.HCI_LE_Periodic_Advertising_Terminate_Sync_Command(sync_handle=handle))
        == b"\x42"
    )


def test_the_periodic_advertiser_list_chooses_the_train(world):
    a, other, b = world.host("a", public=PUBLIC_A), world.host("o"), world.host("b")
    train(a)
    train(other)
    size = b.opcode(hci.HCI_LE_READ_PERIODIC_ADVERTISER_LIST_SIZE_COMMAND)[1]
    assert size >= 1
    add = hci.HCI_LE_ADD_DEVICE_TO_PERIODIC_ADVERTISER_LIST_COMMAND
    assert b.opcode(add, b"\0" + wire(PUBLIC_A) + b"\x03") == b"\0"
    b.scan()
    assert create_sync(b, "00:00:00:00:00:00", options=1) == b"\0"
    world.run(3 * S)
    [(_, event)] = b.le(0x0E)
    assert event[5:11] == wire(PUBLIC_A)


def test_reports_can_be_switched_off_and_on(world):
    a, b = world.host("a", public=PUBLIC_A), world.host("b")
    train(a)
    b.scan()
    create_sync(b, options=2)
    world.run(2 * S)
    assert len(b.le(0x0E)) == 1
    assert periodic_reports(b) == []
    b.ok(hci.HCI_LE_Set_Periodic_Advertising_Receive_Enable_Command(sync_handle=0, enable=1))
    world.run(S)
    assert len(periodic_reports(b)) == 5


def test_skip_leaves_packets_out(world):
    a, b = world.host("a", public=PUBLIC_A), world.host("b")
    train(a)
    b.scan()
    create_sync(b, skip=4)
    world.run(20 * S)
    assert 18 <= len(periodic_reports(b)) <= 20


def test_sync_info_on_the_air_says_where_the_train_is(world):
    """Read back from the octets by the independent decoder: access address, interval, offset and counter are true."""
    a = world.host("a")
    train(a, interval=80)
    world.run(2 * S)
    trains = packets(world)
    checked = 0
    for sent in world.sent:
        if sent.meta.access_address != ADV_ACCESS_ADDRESS or sent.data == b"" or sent.channel >= 37:
            continue
        octets = ADV_ACCESS_ADDRESS.to_bytes(4, "little") + sent.data + bytes(3)
        fields: Any = decode_packet(octets, phdr=False, keys={"channel": sent.channel}).fields
        sync = fields.sync_info
        at_us = sent.start_us + sync.offset_us
        unit_us = 30 if sync.offset_us < 245_700 else 300
        near = [t for t in trains if at_us <= t.start_us < at_us + unit_us]
        if sent.start_us < trains[-1].start_us:
            assert len(near) == 1
            assert int(sync.access_address, 16) == near[0].meta.access_address
            checked += 1
    assert checked > 10


@pytest.mark.parametrize("properties", [0x01, 0x02, 0x13, 0x20])
def test_only_a_plain_set_can_carry_a_train(world, properties):
    a = world.host("a")
    assert a.set_parameters(0, properties)[0] == 0
    command = hci.HCI_LE_Set_Periodic_Advertising_Parameters_Command(
        advertising_handle=0,
        periodic_advertising_interval_min=80,
        periodic_advertising_interval_max=80,
        periodic_advertising_properties=0,
    )
    assert a.command(command) == b"\x12"
