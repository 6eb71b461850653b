"""H5: known octets, link establishment, and a bad line between two ends."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.hci.framing import LinkReset, LinkStalled, LinkUp, Received, Skipped
from protocols.hci.h5 import TRANSITIONS, H5Framer, LinkState
from protocols.hci.h5_packets import Config, Message, WirePacket, check, read, write
from protocols.hci.slip import SlipReader, slip_frame

SYNC = bytes.fromhex("c0002f00d0017ec0")


def test_the_integrity_check_is_the_published_crc():
    """CRC-16/MCRF4XX of "123456789" is 0x6F91; the transport sends it with its bits reversed."""
    assert check(b"123456789").hex() == f"{int(f'{0x6F91:016b}'[::-1], 2):04x}"


def test_first_octets_are_those_that_linux_sends():
    """SYNC, and CONFIG with a window of 4 (its header checksum is 0xC0, which SLIP escapes)."""
    framer = H5Framer(Config(window=4))
    assert framer.to_send(0) == SYNC
    framer.receive(slip_frame(write(WirePacket(kind=15, payload=b"\x02\x7d"))), 0)
    assert framer.to_send(0) == bytes.fromhex("c0003f00dbdc03fc04c0")


def test_a_command_and_its_header():
    """Sequence 0, acknowledgement 0, reliable, type 1, 3 octets: 80 31 00 4E."""
    packet = WirePacket(kind=1, payload=bytes.fromhex("030c00"), reliable=True)
    assert write(packet).hex() == "8031004e030c00"
    assert read(bytes.fromhex("8031004e030c00")) == packet


@given(st.binary(min_size=1, max_size=300))
def test_slip_gives_back_what_went_in(octets):
    line = slip_frame(octets)
    assert line[1:-1].count(b"\xc0") == 0
    assert [frame for _, frame in SlipReader(300).receive(line)] == [octets]
    reader = SlipReader(300)
    assert [f for at in range(len(line)) for _, f in reader.receive(line[at : at + 1])] == [octets]


@pytest.mark.parametrize("raw", ["db", "01db", "dbdb", "dbde02"])
def test_an_unknown_or_cut_escape_damages_its_frame_only(raw):
    line = b"\xc0" + bytes.fromhex(raw) + b"\xc0" + slip_frame(b"ok")
    assert [frame for _, frame in SlipReader(10).receive(line)] == [None, b"ok"]


def test_a_frame_without_end_costs_bounded_memory():
    reader = SlipReader(100)
    damaged = [frame for _ in range(100) for _, frame in reader.receive(bytes(50))]
    assert set(damaged) == {None}
    assert len(reader._partial) <= 250
    assert [frame for _, frame in reader.receive(b"\xc0" + slip_frame(b"ok"))][-1] == b"ok"


class Line:
    """Two ends and a clock; `spoil` may change what goes over."""

    def __init__(self, one, other, spoil=lambda octets: octets):
        self.ends, self.spoil, self.now = (one, other), spoil, 0
        self.got = ([], [])

    def turn(self):
        """Carry what is to be sent in both directions; whether anything was."""
        moved = False
        for number, end in enumerate(self.ends):
            if octets := end.to_send(self.now):
                moved = True
                self.ends[1 - number].receive(self.spoil(octets), self.now)
        for number, end in enumerate(self.ends):
            while (event := end.next_event()) is not None:
                self.got[number].append(event)
        return moved

    def run(self, until_us):
        while True:
            for _ in range(1000):
                if not self.turn():
                    break
            timers = [each for end in self.ends if (each := end.next_timer()) is not None]
            if not timers or min(timers) > until_us:
                self.now = until_us
                return
            self.now = max(self.now, min(timers))
            for end in self.ends:
                end.handle_timer(self.now)

    def packets(self, number):
        return [each.packet for each in self.got[number] if isinstance(each, Received)]

    def kinds(self, number):
        return [type(each) for each in self.got[number]]


def active(one=None, other=None, **rest):
    line = Line(H5Framer(one), H5Framer(other), **rest)
    line.run(1_000_000)
    assert [end.state for end in line.ends] == [LinkState.ACTIVE] * 2
    return line


def commands(count, size=0):
    return [
        b"\x01" + (0xFC00 + n).to_bytes(2, "little") + bytes((size,)) + bytes(size)
        for n in range(count)
    ]


def test_two_ends_come_up_and_agree_on_less():
    line = active(Config(7, crc=True), Config(3, crc=True))
    assert line.got[0] == [LinkUp(line.got[0][0].t_us, 3, True)]
    assert active(Config(4, crc=True), Config(4)).got[0][0].crc is False


def test_sync_is_repeated_every_100_ms_until_somebody_is_there():
    framer, sent = H5Framer(), []
    now = 0
    for _ in range(5):
        sent.append((now, framer.to_send(now)))
        now = framer.next_timer()
        framer.handle_timer(now)
    assert sent == [(100_000 * number, SYNC) for number in range(5)]


def test_every_message_in_every_state_leads_somewhere_or_is_ignored():
    for state, message in itertools.product(LinkState, Message):
        framer = H5Framer()
        framer.state = state
        framer.receive(slip_frame(write(WirePacket(kind=15, payload=message.value))), 0)
        assert framer.state is TRANSITIONS.get((state, message), (None, state))[1]


def test_data_before_the_link_is_up_are_ignored():
    framer = H5Framer()
    framer.receive(slip_frame(write(WirePacket(kind=1, payload=b"\x03\x0c\0", reliable=True))), 0)
    assert framer.next_event() is None


@pytest.mark.parametrize("window", [1, 4, 7])
def test_28_no_more_than_the_window_is_on_its_way(window):
    line = active(Config(window), Config(7))
    sender = line.ends[0]
    for packet in commands(20):
        sender.send(packet, line.now)
    assert sender.to_send(line.now).count(b"\xc0") == 2 * window
    assert not sender.ready
    sender.handle_timer(line.now + 250_000)
    line.run(line.now + 1_000_000)
    assert line.packets(1) == commands(20)


def lossy(rate, seed, *, flip=False):
    chance = random.Random(seed)

    def spoil(octets):
        out = bytearray()
        for octet in octets:
            hit = chance.random() < rate
            if not hit or flip:
                out.append(octet ^ (1 << chance.randrange(8)) if hit else octet)
        return bytes(out)

    return spoil


@pytest.mark.parametrize("rate", [0.001, 0.01])
def test_28_lost_octets_are_made_good(rate):
    line = active(Config(7), Config(7), spoil=lossy(rate, 28))
    sent = commands(100, 20)
    for packet in sent:
        line.ends[0].send(packet, line.now)
    line.run(line.now + 60_000_000)
    assert line.packets(1) == sent
    assert line.ends[0].resends > 0
    assert any(isinstance(each, Skipped) for each in line.got[1])


@pytest.mark.parametrize("rate", [0.001, 0.01])
def test_28_flipped_bits_are_made_good_with_the_integrity_check(rate):
    line = active(Config(7, crc=True), Config(7, crc=True), spoil=lossy(rate, 29, flip=True))
    sent = commands(100, 20)
    for packet in sent:
        line.ends[0].send(packet, line.now)
    line.run(line.now + 60_000_000)
    assert line.packets(1) == sent


def test_28_flipped_bits_without_the_check_reach_the_host():
    """What the check is for: the header has a sum, the payload has nothing."""
    line = active()
    line.spoil = lambda octets: octets.replace(b"\x55", b"\x54")
    line.ends[0].send(bytes.fromhex("0100fc0155"), line.now)
    line.run(line.now + 1000)
    assert line.packets(1) == [bytes.fromhex("0100fc0154")]


def test_28_a_repetition_is_delivered_once_and_acknowledged_again():
    line = active()
    line.ends[0].send(commands(1)[0], line.now)
    octets = line.ends[0].to_send(line.now)
    for _ in range(3):
        line.ends[1].receive(octets, line.now)
        assert line.ends[1].to_send(line.now) != b""
    line.run(line.now)
    assert line.packets(1) == commands(1)


def test_28_acknowledgements_out_of_order_take_nothing_back():
    line = active(Config(7), Config(7))
    sender = line.ends[0]
    for packet in commands(4):
        sender.send(packet, line.now)
    sender.to_send(line.now)
    acks = [
        slip_frame(write(WirePacket(kind=0, payload=b"", ack=number))) for number in (3, 1, 2, 7)
    ]
    for octets in acks:
        sender.receive(octets, line.now)
    sender.handle_timer(line.now + 250_000)
    again = [frame for _, frame in SlipReader(100).receive(sender.to_send(line.now + 250_000))]
    assert [read(frame).seq for frame in again] == [3]


def test_28_a_packet_out_of_turn_waits_for_the_one_before():
    line = active(Config(7), Config(7))
    frames = [
        slip_frame(write(WirePacket(kind=1, payload=packet[1:], seq=number, reliable=True)))
        for number, packet in enumerate(commands(3))
    ]
    line.ends[1].receive(frames[1] + frames[2], line.now)
    assert line.ends[1].next_event() is None
    line.ends[1].receive(b"".join(frames), line.now)
    line.run(line.now)
    assert line.packets(1) == commands(3)


def test_28_sync_in_the_active_state_means_that_the_peer_started_afresh():
    line = active()
    for packet in commands(6):
        line.ends[0].send(packet, line.now)
    line.ends[0].receive(SYNC, line.now)
    reset = line.ends[0].next_event()
    assert reset == LinkReset(line.now, 6)
    line.ends = (line.ends[0], H5Framer())
    line.run(line.now + 1_000_000)
    assert line.kinds(0)[-1] is LinkUp
    line.ends[0].send(commands(1)[0], line.now)
    line.run(line.now)
    assert line.packets(1) == commands(1), "nothing of the time before comes again"


def test_a_peer_that_sleeps_is_woken_before_it_gets_data():
    line = active()
    line.ends[0].receive(
        slip_frame(write(WirePacket(kind=15, payload=Message.SLEEP.value))), line.now
    )
    line.ends[0].send(commands(1)[0], line.now)
    first = [frame for _, frame in SlipReader(100).receive(line.ends[0].to_send(line.now))]
    assert [read(frame).payload for frame in first] == [Message.WAKEUP.value]
    line.run(line.now + 500_000)
    assert line.packets(1) == commands(1)


def test_28_the_largest_payload_goes_through_and_one_more_octet_is_skipped():
    line = active()
    largest = b"\x02\x40\x20" + (4091).to_bytes(2, "little") + bytes(4091)
    line.ends[0].send(largest, line.now)
    line.run(line.now)
    assert line.packets(1) == [largest]
    line.ends[1].receive(b"\xc0" + b"\xdb\xdd" * 4300 + b"\xc0", line.now)
    assert isinstance(line.ends[1].next_event(), Skipped)


def test_28_a_peer_that_acknowledges_nothing_is_named_once():
    line = active()
    line.spoil = lambda octets: b""
    line.ends[0].send(commands(1)[0], line.now)
    line.run(line.now + 20_000_000)
    assert line.kinds(0).count(LinkStalled) == 1


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=12), st.booleans())
def test_any_octets_are_survived_and_the_link_still_comes_up(pieces, in_active):
    line = active() if in_active else Line(H5Framer(), H5Framer())
    for piece in pieces:
        line.ends[0].receive(piece + b"\xc0", line.now)
        line.ends[0].receive(slip_frame(write(WirePacket(kind=15, payload=piece[:8]))), line.now)
        line.ends[0].to_send(line.now)
    line.ends = (line.ends[0], H5Framer())
    line.run(line.now + 3_000_000)
    line.ends[0].send(commands(1)[0], line.now)
    line.run(line.now + 3_000_000)
    assert commands(1)[0] in line.packets(1)
