"""Crowds: the sweep against a plain oracle, the crowd against the same devices one by one on the plain air."""

from __future__ import annotations

import itertools
import math
import os
import random
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from protocols.errors import UsageError
from sim.air import Air, AirSettings, Outcome, Path, Radio, Reception, Sniffer, Transmission
from sim.clock import VirtualLoop
from sim.crowd import (
    ADV_IND,
    ADV_SCAN_IND,
    SLICE_US,
    Crowd,
    Member,
    advertising_pdu,
    pdu_duration_us,
)
from sim.crowd_listener import CrowdListener, Report, advertising_report
from sim.crowd_member import ADV_DIRECT_IND, GAP_US
from sim.rng import Streams
from sim.sweep import sweep

if TYPE_CHECKING:
    from collections.abc import Iterator

CELL_M = 20.0


LOOPS: list[VirtualLoop] = []


def world(settings: dict[str, Any], seed: int = 6) -> Air:
    LOOPS.append(VirtualLoop())
    return Air(LOOPS[-1], Streams(seed), AirSettings(**settings))


@pytest.fixture(autouse=True)
def close_loops() -> Iterator[None]:
    yield
    while LOOPS:
        LOOPS.pop().close()


# The sweep


def overlaps_one_by_one(
    packets: list[tuple[int, int]], power_mw: dict[int, float], duration_us: list[int]
):
    """Every packet against every other."""
    audible = [(start, m, start + duration_us[m]) for start, m in packets if m in power_mw]
    for i, (start, m, end) in enumerate(audible):
        others = [o for j, o in enumerate(audible) if j != i and o[0] < end and o[2] > start]
        yield start, m, sum(power_mw[o[1]] for o in others)


@pytest.mark.parametrize("seed", range(30))
def test_sweep_equals_every_packet_against_every_other(seed: int):
    rng = random.Random(seed)
    members = rng.choice((1, 2, 5, 40))
    duration_us = [rng.choice((1, 80, 128, 376)) for _ in range(members)]
    power_mw = {
        m: 2.0 ** rng.randrange(-40, 0) for m in range(members) if rng.random() < 0.8
    }  # sums are exact
    span_us = rng.choice((500, 5_000, 100_000))
    packets = sorted(
        {(rng.randrange(span_us), rng.randrange(members)) for _ in range(rng.randrange(120))}
    )
    keys = [start << 6 | m for start, m in packets]
    assert sorted(sweep(keys, 6, power_mw, duration_us)) == list(
        overlaps_one_by_one(packets, power_mw, duration_us)
    )


def test_sweep_of_nothing_and_of_the_inaudible():
    assert sweep([], 4, {}, []) == []
    assert sweep([0 << 4 | 1, 5 << 4 | 1], 4, {0: 1.0}, [10, 10]) == []


# PDUs and reports


def test_pdu_and_its_time_on_air():
    """ADV_NONCONN_IND with a random address; 31 octets of data are 376 us at LE 1M, none 128 us."""
    pdu = advertising_pdu(bytes.fromhex("0605040302c1"), bytes.fromhex("020106"))
    assert pdu.hex() == "4209" + "0605040302c1" + "020106"
    assert pdu_duration_us(advertising_pdu(bytes(6), bytes(31))) == 376
    assert pdu_duration_us(advertising_pdu(bytes(6), b"")) == 128
    for address, data in [(bytes(5), b""), (bytes(6), bytes(32))]:
        with pytest.raises(UsageError):
            advertising_pdu(address, data)


