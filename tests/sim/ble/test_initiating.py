"""Creating connections: with whom, with which parameters, giving up, auto-connect."""

from __future__ import annotations

import pytest
from bumble import hci
from raw_host import ADV_DATA, MS, RANDOM_A, RANDOM_B, S, World, wire

from sim.ble.initiator import valid_access_address
from sim.ble.pdus import ADV_ACCESS_ADDRESS, AdvPdu, PduType
from sim.rng import Streams

PUBLIC_A = "11:22:33:44:55:0A"
PUBLIC_B = "11:22:33:44:55:0B"


@pytest.fixture
def world():
    with World() as made:
        yield made


@pytest.fixture
def pair(world):
    return world.host("a", public=PUBLIC_A), world.host("b", public=PUBLIC_B)


@pytest.mark.parametrize("extended", [False, True])
def test_both_sides_are_told_the_parameters_the_central_chose(world, pair, extended):
    """Row "connection parameters": bumble's peripheral was told 12.5 ms and 100 ms whatever was asked."""
    a, b = pair
    a.advertise(0x13, ADV_DATA)
    assert (
        b.connect(PUBLIC_A + "/P", extended=extended, interval=40, latency=3, timeout=321) == b"\0"
    )
    world.run(S)
    [central], [peripheral] = b.connections(), a.connections()
    for one in (central, peripheral):
        assert (one["status"], one["interval"], one["latency"], one["timeout"]) == (0, 40, 3, 321)
    assert (central["role"], central["peer_type"], central["peer"]) == (0, 0, wire(PUBLIC_A))
    assert (peripheral["role"], peripheral["peer_type"], peripheral["peer"]) == (
        1,
        0,
        wire(PUBLIC_B),
    )


def test_the_peripheral_connects_when_it_hears_the_request(world, pair):
    """CONNECT_IND 150 us after the ADV_IND; both sides report at its end, the link starts 1.25 ms later."""
    a, b = pair
    a.advertise(0x13, ADV_DATA)
    b.connect(PUBLIC_A + "/P")
    world.run(S)
    request = next(
        sent
        for sent in world.sent
        if sent.data[0] & 0x0F == PduType.CONNECT_IND and sent.channel >= 37
    )
    advert = max((s for s in world.of("a") if s.end_us <= request.start_us), key=lambda s: s.end_us)
    assert request.start_us - advert.end_us == 150
    assert request.channel == advert.channel
    assert [t for t, _ in a.le(0x0A)] == [t for t, _ in b.le(0x0A)] == [request.end_us]
    first = min(s.start_us for s in world.sent if s.start_us > request.end_us)
    assert 1250 <= first - request.end_us <= 2500


@pytest.mark.parametrize("extended", [False, True])
def test_the_request_carries_the_hosts_channel_classification(world, pair, extended):
    """LLData of CONNECT_IND and AUX_CONNECT_REQ (Vol 6 Part B, 2.3.3.1), and the link keeps to it from its first event."""
    a, b = pair
    channels = bytes.fromhex("00f0ff0000")
    assert b.opcode(hci.HCI_LE_SET_HOST_CHANNEL_CLASSIFICATION_COMMAND, channels) == b"\0"
    a.advertise(0x01 if extended else 0x13, ADV_DATA)
    b.connect(PUBLIC_A + "/P", extended=extended)
    world.run(3 * S)
    request = next(s for s in world.of("b") if s.data[0] & 0x0F == PduType.CONNECT_IND)
    assert (
        request.data[30:35] == channels
    )  # header 2, InitA and AdvA 12, and 16 octets of LLData before it
    link = {s.channel for s in world.sent if s.meta.access_address != ADV_ACCESS_ADDRESS}
    assert link == set(range(12, 24))


def test_connecting_ends_the_advertising_set(world, pair):
    """Terminated event with the handle of the connection after the Connection Complete."""
    a, b = pair
    a.advertise(0x13, ADV_DATA, handle=5)
    b.connect(PUBLIC_A + "/P", extended=True)
    world.run(S)
    [one] = a.connections()
    [(_, event)] = a.le(0x12)
    assert event == bytes((0, 5)) + one["handle"].to_bytes(2, "little") + b"\0"
    order = [e[3] for _, e in a.events if e[1] == 0x3E]
    assert order.index(0x0A) < order.index(0x12)
    count = len([s for s in world.of("a") if s.channel >= 37])
    world.run(S)
    assert len([s for s in world.of("a") if s.channel >= 37]) == count


@pytest.mark.parametrize("properties", [0x10, 0x12, 0x00, 0x02])
def test_what_is_not_connectable_is_never_connected_to(world, pair, properties):
    """Row "connect to a NON-connectable advertiser"."""
    a, b = pair
    a.advertise(
        properties,
        b"" if properties == 2 else ADV_DATA,
        scan_response=b"\x02\x0a\x00" if properties == 2 else b"",
    )
    b.connect(PUBLIC_A + "/P", extended=True)
    world.run(10 * S)
    assert a.connections() == b.connections() == []
    assert world.of("b") == []


