"""What screens show, made of traces: rungs, values, outcomes, packets, devices on the air."""

from __future__ import annotations

import msgspec
import pytest

from protocols.dissect import Block, dissect
from sim import scenario as scenarios
from sim.trace import TraceEvent, TraceLog
from sim.world import World
from tui.feed import Feed
from tui.models.advertisers import Advertisers
from tui.models.adverts import advert_of
from tui.models.decoding import decoded, info_of, walk
from tui.models.lanes import Lanes
from tui.models.outcomes import Outcomes
from tui.models.packet_list import PacketList
from tui.models.packets import Ends, is_packet, protocol_of
from tui.models.pairing_values import Values
from tui.models.rungs import Rungs, words_of
from tui.signs import ASCII, UNICODE
from tui.text import cells

_RUNS = {}


def run(name, **settings):
    """Trace of a library scenario, run once."""
    key = (name, tuple(settings.items()))
    if key not in _RUNS:
        plain = {name.replace("__", "."): value for name, value in settings.items()}
        world = World(scenarios.with_settings(scenarios.load(name), plain))
        events = []
        world.trace.add_sink(events.append)
        world.run()
        world.close()
        _RUNS[key] = events
    return _RUNS[key]


def event(seq=1, **fields):
    """A trace event with defaults."""
    plain = {"t_us": seq * 1000, "node": "a", "layer": "ble", "event": "x"} | fields
    return TraceEvent(seq=seq, **plain)


# Ladder


@pytest.mark.parametrize("slices", [1, 7, 1000])
def test_the_rounds_of_a_passkey_are_one_rung_however_they_come(slices):
    """Twenty bits, a confirm and a random value of each side for each (Vol 3 Part H 2.3.5.6.3)."""
    rungs, events = Rungs(("phone", "lock")), run("passkey_lock")
    for at in range(0, len(events), slices):
        rungs.feed(events[at : at + slices])
    (folded,) = [rung for rung in rungs.rows if rung.title]
    assert folded.count == len(folded.members) == 80
    assert folded.title.startswith("rounds 1-20 of 20")


def test_the_round_that_fails_is_not_folded():
    rungs = Rungs(("phone", "lock"))
    rungs.feed(run("wrong_pin"))
    shown = [rung.event.event for rung in rungs.rows]
    at = shown.index("pairing_failed")
    assert shown[at - 3 : at] == ["pairing_confirm", "pairing_confirm", "pairing_random"]
    assert [rung.count for rung in rungs.rows if rung.title] == [80], (
        "those of the second, successful pairing"
    )


def test_what_happens_often_is_counted_and_no_longer_drawn():
    rungs, events = Rungs(("iphone", "display")), run("demo")
    rungs.feed(events)
    sent = [e for e in events if e.event == "publish"]
    folded = [rung for rung in rungs.rows if rung.event.event == "publish"]
    assert sum(rung.count for rung in folded) == len(sent) > 10
    assert len(folded) < 5


def test_states_end_where_the_pairing_ends():
    rungs = Rungs(("phone", "lock"))
    events = run("wrong_pin")
    again = [at for at, e in enumerate(events) if e.event == "pairing_request"][1]
    rungs.feed(events[:again])
    assert rungs.states == {"phone": "failed", "lock": "failed"}


def test_the_busiest_pair_is_the_one_that_spoke_last():
    rungs = Rungs(("a", "b", "c"))
    rungs.feed([event(1, direction="tx", peer="b"), event(2, node="c", direction="tx", peer="a")])
    assert rungs.busiest(2) == ("a", "c")
    assert rungs.busiest(3) == ("a", "b", "c")


def test_rungs_of_others_are_left_out():
    rungs = Rungs(("a", "b", "c"))
    rungs.feed(
        [
            event(1, direction="tx", peer="b"),
            event(2, direction="tx", peer="c"),
            event(3, node="c"),
            event(4),
        ]
    )
    assert [rung.event.seq for rung in rungs.between(("a", "b"))] == [1, 4]


def test_old_rungs_leave_and_are_counted():
    rungs = Rungs(("a", "b"))
    rungs.feed([event(seq) for seq in range(1, 30_001)])
    assert len(rungs.rows) + rungs.dropped == 30_000
    assert len(rungs.rows) <= 22_000
    assert rungs.rows[-1].event.seq == 30_000


def test_secrets_are_dots_until_they_are_revealed():
    (typed, *_) = [e for e in run("passkey_lock") if e.event == "pin_entered"]
    pin = typed.fields["pin"].value
    assert pin not in words_of(typed)
    assert pin in words_of(typed, reveal=True)


