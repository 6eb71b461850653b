"""Synchronisation: every row of the tables, start-up, roles, the clock, merging, and clusters that find one anchor."""

from __future__ import annotations

import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import EncodeError, UsageError
from protocols.wifi_aware import frames, timing
from protocols.wifi_aware.airtime import airtime_us
from protocols.wifi_aware.attributes import Attr, make
from protocols.wifi_aware.attributes.cluster import Cluster as ClusterAttribute
from protocols.wifi_aware.attributes.master_indication import MasterIndication
from protocols.wifi_aware.beacon import beacon, stamped, told
from protocols.wifi_aware.cluster import BeaconOutgoing, Cluster
from protocols.wifi_aware.cluster_anchor import (
    ANCHOR_ROWS,
    AT_WINDOW_END,
    STALE_US,
    Case,
    Record,
    WindowEnd,
    anchor_row,
    at_window_end,
    is_newer,
)
from protocols.wifi_aware.cluster_events import (
    AnchorChanged,
    ClusterJoined,
    ClusterMerged,
    PhaseChanged,
    RoleChanged,
    SearchEnded,
    SearchStarted,
    TsfAdjusted,
    WindowClosed,
    WindowOpened,
)
from protocols.wifi_aware.cluster_roles import (
    MASTER,
    NON_SYNC,
    PHASE_ROWS,
    ROLE_ROWS,
    SYNC,
    Counts,
    Sighting,
    counts_of,
    next_role,
)
from protocols.wifi_aware.cluster_settings import ClusterSettings
from protocols.wifi_aware.elements import make as make_element
from protocols.wifi_aware.elements.nan import NanElement
from protocols.wifi_aware.frame import build, read
from protocols.wifi_aware.heard import hear, octets_of
from protocols.wifi_aware.matching import master_rank, rank_of
from tests.protocols.wifi_aware.ether import Ether, draw_of

S = 1_000_000
DW = timing.DW_INTERVAL_US
ME, YOU, THIRD = "02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:03"
CLUSTER, OTHER = "50:6f:9a:01:00:01", "50:6f:9a:01:00:02"


# --- beacons ----------------------------------------------------------------------------------------


def beacon_of(
    source: str = YOU,
    *,
    cluster_id: str = CLUSTER,
    interval: int = 512,
    preference: int = 2,
    factor: int = 200,
    anchor: int | None = None,
    hops: int = 0,
    ambtt: int = 0,
    tsf: int = 0,
) -> bytes:
    own = master_rank(preference, factor, source)
    record = (own if anchor is None else anchor, hops, ambtt)
    head = octets_of(source), octets_of(cluster_id)
    return stamped(beacon(*head, 7, interval, (preference, factor), record), tsf)


@given(
    st.binary(min_size=6, max_size=6),
    st.integers(0, 4095),
    st.sampled_from([100, 512]),
    st.tuples(st.integers(0, 255), st.integers(0, 255)),
    st.integers(0, 2**64 - 1),
    st.integers(0, 255),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**62 - 1),
)
def test_the_fast_beacon_is_the_typed_one(
    source, number, interval, shown, anchor, hops, ambtt, tsf
):
    fast = beacon(source, octets_of(CLUSTER), number, interval, shown, (anchor, hops, ambtt))
    preference, factor, address = rank_of(anchor)
    attributes = (
        make(MasterIndication(master_preference=shown[0], random_factor=shown[1])),
        make(
            ClusterAttribute(
                anchor_master=address,
                random_factor=factor,
                master_preference=preference,
                hop_count=hops,
                ambtt_us=ambtt,
            )
        ),
    )
    typed = frames.Beacon(
        destination="ff:ff:ff:ff:ff:ff",
        source=source.hex(":"),
        bssid=CLUSTER,
        sequence_number=number,
        timestamp_us=tsf,
        beacon_interval_tu=interval,
        capability=0x0420,
        elements=(make_element(NanElement(attributes=attributes)),),
    )
    octets = stamped(fast, tsf)
    assert octets == build(typed)
    read_back = told(hear(octets))
    assert read_back is not None
    assert read_back.sync == (interval == 512)
    assert read_back.rank == master_rank(*shown, source.hex(":"))
    assert read_back.anchor_rank == anchor
    assert read_back.ambtt_us == (tsf & 0xFFFFFFFF if hops == 0 else ambtt)