@pytest.mark.parametrize(
    ("pdu_type", "random_address", "rssi_dbm", "expected"),
    [
        (2, True, -60, "043e0f" + "0201" + "0301" + "0605040302c1" + "03020106" + "c4"),
        (0, False, -127, "043e0f" + "0201" + "0000" + "0605040302c1" + "03020106" + "81"),
        (6, True, 4, "043e0f" + "0201" + "0201" + "0605040302c1" + "03020106" + "04"),
        (1, True, 40, "043e0c" + "0201" + "0101" + "0605040302c1" + "00" + "14"),
    ],
)
def test_report_bytes(pdu_type: int, random_address: bool, rssi_dbm: int, expected: str):
    """Laid out by hand after Core Vol 4 Part E 7.7.65.2: RSSI signed, -127..+20; a directed report has no data."""
    pdu = advertising_pdu(
        bytes.fromhex("0605040302c1"),
        bytes.fromhex("020106"),
        pdu_type=pdu_type,
        random_address=random_address,
    )
    assert advertising_report(pdu, rssi_dbm).hex() == expected


@pytest.mark.parametrize(
    "member",
    [
        Member((0, 0, 0), 19_999, advertising_pdu(bytes(6), b"")),
        Member((0, 0, 0), 10_240_001, advertising_pdu(bytes(6), b"")),
        Member((0, 0, 0), 100_000, b"\x02\x05\0\0\0\0\0"),
        Member((0, 0, 0), 100_000, bytes(40)),
    ],
)
def test_members_that_are_no_legacy_advertisers_are_refused(member: Member):
    with pytest.raises(UsageError, match="beacons/0"):
        Crowd(world({}), "beacons", [member])


# The crowd against the plain air


def some_members(n: int, seed: int, *, spread_m: float = 60.0) -> list[Member]:
    rng = random.Random(seed)
    return [
        Member(
            (rng.uniform(-spread_m, spread_m), rng.uniform(-spread_m, spread_m), rng.uniform(0, 3)),
            rng.choice((20_000, 25_000, 30_000)),
            advertising_pdu(bytes([i, 0, 0, 0, 0, 0xC0]), bytes(rng.randrange(32))),
            rng.choice((-8, 0, 4)),
        )
        for i in range(n)
    ]


class Ear(Radio):
    """Keeps what it hears in comparable form."""

    def __init__(self, name: str, x: float, y: float, **options: int) -> None:
        super().__init__(name, (x, y, 1.0), **options)
        self.heard: list[tuple[int, object, str, bytes, int, int]] = []

    def on_air(self, reception: Reception) -> None:
        sent = reception.transmission
        self.heard.append(
            (sent.end_us, sent.channel, sent.sender, sent.data, sent.power_dbm, reception.rssi_dbm)
        )


class Plain(Radio):
    """An advertiser of the plain air: draws its delays as the crowd documents them."""

    def on_air(self, reception: Reception) -> None:
        raise AssertionError("does not listen")


def event_times(members: list[Member], streams: Streams, name: str, end_us: int) -> list[list[int]]:
    """Times of all events, made slice by slice and cell by cell in the order that sim/crowd.py promises."""
    phases = streams.stream(f"crowd/{name}/phase")
    next_us = [int(phases.random() * (m.interval_us + 5_000)) for m in members]
    cells: dict[tuple[int, int], list[int]] = {}
    for i, m in enumerate(members):
        cells.setdefault(
            (math.floor(m.position[0] / CELL_M), math.floor(m.position[1] / CELL_M)), []
        ).append(i)
    times: list[list[int]] = [[] for _ in members]
    for (x, y), inside in cells.items():
        stream = streams.stream(f"crowd/{name}/cell/{x},{y}")
        for slice_end_us in range(SLICE_US, end_us + SLICE_US + 1, SLICE_US):
            for i in inside:
                while next_us[i] < slice_end_us:
                    times[i].append(next_us[i])
                    next_us[i] += members[i].interval_us + int(stream.random() * 10_001)
    return times


def send_one_by_one(air: Air, members: list[Member], name: str, end_us: int) -> None:
    """Put the same packets on the plain air, three channels per event."""
    for i, (member, times) in enumerate(
        zip(members, event_times(members, Streams(air.streams.seed), name, end_us), strict=True)
    ):
        radio = Plain(f"{name}/{i}", member.position, tx_power_dbm=member.tx_power_dbm)
        air.attach(radio)
        duration_us = (10 + len(member.pdu) - 2) * 8
        for t_us, step in itertools.product(times, range(3)):
            air.loop.at_us(
                t_us + step * (duration_us + GAP_US),
                air.transmit,
                radio,
                37 + step,
                member.pdu,
                duration_us,
            )


