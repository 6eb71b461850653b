"""Crowds of Wi-Fi Aware devices: the fast way equals the plain one, radios and members hear each other."""

from __future__ import annotations

import itertools
import math
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import ScenarioError
from protocols.wifi_aware import timing
from protocols.wifi_aware.attributes import make
from protocols.wifi_aware.attributes.service_descriptor import ServiceDescriptor
from protocols.wifi_aware.beacon import Told, told
from protocols.wifi_aware.cluster_anchor import Record
from protocols.wifi_aware.cluster_roles import Counts, Sighting, counts_of
from protocols.wifi_aware.cluster_settings import ClusterSettings
from protocols.wifi_aware.frame import read
from protocols.wifi_aware.heard import NETWORK_ID, hear
from protocols.wifi_aware.matching import master_rank, service_id
from sim.air import Air, AirSettings, Sniffer
from sim.clock import VirtualLoop
from sim.propagation import MW
from sim.rng import Random, Streams
from sim.wifi_aware.links import ROW_OFFSET, Links, bits, mask_of
from sim.wifi_aware.medium import Medium, OnAir
from sim.wifi_aware.swarm import Swarm
from sim.wifi_aware.swarm_hearing import SwarmHearing
from sim.wifi_aware.swarm_member import Service, SwarmMember
from sim.wifi_aware.swarm_ways import Seen, Ways, matters
from tests.sim.wifi_aware.nan_field import NanField, S
from tests.sim.worlds import run, world

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOPS: list[VirtualLoop] = []
PLACES = st.tuples(*(st.floats(-300, 300, allow_nan=False),) * 2, st.just(0.0))


@pytest.fixture(autouse=True)
def close_loops() -> Iterator[None]:
    yield
    while LOOPS:
        LOOPS.pop().close()


def air_of(seed: int = 1, **settings: Any) -> Air:
    loop = VirtualLoop()
    LOOPS.append(loop)
    return Air(loop, Streams(seed), AirSettings(**settings))


def people(
    air: Air, count: int, size_m: float, *, slowly: bool = False, every: int = 6, **given: Any
) -> Swarm:
    """A swarm of devices on a square, switched on within 3 s; `slowly`: from its corner on, 5 m a second."""
    swarm = Swarm.on(Medium.on(air))
    place = air.streams.stream("test/place")
    cluster = ClusterSettings(
        **{"warm_up_us": 3 * S, "random_factor_dws": (5, 12), "search_interval_us": 9 * S} | given
    )
    for n in range(count):
        nmi = f"02:00:00:05:{n >> 8:02x}:{n & 255:02x}"
        service = Service.of(
            nmi, f"_s{n}._udp", bytes((n & 255,)), every=every, wake=cluster.wake_2_4
        )
        at = (place.random() * size_m, place.random() * size_m, 0.0) if n else (0.0, 0.0, 0.0)
        start = 0 if n == 0 else int(place.random() * 3 * S)
        if slowly and n:
            start = 2 * S + int(math.hypot(*at) / 5 * S)
        member = SwarmMember.make(n, f"crowd/{n}", nmi, 15, service, cluster, air.streams, start)
        swarm.add(member, at)
        air.loop.at_us(start, swarm.start, member)
    return swarm


def noted(swarm: Swarm) -> list[tuple[int, int, bytes, int]]:
    """Every frame at its end: when, by whom, octets, hearers."""
    out: list[tuple[int, int, bytes, int]] = []
    end = swarm.hearing.end

    def note(frame: OnAir) -> None:
        end(frame)
        assert isinstance(frame.source, int)
        out.append((frame.start_us, frame.source, frame.octets, frame.hearers))

    swarm.hearing.end = note  # type: ignore[method-assign]
    return out


# --- the fast way -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("seed", "size_m"), [(1, 20.0), (2, 90.0), (3, 150.0)])
def test_masks_give_what_handing_out_every_beacon_gives(seed, size_m):
    seen = []
    for one_by_one in (True, False):
        air = air_of(seed, path_loss_exponent=3.0, capture_db=8.0)
        swarm = people(air, 40, size_m)
        swarm.one_by_one = one_by_one
        frames = noted(swarm)
        air.loop.run_until_us(20 * S)
        states = [
            (m.cluster.way, m.cluster.role, m.cluster.rank, m.cluster.offset_us)
            for m in swarm.members
        ]
        seen.append((frames, states))
    assert len(seen[0][0]) > 500
    assert seen[0] == seen[1]


