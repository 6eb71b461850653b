"""TCP connections: handshake, closing, resets, windows, losses; whatever happens, what arrives is a prefix of what was sent."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocols.ip.stream import Stream, reset_for
from protocols.ip.stream_buffers import Incoming, unwrapped, wire
from protocols.ip.stream_states import (
    TRANSITIONS,
    Cause,
    Closed,
    State,
    StreamClosedError,
    StreamSettings,
)
from protocols.ip.tcp import MSS, WINDOW_SCALE, Tcp, option
from tests.protocols.ip.channel import Pair, draws, opened

SMALL = StreamSettings(mss=100, receive_octets=1000, send_octets=5000, window_scale=0)
FOREVER = msgspec.structs.replace(SMALL, give_up_us=None)
PROPERTY = settings(
    max_examples=60,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def flags(segment):
    return "".join(
        name[0].upper() for name in ("syn", "ack", "fin", "rst") if getattr(segment, name)
    )


def sent_by(pair, name):
    return [segment for who, segment in pair.log if who == name]


# --- handshake ------------------------------------------------------------------------------------


def test_the_handshake_is_three_segments():
    pair = opened()
    assert [(who, flags(segment)) for who, segment in pair.log] == [
        ("a", "S"),
        ("b", "SA"),
        ("a", "A"),
    ]
    syn, answer, third = (segment for _, segment in pair.log)
    assert answer.acknowledgement_number == (syn.sequence_number + 1) % 2**32
    assert third.acknowledgement_number == (answer.sequence_number + 1) % 2**32
    assert (option(syn, MSS), option(answer, WINDOW_SCALE)) == (1440, 4)
    assert pair.a.state == pair.b.state == State.ESTABLISHED


def test_initial_sequence_numbers_are_drawn():
    """The same chance gives the same segments, another one others."""
    one, again, other = (opened(seed=seed).log for seed in (5, 5, 6))
    assert one == again
    assert one[0][1].sequence_number != other[0][1].sequence_number


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_lost_segment_of_the_handshake_is_sent_again(lost):
    numbers = iter(range(1000))
    pair = Pair(lambda who, segment: () if next(numbers) == lost else (1000,))
    pair.a.send(b"x")
    assert pair.run(lambda p: p.got["b"] == b"x")


def test_simultaneous_open():
    """RFC 9293 figure 8: both send a SYN, and one connection results."""
    pair = Pair()
    pair.b = Stream(7024, 49152, draws("other"), StreamSettings())
    pair.a.send(b"from a")
    pair.b.send(b"from b")
    assert pair.run(lambda p: p.got["b"] == b"from a" and p.got["a"] == b"from b", limit_us=900_000)
    assert pair.kinds("a").count("connected") == pair.kinds("b").count("connected") == 1


def test_a_peer_that_does_not_listen_refuses():
    stream = Stream(1, 2, draws("x"))
    (syn,) = stream.to_send(0)
    reset: Any = reset_for(syn)
    assert (flags(reset), reset.acknowledgement_number) == ("AR", wire(syn.sequence_number, 1))
    stream.receive(reset, 5)
    assert stream.next_event() == Closed("refused")
    assert stream.next_timer() is None


def test_nobody_answers():
    """SYNs at growing distances, then the end: 1 + 2 + 4 + 8 + 16 + 32 + 60 s passes 100 s."""
    pair = Pair(lambda who, segment: ())
    pair.run(lambda p: p.a.state is State.CLOSED)
    assert pair.events["a"] == [Closed("timed_out")]
    assert len(pair.log) == 7
    assert pair.now == 123_000_000


def test_a_peer_without_window_scale_gets_none():
    """RFC 7323 2.2: both or neither."""
    pair = Pair()
    (syn,) = pair.a.to_send(0)
    bare = msgspec.structs.replace(syn, options=(), window=500)
    pair.b.receive(bare, 1)
    (answer,) = pair.b.to_send(1)
    assert option(answer, WINDOW_SCALE) is None
    pair.b.receive(acknowledgement(pair.a, answer), 2)
    pair.b.send(bytes(1000))
    assert sum(len(one.data) // 2 for one in pair.b.to_send(3)) == 500
    assert pair.b.to_send(3) == []


def acknowledgement(end, answer, **change) -> Tcp:
    values = {
        "source_port": end.local_port, "destination_port": end.peer_port, "ack": True, "window": 500,
        "sequence_number": answer.acknowledgement_number,
        "acknowledgement_number": wire(answer.sequence_number, len(answer.data) // 2 + answer.syn + answer.fin),
    }  # fmt: skip
    return Tcp(**{**values, **change})


def test_the_smaller_maximum_segment_size_counts():
    pair = opened(b=SMALL)
    pair.a.send(bytes(350))
    pair.run(lambda p: len(p.got["b"]) == 350)
    assert [len(one.data) // 2 for one in sent_by(pair, "a") if one.data] == [100, 100, 100, 50]
    assert [one.psh for one in sent_by(pair, "a") if one.data] == [False, False, False, True]


# --- closing --------------------------------------------------------------------------------------


def test_one_side_closes_and_the_other_goes_on():
    pair = opened()
    pair.a.send(b"question")
    pair.a.close()
    pair.run(lambda p: "peer_closed" in p.kinds("b"))
    assert (pair.a.state, pair.b.state) == (State.FIN_WAIT_1, State.CLOSE_WAIT)
    pair.b.send(b"answer")
    pair.b.close()
    pair.run(lambda p: p.b.state is State.CLOSED)
    assert pair.got == {"a": b"answer", "b": b"question"}
    assert pair.a.state is State.TIME_WAIT
    assert pair.events["b"][-1] == Closed("closed")
    before = pair.now
    pair.run()
    assert pair.events["a"][-1] == Closed("closed")
    assert pair.now >= before + 59_000_000


def test_simultaneous_close():
    """RFC 9293 figure 13: both FINs cross, both wait."""
    pair = opened()
    pair.a.close()
    pair.b.close()
    seen = set()
    pair.run(lambda p: seen.add(p.a.state) or p.a.state is State.TIME_WAIT)
    pair.run(lambda p: p.b.state is State.TIME_WAIT)
    assert State.CLOSING in seen
    pair.run()
    assert pair.events["a"][-1] == pair.events["b"][-1] == Closed("closed")


@pytest.mark.parametrize("lost", range(6))
def test_closing_survives_each_loss(lost):
    numbers = iter(range(-3, 1000))  # three segments of the handshake
    pair = opened(fate=lambda who, segment: () if next(numbers) == lost else (1000,))
    pair.a.send(b"bye")
    pair.a.close()
    pair.run(lambda p: "peer_closed" in p.kinds("b"))
    pair.b.close()
    pair.run()
    assert pair.got["b"] == b"bye"
    assert pair.events["a"][-1] == pair.events["b"][-1] == Closed("closed")


def test_sending_after_close_is_refused():
    pair = opened()
    pair.a.close()
    with pytest.raises(StreamClosedError, match="closed for sending"):
        pair.a.send(b"late")


def test_abort_tells_the_peer():
    pair = opened()
    pair.a.send(b"lost")
    pair.a.abort()
    pair.run(lambda p: p.b.state is State.CLOSED)
    assert pair.events["a"][-1] == Closed("aborted")
    assert pair.events["b"][-1] == Closed("reset")
    with pytest.raises(StreamClosedError):
        pair.b.send(b"x")


def test_a_segment_for_a_closed_connection_is_reset():
    pair = opened()
    pair.a.abort()
    pair.pump()
    answer = sent_by(pair, "b")[0]
    pair.a.receive(acknowledgement(pair.b, answer), 5)
    assert [flags(one) for one in pair.a.to_send(5)] == ["R"]


# --- attacks and leftovers ------------------------------------------------------------------------


def receiving(pair, change):
    """What `b` answers to a segment from `a` that is the awaited one but for `change`."""
    expected = pair.a.to_send(pair.now)
    assert expected == []
    bare = acknowledgement(pair.a, sent_by(pair, "b")[-1])
    pair.b.receive(msgspec.structs.replace(bare, **change(bare)), pair.now)
    return [flags(one) for one in pair.b.to_send(pair.now)]


@pytest.mark.parametrize(
    ("ahead", "answers", "state"),
    [(0, [], State.CLOSED), (1, ["A"], State.ESTABLISHED), (999_999, [], State.ESTABLISHED), (-1, [], State.ESTABLISHED)],
)  # fmt: skip
def test_only_an_exact_reset_ends_a_connection(ahead, answers, state):
    """RFC 5961 3.2: inside the window it is questioned, outside it is nothing."""
    pair = opened()
    got = receiving(
        pair,
        change=lambda bare: {"rst": True, "sequence_number": wire(bare.sequence_number, ahead)},
    )
    assert (got, pair.b.state) == (answers, state)


def test_a_syn_inside_a_connection_is_answered_only():
    """RFC 5961 4.2."""
    pair = opened()
    assert receiving(pair, change=lambda bare: {"syn": True}) == ["A"]
    assert pair.b.state is State.ESTABLISHED


def test_an_acknowledgement_of_what_was_not_sent_is_answered_only():
    pair = opened()
    got = receiving(
        pair, change=lambda bare: {"acknowledgement_number": wire(bare.acknowledgement_number, 9), "data": "aa"}
    )  # fmt: skip
    assert got == ["A"]
    assert pair.b.read(10) == b""


def test_data_behind_a_fin_is_not_taken():
    pair = opened()
    pair.a.send(b"end")
    pair.a.close()
    pair.run(lambda p: "peer_closed" in p.kinds("b"))
    last = sent_by(pair, "a")[-1]
    more = acknowledgement(
        pair.a, sent_by(pair, "b")[-1], sequence_number=wire(last.sequence_number, 4), data="aabb"
    )
    pair.b.receive(more, pair.now)
    assert pair.b.read(10) == b""


def test_anything_at_all_is_taken_or_answered():
    """Random segments break nothing, and never give the application what was not sent in order."""
    rng = random.Random("segments")
    for _ in range(300):
        pair = opened()
        for _ in range(10):
            bare = acknowledgement(pair.a, sent_by(pair, "b")[0])
            change: dict[str, Any] = {
                name: rng.random() < 0.3 for name in ("syn", "ack", "fin", "rst", "psh")
            }
            change["sequence_number"] = wire(
                bare.sequence_number, rng.choice((0, 1, -1, 3, rng.getrandbits(32)))
            )
            change["acknowledgement_number"] = wire(
                bare.acknowledgement_number, rng.choice((0, 1, -1, rng.getrandbits(32)))
            )
            change["window"] = rng.choice((0, 1, 65535))
            change["data"] = rng.randbytes(rng.choice((0, 0, 1, 5))).hex()
            pair.b.receive(msgspec.structs.replace(bare, **change), pair.now)
            pair.b.send(b"x") if pair.b.state is State.ESTABLISHED and rng.random() < 0.2 else None
            pair.b.to_send(pair.now)
            due = pair.b.next_timer()
            if due is not None and rng.random() < 0.3:
                pair.now = due
                pair.b.handle_timer(due)


# --- windows --------------------------------------------------------------------------------------


def test_what_is_in_flight_never_exceeds_the_window():
    pair = opened(b=SMALL, a=SMALL)
    pair.reads["b"] = False
    pair.a.send(bytes(5000))
    pair.run(lambda p: p.b.incoming.readable == 1000)
    pair.run(limit_us=20_000_000)
    assert pair.b.incoming.readable == 1000
    assert pair.a.state is State.ESTABLISHED


def test_a_closed_window_is_probed_and_reopens():
    """Nothing is read for a minute: one octet now and then; then everything arrives."""
    pair = opened(b=SMALL, a=SMALL)
    pair.reads["b"] = False
    data = random.Random("window").randbytes(3000)
    pair.a.send(data)
    pair.run(lambda p: p.now > 60_000_000, limit_us=61_000_000)
    probes = [one for one in sent_by(pair, "a") if len(one.data) == 2]
    assert 3 <= len(probes) <= 8
    pair.reads["b"] = True
    start = pair.now
    assert pair.run(lambda p: p.got["b"] == data)
    assert pair.now - start < 1_000_000


def test_a_window_update_that_is_lost_does_not_stop_the_stream():
    lose: list[bool] = [False]
    pair = opened(b=SMALL, a=SMALL, fate=lambda who, one: () if lose[0] and who == "b" else (1000,))
    pair.reads["b"] = False
    pair.a.send(bytes(3000))
    pair.run(lambda p: p.b.incoming.readable == 1000)
    lose[0] = True
    pair.reads["b"] = True
    pair.pump()
    lose[0] = False
    assert pair.run(lambda p: len(p.got["b"]) == 3000)


def test_the_sender_is_told_when_there_is_room_again():
    pair = opened(a=SMALL)
    assert pair.a.send(bytes(6000)) == 5000
    pair.run(lambda p: "writable" in p.kinds("a"))
    assert pair.a.send(bytes(1000)) == 1000


def test_a_window_beyond_16_bits_is_used():
    pair = opened(delay_us=100_000)
    pair.a.send(b"x")
    pair.run(lambda p: p.a.sending.out.acked == 2)
    pair.log.clear()
    pair.a.send(bytes(200_000))
    pair.pump()
    assert sum(len(one.data) // 2 for one in sent_by(pair, "a")) == 200_000


# --- losses ---------------------------------------------------------------------------------------


def test_a_single_loss_is_repaired_without_the_timer():
    """Three repeated acknowledgements (RFC 5681 3.2): well before the timeout of a second."""
    dropped: list[Any] = []

    def fate(who, segment):
        if (
            who == "a"
            and segment.data
            and len(dropped) == 0
            and segment.sequence_number == second[0]
        ):
            dropped.append(segment)
            return ()
        return (1000,)

    second = [-1]
    pair = opened(fate=fate, a=SMALL)
    second[0] = wire(sent_by(pair, "a")[-1].sequence_number, 100)
    pair.a.send(bytes(1000))
    pair.run(lambda p: len(p.got["b"]) == 1000)
    assert len(dropped) == 1
    assert pair.now < 20_000
    assert pair.a.sending.retransmissions == 1


def test_the_timeout_doubles_and_comes_back():
    """RFC 6298 5.5 and 5.7: 1, 2, 4 s; after an answer the measured value, at least a second."""
    dead: list[bool] = [False]
    pair = opened(fate=lambda who, one: () if dead[0] else (1000,))
    dead[0] = True
    pair.a.send(b"x")
    pair.pump()
    start, times = pair.now, []
    for _ in range(3):
        pair.step()
        times.append(pair.now - start)
    assert times == [1_000_000, 3_000_000, 7_000_000]
    dead[0] = False
    pair.run(lambda p: p.got["b"] == b"x" and not p.a.sending.out.in_flight)
    pair.a.send(b"y")
    pair.pump()
    assert pair.a.next_timer() == pair.now + 1_000_000


def test_a_retransmitted_segment_measures_no_round_trip():
    """Karn's rule: the answer to a segment sent twice says nothing of its delay."""
    pair = opened(delay_us=300_000, a=msgspec.structs.replace(SMALL, least_timeout_us=1))
    first = pair.a.sending.timeout.us
    assert first == 600_000 + 4 * 300_000
    dead = pair.fate
    pair.fate = lambda who, one: ()
    pair.a.send(b"x")
    pair.run(lambda p: p.a.sending.retransmissions == 1)
    pair.fate = dead
    pair.run(lambda p: p.got["b"] == b"x" and not p.a.sending.out.in_flight)
    assert pair.a.sending.timeout.us == first