@pytest.mark.parametrize("width", [58, 78, 118, 158])
@pytest.mark.parametrize("signs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_every_rung_is_exactly_as_wide_as_the_ladder(width, signs):
    for name in ("wrong_pin", "demo"):
        events = run(name)
        nodes = list(dict.fromkeys(e.node for e in events if e.node))
        rungs = Rungs(nodes)
        rungs.feed(events)
        for parties in (rungs.busiest(2), tuple(nodes[:3])):
            lanes = Lanes(parties, width, signs)
            for rung in rungs.between(parties):
                line = "".join(text for text, _ in lanes.draw(rung, time="1.000"))
                if len(parties) < 3 or width > 100:  # three lanes are drawn from there on
                    assert cells(line) == width, line


def test_a_message_points_from_sender_to_receiver():
    lanes = Lanes(("a", "b"), 78, UNICODE)
    rungs = Rungs(("a", "b"))
    rungs.feed([
        event(1, direction="tx", peer="b"), event(2, node="b", direction="tx", peer="a"), event(3, direction="rx", peer="b"),
    ])  # fmt: skip
    lines = ["".join(text for text, _ in lanes.draw(rung, time="")) for rung in rungs.rows]
    assert ["▶│" in line for line in lines] == [True, False, False]
    assert ["│◀" in line for line in lines] == [False, True, True]


# Values and outcomes


def test_both_sides_know_the_same_pin_without_showing_it():
    values = Values()
    values.feed(run("passkey_lock"))
    last = max(e.seq for e in run("passkey_lock") if e.event == "pin_entered")
    found = dict(values.at(last, ("phone", "lock")))
    first, second = found["PIN"]
    assert first.value == second.value
    assert "•" in repr(first.value)
    assert {value.party for value in found["public key"]} == {"phone", "lock"}


def test_values_of_an_earlier_pairing_are_not_mixed_in():
    events = run("wrong_pin")
    values = Values()
    values.feed(events)
    begins = [e.seq for e in events if e.event == "pairing_request"]
    found = dict(values.at(begins[1] + 1, ("phone", "lock")))
    assert "confirm 1" not in found


def test_the_security_manager_timer_starts_anew_with_each_message():
    """Vol 3 Part H 3.4: 30 s from the last command."""
    values = Values()
    pair = frozenset(("a", "b"))
    values.feed([event(1, event="pairing_request", direction="tx", peer="b", t_us=0)])
    assert values.timers[pair].left_us(10_000_000) == 20_000_000
    values.feed(
        [event(2, node="b", event="pairing_response", direction="tx", peer="a", t_us=12_000_000)]
    )
    assert values.timers[pair].left_us(12_000_000) == 30_000_000
    values.feed([event(3, event="not_paired", peer="b", t_us=20_000_000)])
    assert values.timers[pair].left_us(99_000_000) == 22_000_000


@pytest.mark.parametrize(
    ("name", "settings", "kinds"),
    [
        ("wrong_pin", {}, ["wrong PIN", "wrong PIN", "paired", "paired"]),
        ("rejected_comparison", {}, ["numbers differ", "numbers differ"]),
        ("silent_peer", {}, ["timeout", "timeout", "paired", "paired"]),
        ("demo", {"iphone__wrong_pins": 1}, ["wrong PIN", "wrong PIN", "timeout"]),
    ],
)
def test_how_pairings_end(name, settings, kinds):
    outcomes = Outcomes()
    outcomes.feed(run(name, **settings))
    assert [one.kind for one in outcomes.all][: len(kinds)] == kinds


def test_an_end_is_one_however_many_tell_it():
    outcomes = Outcomes()
    outcomes.feed(run("demo", iphone__wrong_pins=1))
    assert outcomes.failures("iphone", "display") == 1
    first = outcomes.all[0]
    assert first.rule == ""
    assert outcomes.told_of(first).rule == "NB-07"


def test_a_pairing_that_one_side_gave_up_is_not_paired():
    """The accessory has the phone's identity key and is content; the phone waits for one that never comes (US-45)."""
    events = run("us45_nik_timeout")
    end = next(e.seq for e in events if e.event == "nik_received")
    parties = {"display", "iphone"}
    outcomes, values = Outcomes(), Values()
    values.feed(events)
    outcomes.feed(e for e in events if e.seq <= end)
    since = values.begun(parties)
    first = outcomes.latest(parties, since)
    assert (first.node, first.kind) == ("display", "paired")
    assert outcomes.is_open(first), "the phone has not said anything yet"
    outcomes.feed(e for e in events if e.seq > end)
    last = outcomes.latest(parties, since)
    assert (last.node, last.kind) == ("iphone", "not paired")
    assert not outcomes.is_open(first)


@pytest.mark.parametrize("name", ["wrong_pin", "silent_peer"])
def test_a_pairing_after_one_that_failed_is_paired(name):
    events = run(name)
    outcomes, values = Outcomes(), Values()
    values.feed(events)
    outcomes.feed(events)
    pair = {"lock", "phone"}
    assert outcomes.latest(pair, values.begun(pair)).good
    assert outcomes.latest(pair, 0).good, "whenever one begins to look"


def test_a_peer_that_falls_silent_is_not_blamed_on_the_person():
    """The same end without and with an answer: only the first is the person's."""
    events = run("silent_peer")
    at = next(at for at, e in enumerate(events) if e.event == "pin_required")
    answer = msgspec.structs.replace(events[at], event="pin_entered")
    words = []
    for answers in ([], [answer]):
        outcomes = Outcomes()
        outcomes.feed([*events[: at + 1], *answers, *events[at + 1 :]])
        words.append(outcomes.all[0].words)
    assert words[0].startswith("nobody typed the PIN on phone: no answer for 30 s")
    assert words[1].startswith("the connection broke at public keys: no answer for 30 s")


# Packets


@pytest.mark.parametrize("name", ["passkey_lock", "demo"])
def test_every_packet_of_a_run_decodes_within_its_octets(name):
    """Spans of the tree are of the octets that are shown; nothing of the shell is left."""
    seen = set()
    for one in run(name):
        if is_packet(one) and (key := (one.layer, one.event, len(one.data))) not in seen:
            seen.add(key)
            found = decoded(one)
            assert not found.wrong, (one.event, found.wrong)
            assert found.data == one.data
            assert protocol_of(one)
            assert info_of(one)
            for _, node in walk(found.tree):
                assert 0 <= node.start <= node.end <= len(one.data), (one.event, node.name)


def test_a_message_without_its_shell_decodes_as_with_it():
    """An SMP command on its own has the fields that the same command has in an HCI packet."""
    events = run("passkey_lock")
    request = next(e for e in events if e.event == "pairing_failed" or e.event == "pairing_request")
    names = [node.name for _, node in walk(decoded(request).tree)]
    packet = next(
        e
        for e in events
        if e.layer == "hci" and e.data[:1] == b"\x02" and e.data.endswith(request.data)
    )
    whole = [node.name for _, node in walk(dissect(Block(kind="hci", data=packet.data)).tree)]
    assert names == whole[-len(names) :]


def test_ends_of_wi_fi_frames_are_nodes():
    ends, events = Ends(), run("demo")
    for one in events:
        ends.learn(one)
    auth = next(e for e in events if e.layer == "air" and e.event == "authentication")
    assert ends.of(auth) == ("iphone", "display")
    beacon = next(e for e in events if e.event == "sync_beacon")
    assert ends.of(beacon)[1] == "*"


def feed_of(events, capacity=200_000):
    clock = [0]
    log = TraceLog(lambda: clock[0], capacity)
    feed = Feed(log, capacity)
    for one in events:
        clock[0] = one.t_us
        log.emit(one.node, one.layer, one.event, direction=one.direction, peer=one.peer, data=one.data,
                 note=one.note, cause=one.cause, rule=one.rule, **one.fields)  # fmt: skip
    return log, feed


def listed(packets):
    return [packets.event(row) for row in range(len(packets))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("smp", lambda e: protocol_of(e) == "SMP"),
        ("!hci && !empty", lambda e: e.layer != "hci" and e.event != "ll_empty"),
        ("from:lock && smp && message", lambda e: e.node == "lock" and e.layer == "ble" and protocol_of(e) == "SMP"),
        ("adv && len>20", lambda e: protocol_of(e) == "ADV" and len(e.data) > 20),
        ("smp.smp_code==5 || smp.code==1", lambda e: protocol_of(e) == "SMP" and _smp_code(e) in (1, 5)),
        ("addr~fc:e5", lambda e: e.event in ("adv_ind", "connect_ind") or (e.event == "identity_address"
         and "fc:e5" in e.fields["address"])),
        ("malformed", lambda e: False),
    ],
)  # fmt: skip
def test_filters_over_packets_against_plain_python(text, expected):
    events = run("passkey_lock")
    _, feed = feed_of(events)
    packets = PacketList(feed, text)
    feed.pull()
    packets.look(lambda: False)
    wanted = [e.seq for e in events if is_packet(e) and expected(e)]
    assert [e.seq for e in listed(packets)] == wanted
    assert packets.total == sum(map(is_packet, events))
    assert wanted or text == "malformed"