def test_a_crowd_is_one_cluster_over_several_hops():
    air = air_of(2, path_loss_exponent=3.0, capture_db=8.0)
    quiet = {"search_interval_us": 20 * S, "random_factor_dws": (120, 240)}
    swarm = people(air, 60, 70.0, slowly=True, **quiet)
    air.loop.run_until_us(40 * S)
    clusters = [member.cluster for member in swarm.members]
    assert len({cluster.cluster_id for cluster in clusters}) == 1
    best = max(clusters, key=lambda cluster: cluster.rank)
    assert [cluster for cluster in clusters if cluster.is_anchor] == [best]
    assert {cluster.record.rank for cluster in clusters} == {best.rank}
    assert {cluster.record.hop_count for cluster in clusters} >= {0, 1, 2}
    clocks = {cluster.tsf_us(air.loop.now_us) for cluster in clusters}
    assert max(clocks) - min(clocks) <= 5


RANKS = st.sampled_from(
    [
        master_rank(p, f, f"02:00:00:00:00:{n:02x}")
        for p in (0, 2)
        for f in (0, 9)
        for n in (1, 2, 3)
    ]
)
RECORDS = st.builds(Record, RANKS, st.integers(0, 3), st.integers(0, 3))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_counting_by_masks_is_counting_one_by_one(data):
    members = data.draw(st.lists(st.tuples(RANKS, RECORDS), min_size=1, max_size=6))
    ways = Ways()
    for number, (rank, record) in enumerate(members):
        member: Any = SwarmMember.__new__(SwarmMember)
        member.number, member.bit, member.rank = number, 1 << number, rank
        member.way = ("c", record, False)
        ways.add(member)
    seen, sightings = [], []
    for _ in range(data.draw(st.integers(0, 5))):
        sender = Told(
            "", "c", True, 0, data.draw(RANKS), data.draw(RANKS), data.draw(st.integers(0, 3)), 0
        )
        middle = data.draw(st.integers(0, 2 ** len(members) - 1))
        close = middle & data.draw(st.integers(0, 2 ** len(members) - 1))
        seen.append(Seen(0, sender, middle, close))
        sightings.append((sender, middle, close))
    everybody = (1 << len(members)) - 1
    tallies = ways.count(seen, everybody)
    for number, (rank, record) in enumerate(members):
        bit = 1 << number
        plain = counts_of(
            [
                Sighting(one.rank, one.anchor_rank, one.hop_count, bool(close & bit))
                for one, middle, close in sightings
                if middle & bit
            ],
            rank,
            record,
        )
        fast = ways.counts(tallies, bit)
        assert (fast.masters, fast.synced) == (plain.masters, plain.synced)
        assert fast == Counts(
            *(min(n, limit) for n, limit in zip(plain, (1, 3, 1, 3), strict=True))
        )


def test_a_beacon_matters_to_whom_it_can_change():
    rank, higher = master_rank(2, 5, "02:00:00:00:00:01"), master_rank(9, 5, "02:00:00:00:00:02")
    following, reached = ("c", Record(rank, 2, 100), False), ("c", Record(rank, 2, 100), True)
    beacon = Told("", "c", True, 0, 0, rank, 1, 100)
    assert matters(following, beacon)
    assert not matters(reached, beacon)
    assert matters(reached, beacon._replace(ambtt_us=101))
    assert matters(reached, beacon._replace(hop_count=0))
    assert matters(reached, beacon._replace(anchor_rank=higher))
    assert not matters(("c", Record(higher, 2, 100), True), beacon)
    assert not matters(("c", Record(rank, 0, 0), False), beacon)
    assert not matters(following, beacon._replace(sync=False))
    assert matters(following, beacon._replace(cluster_id="d", sync=False))


# --- who hears what ---------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.lists(PLACES, min_size=2, max_size=12), st.integers(-110, 0), st.sampled_from([0.0, 6.0]))
def test_reach_is_the_power_that_the_air_computes(places, least_dbm, sigma_db):
    air = air_of(path_loss_exponent=2.7, shadowing_sigma_db=sigma_db)
    radios = []
    for n, place in enumerate(places):
        radios.append(Sniffer(f"r{n}", place, lambda _: None))
        air.attach(radios[-1])
    links = Links(air, places, lambda n: f"r{n}")
    origin = ("r0", places[0], 0)
    mask = links.reach(origin, least_dbm, keep=True)
    for n in range(1, len(places)):
        rssi_dbm = air.losses.rssi_dbm(radios[0], radios[n])
        assert bool(mask >> n & 1) == (rssi_dbm >= least_dbm)
        assert links.rssi_dbm(origin, n) == rssi_dbm
        assert links.row(origin, keep=False)[n] == rssi_dbm + ROW_OFFSET