def test_a_beacon_from_the_air_is_read():
    """OpenNAN tests/test_crc32.cpp: the sender is its own anchor master and sends AMBTT 0."""
    octets = bytes.fromhex(
        "80000000ffffffffffff025f5a1ae301506f9a017f01d023973e4c060000000064002004"
        "dd22506f9a13000200" + "01bc010d00025f5a1ae301bc010000000000" + "28060044774db10160"
    )
    found = told(hear(octets))
    assert found is not None
    assert (found.source, found.cluster_id) == ("02:5f:5a:1a:e3:01", "50:6f:9a:01:7f:01")
    assert not found.sync
    assert found.rank == found.anchor_rank == 0x01BC01E31A5A5F02
    assert (found.hop_count, found.ambtt_us) == (0, 0x064C3E97)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda b: b"\xd0" + b[1:],
        lambda b: b[:16] + octets_of("50:6f:9a:02:00:01") + b[22:],
        lambda b: b[:32] + b"\x65\x00" + b[34:],
        lambda b: b[:36],
        lambda b: b[:-1],
        lambda b: b[:20],
    ],
    ids=["no beacon", "no cluster ID", "interval 101", "no element", "cut", "no header"],
)
def test_what_is_no_nan_beacon_changes_nothing(spoil):
    cluster = Cluster(ME, ClusterSettings(), draw_of(0), 0)
    before = cluster.way, cluster.phase, cluster.offset_us
    cluster.receive(hear(spoil(beacon_of()), -40, 6), 100_000)
    assert (cluster.way, cluster.phase, cluster.offset_us) == before


def test_further_attributes_stand_in_every_beacon_and_have_to_fit():
    ether = Ether()
    node = ether.add(warm_up_us=S)
    service_ids = Attr(0x02, bytes(6)).written()
    node.cluster.carry(service_ids)
    ether.run(2 * S)
    outs: list[BeaconOutgoing] = []
    while not outs:
        node.cluster.handle_timer(node.cluster.next_timer())
        outs = node.cluster.to_send(0)
    frame = read(outs[0].octets)
    assert [one.id for one in frame.nan_attributes] == [0, 1, 2]
    with pytest.raises(EncodeError, match="room for 230"):
        beacon(bytes(6), bytes(6), 0, 512, (0, 0), (0, 0, 0), bytes(231))


# --- anchor master selection ------------------------------------------------------------------------

LOW, MID, HIGH = (master_rank(p, 0, a) for p, a in ((2, ME), (50, YOU), (90, THIRD)))
NOTHING = Record(0, 0, 0)
NOW = 100 * S

ROWS = [
    # own, current, last, heard, row, action
    (LOW, Record(MID, 1, NOW), NOTHING, Record(MID, 1, NOW - STALE_US - 1), 0, "discard"),
    (LOW, Record(MID, 1, NOW), NOTHING, Record(MID, 1, NOW - STALE_US), 8, "refresh"),
    (MID, Record(MID, 0, 0), NOTHING, Record(LOW, 0, NOW), 1, "discard"),
    (MID, Record(MID, 0, 0), NOTHING, Record(MID, 1, NOW), 1, "discard"),
    (MID, Record(MID, 0, 0), NOTHING, Record(master_rank(99, 9, YOU), 1, NOW), 1, "discard"),
    (LOW, Record(MID, 1, NOW), NOTHING, Record(master_rank(99, 9, ME), 1, NOW), 12, "discard"),
    (LOW, Record(LOW, 0, 0), Record(HIGH, 1, NOW), Record(HIGH, 1, NOW), 13, "discard"),
    (LOW, Record(LOW, 0, 0), Record(HIGH, 1, NOW), Record(HIGH, 1, NOW + 1), 2, "follow"),
    (MID, Record(MID, 0, 0), NOTHING, Record(HIGH, 3, NOW), 2, "follow"),
    (LOW, Record(MID, 1, NOW), Record(HIGH, 1, NOW), Record(HIGH, 1, NOW), 3, "discard"),
    (LOW, Record(MID, 1, NOW), Record(HIGH, 1, NOW), Record(HIGH, 1, NOW + 1), 4, "follow"),
    (LOW, Record(MID, 1, NOW), NOTHING, Record(HIGH, 1, NOW), 4, "follow"),
    (LOW, Record(HIGH, 1, NOW), NOTHING, Record(MID, 0, NOW), 5, "discard"),
    (MID, Record(HIGH, 1, NOW), NOTHING, Record(master_rank(2, 0, THIRD), 0, NOW), 6, "become_anchor"),
    (LOW, Record(HIGH, 1, NOW), NOTHING, Record(master_rank(60, 0, THIRD), 0, NOW), 7, "follow"),
    (LOW, Record(MID, 2, NOW), NOTHING, Record(MID, 0, NOW), 8, "refresh"),
]  # fmt: skip


