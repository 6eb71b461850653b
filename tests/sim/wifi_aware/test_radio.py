"""NAN radios: when they listen and send, contention, acknowledgements and retries, clusters that merge, captures."""

from __future__ import annotations

import hashlib
import itertools
import os
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from protocols.capture import writer_for
from protocols.wifi_aware import timing
from protocols.wifi_aware.airtime import airtime_us
from protocols.wifi_aware.attributes import Attr, make
from protocols.wifi_aware.attributes.nan_availability import AvailabilityEntry, NanAvailability
from protocols.wifi_aware.channels import entry_of
from protocols.wifi_aware.heard import NETWORK_ID
from protocols.wifi_aware.openings import GUARD_US
from protocols.wifi_aware.schedule import bitmap_of
from sim.air import Sniffer
from sim.air_capture import AirTap
from sim.trace import line_of
from sim.wifi_aware.contention import Backoff
from tests.judges import judge
from tests.sim.wifi_aware.nan_field import NanField, S, pair

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIELDS: list[NanField] = []
WIFI_6 = ("wifi", 6)


@pytest.fixture(autouse=True)
def close_loops(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    made = NanField.__init__

    def keep(self: NanField, *args: Any, **more: Any) -> None:
        made(self, *args, **more)
        FIELDS.append(self)

    monkeypatch.setattr(NanField, "__init__", keep)
    yield
    while FIELDS:
        FIELDS.pop().loop.close()


def in_window(field: NanField, index: int, t_us: int) -> bool:
    return timing.in_dw(field.radios[index].tsf_us(t_us))


# --- listening --------------------------------------------------------------------------------------


def test_a_radio_hears_in_its_windows_and_nowhere_else():
    field, first, _ = pair()
    field.run(20 * S)
    for event in field.on_air(node="n0"):
        if event.t_us < 6 * S:
            continue
        inside = in_window(field, 1, event.fields["began_us"])
        assert event.fields["outcomes"]["n1"] == ("heard" if inside else "not_listening")
    kinds = {e.event for e in field.on_air(node="n0") if e.t_us > 6 * S}
    assert kinds == {"sync_beacon", "discovery_beacon"}
    assert first.windows


def test_a_radio_listens_all_the_time_while_it_scans():
    field = NanField()
    field.add(scan_us=3 * S)
    assert field.air.listening() == [(field.radios[0], WIFI_6)]
    field.run(3 * S + 1)
    assert field.air.listening() == []


def test_the_fourth_wake_value_attends_every_eighth_window():
    field = NanField()
    node = field.add(wake_2_4=4)
    field.run(30 * S)
    indices = {timing.dw_index(field.radios[0].tsf_us(t)) for t in node.windows}
    assert indices == {0, 8}
    assert len(node.windows) == len([*range(0, 30 * S, 8 * timing.DW_INTERVAL_US)]) - 1


def test_a_frame_waits_for_a_window_that_its_receiver_attends():
    field = NanField(3)
    first = field.add(master_preference=200)
    field.run(2 * S)
    second = field.add((3.0, 0.0, 0.0), wake_2_4=4)
    field.run(7 * S)
    second.give(NETWORK_ID, second.capability(4))
    field.run(12 * S)
    assert first.heard
    asked = field.loop.now_us
    first.give(second.nmi)
    field.run(25 * S)
    (left, _), (done, _, acked) = first.left[-1], first.results[-1]
    assert acked
    assert done - left < 2000
    assert timing.dw_index(field.radios[0].tsf_us(left)) in (0, 8)
    assert left > asked
    assert len(second.heard) == 1


def test_out_of_range_means_not_heard_and_two_clusters():
    field = NanField(path_loss_exponent=3.0)
    field.add()
    field.add((600.0, 0.0, 0.0))
    field.run(10 * S)
    reasons = {o for e in field.on_air() for o in e.fields["outcomes"].values()}
    assert reasons == {"out_of_range", "not_listening"}
    assert field.radios[0].cluster.cluster_id != field.radios[1].cluster.cluster_id


def test_path_loss_is_7_db_more_at_5_ghz():
    field, *_ = pair(gap_m=10.0, wake_5=1)
    field.run(12 * S)
    by_channel: dict[int, set[int]] = {}
    for event in field.on_air("sync_beacon", "n0"):
        if "n1" in event.fields["signal_dbm"]:
            channel = event.fields["channel"]
            by_channel.setdefault(channel, set()).add(event.fields["signal_dbm"]["n1"])
    assert by_channel == {6: {15 - 60}, 149: {15 - 60 - 8}}  # 40.2 + 20 dB; 7.44 dB more


def test_what_is_switched_off_falls_silent_and_deaf():
    field, first, _ = pair()
    first.give()
    field.radios[0].stop()
    stopped = field.loop.now_us
    field.run(12 * S)
    assert not [e for e in field.on_air(node="n0") if e.t_us > stopped + 1000]
    assert all(radio is not field.radios[0] for radio, _ in field.air.listening())
    assert not first.results


def test_another_address_means_leaving_and_joining_again():
    field, first, second = pair()
    second.nmi = "02:00:00:00:00:99"
    field.radios[1].kick()
    assert field.radios[1].cluster.phase == "scan"
    field.run(9 * S)
    assert second.engine.station.cluster_id == first.engine.station.cluster_id
    beacons = [e for e in field.on_air(node="n1") if e.t_us > 7 * S]
    assert {e.data[10:16].hex() for e in beacons if e.data and e.data[0] == 0x80} <= {
        "020000000099"
    }
    first.give("02:00:00:00:00:99")
    first.give("02:00:00:00:00:02")
    field.run(12 * S)
    assert [acked for *_, acked in first.results] == [True, False]


# --- acknowledgements -------------------------------------------------------------------------------


def dropping(field: NanField, receiver: str, count: int, *, control: int) -> None:
    """Take the next `count` frames with that first octet from a receiver."""
    left = [count]

    def stops(radio: Any, sender: str, data: bytes, meta: Any) -> str:
        if radio.name == receiver and data[0] == control and left[0]:
            left[0] -= 1
            return "dropped"
        return ""

    field.air.filter(stops)


def test_a_unicast_frame_is_acknowledged_a_sifs_later():
    field, first, second = pair()
    number = first.give(second.nmi)
    field.run(7 * S)
    frame, ack = field.on_air("sdf")[0], field.on_air("ack")[0]
    assert ack.node == "n1"
    assert ack.fields["began_us"] - frame.t_us == 10
    assert ack.t_us - ack.fields["began_us"] == 50  # 44 us and the signal extension of 2.4 GHz
    assert ack.data is not None
    assert ack.data == bytes.fromhex("d4000000") + bytes.fromhex("020000000001")
    assert ack.cause == frame.seq
    assert [(n, acked) for _, n, acked in first.results] == [(number, True)]
    assert len(second.heard) == 1


def test_of_many_senders_the_latest_repeat_themselves_in_vain():
    field, *_ = pair()
    mac = field.radios[0]._mac

    def frame(number: int) -> bytes:
        return b"\xd0\x08" + bytes(8) + number.to_bytes(6, "big") + bytes(6) + b"\x10\x00"

    assert not any(mac.is_repeated(frame(number)) for number in range(20_000))
    assert len(mac._last) <= 1024
    assert mac.is_repeated(frame(19_999))
    assert not mac.is_repeated(frame(0))


def test_a_lost_frame_is_sent_again_with_the_retry_bit():
    field, first, second = pair()
    dropping(field, "n1", 2, control=0xD0)
    first.give(second.nmi)
    field.run(7 * S)
    sent = field.on_air("sdf")
    assert [bool(e.fields.get("again")) for e in sent] == [False, True, True]
    assert [e.data[1] & 0x08 for e in sent if e.data] == [0, 8, 8]
    assert len({e.data[22:24] for e in sent if e.data}) == 1
    assert [acked for *_, acked in first.results] == [True]
    assert len(second.heard) == 1
    assert len(first.left) == 1


def test_a_frame_whose_ack_was_lost_arrives_once():
    field, first, second = pair()
    dropping(field, "n0", 1, control=0xD4)
    first.give(second.nmi)
    first.give(second.nmi)
    field.run(7 * S)
    assert len(field.on_air("sdf")) == 3
    assert len(field.on_air("ack")) == 3
    assert len(second.heard) == 2
    assert [acked for *_, acked in first.results] == [True, True]


def test_nobody_answers_and_the_frame_is_given_up():
    field, first, _ = pair()
    first.give("02:00:00:00:00:77")
    field.run(8 * S)
    assert len(field.on_air("sdf")) == 8
    assert [acked for *_, acked in first.results] == [False]


def test_group_frames_are_sent_once_and_not_acknowledged():
    field, first, second = pair()
    dropping(field, "n1", 1, control=0xD0)
    first.give()
    field.run(8 * S)
    assert len(field.on_air("sdf")) == 1
    assert not field.on_air("ack")
    assert [acked for *_, acked in first.results] == [True]
    assert not second.heard


def test_both_addresses_of_a_node_are_acknowledged_and_no_others():
    field, first, second = pair()
    first.give(second.engine.station.settings.ndi)
    field.run(7 * S)
    assert [acked for *_, acked in first.results] == [True]


# --- when frames go ---------------------------------------------------------------------------------


def test_frames_leave_in_order_and_within_the_window():
    field, first, second = pair()
    for n in range(30):
        first.give(second.nmi if n % 2 else NETWORK_ID, name=str(n))
    field.run(10 * S)
    assert [name for _, name in first.left] == [str(n) for n in range(30)]
    for event in field.on_air():
        if event.event in ("sdf", "ack"):
            radio = field.radios[0]
            start = timing.dw_start(radio.tsf_us(event.fields["began_us"]))
            assert radio.tsf_us(event.t_us) <= start + timing.DW_US - GUARD_US


def test_a_frame_that_finds_no_room_waits_for_the_next_window():
    field, first, _ = pair()
    for _n in range(12):
        first.give(NETWORK_ID, Attr(0xDD, bytes(2000)))
    field.run(9 * S)
    starts = Counter(timing.dw_start(field.radios[0].tsf_us(t)) for t, _ in first.left)
    fit = (timing.DW_US - GUARD_US) // airtime_us(24 + 6 + 3 + 2000, 6)
    assert fit == 5
    assert max(starts.values()) <= fit
    assert starts.total() == 12
    assert len(starts) == 3


def test_a_frame_too_late_for_any_window_is_lost():
    field = NanField()
    node = field.add(scan_us=90 * S)
    node.give("02:00:00:00:00:77")
    field.run(30 * S)
    assert [acked for *_, acked in node.results] == []
    field.run(95 * S)
    assert [acked for *_, acked in node.results] == [False]
    assert not field.on_air("sdf")


def test_at_once_is_at_once():
    field, first, _ = pair()
    field.run(6 * S + 300_000)
    field.run(field.loop.now_us + (0 if not in_window(field, 0, field.loop.now_us) else 20_000))
    asked = field.loop.now_us
    first.give(NETWORK_ID, at_once=True)
    field.run(asked + 1000)
    assert len(first.left) == 1
    assert first.left[0][0] - asked < 28 + 16 * 9


def availability(slots: frozenset[int], channel: int = 6) -> Attr:
    entry = AvailabilityEntry(
        type=1,
        usage_preference=0,
        utilization=7,
        rx_nss=2,
        time_bitmap=bitmap_of(slots),
        non_contiguous=False,
        channels=(entry_of(81, channel),),
    )
    return make(
        NanAvailability(
            sequence_id=1,
            map_id=1,
            committed_changed=True,
            potential_changed=False,
            public_availability_changed=False,
            ndc_changed=False,
            entries=(entry,),
        )
    )


SLOTS = frozenset(start + slot for start in range(0, 512, 32) for slot in (10, 11, 12, 20))


def test_committed_slots_of_both_sides_carry_unicast_frames():
    field, first, second = pair(seed=5)
    theirs = frozenset(start + slot for start in range(0, 512, 32) for slot in (11, 12, 25))
    field.radios[0].commit({6: SLOTS})
    field.radios[1].commit({6: theirs})
    second.give(NETWORK_ID, availability(theirs))
    field.run(7 * S)
    assert first.heard
    base = len(first.left)
    for n in range(40):
        first.give(second.nmi)
        field.run(7 * S + n * 37_000)
    field.run(10 * S)
    used = {(slot := timing.slot_of(field.radios[0].tsf_us(t))) % 32 for t, _ in first.left[base:]}
    assert used <= {0, 11, 12}
    assert {11, 12} & used
    assert all(acked for *_, acked in first.results)
    assert slot >= 0


def test_without_slots_of_the_other_side_frames_wait_for_windows():
    field, first, second = pair(seed=5)
    field.radios[0].commit({6: SLOTS})
    for n in range(10):
        first.give(second.nmi)
        field.run(6 * S + n * 200_000)
    field.run(10 * S)
    assert {timing.slot_of(field.radios[0].tsf_us(t)) % 32 for t, _ in first.left} == {0}


def test_a_radio_listens_in_its_own_slots():
    field, first, second = pair(seed=5)
    field.radios[1].commit({6: SLOTS})
    field.run(field.loop.now_us + timing.DW_INTERVAL_US)
    heard = []
    for slot in range(32):
        tsf = field.radios[1].tsf_us(field.loop.now_us)
        ahead = ((slot - timing.slot_of(tsf)) % 32) * timing.SLOT_US - tsf % timing.SLOT_US + 5000
        field.run(field.loop.now_us + ahead % timing.DW_INTERVAL_US)
        before = len(second.heard)
        first.give(NETWORK_ID, at_once=True)
        field.run(field.loop.now_us + 2000)
        if len(second.heard) > before:
            heard.append(slot)
    assert heard == [0, 10, 11, 12, 20]


def test_a_radio_listens_where_unsynchronised_discovery_wants_it():
    field, first, second = pair()
    radio = field.radios[1]
    radio.tune(3, 149)
    radio.tune(4, 149)
    assert (radio, ("wifi", 149)) in field.air.listening()
    radio.tune(3, None)
    assert (radio, ("wifi", 149)) in field.air.listening()
    radio.tune(4, 6)
    assert (radio, ("wifi", 149)) not in field.air.listening()
    assert (radio, WIFI_6) in field.air.listening()
    field.run(field.loop.now_us + 300_000)
    first.give(second.nmi, at_once=True)
    field.run(field.loop.now_us + 3000)
    assert [acked for *_, acked in first.results] == [True]


def test_octets_that_are_no_frame_are_passed_over():
    field, _, second = pair()
    jam = Sniffer("jam", (5.0, 0.0, 0.0), lambda _: None)
    field.air.attach(jam)
    field.radios[1].tune(1, 6)
    for octets in (b"", b"\xd4", bytes(9), bytes(30), b"\xd0" * 12):
        field.air.transmit(jam, WIFI_6, octets, 100)
        field.run(field.loop.now_us + 1000)
    assert not second.heard


# --- clusters ---------------------------------------------------------------------------------------


def test_group_frames_of_another_cluster_go_no_further():
    field, first, second = pair()
    first.engine.station.cluster_id = "50:6f:9a:01:ff:ff"
    first.give()
    first.give(second.nmi)
    field.run(8 * S)
    assert len(second.heard) == 1
    assert second.heard[0][1].frame.destination == second.nmi


def test_two_clusters_merge_when_their_members_meet():
    from sim.propagation import Path

    field = NanField(path_loss_exponent=3.0)
    walk = Path([(12 * S, (900.0, 0.0, 0.0)), (20 * S, (5.0, 0.0, 0.0))])
    common = {"search_interval_us": 5 * S}
    field.add(**common)
    field.add((4.0, 0.0, 0.0), **common)
    field.run(3 * S)
    field.add(walk, **common)
    field.run(12 * S)
    assert len({radio.cluster.cluster_id for radio in field.radios}) == 2
    field.run(40 * S)
    assert {radio.cluster.cluster_id for radio in field.radios} == {
        field.radios[0].cluster.cluster_id
    }
    merged = [e for e in field.events if e.event == "cluster_merged"]
    assert merged[-1].node == "n2"
    now = field.loop.now_us
    assert len({radio.tsf_us(now) for radio in field.radios}) == 1
    assert sum(radio.cluster.is_anchor for radio in field.radios) == 1


def test_beacons_carry_the_clock_of_the_moment_they_leave():
    field, *_ = pair()
    field.run(10 * S)
    for event in field.on_air():
        if event.event.endswith("beacon"):
            assert event.data is not None
            assert int.from_bytes(event.data[24:32], "little") == event.fields["tsft_us"]
    clocks = {field.radios[n].tsf_us(field.loop.now_us) for n in (0, 1)}
    assert len(clocks) == 1


# --- contention -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slots", "busy", "due"),
    [
        (5, [], 1028 + 45),
        (5, [(900, 1000)], 1028 + 45),  # before it began, and a DIFS is over
        (5, [(900, 1010)], 1038 + 45),
        (5, [(1028 + 20, 1300)], 1300 + 28 + 27),  # two slots were counted down
        (5, [(1028 + 45, 1300)], 1028 + 45),  # begins in the same slot: they collide
        (5, [(1050, 1300), (1200, 1500)], 1500 + 28 + 27),
        (0, [(1000, 1100)], 1100 + 28),
    ],
)
def test_a_back_off_counts_down_while_the_channel_is_idle(slots, busy, due):
    assert Backoff(slots, 1000, 28).due_us(busy) == due


