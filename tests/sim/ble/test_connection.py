"""Connection events, acknowledgement, supervision and dozing, on two bare controllers."""

from __future__ import annotations

import itertools
import random
from typing import Any

import msgspec
import pytest
from connected import ACCESS_ADDRESS, ADDRESS, Bare, Pair

from sim.ble.channel_selection import Hop1, Hop2
from sim.ble.connection import LinkConnection
from sim.ble.pdus import ConnectionRole

DISCONNECTED, COMPLETED = 0x05, 0x13
FAR = (1e7, 0.0, 0.0)


def watch(pair: Pair) -> list[Any]:
    """Every packet on the air, as it ends."""
    seen: list[Any] = []
    pair.air.observe(lambda sent, _: seen.append(sent))
    return seen


def completed(bare: Bare) -> int:
    return sum(int.from_bytes(p[3:5], "little") for p in bare.events(COMPLETED))


@pytest.mark.parametrize("csa2", [False, True])
def test_central_first_answer_after_150_us_on_the_selected_channel(csa2: bool) -> None:
    pair = Pair(csa2=csa2)
    seen = watch(pair)
    pair.run_ms(2000)
    channels = b"\xff\xff\xff\xff\x1f"
    hop = Hop2(ACCESS_ADDRESS, channels) if csa2 else Hop1(7, channels)
    assert len(seen) == 134
    for number, (asks, answers) in enumerate(zip(seen[::2], seen[1::2], strict=True)):
        assert (asks.sender, answers.sender) == ("central", "peripheral")
        assert asks.start_us == 2000 + number * 30_000
        assert answers.start_us == asks.end_us + 150
        assert asks.channel == answers.channel == hop.channel(number)
        assert asks.end_us - asks.start_us == 80  # an empty PDU at 1M: 10 octets


def test_sequence_numbers_alternate_when_all_is_heard() -> None:
    pair = Pair()
    seen = watch(pair)
    pair.run_ms(300)
    bits = [(s.meta.sn, s.meta.nesn) for s in seen]
    assert bits[:6] == [(0, 0), (0, 1), (1, 1), (1, 0), (0, 0), (0, 1)]


@pytest.mark.parametrize("loss", [0.0, 0.1, 0.3, 0.5])
def test_retransmission_under_loss_delivers_each_packet_once_in_order(loss: float) -> None:
    pair = Pair(loss=loss, interval=6, timeout=3200, seed=7)
    to_p = [f"to peripheral {n}".encode().ljust(n % 80 + 20) for n in range(60)]
    to_c = [f"to central {n}".encode().ljust(n % 61 + 16) for n in range(60)]
    for down, up in zip(to_p, to_c, strict=True):
        pair.central.send(down)
        pair.peripheral.send(up)
        pair.run_ms(60)
    pair.run_ms(6000)
    assert pair.peripheral.received() == b"".join(to_p)
    assert pair.central.received() == b"".join(to_c)
    assert completed(pair.central) == completed(pair.peripheral) == 60
    lost = pair.air.counts["loss"]
    assert (lost > 50) == (loss > 0)


def test_completed_only_when_the_peer_acknowledged() -> None:
    """The peer goes deaf before the packet: it is repeated, and its buffer never comes back."""
    pair = Pair()
    pair.run_ms(200)
    pair.peripheral.radio.position = FAR
    seen = watch(pair)
    pair.central.send(b"\x01\x00\x04\x00x")
    pair.run_ms(500)
    data = [s for s in seen if s.meta.payload]
    assert len(data) > 10
    assert len({(s.data[2:], s.meta.sn) for s in data}) == 1
    assert completed(pair.central) == 0
    pair.peripheral.radio.position = (2.0, 0.0, 0.0)
    pair.run_ms(100)
    assert completed(pair.central) == 1
    assert pair.peripheral.received() == b"\x01\x00\x04\x00x"


def test_more_data_fills_an_event_but_not_the_next_anchor() -> None:
    pair = Pair(interval=6)
    pair.run_ms(100)
    seen = watch(pair)
    for _ in range(30):
        pair.central.send(bytes(27))
    pair.run_ms(60)
    anchors = [s for s in seen if s.sender == "central" and (s.start_us - 2000) % 7500 == 0]
    assert anchors[0].meta.md == 1
    assert len([s for s in seen if s.sender == "central"]) > 2 * len(anchors)
    for before, after in itertools.pairwise(seen):
        assert after.start_us >= before.end_us + 150
    assert [s.start_us % 7500 for s in anchors] == [2000] * len(anchors)
    assert len(pair.peripheral.acl()) == 30