@pytest.mark.parametrize(("own", "current", "last", "heard", "row", "action"), ROWS)
def test_every_row_of_anchor_master_selection(own, current, last, heard, row, action):
    found = anchor_row(Case(own, current, last, heard, NOW))
    assert (found.number, found.action) == (row, action)


def test_the_cases_above_visit_every_row():
    assert {row for *_, row, _ in ROWS} == {row.number for row in ANCHOR_ROWS}


def test_rows_of_our_own_can_be_switched_off():
    itself = Case(LOW, Record(MID, 1, NOW), NOTHING, Record(master_rank(99, 9, ME), 1, NOW), NOW)
    assert anchor_row(itself._replace(refuse_self=False)).number == 4
    gone = Case(LOW, Record(LOW, 0, 0), Record(HIGH, 1, NOW), Record(HIGH, 1, NOW), NOW)
    assert anchor_row(gone._replace(refuse_gone=False)).number == 2


@given(*(st.integers(0, 2**32 - 1),) * 3, st.data())
def test_some_row_decides_whatever_is_heard(a, b, c, data):
    ranks = st.sampled_from([LOW, MID, HIGH, master_rank(7, 7, ME), master_rank(7, 7, YOU)])
    hops = st.integers(0, 255)
    own = data.draw(ranks)
    current = Record(data.draw(ranks), data.draw(hops), a)
    current = Record(own, 0, 0) if current.hop_count == 0 else current
    heard = Record(data.draw(ranks), data.draw(hops), c)
    case = Case(own, current, Record(data.draw(ranks), 1, b), heard, NOW, data.draw(st.booleans()))
    row = anchor_row(case)
    if row.action == "follow":
        assert heard.rank >= min(own, current.rank)
    if row.action == "become_anchor":
        assert own > heard.rank


def test_ambtt_wraps_after_71_minutes():
    assert is_newer(5, 2**32 - 5)
    assert not is_newer(2**32 - 5, 5)
    assert not is_newer(5, 5)
    near_wrap = Case(LOW, Record(MID, 1, 0), NOTHING, Record(MID, 1, 2**32 - STALE_US), 2**32 + 5)
    assert anchor_row(near_wrap).number == 0
    assert anchor_row(near_wrap._replace(tsf_us=2**32)).number == 8


END = WindowEnd(LOW, Record(MID, 2, NOW), 0, 0, 3, 3)


@pytest.mark.parametrize(
    ("end", "row", "action"),
    [
        (END._replace(own=HIGH), 9, "become_anchor"),
        (END._replace(unrefreshed=3), 10, "become_anchor"),
        (END._replace(unreached=3), 11, "lose_way"),
    ],
)
def test_every_row_at_the_end_of_a_window(end, row, action):
    found = at_window_end(end)
    assert found is not None
    assert (found.number, found.action) == (row, action)
    assert {9, 10, 11} == {row.number for row in AT_WINDOW_END}


@pytest.mark.parametrize(
    "end",
    [
        END,
        END._replace(unrefreshed=2, unreached=2),
        END._replace(unrefreshed=99, anchor_expiry=None),
        END._replace(unreached=99, hop_expiry=None),
        END._replace(unreached=99, current=Record(MID, 255, NOW)),
        END._replace(own=HIGH, current=Record(HIGH, 0, 0), unrefreshed=99, unreached=99),
    ],
)
def test_nothing_happens_at_the_end_of_a_window(end):
    assert at_window_end(end) is None


# --- roles and phases -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "counts", "after"),
    [
        (SYNC, Counts(), MASTER),
        (NON_SYNC, Counts(middle_master=2, middle_sync=9), MASTER),
        (SYNC, Counts(middle_master=3, middle_sync=2), SYNC),
        (MASTER, Counts(middle_master=2), MASTER),
        (MASTER, Counts(close_master=1, middle_master=1, close_sync=1, middle_sync=1), SYNC),
        (MASTER, Counts(middle_master=3, middle_sync=3), SYNC),
        (SYNC, Counts(close_master=1, close_sync=1), NON_SYNC),
        (SYNC, Counts(close_master=1, middle_sync=3), NON_SYNC),
        (NON_SYNC, Counts(close_master=1, middle_sync=2), SYNC),
        (NON_SYNC, Counts(close_master=1, middle_sync=3), NON_SYNC),
    ],
)
def test_role_transitions(role, counts, after):
    assert next_role(role, counts) == after


def test_every_role_can_be_left_and_every_change_is_a_row():
    assert {(row.before, row.after) for row in ROLE_ROWS} == {
        (SYNC, MASTER),
        (NON_SYNC, MASTER),
        (MASTER, SYNC),
        (SYNC, NON_SYNC),
        (NON_SYNC, SYNC),
    }


