"""Extended advertising: data of any size, SID, PHYs, anonymous, scannable, fragments and their loss."""

from __future__ import annotations

import pytest
from bumble import hci
from raw_host import ADV_DATA, MS, Report, S, World, wire

from sim.ble.ext_pdus import ExtPdu
from sim.ble.pdus import PduType

PUBLIC_A = "11:22:33:44:55:0A"
NONCONN, CONN, SCAN, DIRECTED, ANONYMOUS, TX_POWER = 0x00, 0x01, 0x02, 0x04, 0x20, 0x40


@pytest.fixture
def world():
    with World() as made:
        yield made


def data_of(size: int) -> bytes:
    return bytes(i * 7 & 0xFF for i in range(size))


def whole(reports: list[Report]) -> list[tuple[int, bytes]]:
    """Reports joined as a host does: (event type of the last without status, data), truncated ones as None."""
    found, parts = [], b""
    for report in reports:
        parts += report.data
        status = report.event_type >> 5 & 3
        if status != 1:
            found.append((report.event_type & 0x1F, parts if status == 0 else None))
            parts = b""
    return found


@pytest.mark.parametrize(
    "size", [0, 1, 31, 32, 200, 229, 230, 242, 243, 250, 251, 252, 254, 255, 500, 1650]
)
def test_data_of_any_size_arrives_whole(world, size):
    """Row "adv data > 229 B": reports of at most 229 octets that join to what the host has set."""
    a, b = world.host("a", public=PUBLIC_A), world.host("b")
    a.advertise(NONCONN, data_of(size), sid=5)
    b.scan()
    world.run(2 * S)
    events = whole(b.reports())
    assert len(events) >= 10
    assert set(events) == {(0, data_of(size))}
    assert max(len(r.data) for r in b.reports()) <= 229
    assert {(r.address_type, r.address) for r in b.reports()} == {(0, wire(PUBLIC_A))}
    if size:
        assert {(r.sid, r.primary_phy, r.secondary_phy) for r in b.reports()} == {(5, 1, 1)}
    assert all(len(sent.data) <= 257 for sent in world.sent)


def test_adv_ext_ind_carries_no_data_and_points_to_the_auxiliary_packet(world):
    """The packet is where AuxPtr says: within one unit of the offset, on its channel and PHY."""
    a = world.host("a")
    a.advertise(NONCONN, data_of(600), secondary_phy=2)
    world.run(5 * S)
    by_time = sorted(world.sent, key=lambda sent: sent.start_us)
    pointers = 0
    for sent in by_time:
        packet = sent.meta
        assert isinstance(packet, ExtPdu)
        if sent.channel in (37, 38, 39):
            assert packet.body == b""
            assert packet.phy == 1
        if packet.aux is None:
            continue
        pointers += 1
        at_us = sent.start_us + packet.aux.offset_us
        hits = [
            s
            for s in by_time
            if at_us <= s.start_us < at_us + packet.aux.unit_us and s.channel == packet.aux.channel
        ]
        assert len(hits) == 1
        assert hits[0].meta.phy == packet.aux.phy == 2
        assert hits[0].start_us - sent.end_us >= 300  # T_MAFS
    assert pointers > 100


@pytest.mark.parametrize(
    ("properties", "event"),
    [(NONCONN, 0x00), (CONN, 0x01), (SCAN, 0x02), (ANONYMOUS, 0x00), (NONCONN | TX_POWER, 0x00)],
)
def test_event_types_of_extended_sets(world, properties, event):
    """Row "event types": bit 0 connectable, bit 1 scannable, bit 4 (legacy) never; a scan response adds bit 3."""
    a, b = world.host("a"), world.host("b")
    scannable = properties == SCAN
    a.advertise(
        properties,
        b"" if scannable else ADV_DATA,
        scan_response=ADV_DATA if scannable else b"",
    )
    b.scan(active=True)
    world.run(2 * S)
    found = {(report.event_type, report.data) for report in b.reports()}
    assert found == ({(event, b""), (event | 8, ADV_DATA)} if scannable else {(event, ADV_DATA)})