def _smp_code(one):
    return next(
        (node.value for _, node in walk(decoded(one).tree) if node.name == "smp_code"), None
    )


def test_a_new_filter_is_looked_at_in_slices_and_loses_nothing():
    events = run("passkey_lock") * 12
    _, feed = feed_of(events)
    packets = PacketList(feed, "")
    while feed.pull():
        packets.look(lambda: False)
    packets.set_filter("smp")
    turns = 0
    while packets.progress < 1:
        packets.look(lambda: True)
        turns += 1
    assert turns > 1
    assert len(packets) == sum(is_packet(e) and protocol_of(e) == "SMP" for e in events)


def test_what_leaves_the_ring_leaves_the_list_and_is_counted():
    events = [event(seq, data=b"\x05\x01", event="pairing_failed") for seq in range(1, 1001)]
    log, feed = feed_of(events[:500], capacity=100)
    packets = PacketList(feed, "")
    feed.pull()
    packets.look(lambda: False)
    assert feed.skipped == 400
    assert [e.seq for e in listed(packets)] == list(range(401, 501))
    for one in events[500:550]:
        log.emit(one.node, one.layer, one.event, data=one.data)
    feed.pull()
    packets.look(lambda: False)
    assert [e.seq for e in listed(packets)][-1] == 550
    assert feed.end - feed.first <= 110
    assert feed.position_of(1) is None
    assert feed.at(feed.position_of(550)).seq == 550