def test_counts_look_at_rank_and_at_the_way_to_the_anchor_master():
    own, record = MID, Record(HIGH, 2, 0)
    counted = counts_of(
        [
            Sighting(HIGH, HIGH, 3, close=True),  # a higher rank on a longer way
            Sighting(LOW, HIGH, 1, close=False),  # a lower rank on a shorter way
            Sighting(LOW, MID, 1, close=True),  # a shorter way to somebody else
            Sighting(HIGH, MID, 2, close=False),  # a higher rank at the same hop count
            Sighting(LOW, HIGH, 2, close=True),  # neither
        ],
        own,
        record,
    )
    assert counted == Counts(close_master=1, middle_master=2, close_sync=0, middle_sync=2)


@pytest.mark.parametrize(("rssi", "role"), [(-49, SYNC), (-50, MASTER), (-65, MASTER)])
def test_close_is_above_the_threshold(rssi, role):
    ether = Ether()
    node = ether.add(nmi=ME, scan_us=S, warm_up_us=60 * S, first_tsf_us=0, cluster_id=CLUSTER)
    ether.run(2 * DW + 100)
    assert node.cluster.window == 2
    octets = beacon_of(YOU, tsf=node.cluster.tsf_us(ether.now))
    node.cluster.receive(hear(octets, rssi, 6), ether.now + airtime_us(len(octets), 6))
    ether.run(2 * DW + timing.DW_US + 100)
    assert node.cluster.role == role


def test_three_of_middle_strength_weigh_as_much_as_one_close_by():
    for others, role in ((2, MASTER), (3, SYNC)):
        ether = Ether()
        node = ether.add(nmi=ME, warm_up_us=60 * S, first_tsf_us=0, cluster_id=CLUSTER)
        ether.run(2 * DW + 100)
        for n in range(others):
            octets = beacon_of(f"02:00:00:00:01:{n:02x}", tsf=node.cluster.tsf_us(ether.now))
            node.cluster.receive(hear(octets, -60, 6), ether.now + airtime_us(len(octets), 6))
        ether.run(2 * DW + timing.DW_US + 100)
        assert node.cluster.role == role