def test_the_legacy_commands_see_no_extended_advertising(world):
    a, b = world.host("a"), world.host("b")
    a.advertise(NONCONN, ADV_DATA)
    b.scan(extended=False)
    world.run(S)
    assert b.reports() == []


def test_an_anonymous_set_is_reported_without_address(world):
    a, b = world.host("a"), world.host("b")
    a.advertise(ANONYMOUS, ADV_DATA, sid=2)
    b.scan()
    world.run(S)
    assert {(r.event_type, r.address_type, r.address, r.sid) for r in b.reports()} == {
        (0, 0xFF, bytes(6), 2)
    }
    assert not any(wire("00:00:00:00:00:01") in sent.data for sent in world.of("a"))


def test_tx_power_is_reported_when_the_set_includes_it(world):
    a, b = world.host("a"), world.host("b")
    assert a.set_parameters(0, NONCONN | TX_POWER, power=-7) == b"\0" + bytes((256 - 7,))
    assert a.set_data(ADV_DATA)[0] == 0
    assert a.enable_set(0)[0] == 0
    b.scan()
    world.run(S)
    assert {r.tx_power for r in b.reports()} == {-7}


@pytest.mark.parametrize("size", [1, 31, 252, 1650])
def test_scannable_data_sits_in_the_scan_response(world, size):
    """Event type 2 with no data, then 10 (scan response) with all of it; passive scanners get only the first."""
    a, active, passive = world.host("a"), world.host("b"), world.host("c")
    a.advertise(SCAN, scan_response=data_of(size))
    active.scan(active=True)
    passive.scan()
    world.run(3 * S)
    assert set(whole(passive.reports())) == {(2, b"")}
    events = whole(active.reports())
    assert set(events) == {(2, b""), (10, data_of(size))}
    assert sum(kind == 10 for kind, _ in events) >= 10
    requests = list(world.of("b"))
    assert all(s.data[0] & 0x0F == PduType.SCAN_REQ and s.channel < 37 for s in requests)


def test_a_directed_extended_set_is_for_its_target_alone(world):
    a = world.host("a")
    target, other = (
        world.host("t", public="00:00:00:00:00:0C"),
        world.host("o", public="00:00:00:00:00:0D"),
    )
    a.advertise(CONN | DIRECTED, ADV_DATA, peer="00:00:00:00:00:0C/P")
    target.scan()
    other.scan()
    world.run(S)
    assert {(r.event_type, r.target) for r in target.reports()} == {(5, wire("00:00:00:00:00:0C"))}
    assert other.reports() == []


def test_a_lost_fragment_ends_the_event_as_truncated():
    """Loss of 30 %: every event that began is ended by a complete or a truncated report, never by silence."""
    with World(loss=0.3) as world:
        a, b = world.host("a"), world.host("b")
        a.advertise(NONCONN, data_of(1000))
        b.scan()
        world.run(20 * S)
        statuses = [r.event_type >> 5 & 3 for r in b.reports()]
        assert {0, 1, 2} <= set(statuses)
        complete = [data for _, data in whole(b.reports()) if data is not None]
        assert complete
        assert set(complete) == {data_of(1000)}


@pytest.mark.parametrize(("primary", "secondary"), [(1, 1), (1, 2), (3, 3)])
def test_phys_are_those_of_the_set_and_only_scanned_ones_are_heard(world, primary, secondary):
    """Row "PHY"."""
    a = world.host("a")
    both, one, coded = world.host("b"), world.host("c"), world.host("d")
    a.advertise(NONCONN, ADV_DATA, primary_phy=primary, secondary_phy=secondary)
    both.scan(phys=0b101)
    one.scan(phys=0b001)
    coded.scan(phys=0b100)
    world.run(2 * S)
    assert {(r.primary_phy, r.secondary_phy) for r in both.reports()} == {(primary, secondary)}
    assert bool(one.reports()) == (primary == 1)
    assert bool(coded.reports()) == (primary == 3)
    [air_time_us] = {sent.end_us - sent.start_us for sent in world.sent if sent.channel == 37}
    octets = len(world.sent[0].data)
    assert air_time_us == ((octets + 8) * 8 if primary == 1 else 376 + (octets + 3) * 64 + 24)