def test_radios_in_range_do_not_talk_into_each_other():
    field = NanField(2)
    for n in range(8):
        field.add((float(n), 0.0, 0.0))
        field.run(field.loop.now_us + S // 2)
    field.run(9 * S)
    for node in field.nodes:
        for other in field.nodes:
            if other is not node:
                node.give(other.nmi)
    field.run(12 * S)
    spans = sorted((e.fields["began_us"], e.t_us) for e in field.on_air() if e.t_us > 9 * S)
    overlaps = [(a, b) for a, b in itertools.pairwise(spans) if b[0] < a[1]]
    assert all(a[0] == b[0] for a, b in overlaps)  # only those that chose the same slot
    assert len(overlaps) < len(spans) / 10
    results = [acked for node in field.nodes for *_, acked in node.results]
    assert len(results) == 56
    assert all(results)


def test_the_anchor_master_speaks_first_in_a_window():
    field = NanField(4)
    for n in range(4):
        field.add((25.0 * n, 0.0, 0.0), master_preference=200 - 50 * n)
        field.run(field.loop.now_us + S)
    field.run(20 * S)
    by_window: dict[int, list[str]] = {}
    for event in field.on_air("sync_beacon"):
        if event.t_us > 10 * S:
            start = timing.dw_start(event.fields["tsft_us"])
            by_window.setdefault(start, []).append(event.node)
    assert len(by_window) >= 15
    assert all(nodes[0] == "n0" for nodes in by_window.values())


# --- the trace, captures, determinism ---------------------------------------------------------------


def test_the_trace_tells_who_did_not_hear_and_why_in_integers():
    field, first, second = pair()
    field.add((2000.0, 0.0, 0.0), start=False)
    jam = Sniffer("jam", (5.0, 0.0, 0.0), lambda _: None)
    field.air.attach(jam)
    first.give(second.nmi)
    while not first.left:
        field.run(field.loop.now_us + 10)
    field.air.transmit(jam, WIFI_6, bytes(20), 100, power_dbm=20)
    field.run(field.loop.now_us + 300)
    event = field.on_air("sdf")[0]
    assert event.fields["outcomes"] == {"n1": "collision"}
    assert event.fields["signal_dbm"] == {"n1": 15 - 54}
    for one in field.on_air():
        assert all(isinstance(v, int) for v in one.fields["signal_dbm"].values())
        assert isinstance(one.fields["tsft_us"], int)
        assert one.fields["phy"] == "wifi"


def test_a_node_may_have_a_radio_of_each_kind():
    field, *_ = pair()
    field.air.attach(Sniffer("n0", (0.0, 0.0, 0.0), lambda _: None))
    field.run(7 * S)


def capture(path: Path, nodes: int = 2) -> NanField:
    """Ten seconds of a cluster and a unicast frame, in a file, beside a packet of LE."""
    field = NanField(7)
    with path.open("wb") as stream:
        tap = AirTap(str(path), writer_for(str(path))(stream))
        field.air.observe(tap.on_air)
        for n in range(nodes):
            field.add((float(3 * n), 0.0, 0.0), wake_5=1)
            field.run(field.loop.now_us + 2 * S)
        field.nodes[0].give(field.nodes[1].nmi)
        le = Sniffer("le", (0.0, 0.0, 0.0), lambda _: None)
        field.air.attach(le)
        pdu = bytes.fromhex("4206c6c5c4c3c2c1")
        field.loop.at_us(5 * S, lambda: field.air.transmit(le, 37, pdu, 128))
        field.run(10 * S)
    return field


def test_tshark_reads_a_capture_of_both_kinds(tmp_path: Path):
    path = tmp_path / "air.pcapng"
    field = capture(path)
    fields = [
        "frame.interface_id", "wlan_radio.channel", "radiotap.channel.freq", "wlan.sa", "wlan.ra", "wlan.bssid",
        "wlan.fc.type_subtype", "radiotap.dbm_antsignal", "radiotap.mactime", "wlan.fixed.timestamp",
        "btle.advertising_address", "_ws.malformed",
    ]  # fmt: skip
    command = [judge("tshark"), "-n", "-r", str(path), "-T", "fields"]
    for name in fields:
        command += ["-e", name]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [dict(zip(fields, line.split("\t"), strict=True)) for line in done.stdout.splitlines()]
    wifi = [row for row in rows if row["radiotap.channel.freq"]]
    assert len(rows) == len(field.on_air()) + 1
    assert [row["btle.advertising_address"] for row in rows if row not in wifi] == [
        "c1:c2:c3:c4:c5:c6"
    ]
    assert {row["_ws.malformed"] for row in rows} == {""}
    assert {(row["radiotap.channel.freq"], row["wlan_radio.channel"]) for row in wifi} == {
        ("2437", "6"),
        ("5745", "149"),
    }
    for row, event in zip(wifi, field.on_air(), strict=True):
        octets = event.data or b""
        assert row["wlan.ra"] == octets[4:10].hex(":")
        signals = event.fields["signal_dbm"].values()
        assert int(row["radiotap.dbm_antsignal"]) == max(signals, default=15)
        assert int(row["radiotap.mactime"]) == event.fields["tsft_us"]
        if event.event.endswith("beacon"):
            assert row["wlan.bssid"].startswith("50:6f:9a:01:")
            assert row["wlan.fixed.timestamp"] == row["radiotap.mactime"]
    kinds = {int(row["wlan.fc.type_subtype"], 16) for row in wifi}
    assert kinds == {0x08, 0x0D, 0x1D}  # beacon, action, Ack


def digest(seed: int) -> str:
    """Hash of the whole trace of a run."""
    field = NanField(seed, fading_sigma_db=3.0, shadowing_sigma_db=4.0, loss=0.05)
    for n in range(5):
        field.add((7.0 * n, 3.0, 0.0))
        field.run(field.loop.now_us + S // 3)
    for node in field.nodes:
        node.give(field.nodes[0].nmi)
        node.give()
    field.run(12 * S)
    total = hashlib.sha256()
    for event in field.events:
        total.update(line_of(event))
    field.loop.close()
    return total.hexdigest()


def test_the_same_seed_gives_the_same_trace_whatever_the_hash_seed():
    code = "from tests.sim.wifi_aware.test_radio import digest; print(digest(5))"
    found = set()
    for hash_seed in ("0", "1"):
        env = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": "."}
        done = subprocess.run(
            [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
        )
        found.add(done.stdout)
    assert len(found) == 1
    assert digest(6) not in {one.strip() for one in found}


def test_the_airtime_of_a_frame_is_that_of_its_rate():
    field = NanField()
    field.add(radio={"rate_mbit_s": 24})
    field.run(5 * S)
    for event in field.on_air("sync_beacon"):
        assert event.t_us - event.fields["began_us"] == airtime_us(63, 6, 24)
        assert event.fields["rate_mbit_s"] == 24