def test_supervision_timeout_is_0x08_on_both_sides_each_by_its_own_clock() -> None:
    pair = Pair(timeout=100)  # 1 s
    pair.run_ms(500)
    pair.peripheral.radio.position = FAR
    pair.run_ms(3000)
    for bare in (pair.central, pair.peripheral):
        assert bare.events(DISCONNECTED) == [b"\0\x01\0\x08"]
        assert bare.links == {}
    assert 1_470_000 <= pair.central.when(DISCONNECTED) <= 1_760_000


def test_supervision_timeout_exact_from_the_last_packet() -> None:
    """Observed, hence never dozing: 1 s after the last packet heard, to the microsecond."""
    pair = Pair(timeout=100)
    watch(pair)
    pair.run_ms(500)
    last = {b.name: b.links[1].last_rx_us for b in (pair.central, pair.peripheral)}
    pair.peripheral.radio.position = FAR
    pair.run_ms(2000)
    for bare in (pair.central, pair.peripheral):
        assert bare.when(DISCONNECTED) == last[bare.name] + 1_000_000


def test_power_off_of_the_peer_is_noticed_by_supervision() -> None:
    pair = Pair(timeout=200)
    pair.run_ms(10_123)
    off_us = pair.loop.now_us
    pair.peripheral.links[1].drop()
    pair.run_ms(5000)
    assert pair.central.events(DISCONNECTED) == [b"\0\x01\0\x08"]
    assert 1_969_000 <= pair.central.when(DISCONNECTED) - off_us <= 2_000_500
    assert pair.peripheral.events(DISCONNECTED) == []


def test_never_established_is_0x3e_after_six_events() -> None:
    pair = Pair(connect=False)
    pair.open(pair.central, ConnectionRole.CENTRAL, 2000)
    seen = watch(pair)
    pair.run_ms(1000)
    assert len(seen) == 6
    assert pair.central.events(DISCONNECTED) == [b"\0\x01\0\x3e"]


def test_never_established_peripheral_hears_nothing() -> None:
    pair = Pair(connect=False)
    pair.open(pair.peripheral, ConnectionRole.PERIPHERAL, 2000)
    pair.run_ms(1000)
    assert pair.peripheral.events(DISCONNECTED) == [b"\0\x01\0\x3e"]


def test_peripheral_latency_sleeps_through_events_until_it_has_something_to_say() -> None:
    pair = Pair(latency=4)
    seen = watch(pair)
    pair.run_ms(1000)
    seen.clear()
    pair.run_ms(3000)
    answers = [s for s in seen if s.sender == "peripheral"]
    asked = [s for s in seen if s.sender == "central"]
    assert len(asked) == 100
    assert len(answers) == 20
    assert {b.start_us - a.start_us for a, b in itertools.pairwise(answers)} == {150_000}
    pair.run_ms(35)
    before_us = pair.loop.now_us
    pair.peripheral.send(b"\x01\x00\x04\x00x")
    pair.run_ms(40)
    assert pair.central.received() == b"\x01\x00\x04\x00x"
    assert pair.central.got[-1][0] - before_us < 31_000


def test_latency_delays_the_central_at_most_latency_events() -> None:
    pair = Pair(latency=4)
    pair.run_ms(1000)
    sent_us = pair.loop.now_us
    pair.central.send(b"\x01\x00\x04\x00x")
    pair.run_ms(200)
    assert pair.peripheral.received() == b"\x01\x00\x04\x00x"
    assert 30_000 < pair.peripheral.got[-1][0] - sent_us <= 151_000


@pytest.mark.parametrize(("sca_ppm", "survives"), [(500, True), (0, False)])
def test_window_widening_covers_the_drift_that_sca_promises(sca_ppm: int, survives: bool) -> None:
    """Clocks 300 ppm apart, latency 30 at 100 ms: the peripheral wakes up to 930 us off."""
    pair = Pair(
        interval=80,
        latency=30,
        timeout=1000,
        central={"clock_ppm": 150},
        peripheral={"clock_ppm": -150, "sca_ppm": sca_ppm},
    )
    watch(pair)
    pair.run_ms(60_000)
    assert bool(pair.peripheral.links) is survives
    assert bool(pair.central.links) is survives