def test_a_peer_that_falls_silent_is_given_up():
    pair = opened()
    pair.fate = lambda who, one: ()
    pair.a.send(b"x")
    start = pair.now
    pair.run(lambda p: p.a.state is State.CLOSED)
    assert pair.events["a"][-1] == Closed("timed_out")
    assert 100_000_000 <= pair.now - start <= 130_000_000


def test_patience_may_be_endless():
    pair = opened(a=FOREVER)
    pair.fate = lambda who, one: ()
    pair.a.send(b"x")
    pair.run(limit_us=3_600_000_000)
    pair.fate = lambda who, one: (1000,)
    assert pair.run(lambda p: p.got["b"] == b"x")


class Storm:
    """A channel that loses, repeats and delays by chance until `good_us`, then is good."""

    def __init__(self, seed, loss, repeat, good_us):
        self.rng = random.Random(seed)
        self.loss, self.repeat, self.good_us = loss, repeat, good_us
        self.pair: Any = None

    def __call__(self, who, segment):
        if self.pair is None or self.pair.now >= self.good_us:
            return (1000,)
        if self.rng.random() < self.loss:
            return ()
        copies = 2 if self.rng.random() < self.repeat else 1
        return tuple(self.rng.randrange(500, 50_000) for _ in range(copies))