def test_beacons_below_the_middle_threshold_are_not_used():
    ether = Ether(lambda i, j: -66)
    ether.add(warm_up_us=S)
    ether.run(S // 2)
    ether.add(warm_up_us=S)
    ether.run(20 * S)
    assert len(ether.clusters) == 2
    assert len(ether.anchors) == 2


def test_a_device_alone_scans_warms_up_and_is_up():
    ether = Ether()
    node = ether.add(scan_us=2 * S, warm_up_us=3 * S, master_preference=77)
    ether.run(8 * S)
    phases = [(e.before, e.after) for e in node.of(PhaseChanged)]
    assert phases == [("scan", "warm_up"), ("warm_up", "up")]
    assert {(row.before, row.after) for row in PHASE_ROWS} >= set(phases)
    assert [e.started for e in node.of(ClusterJoined)] == [True]
    assert min(at for at, *_ in ether.sent) >= 2 * S
    preferences = [
        (at, beacon.rank >> 56, beacon.anchor_rank >> 56) for at, _, beacon in ether.sent
    ]
    assert all(a == b == 0 for at, a, b in preferences if at < 5 * S)
    assert all(a == b == 77 for at, a, b in preferences if at >= 5 * S)
    assert node.cluster.is_anchor


def test_cluster_ids_are_in_the_range_of_the_alliance():
    ids = {Ether(seed=n).add().cluster for n in range(5)}
    for cluster in ids:
        cluster.handle_timer(2 * S)
        assert cluster.cluster_id.startswith("50:6f:9a:01:")
    assert len({cluster.cluster_id for cluster in ids}) == 5


def test_the_first_beacon_in_the_scan_is_joined_at_once():
    ether = Ether()
    first = ether.add(warm_up_us=60 * S)
    ether.run(5 * S)
    second = ether.add(warm_up_us=60 * S, ahead_us=123_456_789)
    ether.run(5 * S + 110 * 1024)
    assert second.cluster.phase == "up"
    assert second.cluster.cluster_id == first.cluster.cluster_id
    assert second.of(ClusterJoined)[0].anchor == first.cluster.nmi
    assert second.cluster.tsf_us(ether.now + second.ahead_us) == first.cluster.tsf_us(ether.now)
    assert isinstance(second.events[-1], SearchEnded)


def test_a_random_factor_holds_its_time_and_is_drawn_again():
    ether = Ether()
    node = ether.add(warm_up_us=0, random_factor_dws=(3, 5))
    ether.run(40 * DW)
    ranks = [beacon.rank for _, _, beacon in ether.sent if beacon.sync]
    changes = [n for n in range(1, len(ranks)) if ranks[n] != ranks[n - 1]]
    spans = {b - a for a, b in itertools.pairwise(changes)}
    assert spans <= {3, 4, 5, 6}
    assert len(changes) >= 5
    assert node.cluster.record.rank == node.cluster.rank


# --- convergence ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(30))
def test_three_devices_find_one_cluster_and_one_anchor_master(seed):
    ether = Ether(seed=seed)
    for index in range(3):
        ether.add(ahead_us=index * 777_777, warm_up_us=4 * S)
        ether.run(ether.now + 40_000 * seed)
    ether.run(25 * S)
    assert len(ether.clusters) == 1
    assert len(ether.anchors) == 1
    best = max(ether.nodes, key=lambda node: node.cluster.rank)
    assert ether.anchors == {best.cluster.nmi}
    assert {n.cluster.record.rank for n in ether.nodes} == {best.cluster.rank}
    assert len({n.cluster.tsf_us(ether.now + n.ahead_us) for n in ether.nodes}) == 1
    assert sorted(n.cluster.role for n in ether.nodes) == [MASTER, NON_SYNC, NON_SYNC]


def test_hop_counts_grow_along_a_chain():
    """Each hears its neighbours only: distance 1 at -55 dBm, else nothing."""
    ether = Ether(lambda i, j: -55 if abs(i - j) == 1 else None)
    for index in range(5):
        ether.add(warm_up_us=S, master_preference=200 if index == 0 else 2, ahead_us=index * 5)
        ether.run(ether.now + 3 * S)
    ether.run(60 * S)
    assert len(ether.clusters) == 1
    assert [n.cluster.record.hop_count for n in ether.nodes] == [0, 1, 2, 3, 4]
    clocks = [n.cluster.tsf_us(ether.now + n.ahead_us) for n in ether.nodes]
    assert max(clocks) - min(clocks) <= 5


def test_an_anchor_master_that_falls_silent_is_replaced():
    ether = Ether(seed=4)
    for index in range(4):
        ether.add(warm_up_us=S, master_preference=100 - index, ahead_us=index)
        ether.run(ether.now + 2 * S)
    ether.run(20 * S)
    assert ether.anchors == {ether.nodes[0].cluster.nmi}
    ether.nodes[0].on = False
    ether.run(40 * S)
    assert ether.anchors == {ether.nodes[1].cluster.nmi}
    assert len(ether.clusters) == 1
    assert ether.nodes[1].of(AnchorChanged)[-1].row in (2, 10)


def test_without_expiry_nobody_replaces_it():
    ether = Ether(seed=4)
    for index in range(3):
        ether.add(warm_up_us=S, master_preference=100 - index, anchor_expiry_dws=None)
        ether.run(ether.now + 2 * S)
    ether.run(20 * S)
    ether.nodes[0].on = False
    ether.run(40 * S)
    assert ether.anchors == set()


def test_an_anchor_master_that_lowers_its_rank_is_left():
    ether = Ether(seed=1)
    for index in range(3):
        ether.add(warm_up_us=S, master_preference=(90, 50, 10)[index])
        ether.run(ether.now + 2 * S)
    ether.run(15 * S)
    assert ether.anchors == {ether.nodes[0].cluster.nmi}
    ether.nodes[0].cluster.prefer(20, ether.now)
    ether.run(25 * S)
    assert ether.anchors == {ether.nodes[1].cluster.nmi}
    assert 6 in {e.row for n in ether.nodes for e in n.of(AnchorChanged)}
    assert {n.cluster.record.address for n in ether.nodes} == {
        ether.nodes[1].cluster.rank & (1 << 48) - 1
    }


# --- merging ----------------------------------------------------------------------------------------


def merged(**second: object) -> Ether:
    """Two clusters that grew up apart and meet after 10 s; the second's settings may differ."""
    together = [False]
    ether = Ether(lambda i, j: -40 if together[0] else None)
    common = {"warm_up_us": S, "search_interval_us": 5 * S}
    ether.add(**common, cluster_id=CLUSTER, first_tsf_us=0)
    ether.run(3 * S)
    ether.add(**common | {"cluster_id": OTHER, "first_tsf_us": 777} | second)
    ether.run(10 * S)
    assert ether.clusters == {CLUSTER, OTHER}
    together[0] = True
    ether.run(40 * S)
    return ether


def test_the_older_cluster_wins_at_equal_preference():
    ether = merged()
    assert ether.clusters == {CLUSTER}
    event = ether.nodes[1].of(ClusterMerged)[0]
    assert (event.before, event.cluster_id) == (OTHER, CLUSTER)
    assert ether.nodes[0].of(ClusterMerged) == []
    assert any(e.jump for e in ether.nodes[1].of(TsfAdjusted))
    assert len(ether.anchors) == 1


def test_a_higher_preference_wins_over_age():
    ether = merged(master_preference=3)
    assert ether.clusters == {OTHER}


def test_equal_grades_are_decided_by_the_rank_of_the_anchor_master():
    tsf = 5 * DW + 100
    for address, joins in (("02:00:00:00:00:09", True), ("02:00:00:00:00:00", False)):
        node = Ether().add(nmi="02:00:00:00:00:05", cluster_id=CLUSTER, first_tsf_us=0).cluster
        node.handle_timer(S)
        assert node.phase == "warm_up"
        octets = beacon_of(address, cluster_id=OTHER, preference=0, factor=0, tsf=tsf, interval=100)
        node.receive(hear(octets, -40, 6), tsf + airtime_us(len(octets), 6))
        assert (node.cluster_id == OTHER) == joins


def test_the_low_19_bits_of_the_clock_do_not_count():
    node = Ether().add(nmi="02:00:00:00:00:05", cluster_id=CLUSTER, first_tsf_us=0).cluster
    node.handle_timer(S)
    octets = beacon_of(
        "02:00:00:00:00:01", cluster_id=OTHER, preference=0, factor=0, tsf=6 * DW - 1, interval=100
    )
    node.receive(hear(octets, -40, 6), 5 * DW + 1000)
    assert node.cluster_id == CLUSTER
    newer = stamped(octets, 6 * DW)
    node.receive(hear(newer, -40, 6), 5 * DW + 2000)
    assert node.cluster_id == OTHER


def test_joining_ends_warm_up():
    ether = Ether(seed=3)
    ether.add(warm_up_us=300 * S, first_tsf_us=0)
    ether.add(warm_up_us=300 * S, first_tsf_us=3 * DW)
    ether.run(30 * S)
    assert len(ether.clusters) == 1
    joined = next(n for n in ether.nodes if n.of(ClusterMerged))
    assert joined.cluster.phase == "up"
    assert joined.cluster.rank >> 56 == 2


# --- clock and windows ------------------------------------------------------------------------------


def synced(**settings: object) -> Cluster:
    """A device that follows YOU in CLUSTER; its TSF is local time."""
    node = Cluster(
        ME, ClusterSettings(first_tsf_us=0, search_interval_us=0, **settings), draw_of(1), 0
    )
    octets = beacon_of(preference=250, tsf=300_000)
    node.receive(hear(octets, -40, 6), 300_000 + airtime_us(len(octets), 6))
    assert node.cluster_id == CLUSTER
    assert node.offset_us == 0
    drain(node)
    return node


def drain(node: Cluster) -> list[object]:
    out: list[object] = []
    while (event := node.next_event()) is not None:
        out.append(event)
    return out


def arrive(node: Cluster, at: int, ahead_us: int) -> None:
    """A beacon of the anchor master whose clock is ahead, begun at `at`."""
    octets = beacon_of(preference=250, tsf=at + ahead_us)
    node.receive(hear(octets, -60, 6), at + airtime_us(len(octets), 6))


@pytest.mark.parametrize(
    ("ahead", "moved"), [(5, 2), (-5, -2), (1, 0), (6, 6), (-700, -700), (4096, 4096)]
)
def test_small_corrections_are_halved(ahead, moved):
    node = synced()
    node.handle_timer(DW)
    arrive(node, DW + 1000, ahead)
    assert node.offset_us == moved
    assert [e.jump for e in drain(node) if isinstance(e, TsfAdjusted)] == ([False] if moved else [])
    assert node.window == 2


def test_one_correction_in_an_interval():
    node = synced()
    node.handle_timer(DW)
    arrive(node, DW + 1000, 1000)
    arrive(node, DW + 2000, 3000)
    assert node.offset_us == 1000
    node.handle_timer(2 * DW)
    arrive(node, 2 * DW + 1000, 3000)
    assert node.offset_us == 3000


def test_a_jump_ends_the_window_and_the_next_one_is_of_the_new_clock():
    node = synced()
    node.handle_timer(DW)
    assert node.window == 2
    arrive(node, DW + 1000, 200_000)
    assert node.window == 0
    kinds = [type(e) for e in drain(node)]
    assert kinds[-2:] == [TsfAdjusted, WindowClosed]
    while not node.window:
        node.handle_timer(node.next_timer())
    assert drain(node)[-1] == WindowOpened(
        band=2, channel=6, index=2, until_us=2 * DW - 200_000 + timing.DW_US
    )


def test_a_stale_ambtt_moves_no_clock():
    node = synced(wake_2_4=5)
    record = node.record
    late = record.ambtt_us + STALE_US + 1000
    octets = beacon_of(THIRD, anchor=record.rank, hops=1, ambtt=record.ambtt_us + 1, tsf=late + 999)
    node.receive(hear(octets, -60, 6), late + airtime_us(len(octets), 6))
    assert node.record == record
    assert node.offset_us == 0


def test_a_relayed_beacon_refreshes_but_only_a_newer_ambtt_does():
    node = synced()
    before = node.record
    node.handle_timer(DW)
    for ambtt, hops, expected in (
        (before.ambtt_us, 3, before),
        (before.ambtt_us + 10, 3, Record(before.rank, 1, before.ambtt_us + 10)),
        (before.ambtt_us + 5, 3, Record(before.rank, 1, before.ambtt_us + 10)),
    ):
        octets = beacon_of(THIRD, anchor=before.rank, hops=hops, ambtt=ambtt, tsf=DW + 500)
        node.receive(hear(octets, -60, 6), DW + 500 + airtime_us(len(octets), 6))
        assert node.record == expected


def test_a_lost_way_and_a_found_one():
    node = synced(anchor_expiry_dws=None)
    rank, ambtt = node.record.rank, node.record.ambtt_us
    for interval in range(1, 5):
        node.handle_timer(interval * DW)
        octets = beacon_of(THIRD, anchor=rank, hops=4, ambtt=ambtt + interval, tsf=interval * DW)
        node.receive(hear(octets, -60, 6), interval * DW + airtime_us(len(octets), 6))
        node.handle_timer(interval * DW + timing.DW_US)
    assert node.record.hop_count == 255
    node.handle_timer(5 * DW)
    octets = beacon_of(THIRD, anchor=rank, hops=4, ambtt=ambtt + 9, tsf=5 * DW)
    node.receive(hear(octets, -60, 6), 5 * DW + airtime_us(len(octets), 6))
    assert node.record.hop_count == 5


@pytest.mark.parametrize("wake", [1, 2, 3, 4, 5])
def test_windows_are_attended_as_committed(wake):
    node = synced(wake_2_4=wake, anchor_expiry_dws=None)
    while node.next_timer() < 34 * DW:
        node.handle_timer(node.next_timer())
    opened = [e for e in drain(node) if isinstance(e, WindowOpened)]
    assert [e.index for e in opened] == [
        n % 16 for n in range(1, 34) if n % 16 % (1 << wake - 1) == 0
    ]
    assert all(e.band == 2 and e.channel == 6 for e in opened)
    assert [(e.until_us - timing.DW_US) % DW for e in opened] == [0] * len(opened)


def test_windows_of_5_ghz_follow_128_tu_later():
    node = synced(wake_5=2, channel_5=44)
    sent: list[BeaconOutgoing] = []
    while node.next_timer() < 6 * DW:
        node.handle_timer(at := node.next_timer())
        sent += node.to_send(at)
    opened = [e for e in drain(node) if isinstance(e, WindowOpened)]
    starts = [(e.until_us - timing.DW_US, e.channel) for e in opened]
    assert (2 * DW, 6) in starts
    assert [at for at, channel in starts if channel == 44] == [n * DW + 128 * 1024 for n in (2, 4)]
    beacons = [out for out in sent if out.name == "sync_beacon"]
    assert {out.channel for out in beacons} == {6, 44}


def test_roles_are_evaluated_at_the_end_of_the_last_window_of_the_interval():
    node = synced(wake_5=1)
    node.handle_timer(DW)
    arrive(node, DW + 1000, 0)
    octets = beacon_of(THIRD, preference=9, tsf=DW + 3000)
    node.receive(hear(octets, -40, 6), DW + 3000 + airtime_us(len(octets), 6))
    node.handle_timer(DW + timing.DW_US)
    assert node.role == MASTER
    node.handle_timer(DW + 128 * 1024)
    node.handle_timer(DW + 128 * 1024 + timing.DW_US)
    assert node.role == SYNC


def test_discovery_beacons_are_on_multiples_of_their_period_and_outside_windows():
    for period in (50, 100, 200):
        node = Cluster(
            ME,
            ClusterSettings(first_tsf_us=77_000, discovery_beacon_tu=period, warm_up_us=0),
            draw_of(2),
            0,
        )
        due: list[int] = []
        while (at := node.next_timer()) < 12 * S:
            node.handle_timer(at)
            due += [node.tsf_us(at) for out in node.to_send(at) if out.name == "discovery_beacon"]
        assert len(due) > 12 * S // (period * 1024) * 0.8
        assert all(tsf % (period * 1024) == 0 and not timing.in_dw(tsf) for tsf in due)


def test_who_is_not_synchronised_by_choice_sends_no_beacons():
    ether = Ether(seed=2)
    ether.add(warm_up_us=S, master_preference=200)
    ether.run(3 * S)
    node = ether.add(warm_up_us=S)
    ether.run(15 * S)
    assert node.cluster.role == NON_SYNC
    assert not [at for at, sender, _ in ether.sent if sender == 1 and at > 10 * S]
    assert [(e.before, e.after) for e in node.of(RoleChanged)][-2:] == [
        (MASTER, SYNC),
        (SYNC, NON_SYNC),
    ]


def test_a_device_that_is_up_searches_from_time_to_time():
    node = synced(anchor_expiry_dws=None)
    looking = Cluster(ME, ClusterSettings(search_interval_us=7 * S, warm_up_us=0), draw_of(5), 0)
    while looking.next_timer() < 60 * S:
        looking.handle_timer(looking.next_timer())
    events = drain(looking)
    starts = [e.until_us for e in events if isinstance(e, SearchStarted)]
    assert len([e for e in events if isinstance(e, SearchEnded)]) in (len(starts), len(starts) - 1)
    assert {b - a for a, b in itertools.pairwise(starts[1:])} == {7 * S}
    while node.next_timer() < 60 * S:
        node.handle_timer(node.next_timer())
    assert not [e for e in drain(node) if isinstance(e, SearchStarted)]


# --- settings, numbers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"master_preference": 255}, "master_preference is 0 to 254"),
        ({"rssi_close_dbm": -61}, "rssi_close_dbm is -60 or more"),
        ({"rssi_middle_dbm": -50}, "below rssi_close_dbm"),
        ({"discovery_beacon_tu": 49}, "50 to 200"),
        ({"wake_2_4": 0}, "wake_2_4 is 1 to 5"),
        ({"random_factor_dws": (240, 120)}, "random_factor_dws"),
        ({"channel_5": 36}, "44 or 149"),
    ],
)
def test_settings_that_the_specification_does_not_allow(settings, message):
    with pytest.raises(UsageError, match=message):
        ClusterSettings(**settings)