def test_changed_data_is_no_duplicate(world):
    """The filter looks at ADI, which changes with the data (7.8.65)."""
    a, b = world.host("a"), world.host("b")
    a.advertise(NONCONN, ADV_DATA)
    b.scan(duplicates=1)
    world.run(S)
    assert len(b.reports()) == 1
    assert a.set_data(b"\x02\x0a\x05")[0] == 0
    world.run(S)
    assert [r.data for r in b.reports()] == [ADV_DATA, b"\x02\x0a\x05"]


def test_a_connectable_set_must_fit_one_packet(world):
    """0x45 (packet too long) when enabled (7.8.56); what just fits is sent."""
    a, b = world.host("a"), world.host("b")
    room = 254 - 1 - 6 - 2  # flags octet, AdvA, ADI
    assert a.set_parameters(0, CONN)[0] == 0
    assert a.set_data(data_of(room + 1))[0] == 0
    assert a.enable_set(0)[0] == 0x45
    assert a.set_data(data_of(room))[0] == 0
    assert a.enable_set(0)[0] == 0
    b.scan()
    world.run(S)
    assert set(whole(b.reports())) == {(1, data_of(room))}


@pytest.mark.parametrize(
    ("properties", "options", "status"),
    [
        (0x03, {}, 0x12),  # connectable and scannable
        (0x21, {}, 0x12),  # anonymous and connectable
        (0x11, {}, 0x12),  # legacy PDUs have no such combination
        (0x10, {"interval_ms": 10}, 0x11),
        (0x10, {"channels": 0}, 0x12),
        (0x10, {"sid": 16}, 0x12),
        (0x10, {"primary_phy": 2}, 0x12),
        (0x10, {"primary_phy": 3}, 0x12),
        (0x10, {"secondary_phy": 0}, 0x00),
        (0x00, {"primary_phy": 2}, 0x11),
        (0x00, {"secondary_phy": 4}, 0x11),
        (0x10, {}, 0x00),
    ],
)
def test_impossible_parameters_are_refused(world, properties, options, status):
    assert world.host("a").set_parameters(0, properties, **options)[0] == status


def test_sets_that_do_not_exist_are_refused(world):
    a = world.host("a")
    assert a.enable_set(7)[0] == 0x42
    assert a.set_data(ADV_DATA, 7)[0] == 0x42
    assert a.command(hci.HCI_LE_Remove_Advertising_Set_Command(advertising_handle=7)) == b"\x42"
    random = hci.Address("C0:00:00:00:00:0A")
    command = hci.HCI_LE_Set_Advertising_Set_Random_Address_Command(
        advertising_handle=7, random_address=random
    )
    assert a.command(command) == b"\x42"


def test_the_number_of_sets_is_the_one_that_is_told(world):
    a = world.host("a")
    supported = a.ok(hci.HCI_LE_Read_Number_Of_Supported_Advertising_Sets_Command())[1]
    statuses = [a.set_parameters(handle, 0x10)[0] for handle in range(supported + 1)]
    assert statuses == [0] * supported + [7]


def test_enabling_several_sets_is_all_or_nothing(world):
    a = world.host("a")
    assert a.set_parameters(0, 0x10)[0] == 0
    assert a.enable_set(0, 1)[0] == 0x42
    assert a.enable_set(0, 0)[0] == 0x12
    world.run(S)
    assert world.sent == []