def test_marks_go_round():
    _, feed = feed_of(
        [event(seq, data=b"\x05\x01", event="pairing_failed") for seq in range(1, 11)]
    )
    packets = PacketList(feed, "")
    feed.pull()
    packets.look(lambda: False)
    assert packets.next_mark(0) is None
    packets.marks |= {3, 8}
    assert packets.next_mark(0) == 2
    assert packets.next_mark(2) == 7
    assert packets.next_mark(7) == 2


# Air


def test_one_row_per_address_with_strength_and_interval():
    air = Advertisers()
    air.feed(run("demo"))
    rows = {(one.owner, one.kind): one for one in air.all.values()}
    thermometer = rows[("thermometer", "rand")]
    assert thermometer.name == "Thermometer"
    assert thermometer.channels == {37, 38, 39}
    assert -60 < thermometer.rssi_dbm < -30
    assert 90_000 < thermometer.interval_us < 115_000, (
        "100 ms and up to 10 ms of delay (Vol 6 Part B 4.4.2.2.1)"
    )
    display = rows[("display", "NAN")]
    assert "publish" in display.words
    assert display.rssi_dbm is not None


def test_packets_that_were_seen_are_not_counted_again_from_reports():
    events = run("demo")
    air = Advertisers()
    air.feed(events)
    sent = [
        e
        for e in events
        if e.layer == "air" and e.node == "thermometer" and e.event in ("adv_ind", "scan_rsp")
    ]
    row = next(one for one in air.all.values() if one.owner == "thermometer")
    assert row.sent == len(sent)
    assert row.heard <= row.sent


def test_a_crowd_is_known_from_the_reports_of_the_host():
    air = Advertisers()
    air.feed(run("crowd_1000"))
    assert len(air.all) > 800
    assert sum(not one.owner for one in air.all.values()) > 800


def test_a_device_is_stale_after_five_of_its_intervals():
    air = Advertisers()
    pdu = bytes.fromhex("4006010203040506")
    air.feed(
        [
            event(n, layer="air", event="adv_nonconn_ind", data=pdu, t_us=n * 1_000_000)
            for n in range(1, 5)
        ]
    )
    (one,) = air.all.values()
    assert one.interval_us == 1_000_000
    assert not one.is_stale(9_000_000)
    assert one.is_stale(9_000_001)


@pytest.mark.parametrize(
    ("hexes", "part"),
    [
        ("0201061bff", "bad AD"), ("020106", "3 octets"), ("", "no data"), ("05094c6f636b", '"Lock"'),
        ("0a095c1b5b324a1b5d3007", "·[2J"),
    ],
)  # fmt: skip
def test_adverts_in_words(hexes, part):
    found = advert_of(bytes.fromhex(hexes))
    assert part in f"{found.words} {found.wrong}"
    assert (
        "\x1b"
        not in f"{found.words}{found.wrong}{found.name}{''.join(s.meaning for s in found.structures)}"
    )


def test_reports_cut_anywhere_disturb_nobody():
    report = next(
        e
        for e in run("demo")
        if e.layer == "hci" and e.data[:2] == b"\x04\x3e" and e.data[3] in (2, 13)
    )
    air = Advertisers()
    air.feed(
        [
            event(n, layer="hci", event="packet", direction="rx", data=report.data[:n])
            for n in range(1, len(report.data))
        ]
    )
    adv = next(e for e in run("demo") if e.event == "adv_ind")
    air.feed(
        [event(n, layer="air", event="adv_ind", data=adv.data[:n]) for n in range(1, len(adv.data))]
    )
    for one in air.all.values():
        assert isinstance(one.words, str)