def test_counts_given_for_a_window_stand_for_its_beacons():
    node = synced()
    node.handle_timer(DW)
    arrive(node, DW + 1000, 0)
    node.count(Counts(close_master=1, middle_master=1))
    node.handle_timer(DW + timing.DW_US)
    assert node.role == SYNC


def test_numbers_of_beacons_never_meet_those_of_a_station():
    node = synced()
    node.handle_timer(3 * DW + 1)
    outs = node.to_send(3 * DW + 1)
    assert [out.number for out in outs] == list(range(-1, -len(outs) - 1, -1))
    assert msgspec.structs.asdict(outs[0])["engine"] == "cluster"
    node.sent(outs[0].number, True, 3 * DW + 2)


@pytest.mark.parametrize(
    ("octets", "channel", "rate", "expected"),
    [
        (14 - 4, 6, 6, 20 + 24 + 6),  # an Ack: 134 bits in 6 symbols of 24
        (14 - 4, 149, 6, 44),
        (1500 - 4, 149, 54, 20 + 4 * 56),  # 12022 bits in 56 symbols of 216
        (63, 6, 6, 20 + 4 * 24 + 6),
    ],
)
def test_airtime_is_that_of_the_standard(octets, channel, rate, expected):
    assert airtime_us(octets, channel, rate) == expected


def test_rates_that_ofdm_does_not_have_are_refused():
    with pytest.raises(UsageError, match="rate 11"):
        airtime_us(100, 6, 11)


def test_a_beacon_whose_clock_cannot_be_is_no_beacon():
    """A time stamp near the end of its 64 bits would have the best grade of all, and whoever took it would overflow."""
    draw = draw_of(1)
    other = Cluster(
        "02:00:00:00:00:99", ClusterSettings(master_preference=254, warm_up_us=0), draw, 0
    )
    ours = Cluster("02:00:00:00:00:01", ClusterSettings(), draw, 0)
    sent: list[bytes] = []
    while not sent:
        now = other.next_timer()
        other.handle_timer(now)
        sent = [stamped(out.octets, other.tsf_us(now)) for out in other.to_send(now)]
    hostile = sent[0][:24] + (2**64 - 1_000_000).to_bytes(8, "little") + sent[0][32:]
    ours.receive(hear(hostile, -40, 6), now)
    assert not ours.cluster_id
    ours.receive(hear(sent[0], -40, 6), now)
    assert ours.cluster_id == other.cluster_id