@PROPERTY
@given(
    seed=st.integers(0, 2**32),
    loss=st.sampled_from((0.0, 0.1, 0.4, 0.9, 1.0)),
    repeat=st.sampled_from((0.0, 0.3)),
)
def test_what_arrives_is_a_prefix_and_all_when_the_link_is_good_again(seed, loss, repeat):
    """Both ways at once, reading in between, closing at the end."""
    rng = random.Random(seed)
    there, here = rng.randbytes(rng.randrange(20_000)), rng.randbytes(rng.randrange(3000))
    storm = Storm(seed, loss, repeat, good_us=20_000_000)
    pair = Pair(storm, a=FOREVER, b=FOREVER, seed=seed)
    storm.pair = pair
    given_by = {"a": 0, "b": 0}

    def feed(p):
        for name, data in (("a", there), ("b", here)):
            end, at = p.end(name), given_by[name]
            if at < len(data) and end.state in (State.ESTABLISHED, State.CLOSE_WAIT):
                given_by[name] += end.send(data[at : at + rng.randrange(1, 2000)])
            open_ = end.state in (State.SYN_RECEIVED, State.ESTABLISHED, State.CLOSE_WAIT)
            if given_by[name] == len(data) and open_:
                end.close()
            p.reads[name] = p.now >= storm.good_us or rng.random() < 0.7
        assert there.startswith(bytes(p.got["b"]))
        assert here.startswith(bytes(p.got["a"]))
        return p.a.state is State.CLOSED and p.b.state is State.CLOSED

    assert pair.run(feed)
    pair.reads = {"a": True, "b": True}
    pair.pump()  # what arrived can still be read
    assert (bytes(pair.got["b"]), bytes(pair.got["a"])) == (there, here)
    assert pair.events["a"][-1] == pair.events["b"][-1] == Closed("closed")