@settings(max_examples=40, deadline=None)
@given(st.lists(PLACES, min_size=3, max_size=14), st.integers(1, 4), st.floats(0, 25))
def test_collisions_are_those_of_the_air(places, others, capture_db):
    air = air_of(path_loss_exponent=2.5, capture_db=capture_db)
    others = min(others, len(places) - 1)
    members: list[Any] = []
    for n, place in enumerate(places):
        member: Any = SwarmMember.__new__(SwarmMember)
        member.number, member.bit, member.name, member.power_dbm = n, 1 << n, f"c/{n}", 15
        member.origin = (member.name, place, 15)
        member.reach = -1
        members.append(member)
    hearing = SwarmHearing(Medium.on(air), members, list(places))
    frames = [OnAir(6, 0, 100, b"", 15, n) for n in range(others + 1)]
    first = frames[0]
    first.overlaps = frames[1:]
    first.hearers = hearing.reach(first, -90) & ~((1 << others + 1) - 1)
    before = first.hearers
    hearing.end(first)
    for n in bits(before):
        noise = sum(MW[rssi] for one in frames[1:] if (rssi := hearing.rssi_dbm(one, n)) >= -104)
        received = MW[hearing.rssi_dbm(first, n)] >= noise * air.capture_ratio
        assert bool(first.hearers >> n & 1) == received
    assert not first.hearers & ~before


def test_masks_and_bits():
    assert list(bits(0b1011001)) == [0, 3, 4, 6]
    assert mask_of([True, False, True]) == 0b101
    assert mask_of([]) == 0


def test_members_listen_in_windows_and_hear_no_frame_they_have_slept_through():
    air = air_of(1)
    swarm = people(air, 12, 15.0)
    frames = noted(swarm)
    air.loop.run_until_us(15 * S)
    late = [(at, hearers) for at, _, octets, hearers in frames if at > 10 * S and octets[0] == 0x80]
    tsf = swarm.members[0].cluster.tsf_us
    assert {timing.in_dw(tsf(at)) for at, _ in late} == {True, False}
    for at, hearers in late:
        if not timing.in_dw(tsf(at)):
            assert hearers.bit_count() <= 3  # those that look for other clusters just then


def test_fading_and_loss_are_drawn_and_the_cluster_holds_all_the_same():
    runs = []
    for _ in range(2):
        air = air_of(5, fading_sigma_db=4.0, loss=0.1)
        swarm = people(air, 15, 15.0)
        frames = noted(swarm)
        air.loop.run_until_us(12 * S)
        runs.append(frames)
        assert len({m.cluster.cluster_id for m in swarm.members}) == 1
    assert runs[0] == runs[1]


# --- with radios ------------------------------------------------------------------------------------


def with_radio(count: int = 12, **more: Any) -> tuple[NanField, Swarm]:
    field = NanField(3)
    LOOPS.append(field.loop)
    swarm = people(field.air, count, 12.0, **more)
    return field, swarm


def test_a_radio_joins_the_cluster_of_a_crowd_and_hears_its_publishes():
    field, swarm = with_radio()
    field.run(5 * S)
    node = field.add((5.0, 5.0, 0.0))
    field.run(16 * S)
    assert field.radios[0].cluster.cluster_id == swarm.members[0].cluster.cluster_id
    published = {
        descriptor.service_id
        for _, heard in node.heard
        for descriptor in heard.frame.all("service_descriptor")
    }
    assert published == {service_id(f"_s{n}._udp") for n in range(12)}
    assert all(heard.frame.first("device_capability").wake_2_4 == 1 for _, heard in node.heard)


def test_a_radio_that_is_better_becomes_the_anchor_master_of_a_crowd():
    field, swarm = with_radio()
    field.run(5 * S)
    field.add((5.0, 5.0, 0.0), master_preference=222)
    field.run(16 * S)
    assert {m.cluster.record.rank for m in swarm.members} == {field.radios[0].cluster.rank}
    assert {m.cluster.record.hop_count for m in swarm.members} == {1}
    assert len({m.cluster.tsf_us(field.loop.now_us) for m in swarm.members}) == 1


def test_a_subscribe_is_answered_by_whoever_publishes_the_service():
    field, swarm = with_radio()
    node = field.add((5.0, 5.0, 0.0))
    field.run(12 * S)
    before = len(node.heard)
    wanted = ServiceDescriptor(
        service_id=service_id("_s7._udp"), instance_id=4, requestor_instance_id=0, type=1,
        range_limited=False,
    )  # fmt: skip
    node.give(NETWORK_ID, make(wanted))
    field.run(13 * S)
    answers = [
        heard.frame for _, heard in node.heard[before:] if heard.frame.destination == node.nmi
    ]
    assert [frame.source for frame in answers] == [swarm.members[7].nmi]
    assert answers[0].first("service_descriptor").requestor_instance_id == 4


def test_a_member_acknowledges_what_is_sent_to_it():
    field, swarm = with_radio()
    node = field.add((5.0, 5.0, 0.0))
    field.run(12 * S)
    node.give(swarm.members[3].nmi)
    node.give("02:00:00:00:99:99")
    field.run(14 * S)
    assert [acked for *_, acked in node.results] == [True, False]