def test_drifting_anchors_do_not_accumulate_rounding() -> None:
    """Vol 6 Part B, 4.2.2: 20 ppm of 7.5 ms is 0.15 us; after 100 000 events it is 15 000 us, not 0."""
    pair = Pair(interval=6, central={"clock_ppm": 20})
    pair.run_ms(750_100)
    assert pair.c.events.anchor_us(100_000) == 2000 + 100_000 * 7500 + 15_000  # type: ignore[union-attr]
    assert pair.peripheral.links


def exchange(pair: Pair, *, seed: int, sends: int = 50) -> list[tuple[str, int, bytes]]:
    """What both hosts got, when, from data, updates and PHY changes at random times."""
    draw = random.Random(seed)
    for number in range(sends):
        pair.run_ms(draw.choice([0.3, 1, 17.003, 29.5, 250, 900, 1999.77, 4000.5]))
        bare = draw.choice([pair.central, pair.peripheral])
        bare.send(f"{bare.name} {number}".encode() * draw.choice([1, 5]))
        if number % 17 == 5:
            interval, latency = draw.choice([6, 24, 80]), draw.choice([0, 2, 7])
            pair.central.command("update", "HHHHHHH", 1, interval, interval, latency, 400, 0, 0)
        if number % 17 == 9:
            pair.central.command("set_phy", "HBBBH", 1, 0, draw.choice([1, 2, 4]), 1, 0)
    pair.run_ms(3000)
    got = [(b.name, t, p) for b in (pair.central, pair.peripheral) for t, p in b.got]
    return sorted(got)