SETTINGS: list[dict[str, Any]] = [
    {"path_loss_exponent": 3.0, "capture_db": 6.0},
    {"path_loss_exponent": 2.0},
    {"path_loss_exponent": 3.5, "capture_db": 10.0, "shadowing_sigma_db": 6.0},
    {"path_loss_exponent": 3.0, "collisions": False},
]
END_US = 3_300_000


def ears(air: Air) -> list[Ear]:
    """Two radios that listen from the start, one on all channels, one that changes channel every 70 ms, one moves."""
    still = Ear("still", 0.0, 0.0, sensitivity_dbm=-90)
    every = Ear("every", 40.0, -30.0)
    changing = Ear("changing", -20.0, 10.0)
    for ear in (still, every, changing):
        air.attach(ear)
    air.listen(still, 38)
    for channel in (37, 38, 39):
        air.listen(every, channel)
    for i, t_us in enumerate(range(0, END_US, 70_000)):
        air.loop.at_us(t_us, air.deafen, changing, 37 + (i - 1) % 3)
        if i % 4:  # now and then it listens to nothing
            air.loop.at_us(t_us, air.listen, changing, 37 + i % 3)
    return [still, every, changing]


def busy_radio(air: Air) -> None:
    """`every` also sends, on another channel too; another radio sends long packets into the crowd."""
    every = next(radio for radio, _ in air.listening() if radio.name == "every")
    loud = Plain("loud", (10.0, 10.0, 1.0), tx_power_dbm=4)
    air.attach(loud)
    for t_us in range(1_000, END_US, 9_973):
        air.loop.at_us(t_us, air.transmit, every, 12, b"data", 300)
        air.loop.at_us(t_us + 4_000, air.transmit, loud, 37 + t_us % 3, b"loud", 2_120)


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("busy", [False, True])
def test_a_crowd_is_heard_like_the_same_devices_one_by_one(settings: dict[str, Any], busy: bool):
    """Every reception at every radio: time, channel, sender, bytes, power. Also of the packets of ordinary radios."""
    members = some_members(40, 11)
    results: list[list[list[tuple[int, object, str, bytes, int, int]]]] = []
    for as_crowd in (False, True):
        air = world(settings)
        if as_crowd:
            Crowd(air, "crowd", members, cell_m=CELL_M)
        else:
            send_one_by_one(air, members, "crowd", END_US)
        listening = ears(air)
        if busy:
            busy_radio(air)
        air.loop.run_until_us(END_US)
        results.append([sorted(ear.heard) for ear in listening])
    assert results[0] == results[1]
    assert all(len(heard) > 200 for heard in results[0])
    if busy:
        assert any(sender == "loud" for heard in results[1] for _, _, sender, *_ in heard)


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("busy", [False, True])
def test_a_crowd_listener_hears_what_a_rotating_radio_hears(settings: dict[str, Any], busy: bool):
    air = world(settings)
    crowd = Crowd(air, "crowd", some_members(40, 12), cell_m=CELL_M)
    reports: list[Report] = []
    listener = CrowdListener(
        crowd,
        "ear",
        (0.0, 0.0, 1.0),
        scan_interval_us=60_000,
        scan_window_us=45_000,
        on_reports=reports.extend,
    )
    counter = CrowdListener(
        crowd, "ear", (0.0, 0.0, 1.0), scan_interval_us=60_000, scan_window_us=45_000
    )
    radio = Ear("ear", 0.0, 0.0)
    air.attach(radio)
    for i, t_us in enumerate(range(0, 2_500_000, 60_000)):
        air.loop.at_us(t_us, air.listen, radio, 37 + i % 3)
        air.loop.at_us(
            t_us + 45_001, air.deafen, radio, 37 + i % 3
        )  # after what ends with the window
    if busy:
        loud = Plain("loud", (10.0, 10.0, 1.0), tx_power_dbm=4)
        air.attach(loud)
        for t_us in range(1_000, 2_500_000, 4_973):
            air.loop.at_us(t_us, air.transmit, loud, 37 + t_us % 3, b"loud", 2_120)
    air.loop.run_until_us(2_500_000)
    listener.flush()
    counter.flush()
    expected = [
        (end_us, advertising_report(data, rssi_dbm))
        for end_us, _, sender, data, _, rssi_dbm in radio.heard
        if sender != "loud" and end_us % 60_000 <= 45_000
    ]
    assert reports == sorted(reports)
    assert sorted(reports) == sorted(expected)
    assert counter.heard == len(reports) > 300
    assert (counter.collisions > 0) is (settings.get("collisions", True) is True)