# --- parts ----------------------------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**40), st.integers(-(2**31) + 1, 2**31 - 1))
@settings(PROPERTY, max_examples=200)
def test_offsets_survive_the_wrap_of_sequence_numbers(initial, near, away):
    assert unwrapped(wire(initial, near + away), initial, near) == near + away


def test_sequence_numbers_wrap_in_a_stream():
    pair = Pair(a=FOREVER, b=FOREVER)
    for end, first in ((pair.a, 2**32 - 5), (pair.b, 2**32 - 1)):
        end._initial = first
    data = bytes(range(256)) * 8
    assert pair.run(lambda p: p.a.state is State.ESTABLISHED)
    pair.a.send(data)
    assert pair.run(lambda p: p.got["b"] == data)


@PROPERTY
@given(st.lists(st.tuples(st.integers(-30, 80), st.integers(0, 40)), max_size=40))
def test_pieces_in_any_order_join_to_a_prefix(pieces):
    """Overlaps, gaps, repetitions, pieces out of the window: never anything but the data in order."""
    data = bytes(range(1, 101))
    incoming = Incoming(60, 10)
    incoming.start()
    got = b""
    for start, size in pieces:
        at = max(start, 0)
        piece = data[at : max(start + size, at)]
        incoming.put(1 + at, piece)
        got += incoming.take(7)
        assert incoming.readable <= 60
        assert data.startswith(got)
        incoming.told()
    got += incoming.take(1000)
    assert got == data[: len(got)]
    assert incoming.next == 1 + len(got)