def test_radios_and_members_leave_each_other_the_channel():
    field, swarm = with_radio(20)
    for n in range(4):
        field.add((3.0 * n, 5.0, 0.0))
    spans: list[tuple[int, int]] = []
    begin = swarm.begin

    def note(frame: OnAir) -> None:
        spans.append((frame.start_us, frame.end_us))
        begin(frame)

    swarm.begin = note  # type: ignore[method-assign]
    for second in range(8, 16):
        field.run(second * S)
        for node in field.nodes:
            node.give()
    spans.sort()
    overlaps = [(a, b) for a, b in itertools.pairwise(spans) if b[0] < a[1] and a[0] != b[0]]
    assert len(spans) > 300
    assert overlaps == []


def test_a_crowd_is_in_captures_when_somebody_could_have_heard_it():
    field, swarm = with_radio()
    told_of: list[str] = []
    field.air.observe(lambda sent, heard: told_of.append(sent.sender))
    field.run(8 * S)
    assert told_of == []
    field.add((5.0, 5.0, 0.0))
    field.run(12 * S)
    assert {name.partition("/")[0] for name in told_of} == {"crowd", "n0"}
    assert len(swarm.members) == 12


def test_frames_of_members_decode_without_doubt():
    air = air_of(1)
    swarm = people(air, 5, 10.0)
    frames = noted(swarm)
    air.loop.run_until_us(10 * S)
    for _, source, octets, _ in frames:
        frame: Any = read(octets)
        assert frame.source == swarm.members[source].nmi
        if octets[0] == 0x80:
            beacon = told(hear(octets))
            assert beacon is not None
            assert beacon.source == frame.source
        else:
            assert frame.bssid.startswith("50:6f:9a:01:")
            assert frame.first("service_descriptor").service_info == f"{source:02x}"
    numbers = [read(o).sequence_number for _, s, o, _ in frames if s == 2 and o[0] == 0xD0]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.slow
def test_an_idle_device_takes_less_than_5_kb():
    people(air_of(), 2, 10.0)  # what is made once
    tracemalloc.start()
    try:
        air = air_of(1, path_loss_exponent=3.0, capture_db=8.0)
        usual = {"search_interval_us": 60 * S, "random_factor_dws": (120, 240)}
        swarm = people(air, 500, 40.0, slowly=True, every=20, **usual)
        air.loop.run_until_us(15 * S)
        used = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert used / len(swarm.members) <= 5000


# --- scenarios --------------------------------------------------------------------------------------

CROWD = """
title = "t"
duration = "12s"
[[crowd]]
name = "many"
kind = "aware"
count = 6
area = [10.0, 10.0]
{}
"""


def test_a_scenario_with_a_crowd_runs_and_its_members_have_addresses():
    ran = run(
        CROWD.format('interval = "2s"\nset = { service_name = "_a{n}._udp", warm_up = "2s" }')
    )
    assert ran.result.passed
    assert ran.result.air["transmissions"] > 100
    crowd: Any = ran.world.crowds[0]
    assert len({member.cluster.cluster_id for member in crowd.members}) == 1
    assert {ran.world.name_of(member.nmi) for member in crowd.members} == {"many"}
    assert [m.service.service_id.hex() for m in crowd.members] == [
        service_id(f"_a{n}._udp") for n in range(6)
    ]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('format = "ibeacon"\nfields = { major = 1 }', "has no fields"),
        ("set = { master_preference = 300 }", "master_preference is 0 to 254"),
        ("set = { wake = 6 }", "wake_2_4 is 1 to 5"),
        ("set = { warm = 6 }", "warm"),
        ('set = { service_info = "0g" }', "service_info"),
        ('set = { service_name = "a b" }', "is no service name"),
        (f'set = {{ service_info = "{"00" * 256}" }}', "service_info"),
    ],
)
def test_errors_of_a_crowd_name_its_key(lines, message):
    with pytest.raises(ScenarioError, match=message) as caught:
        world(CROWD.format(lines))
    assert "crowd[0]" in str(caught.value)


def test_settings_of_a_ble_crowd_are_refused():
    text = CROWD.format("set = { wake = 1 }").replace('kind = "aware"', 'kind = "ble"')
    with pytest.raises(ScenarioError, match="a BLE crowd has fields"):
        world(text)


def test_draws_of_members_do_not_depend_on_each_other():
    first, second = Streams(4), Streams(4)
    a = [first.octets(f"crowd/c/{n}/tsf/1", 4) for n in (1, 2)]
    assert [second.octets(f"crowd/c/{n}/tsf/1", 4) for n in (2, 1)] == a[::-1]
    assert isinstance(first.stream("x"), Random)
