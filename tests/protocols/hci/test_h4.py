"""H4: packets out of a stream that has no marks, and how little garbage costs. Losses are those of digest 2.1."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.hci.framing import Received, Skipped, is_whole
from protocols.hci.h4 import IDLE_US, H4Framer, Limits

BANNER = b"*** Booting Zephyr OS build v3.7.0 ***\r\n"
ACL = bytes.fromhex("02402005000102030405")
COMMAND = bytes.fromhex("01030c00")
SCO = bytes.fromhex("03400002aabb")
ISO = bytes.fromhex("0540200300010203")


def events(count):
    """Command Complete events that differ."""
    return [bytes((4, 0x0E, 5, 1, 3, 12, number & 0xFF, number >> 8)) for number in range(count)]


def run(*pieces, idle=True, framer=None):
    """(packets, skipped octets) of a stream that comes in pieces, then falls silent."""
    framer = framer or H4Framer()
    for number, piece in enumerate(pieces):
        framer.receive(piece, number)
    if idle and (due := framer.next_timer()) is not None:
        framer.handle_timer(due)
    packets, skipped = [], b""
    while (found := framer.next_event()) is not None:
        if isinstance(found, Received):
            packets.append(found.packet)
        else:
            assert isinstance(found, Skipped)
            skipped += found.octets
    assert framer.skipped_octets == len(skipped)
    return packets, skipped


@pytest.mark.parametrize("packet", [ACL, SCO, ISO, events(1)[0], bytes((4, 0xFF, 1, 0))])
def test_every_kind_to_the_host_comes_out_as_it_went_in(packet):
    assert run(packet) == ([packet], b"")
    assert run(*(packet[at : at + 1] for at in range(len(packet))), idle=False) == ([packet], b"")


@pytest.mark.parametrize("packet", [COMMAND, bytes.fromhex("0240000100ff"), SCO, ISO])
def test_every_kind_to_the_controller_comes_out_as_it_went_in(packet):
    assert run(packet, framer=H4Framer(to_host=False)) == ([packet], b"")


def test_a_command_to_the_host_and_an_event_to_the_controller_are_garbage():
    assert run(COMMAND)[0] == []
    assert events(1)[0] not in run(events(1)[0], framer=H4Framer(to_host=False))[0]


LE_ONLY = Limits(acl=251, iso=0)
"""Of a controller that said so."""
# (name, octets before the events, number of events, how many may be lost)
ROWS = [
    ("one bad octet", b"\xee", 3, 0),
    ("stray 0x02", b"\x02", 1000, 0),
    ("stray 0x04", b"\x04", 100, 4),
    ("stray 0x01", b"\x01", 100, 0),
    ("event cut to 3 of 7 octets", events(1)[0][:3], 100, 2),
    ("ACL without its last octet", ACL[:-1], 100, 1),
    ("ACL without an octet of its handle", ACL[:1] + ACL[2:], 1000, 0),
    ("banner", BANNER, 3, 0),
]


@pytest.mark.parametrize(
    ("before", "count", "may_lose"), [row[1:] for row in ROWS], ids=[r[0] for r in ROWS]
)
def test_04_garbage_costs_no_more_than_in_the_table(before, count, may_lose):
    wanted = events(count)
    packets, _ = run(before + b"".join(wanted), framer=H4Framer(limits=LE_ONLY))
    assert len(set(wanted) - set(packets)) <= may_lose


def test_a_header_octet_that_is_missing_costs_at_most_the_largest_packet():
    wanted = events(1000)
    packets, _ = run(ACL[:3] + ACL[4:] + b"".join(wanted), framer=H4Framer(limits=Limits(acl=251)))
    assert len(set(wanted) - set(packets)) <= 251 // len(wanted[0]) + 2


@pytest.mark.parametrize(
    ("at_once", "mean_lost", "all_lost"), [(True, 0.32, 0.001), (False, 0.35, 0.003)]
)
def test_04_random_octets_before_events_cost_no_more_than_in_the_table(
    at_once, mean_lost, all_lost
):
    chance, runs, lost, everything = random.Random(21), 1000, 0, 0
    wanted = events(20)
    for _ in range(runs):
        garbage = chance.randbytes(chance.randint(1, 39))
        pieces = [garbage + b"".join(wanted)] if at_once else [garbage, *wanted]
        missing = len(set(wanted) - set(run(*pieces)[0]))
        lost += missing
        everything += missing == len(wanted)
    assert lost / runs <= mean_lost
    assert everything / runs <= all_lost


@pytest.mark.parametrize(
    "header", ["024020ffff", "02400fff0f", "0241300000", "02400f0100", "0540a00000", "0540c00000"]
)
def test_an_implausible_header_is_no_packet(header):
    wanted = events(2)
    packets, skipped = run(bytes.fromhex(header) + b"".join(wanted))
    assert packets == wanted
    assert skipped == bytes.fromhex(header)


@pytest.mark.parametrize(
    "event", ["040405aabbccddee", "040502aabb", "040e0101", "040f0100", "0400020102"]
)
def test_an_event_with_a_length_that_its_code_never_has_is_none(event):
    wanted = events(2)
    assert run(bytes.fromhex(event) + b"".join(wanted))[0] == wanted


def test_06_a_length_beyond_the_limit_waits_for_nothing():
    framer = H4Framer(limits=Limits(acl=251))
    framer.receive(bytes.fromhex("024020fc00"), 0)
    assert framer.next_timer() is None
    framer.receive(bytes.fromhex("024020fb00"), 0)
    assert framer.next_timer() == IDLE_US


def test_07_an_incomplete_packet_is_kept_until_just_before_the_idle_time_ends():
    framer = H4Framer()
    packet = events(1)[0]
    framer.receive(packet[:5], 1000)
    framer.handle_timer(1000 + IDLE_US - 1)
    framer.receive(packet[5:], 1000 + IDLE_US - 1)
    assert framer.next_event() == Received(packet, 1000 + IDLE_US - 1)
    framer.receive(packet[:5], 2_000_000)
    framer.handle_timer(2_000_000 + IDLE_US)
    assert framer.next_event() == Skipped(
        packet[:5], 2_000_000 + IDLE_US, "incomplete when the line fell silent"
    )


def test_07_packets_inside_an_incomplete_one_are_found_when_the_line_is_silent():
    wanted = events(3)
    packets, skipped = run(bytes.fromhex("024020c800") + b"".join(wanted))
    assert (packets, skipped) == (wanted, bytes.fromhex("024020c800"))


def test_on_an_endpoint_there_are_no_type_octets():
    framer = H4Framer(endpoint=4)
    wanted = events(20)
    stream = b"".join(packet[1:] for packet in wanted)
    packets, skipped = run(
        *(stream[at : at + 16] for at in range(0, len(stream), 16)), framer=framer
    )
    assert (packets, skipped) == (wanted, b"")


def test_27_a_lost_tail_on_an_endpoint_costs_little():
    wanted = events(20)
    stream = wanted[0][1:4] + b"".join(packet[1:] for packet in wanted[1:])
    packets, _ = run(stream, framer=H4Framer(endpoint=4))
    assert len(set(wanted[1:]) - set(packets)) <= 2


PACKETS = st.sampled_from([ACL, SCO, ISO, *events(4)])


@settings(max_examples=60, deadline=None)
@given(st.lists(PACKETS, max_size=20), st.randoms(use_true_random=False))
def test_08_pieces_of_any_size_give_the_same(packets, chance):
    stream, pieces = b"".join(packets), []
    while stream:
        size = chance.randint(1, 30)
        pieces.append(stream[:size])
        stream = stream[size:]
    assert run(*pieces) == (packets, b"")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=600), st.booleans(), st.sampled_from([None, 2, 4]), st.integers(1, 64))
def test_any_octets_come_out_once_each_and_what_is_called_a_packet_is_one(
    data, to_host, endpoint, size
):
    endpoint = endpoint if to_host else None
    framer = H4Framer(to_host=to_host, endpoint=endpoint)
    packets, skipped = run(
        *(data[at : at + size] for at in range(0, len(data), size)), framer=framer
    )
    assert all(map(is_whole, packets))
    heads = 1 if endpoint else 0
    assert sum(len(packet) - heads for packet in packets) + len(skipped) == len(data)


def test_06_a_hostile_stream_costs_no_more_memory_than_one_packet():
    framer = H4Framer(limits=Limits(acl=1024))
    for _ in range(2000):
        framer.receive(bytes.fromhex("0240200004") + b"\x02" * 95, 0)
        while framer.next_event() is not None:
            assert len(framer._tail) <= 1029