def test_every_state_has_a_way_out_and_is_reached():
    """From every state but CLOSED something leads on, an abort always; only LISTEN and SYN-SENT are beginnings."""
    assert {state for state, _ in TRANSITIONS} == set(State) - {State.CLOSED}
    reached = {state for (before, _), state in TRANSITIONS.items() if before is not state}
    assert set(State) - reached == {State.LISTEN, State.SYN_SENT}
    assert all((state, Cause.ABORT) in TRANSITIONS for state in set(State) - {State.CLOSED})


def test_every_row_of_the_table_happens(monkeypatch):
    """A row that no connection takes would be one that is not true: many short ones, on channels good and bad."""
    seen: set[tuple[State, Cause]] = set()
    move = Stream._move

    def noting(self, cause):
        if (self.state, cause) in TRANSITIONS:
            seen.add((self.state, cause))
        move(self, cause)

    monkeypatch.setattr(Stream, "_move", noting)
    rng = random.Random("rows")
    short = msgspec.structs.replace(SMALL, give_up_us=2_500_000, time_wait_us=200_000)
    for seed in range(2000):
        storm = Storm(seed, 0.0, 0.2, 1 << 40)
        pair = Pair(storm, a=short, b=short, seed=seed)
        if rng.random() < 0.2:
            pair.b = Stream(7024, 49152, draws(seed), short)
        for _ in range(rng.randrange(12)):
            end = rng.choice((pair.a, pair.b))
            act = rng.choice(("close", "close", "abort", "send", "", "", ""))
            storm.pair, storm.loss = rng.choice((None, None, pair)), rng.choice((0.2, 1.0))
            if act == "send" and end.state in (State.ESTABLISHED, State.CLOSE_WAIT):
                end.send(b"x")
            elif act in ("close", "abort"):
                getattr(end, act)()
            pair.step()
        storm.pair, storm.loss = pair, rng.choice((0.0, 1.0))
        pair.run(steps=100)
    assert set(TRANSITIONS) == seen