def test_chance_thins_a_crowd_as_it_thins_the_air():
    """Loss 30 %: what is heard is a subset within 5 sigma of 70 %, for a radio and for a CrowdListener."""

    def run(loss: float) -> tuple[set[tuple[int, object, str, bytes, int, int]], CrowdListener]:
        air = world({"path_loss_exponent": 3.0, "capture_db": 6.0, "loss": loss})
        crowd = Crowd(air, "crowd", some_members(30, 13, spread_m=10.0), cell_m=CELL_M)
        radio = Ear("ear", 0.0, 0.0)
        air.attach(radio)
        air.listen(radio, 37)
        listener = CrowdListener(crowd, "listener", (0.0, 0.0, 1.0))
        air.loop.run_until_us(3_000_000)
        return set(radio.heard), listener

    (everything, all_counted), (some, counted) = run(0.0), run(0.3)
    assert some < everything
    for part, whole in [(len(some), len(everything)), (counted.heard, all_counted.heard)]:
        assert abs(part - 0.7 * whole) < 5 * math.sqrt(whole * 0.3 * 0.7)
    assert counted.heard + counted.lost == all_counted.heard


def test_fading_brings_packets_over_and_under_the_border():
    """One member exactly at the mean of the sensitivity: about half of its packets are heard."""
    air = world({"fading_sigma_db": 5.0, "path_loss_exponent": 2.0, "reference_loss_db": 40.0})
    crowd = Crowd(air, "crowd", [Member((100.0, 0.0, 1.0), 20_000, advertising_pdu(bytes(6), b""))])
    radio = Ear("ear", 0.0, 0.0, sensitivity_dbm=-80)
    air.attach(radio)
    air.listen(radio, 39)
    listener = CrowdListener(crowd, "listener", (0.0, 0.0, 1.0), sensitivity_dbm=-80)
    air.loop.run_until_us(20_000_000)
    share = 0.54  # whole dBm: -80.5 is still heard, a tenth of a sigma
    for heard, missed in [
        (len(radio.heard), air.counts["out_of_range"]),
        (listener.heard, listener.out_of_range),
    ]:
        packets = heard + missed
        assert packets == pytest.approx(20_000 / 25, rel=0.02)
        assert abs(heard - share * packets) < 5 * math.sqrt(packets) / 2


def test_intervals_are_jittered_by_up_to_ten_milliseconds():
    """Without collisions every event is heard: gaps are interval + 0..10 ms, 5 ms on average; all three channels."""
    air = world({"collisions": False})
    Crowd(air, "crowd", [Member((1.0, 0.0, 1.0), 100_000, advertising_pdu(bytes(6), bytes(20)))])
    radio = Ear("ear", 0.0, 0.0)
    air.attach(radio)
    for channel in (37, 38, 39):
        air.listen(radio, channel)
    air.loop.run_until_us(60_000_000)
    assert [channel for _, channel, *_ in radio.heard[:300]] == [37, 38, 39] * 100
    starts = [end_us for end_us, channel, *_ in radio.heard if channel == 37]
    gaps = [b - a for a, b in itertools.pairwise(starts)]
    assert min(gaps) >= 100_000
    assert max(gaps) <= 110_000
    assert abs(sum(gaps) / len(gaps) - 105_000) < 5 * 10_000 / math.sqrt(12 * len(gaps))
    assert {b[0] - a[0] for a, b in zip(radio.heard[::3], radio.heard[1::3], strict=False)} == {
        288 + GAP_US
    }