def test_only_the_peer_that_was_named_is_connected_to(world, pair):
    a, b = pair
    other = world.host("o", public="11:22:33:44:55:0C")
    other.advertise(0x13, ADV_DATA, interval_ms=20)
    b.connect(PUBLIC_A + "/P")
    world.run(S)
    assert b.connections() == []
    a.advertise(0x13, ADV_DATA)
    world.run(S)
    assert [one["peer"] for one in b.connections()] == [wire(PUBLIC_A)]


def test_a_public_and_a_random_address_with_the_same_octets_are_two(world):
    a, b = world.host("a", public=RANDOM_A), world.host("b")
    a.advertise(0x13, ADV_DATA)
    b.connect(RANDOM_A)  # random
    world.run(S)
    assert b.connections() == []


@pytest.mark.parametrize("extended", [False, True])
def test_cancel_cancels(world, pair, extended):
    """Row "connect timeout / cancel": Command Complete, then Connection Complete 0x02; a late advert connects no one."""
    a, b = pair
    b.connect(PUBLIC_A + "/P", extended=extended)
    world.run(S)
    b.ok(hci.HCI_LE_Create_Connection_Cancel_Command())
    [one] = b.connections()
    assert (one["status"], one["role"]) == (0x02, 0)
    codes = [e[1] for _, e in b.events]
    assert codes[-2:] == [0x0E, 0x3E]
    a.advertise(0x13, ADV_DATA)
    world.run(S)
    assert a.connections() == []
    assert b.connect(PUBLIC_A + "/P", extended=extended) == b"\0"
    world.run(S)
    assert [one["status"] for one in b.connections()] == [2, 0]


def test_cancel_without_a_pending_connection_is_disallowed(world, pair):
    assert pair[1].command(hci.HCI_LE_Create_Connection_Cancel_Command()) == b"\x0c"


def test_a_second_create_connection_is_disallowed(world, pair):
    b = pair[1]
    assert b.connect(PUBLIC_A + "/P") == b"\0"
    assert b.connect(RANDOM_A) == b"\x0c"


@pytest.mark.parametrize(
    "parameters",
    [
        {"interval": 5},
        {"interval": 3201},
        {"latency": 500},
        {"timeout": 9},
        {"interval": 400, "timeout": 100},
    ],
)
def test_impossible_connection_parameters_are_refused(world, pair, parameters):
    assert pair[1].connect(PUBLIC_A + "/P", **parameters) == b"\x12"


@pytest.mark.parametrize("extended", [False, True])
def test_auto_connect_takes_the_first_of_the_accept_list(world, pair, extended):
    """Row "filter accept list": auto-connect completes, and only with a listed device."""
    a, b = pair
    stranger = world.host("s", public="11:22:33:44:55:0C")
    stranger.advertise(0x13, ADV_DATA, interval_ms=20)
    address = hci.Address(PUBLIC_A + "/P")
    b.ok(hci.HCI_LE_Add_Device_To_Filter_Accept_List_Command(address_type=0, address=address))
    assert b.connect(None, extended=extended) == b"\0"
    world.run(S)
    assert b.connections() == []
    a.advertise(0x13, ADV_DATA)
    world.run(S)
    assert [one["peer"] for one in b.connections()] == [wire(PUBLIC_A)]


@pytest.mark.parametrize("phy", [1, 2])
def test_extended_sets_are_connected_on_their_secondary_channel(world, pair, phy):
    """AUX_CONNECT_REQ and AUX_CONNECT_RSP at T_IFS; the link starts 2.5 ms after the request, on that PHY."""
    a, b = pair
    a.advertise(0x01, ADV_DATA, secondary_phy=phy, handle=1)
    assert b.connect(PUBLIC_A + "/P", extended=True, phys=0b011) == b"\0"
    world.run(S)
    assert [one["status"] for one in a.connections() + b.connections()] == [0, 0]
    request = next(
        s for s in world.sent if isinstance(s.meta, AdvPdu) and s.meta.connect is not None
    )
    response = next(
        s for s in world.sent if getattr(s.meta, "kind", None) == PduType.AUX_CONNECT_RSP
    )
    assert request.channel == response.channel < 37
    assert response.start_us - request.end_us == 150
    first = min((s for s in world.of("b") if s.start_us > request.end_us), key=lambda s: s.start_us)
    assert 2500 <= first.start_us - request.end_us <= 3750
    assert first.meta.phy == phy
    assert b.controller.links[1].peer_address == hci.Address(PUBLIC_A + "/P")


def test_an_extended_set_connects_among_sets_that_wait_for_the_radio(world, pair):
    """The AUX_CONNECT_RSP goes out before the next set gets its turn."""
    a, b = pair
    for handle in range(1, 6):
        a.advertise(0x00, bytes(250), handle, interval_ms=20)
    a.advertise(0x01, ADV_DATA, 0, interval_ms=20)
    b.connect(PUBLIC_A + "/P", extended=True)
    world.run(3 * S)
    assert [one["status"] for one in a.connections() + b.connections()] == [0, 0]
    assert b.event(0x05) == []