def test_data_limits(world):
    """31 octets for legacy PDUs (0x12), 1650 for others (0x07); fragments must come in order."""
    a = world.host("a")
    assert a.set_parameters(0, 0x13)[0] == 0
    assert a.set_data(bytes(31))[0] == 0
    assert a.set_data(bytes(32))[0] == 0x12
    assert a.set_parameters(1, NONCONN)[0] == 0
    assert a.set_data(bytes(1650), 1)[0] == 0
    assert a.set_data(bytes(1651), 1)[0] == 0x07
    assert a.set_parameters(2, NONCONN)[0] == 0
    assert (
        a.command(
            hci.HCI_LE_Set_Extended_Advertising_Data_Command(
                advertising_handle=2,
                operation=2,
                fragment_preference=0,
                advertising_data=b"\x02\x0a\x00",
            )
        )
        == b"\x12"
    )
    maximum = a.ok(hci.HCI_LE_Read_Maximum_Advertising_Data_Length_Command())
    assert int.from_bytes(maximum[1:], "little") == 1650


@pytest.mark.parametrize(
    ("properties", "data", "scan_response"),
    [
        (0x13, 0x00, 0x00),
        (0x12, 0x00, 0x00),
        (0x10, 0x00, 0x12),
        (0x15, 0x12, 0x12),  # ADV_DIRECT_IND has no room for any
        (NONCONN, 0x00, 0x12),
        (CONN, 0x00, 0x12),
        (SCAN, 0x12, 0x00),  # the data of scannable extended sets is in AUX_SCAN_RSP
        (CONN | DIRECTED, 0x00, 0x12),
    ],
)
def test_data_goes_where_the_event_type_has_room_for_it(world, properties, data, scan_response):
    """Vol 4 Part E, 7.8.54 and 7.8.55; no data at all may always be set."""
    a = world.host("a")
    assert a.set_parameters(0, properties, peer="00:00:00:00:00:0C/P")[0] == 0
    assert a.set_data(b"")[0] == a.set_data(b"", scan_response=True)[0] == 0
    assert a.set_data(ADV_DATA)[0] == data
    assert a.set_data(ADV_DATA, scan_response=True)[0] == scan_response


def test_a_set_with_data_cannot_become_one_without_room_for_it(world):
    """7.8.53."""
    a = world.host("a")
    assert a.set_parameters(0, CONN)[0] == 0
    assert a.set_data(ADV_DATA)[0] == 0
    assert a.set_parameters(0, SCAN)[0] == 0x12
    assert a.set_data(b"")[0] == 0
    assert a.set_parameters(0, SCAN)[0] == 0


def test_a_running_set_is_protected(world):
    """Parameters, removal and clearing are disallowed while it advertises."""
    a = world.host("a")
    a.advertise(0x13, ADV_DATA)
    assert a.set_parameters(0, 0x10)[0] == 0x0C
    assert a.command(hci.HCI_LE_Remove_Advertising_Set_Command(advertising_handle=0)) == b"\x0c"
    assert a.command(hci.HCI_LE_Clear_Advertising_Sets_Command()) == b"\x0c"
    random = hci.Address("C0:00:00:00:00:0A")
    command = hci.HCI_LE_Set_Advertising_Set_Random_Address_Command(
        advertising_handle=0, random_address=random
    )
    assert a.command(command) == b"\x0c"
    assert a.enable_set(on=0)[0] == 0
    assert a.command(hci.HCI_LE_Remove_Advertising_Set_Command(advertising_handle=0)) == b"\0"
    assert a.enable_set(0)[0] == 0x42


def test_data_can_change_while_a_set_runs(world):
    a, b = world.host("a"), world.host("b")
    a.advertise(0x10, ADV_DATA)
    b.scan()
    world.run(S)
    assert a.set_data(b"\x02\x0a\x05")[0] == 0
    changed_us = world.loop.now_us
    world.run(S)
    assert {r.data for r in b.reports() if r.t_us < changed_us} == {ADV_DATA}
    assert {r.data for r in b.reports() if r.t_us > changed_us + 5 * MS} == {b"\x02\x0a\x05"}