# Determinism and lifetime


def hear(
    *, observed: bool = False, sniffers: int = 0, late_us: int = 0, seed: int = 6
) -> list[object]:
    air = world(
        {"path_loss_exponent": 3.0, "capture_db": 6.0, "loss": 0.1, "fading_sigma_db": 2.0}, seed
    )
    Crowd(air, "crowd", some_members(40, 11), cell_m=CELL_M)
    if observed:
        air.observe(lambda sent, outcomes: None)
    for i in range(sniffers):
        sniffer = Sniffer(f"sniffer {i}", (40.0 * i, 0.0, 1.0), lambda _: None)
        air.attach(sniffer)
        for channel in (37, 38, 39):
            air.listen(sniffer, channel)
    radio = Ear("ear", 0.0, 0.0)
    air.attach(radio)
    air.loop.at_us(late_us, air.listen, radio, 37)
    air.loop.run_until_us(3_000_000)
    return list(radio.heard)


def test_same_seed_same_receptions_whoever_else_listens():
    first = hear()
    assert first == hear() == hear(observed=True) == hear(sniffers=3, observed=True)
    assert first != hear(seed=7)


def test_hash_seed_has_no_influence():
    program = (
        "from sim.air import Air, AirSettings, Sniffer\n"
        "from sim.clock import VirtualLoop\n"
        "from sim.crowd import Crowd, Member, advertising_pdu\n"
        "from sim.rng import Streams\n"
        "air = Air(VirtualLoop(), Streams(2), AirSettings(loss=0.1, shadowing_sigma_db=4.0))\n"
        "pdus = [advertising_pdu(bytes([i]) * 6, bytes(i)) for i in range(30)]\n"
        "Crowd(air, 'c', [Member((i * 9.0, 0.0, 0.0), 20_000, pdu) for i, pdu in enumerate(pdus)])\n"
        "for i in range(4):\n"
        "    sniffer = Sniffer(f's{i}', (i * 5.0, 1.0, 0.0), lambda r, i=i: print(i, r.transmission.end_us, r.rssi_dbm))\n"
        "    air.attach(sniffer)\n"
        "    air.listen(sniffer, 37 + i % 3)\n"
        "air.loop.run_until_us(600_000)\n"
        "air.loop.close()\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(outputs) == 1
    assert outputs.pop().count("\n") > 100


def test_a_cell_nobody_heard_catches_up():
    """Listening only from 1.234 s on gives the packets that a radio with company hears from then on."""
    late = hear(late_us=1_234_000)
    assert late == hear(late_us=1_234_000, sniffers=2)
    assert late[0][0] > 1_234_000  # type: ignore[index]
    assert len(late) > 300


def test_observers_get_each_packet_once_with_all_who_listened():
    air = world({"path_loss_exponent": 3.0, "capture_db": 6.0})
    Crowd(air, "crowd", some_members(20, 14, spread_m=10.0), cell_m=CELL_M)
    first, second = Ear("first", 0.0, 0.0), Ear("second", 5.0, 0.0)
    seen: list[tuple[Transmission, tuple[Outcome, ...]]] = []
    air.observe(lambda sent, outcomes: seen.append((sent, outcomes)))
    for ear in (first, second):
        air.attach(ear)
        air.listen(ear, 38)
    air.loop.run_until_us(1_000_000)
    assert len({(sent.sender, sent.start_us) for sent, _ in seen}) == len(seen)
    for ear in (first, second):
        told = [
            (sent.end_us, sent.sender)
            for sent, outcomes in seen
            if any(o.radio == ear.name and not o.reason for o in outcomes)
        ]
        assert sorted(told) == sorted((end_us, sender) for end_us, _, sender, *_ in ear.heard)
    assert any(len(outcomes) == 2 for _, outcomes in seen)
    assert all(sent.number == 0 for sent, _ in seen)


def test_a_walk_through_the_crowd():
    """A radio that walks from one end to the other hears near members louder, and others at the end than at first."""
    air = world({"path_loss_exponent": 3.5, "collisions": False})
    members = [
        Member((x * 10.0, 0.0, 0.0), 50_000, advertising_pdu(bytes([x, 0, 0, 0, 0, 0xC0]), b""))
        for x in range(60)
    ]
    Crowd(air, "crowd", members, cell_m=CELL_M)
    walker = Ear("walker", 0.0, 0.0)
    walker.position = Path([(0, (0.0, 0.0, 1.0)), (60_000_000, (590.0, 0.0, 1.0))])
    air.attach(walker)
    air.listen(walker, 37)
    air.loop.run_until_us(60_000_000)
    rows: dict[str, list[tuple[int, int]]] = {}
    for end_us, _, sender, _, _, rssi_dbm in walker.heard:
        rows.setdefault(sender, []).append((rssi_dbm, end_us))
    assert len(rows) == 60
    for i in range(60):
        loudest_us = max(rows[f"crowd/{i}"])[1]
        assert abs(loudest_us / 60e6 * 590 - i * 10) < 15  # a second of walk is 10 m
    assert max(end_us for _, end_us in rows["crowd/0"]) < 20_000_000


def test_two_crowds_disturb_each_other():
    def heard(crowds: int) -> int:
        air = world({"path_loss_exponent": 3.0})
        for i in range(crowds):
            Crowd(air, f"crowd {i}", some_members(60, i, spread_m=5.0))
        radio = Ear("ear", 0.0, 0.0)
        air.attach(radio)
        air.listen(radio, 37)
        air.loop.run_until_us(2_000_000)
        return sum(sender.startswith("crowd 0/") for _, _, sender, *_ in radio.heard)

    assert 0 < heard(2) < heard(1) * 0.7


def beacons_and_listener(**options: Any) -> tuple[Air, CrowdListener]:
    air = world({"path_loss_exponent": 3.0})
    crowd = Crowd(air, "crowd", some_members(10, 3, spread_m=5.0))
    return air, CrowdListener(crowd, "listener", (0.0, 0.0, 1.0), **options)


def test_a_crowd_nobody_hears_costs_no_events():
    air, listener = beacons_and_listener()
    air.loop.run_until_us(1_300_000)
    listener.stop()
    heard = listener.heard
    assert heard > 0
    air.loop.run_until_us(2_000_000)
    assert air.loop._next_us() is None
    assert listener.heard == heard


@pytest.mark.parametrize(("interval_us", "window_us"), [(100_000, 0), (100_000, 100_001)])
def test_a_scan_window_that_does_not_fit_is_refused(interval_us: int, window_us: int):
    with pytest.raises(UsageError, match="scan window"):
        beacons_and_listener(scan_interval_us=interval_us, scan_window_us=window_us)


def test_pdu_types_reach_the_reports():
    kinds = {ADV_IND: 0, ADV_DIRECT_IND: 1, ADV_SCAN_IND: 2, 2: 3}
    air = world({"collisions": False})
    members = [
        Member(
            (1.0, 0.0, 1.0),
            20_000,
            advertising_pdu(bytes([kind, 0, 0, 0, 0, 0xC0]), bytes(6), pdu_type=kind),
        )
        for kind in kinds
    ]
    reports: list[Report] = []
    CrowdListener(
        Crowd(air, "crowd", members), "listener", (0.0, 0.0, 1.0), on_reports=reports.extend
    )
    air.loop.run_until_us(1_000_000)
    assert {(event[7], event[5]) for _, event in reports} == set(kinds.items())