def test_a_phy_that_was_not_asked_for_is_not_connected_on(world, pair):
    a, b = pair
    a.advertise(0x01, ADV_DATA, secondary_phy=2)
    b.connect(PUBLIC_A + "/P", extended=True, phys=0b001)
    world.run(S)
    assert b.connections() == []


@pytest.mark.parametrize(("advertiser", "initiator"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_any_own_address_type_connects_and_carries_data(world, pair, advertiser, initiator):
    """Row "own address PUBLIC": bumble dropped every packet unless both used the random address."""
    a, b = pair
    a.random_address(RANDOM_A)
    b.random_address(RANDOM_B)
    a.legacy_set(0, own_type=advertiser)
    b.connect(RANDOM_A if advertiser else PUBLIC_A + "/P", own_type=initiator)
    world.run(S)
    [one] = a.connections()
    assert (one["peer_type"], one["peer"]) == (initiator, wire(RANDOM_B if initiator else PUBLIC_B))
    a.random_address("C0:00:00:00:00:1A")  # changed during the connection: no matter
    b.controller.on_packet(b"\x02\x01\x00\x05\x00\x01\x00\x04\x00\x0a")
    world.run(S)
    assert [e for _, e in a.events if e[0] == 2] == [b"\x02\x01\x20\x05\x00\x01\x00\x04\x00\x0a"]


def test_a_directed_advertiser_is_connected_to_by_its_target_alone(world, pair):
    a, b = pair
    other = world.host("o", public="11:22:33:44:55:0C")
    a.legacy_set(4, peer=PUBLIC_B + "/P")
    other.connect(PUBLIC_A + "/P")
    world.run(S)
    assert other.connections() == a.connections() == []
    b.connect(PUBLIC_A + "/P")
    world.run(S)
    assert [one["status"] for one in b.connections()] == [0]


def test_of_two_centrals_one_gets_the_peripheral(world, pair):
    """Row "two centrals connect in the same instant": one link; the loser is told 0x3E within six intervals."""
    a, b = pair
    c = world.host("c", public="11:22:33:44:55:0C", position=(0.5, 0.0, 0.0))
    a.legacy_set(0)
    b.connect(PUBLIC_A + "/P")
    c.connect(PUBLIC_A + "/P")
    world.run(3 * S)
    assert len([one for one in a.connections() if one["status"] == 0]) == 1
    assert len(b.controller.links) + len(c.controller.links) == 1
    for host in (b, c):
        for _, event in host.event(0x05):
            assert event[3] == 0x3E


def test_the_peripheral_disappears_before_the_first_event(world, pair):
    a, b = pair
    a.legacy_set(0)
    b.connect(PUBLIC_A + "/P", interval=80)
    while not b.connections():
        world.run(MS)
    a.reset()
    world.run(S)
    assert [event[3] for _, event in b.event(0x05)] == [0x3E]


def test_the_channel_selection_algorithm_is_reported(world, pair):
    """Both set ChSel, so #2 is used (Vol 6 Part B, 4.5.8.1)."""
    a, b = pair
    a.legacy_set(0)
    b.connect(PUBLIC_A + "/P")
    world.run(S)
    assert (
        [event for _, event in a.le(0x14)]
        == [event for _, event in b.le(0x14)]
        == [b"\x01\x00\x01"]
    )


def test_without_the_enhanced_event_the_old_one_is_sent(world, pair):
    """Vol 4 Part E, 7.7.65.10: LE Connection Complete when the host has masked the enhanced one."""
    a, b = pair
    mask = (0xFFFF_FFFF_FFFF_FFFF & ~(1 << 9)).to_bytes(8, "little")
    b.ok(hci.HCI_LE_Set_Event_Mask_Command(le_event_mask=mask))
    a.legacy_set(0)
    b.connect(PUBLIC_A + "/P")
    world.run(S)
    assert b.le(0x0A) == []
    assert len(b.le(0x01)) == 1


def test_access_addresses_obey_the_rules():
    """Vol 6 Part B, 2.1.2: no run of more than six equal bits, not the advertising one or one bit from it, ..."""
    stream = Streams(1).stream("x")
    drawn = [
        value
        for value in (stream.getrandbits(32) for _ in range(5000))
        if valid_access_address(value)
    ]
    assert 0.2 < len(drawn) / 5000 < 0.8
    for value in drawn:
        bits = f"{value:032b}"
        assert "0000000" not in bits
        assert "1111111" not in bits
        assert bits.count("01") + bits.count("10") <= 24
    for wrong in (
        ADV_ACCESS_ADDRESS,
        ADV_ACCESS_ADDRESS ^ 1 << 7,
        0x55555555,
        0x71717171,
        0x00FF1234,
        0x00000000,
    ):
        assert not valid_access_address(wrong)