@pytest.mark.parametrize("seed", range(12))
def test_dozing_is_exact(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Same HCI packets at the same microsecond with and without the shortcut, whatever the clocks and latency."""
    results: list[list[tuple[str, int, bytes]]] = []
    sent: list[int] = []
    for may_doze in (True, False):
        monkeypatch.setattr(Bare, "only_links_active", lambda _, may=may_doze: may)
        pair = Pair(
            latency=seed % 4,
            interval=(6, 24, 36)[seed % 3],
            csa2=seed % 2 == 0,
            timeout=400,
            central={"clock_ppm": 4 * seed},
            peripheral={"clock_ppm": -3 * seed},
        )
        results.append(exchange(pair, seed=seed))
        sent.append(pair.air.counts["transmissions"])
        assert pair.central.links
        assert pair.peripheral.links
    assert results[0] == results[1]
    assert sent[0] < sent[1] / 2


@pytest.mark.parametrize("phy", [1, 2, 4])
def test_packets_are_as_long_as_the_interval_allows(phy: int) -> None:
    """251 octets at coded S=8 take 17 ms: at 7.5 ms they are cut, and whole again at 50 ms; data flows both ways."""
    pair = Pair(interval=6)
    for bare in (pair.central, pair.peripheral):
        bare.command("set_length", "HHH", 1, 251, 17_040)
    pair.central.command("set_phy", "HBBBH", 1, 0, phy, phy, 0)
    pair.run_ms(500)
    seen = watch(pair)
    for interval in (6, 40):
        pair.central.command("update", "HHHHHHH", 1, interval, interval, 0, 200, 0, 0)
        pair.run_ms(1000)
        seen.clear()
        for number in range(20):
            pair.central.send(bytes([number]) * 251)
            pair.peripheral.send(bytes([number]) * 251)
        pair.run_ms(3000)
        longest_us = max(s.end_us - s.start_us for s in seen)
        assert longest_us < interval * 1250
        assert (pair.c.tx_octets == 251) is (phy != 4 or interval == 40)
        assert (pair.c.tx_octets, pair.c.rx_octets) == (pair.p.rx_octets, pair.p.tx_octets)
    data = b"".join(bytes([n]) * 251 for n in range(20))
    assert pair.peripheral.received() == pair.central.received() == data + data


def test_streaming_with_more_data_wastes_no_event() -> None:
    """A peripheral with a full queue is heard in every event, also when the central closes it for want of room."""
    pair = Pair(interval=6)
    pair.central.command("set_length", "HHH", 1, 251, 2120)
    pair.peripheral.command("set_length", "HHH", 1, 251, 2120)
    pair.run_ms(300)
    seen = watch(pair)
    for _ in range(32):
        pair.peripheral.send(bytes(251))
    pair.run_ms(60)
    starts = [s.start_us for s in seen if s.sender == "central" and s.start_us % 7500 == 2000]
    answers = [s for s in seen if s.sender == "peripheral"]
    assert len(starts) == 8
    for start_us in starts:
        assert any(0 < s.start_us - start_us < 3000 for s in answers)


def test_an_idle_hour_is_cheap_and_still_a_connection() -> None:
    pair = Pair(timeout=500)
    pair.run_ms(3_600_000)
    assert pair.air.counts["transmissions"] < 8000  # of 240 000
    pair.peripheral.send(b"awake")
    pair.run_ms(31)
    assert pair.central.received() == b"awake"


def test_observed_air_shows_every_idle_event() -> None:
    pair = Pair()
    seen = watch(pair)
    pair.run_ms(3001)
    assert len(seen) == 200


def test_terminate_gives_the_reason_to_the_peer_and_0x16_here() -> None:
    for leaver, other in (("central", "peripheral"), ("peripheral", "central")):
        pair = Pair()
        pair.run_ms(200)
        getattr(pair, leaver).command("disconnect", "HB", 1, 0x13)
        pair.run_ms(200)
        assert getattr(pair, leaver).status("disconnect") == 0
        assert getattr(pair, leaver).events(DISCONNECTED) == [b"\0\x01\0\x16"]
        assert getattr(pair, other).events(DISCONNECTED) == [b"\0\x01\0\x13"]
        seen = watch(pair)
        pair.run_ms(1000)
        assert seen == []


def test_terminate_to_a_silent_peer_ends_with_0x16_at_the_supervision_timeout() -> None:
    pair = Pair(timeout=100)
    pair.run_ms(200)
    pair.peripheral.radio.position = FAR
    pair.central.command("disconnect", "HB", 1, 0x13)
    pair.run_ms(2000)
    assert pair.central.events(DISCONNECTED) == [b"\0\x01\0\x16"]
    assert pair.peripheral.events(DISCONNECTED) == [b"\0\x01\0\x08"]


def test_terminate_under_loss_reaches_the_peer() -> None:
    for seed in range(10):
        pair = Pair(loss=0.3, seed=seed)
        pair.run_ms(300)
        pair.peripheral.command("disconnect", "HB", 1, 0x15)
        pair.run_ms(4000)
        assert pair.central.events(DISCONNECTED) == [b"\0\x01\0\x15"]
        # The acknowledgement itself may be lost; then the leaver finds out by its timeout.
        assert pair.peripheral.events(DISCONNECTED) == [b"\0\x01\0\x16"]


def test_disconnect_errors() -> None:
    pair = Pair()
    pair.run_ms(100)
    pair.central.command("disconnect", "HB", 7, 0x13)
    pair.run_ms(1)
    assert pair.central.status("disconnect") == 0x02
    pair.central.command("disconnect", "HB", 1, 0x08)
    pair.run_ms(1)
    assert pair.central.status("disconnect") == 0x12
    assert pair.central.links


def test_connections_whose_anchors_coincide_take_turns() -> None:
    """One radio, four peripherals, all due at the same instants: none starves, and data gets through on each."""
    pair = Pair(connect=False, timeout=100)
    others = [
        Bare(f"p{n}", pair.air, pair.loop, pair.streams, position=(0.0, 1.0 + n, 0.0))
        for n in range(4)
    ]
    for number, other in enumerate(others):
        params = msgspec.structs.replace(pair.params, access_address=ACCESS_ADDRESS ^ number << 12)
        for bare, role in (
            (other, ConnectionRole.PERIPHERAL),
            (pair.central, ConnectionRole.CENTRAL),
        ):
            link = LinkConnection.open(bare, role, ADDRESS, ADDRESS, params, 2000)
            bare.links[link.handle] = link
    for number in range(40):
        for handle, other in enumerate(others, start=1):
            pair.central.send(f"down {number};".encode(), handle=handle)
            other.send(f"up {number};".encode())
        pair.run_ms(400)
    pair.run_ms(2000)
    for other in others:
        assert other.received() == b"".join(f"down {n};".encode() for n in range(40))
        assert other.events(DISCONNECTED) == []
    assert len(pair.central.links) == 4
    assert len(pair.central.received()) == 4 * len(others[0].received()) - 4 * 2 * 40


def test_same_seed_same_packets() -> None:
    def run() -> list[Any]:
        pair = Pair(loss=0.2, seed=3)
        seen = watch(pair)
        traffic = exchange(pair, seed=9)
        return [traffic, [(s.start_us, s.channel, s.data) for s in seen]]

    assert run() == run()
