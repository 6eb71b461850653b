"""Links of data paths: what slots allow, losses, keys, keep-alive, streams and datagrams; tshark reads what was on the air."""

from __future__ import annotations

import asyncio
import math
import random
from typing import Any

import pytest

from protocols.errors import UsageError
from protocols.ip.stream_states import StreamSettings
from protocols.wifi_aware import frames
from protocols.wifi_aware.data_link import LinkTerms
from protocols.wifi_aware.events import DataPathConnected
from protocols.wifi_aware.frame import read
from protocols.wifi_aware.openings import without_windows
from protocols.wifi_aware.timing import ALL_SLOTS, SLOT_US, slot_of
from sim.clock import VirtualLoop
from sim.wifi_aware.link import Link, LinkError, LinkSettings, StreamEndedError
from tests import ip_shark
from tests.sim.wifi_aware.link_doubles import (
    BACKOFF_SLOTS,
    CHANNEL,
    CLUSTER,
    KEYS,
    ONE,
    RATE_MBIT_S,
    SLOT_TIME_US,
    TWO,
    Bench,
    Medium,
    Radio,
    draws,
    terms,
)

ONE_SLOT = frozenset(range(9, 512, 32))
"""One slot of 16 TU in each interval of 512 TU."""
EVERY_SLOT = without_windows({CHANNEL: ALL_SLOTS}, 1, 1)[CHANNEL]
INTERVAL_US = 524_288


def bench(slots=EVERY_SLOT, **given) -> Bench:
    loop: Any = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return Bench(loop, slots, **given)


async def passed(us):
    await asyncio.sleep(us / 1e6)


# --- addresses ------------------------------------------------------------------------------------


async def test_addresses_are_link_local_with_the_interface_as_scope():
    """EUI-64 of the NDI (rule AA-48), unless the NDPE gave another identifier."""
    both = bench()
    assert str(both.a.local) == "fe80::5eff:fe10:a001%nan0"
    assert both.a.peer.ip == both.b.local.ip == "fe80::5eff:fe20:b001"
    given = terms(peer_identifier=bytes.fromhex("0123456789abcdef"))
    link = Link(
        given, {}, Radio(both.medium, "c"), both.loop, draws("c"), LinkSettings(interface="aware0")
    )
    assert str(link.peer) == "fe80::123:4567:89ab:cdef%aware0"
    link.close()


@pytest.mark.parametrize(
    ("csid", "cipher", "tk"),
    [(0, "", ""), (1, "ccmp_128", "00" * 16), (2, "gcmp_256", "00" * 32), (7, "ccmp_128", "11" * 16), (8, "gcmp_256", "11" * 32)],
)  # fmt: skip
def test_terms_come_from_the_data_path(csid, cipher, tk):
    event = DataPathConnected(
        peer="02:00:00:00:00:09", initiator_ndi=ONE, ndp_id=1, local_ndi=ONE, peer_ndi=TWO, csid=csid, nd_tk=tk,
        interface_identifier="0123456789abcdef",
    )  # fmt: skip
    found = LinkTerms.of(event, CLUSTER)
    assert (found.cipher, found.tk.hex(), found.own_ndi, found.peer_ndi) == (cipher, tk, ONE, TWO)
    assert found.peer_identifier.hex() == "0123456789abcdef"


# --- what slots allow -----------------------------------------------------------------------------

DATAGRAM = 1400


def frame_us(payload):
    """A frame of that UDP payload at 54 Mbit/s and 5 GHz with its Ack, from IEEE 802.11-2020 17.3 and 12.5.3 by hand."""
    octets = 26 + 8 + 8 + 40 + 8 + payload + 8 + 4  # QoS header, CCMP, LLC, IPv6, UDP, MIC, FCS
    symbols = math.ceil((16 + 8 * octets + 6) / (4 * RATE_MBIT_S))
    acknowledgement = math.ceil((16 + 8 * 14 + 6) / (4 * 6))
    return 20 + 4 * symbols + 16 + 20 + 4 * acknowledgement


def frames_in(span_us, payload):
    """(fewest, most) frames that a span takes: the longest and the shortest back-off before each; 256 µs of guard."""
    span = span_us - 256
    longest = 34 + (BACKOFF_SLOTS - 1) * SLOT_TIME_US
    return span // (frame_us(payload) + longest), span // (frame_us(payload) + 34)


async def saturated(both, seconds):
    """Octets of UDP payload that arrive in that time while the sender always has more."""
    socket, sink = both.a.datagram_socket(5000), both.b.datagram_socket(6000)
    arrived = 0

    async def feed():
        while True:
            while len(both.a.queue) < 100:
                socket.send(bytes(DATAGRAM), 6000)
            await passed(2000)

    async def take():
        nonlocal arrived
        while True:
            arrived += len((await sink.receive()).data)

    tasks = [asyncio.create_task(feed()), asyncio.create_task(take())]
    await passed(round(seconds * 1e6))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return arrived


async def test_one_slot_of_an_interval_bounds_the_throughput():
    """16 TU of 512: per interval as many frames as fit into 16,128 µs, and none elsewhere."""
    both = bench(ONE_SLOT)
    intervals = 8
    arrived = await saturated(both, intervals * INTERVAL_US / 1e6)
    fewest, most = frames_in(SLOT_US, DATAGRAM)
    assert intervals * fewest <= arrived / DATAGRAM <= intervals * most
    assert {slot_of(start) % 32 for start, _, _ in both.medium.log} == {9}


async def test_all_slots_carry_thirty_times_as_much():
    """Two runs of an interval, 7 and 23 slots long, between the windows of 2.4 and 5 GHz."""
    both = bench(EVERY_SLOT)
    arrived = await saturated(both, INTERVAL_US / 1e6)
    runs = [frames_in(7 * SLOT_US, DATAGRAM), frames_in(23 * SLOT_US, DATAGRAM)]
    fewest, most = (sum(run[which] for run in runs) for which in (0, 1))
    assert fewest <= arrived / DATAGRAM <= most
    assert arrived / DATAGRAM > 25 * frames_in(SLOT_US, DATAGRAM)[0]


async def test_nothing_is_on_the_air_outside_the_slots():
    """Neither in a discovery window nor in the last 256 µs before the slots end."""
    both = bench(frozenset({3, 4, 9, 40}))
    await saturated(both, 9)
    assert len(both.medium.log) > 30
    for start, end in both.medium.spans:
        run_end = start - start % SLOT_US + SLOT_US * (2 if slot_of(start) == 3 else 1)
        assert slot_of(start) in (3, 4, 9, 40)
        assert end <= run_end - 256


async def test_the_longest_gap_between_slots_bounds_the_latency():
    """A lone datagram waits at most from the end of one slot to the next, and somebody waits nearly as long."""
    both = bench(ONE_SLOT)
    sink, socket = both.b.datagram_socket(6000), both.a.datagram_socket()
    rng, waits = random.Random("latency"), []
    for _ in range(60):
        await passed(rng.randrange(1_000_000))
        begin = both.loop.now_us
        socket.send(b"x", 6000)
        await sink.receive()
        waits.append(both.loop.now_us - begin)
    gap = 31 * SLOT_US
    own = 256 + frame_us(DATAGRAM) + 34 + BACKOFF_SLOTS * SLOT_TIME_US
    assert max(waits) <= gap + own
    assert max(waits) > 0.9 * gap
    assert both.a.statistics.longest_wait_us <= gap + own


async def test_slots_may_change_on_the_way():
    both = bench(ONE_SLOT)
    socket, sink = both.a.datagram_socket(), both.b.datagram_socket(6000)
    await passed(200_000)  # behind the slot of this interval
    socket.send(b"waits", 6000)
    both.a.reschedule({CHANNEL: EVERY_SLOT})
    assert (await sink.receive()).data == b"waits"
    assert both.loop.now_us < 300_000


async def test_a_packet_that_fits_no_slot_is_dropped_and_counted():
    both = bench(frozenset())
    assert both.a.datagram_socket().send(b"x", 1)
    assert both.a.statistics.dropped == {"no_slot": 1}


@pytest.mark.parametrize("tsf_us", [0, 123_456_789])
async def test_slots_are_those_of_the_tsf(tsf_us):
    both = bench(ONE_SLOT, tsf_us=tsf_us)
    both.a.datagram_socket().send(b"x", 6000)
    await passed(600_000)
    ((start, _, _),) = both.medium.log
    assert slot_of(start) % 32 == 9


# --- datagrams ------------------------------------------------------------------------------------


@pytest.mark.parametrize("cipher", KEYS)
async def test_datagrams_go_both_ways(cipher):
    both = bench(cipher=cipher)
    one, two = both.a.datagram_socket(5000), both.b.datagram_socket(6000)
    one.send(b"question", 6000)
    got = await two.receive()
    assert got == (b"question", 5000)
    two.send(b"answer", got.port)
    assert (await one.receive()).data == b"answer"
    for octets in both.frames_by("a"):
        frame = read(octets)
        assert isinstance(frame, frames.ProtectedData if cipher else frames.Data)
        assert (b"question" in octets) == (cipher == "")


async def test_packet_numbers_count_from_one_in_each_direction():
    both = bench()
    one, two = both.a.datagram_socket(5000), both.b.datagram_socket(6000)
    for _ in range(3):
        one.send(b"x", 6000)
    two.send(b"y", 5000)
    await passed(50_000)
    numbers = {
        name: [read(octets).packet_number for octets in both.frames_by(name)] for name in "ab"
    }
    assert numbers == {"a": [1, 2, 3], "b": [1]}


async def test_a_datagram_for_nobody_is_counted():
    both = bench()
    both.a.datagram_socket().send(b"x", 6000)
    await passed(50_000)
    assert both.b.statistics.dropped == {"no_port": 1}


async def test_a_datagram_of_more_than_a_packet_is_refused():
    both = bench()
    socket = both.a.datagram_socket()
    assert socket.send(bytes(1452), 6000)
    with pytest.raises(UsageError, match="1452 fit"):
        socket.send(bytes(1453), 6000)


async def test_a_full_queue_drops():
    both = bench(ONE_SLOT, settings=LinkSettings(queue_packets=3))
    socket = both.a.datagram_socket()
    assert [socket.send(b"x", 1) for _ in range(5)] == [True, True, True, False, False]
    assert both.a.statistics.dropped == {"queue_full": 2}


async def test_ports_are_taken_once():
    both = bench()
    socket = both.a.datagram_socket(5000)
    with pytest.raises(UsageError, match="in use"):
        both.a.datagram_socket(5000)
    socket.close()
    both.a.datagram_socket(5000)
    with pytest.raises(UsageError, match="1 to 65535"):
        both.a.datagram_socket(70_000)
    assert both.a.datagram_socket().port != both.a.datagram_socket().port


async def test_ping_takes_two_frames():
    both = bench()
    await passed(20_000)
    took = await both.a.ping(b"hello")
    assert 2 * frame_us(0) < took < 2 * frame_us(100) + 2 * (34 + BACKOFF_SLOTS * SLOT_TIME_US)
    assert both.b.statistics.received == 1


# --- losses, keys, replays ------------------------------------------------------------------------


async def test_a_frame_without_ack_is_tried_again_and_taken_once():
    """The Ack is lost: the repetition has the retry bit, and the receiver knows it."""
    both = bench()
    tries = iter(["ack_lost", "lost", "lost", ""])
    both.medium.fate = lambda name, octets: next(tries)
    sink = both.b.datagram_socket(6000)
    both.a.datagram_socket().send(b"once", 6000)
    assert (await sink.receive()).data == b"once"
    await passed(50_000)
    assert [bool(octets[1] & 0x08) for octets in both.frames_by("a")] == [False, True, True, True]
    assert both.b.statistics.received == 1
    assert both.b.statistics.refused == {"repeated": 1}
    assert both.a.statistics.sent == 1


async def test_a_lost_datagram_stays_lost_and_the_next_goes_on():
    both = bench()
    both.medium.fate = lambda name, octets: "lost" if read(octets).packet_number == 1 else ""
    sink, socket = both.b.datagram_socket(6000), both.a.datagram_socket()
    socket.send(b"one", 6000)
    socket.send(b"two", 6000)
    assert (await sink.receive()).data == b"two"
    await passed(1000)
    assert (both.a.statistics.lost, both.a.statistics.sent) == (1, 1)


async def test_another_key_opens_nothing_and_says_so():
    wrong = terms(TWO, ONE, tk=bytes(16))
    both = bench(b_terms=wrong)
    both.b.datagram_socket(6000)
    both.a.datagram_socket().send(b"x", 6000)
    await passed(50_000)
    assert both.b.statistics.received == 0
    assert both.b.statistics.refused == {"wrong_key": 1}


async def test_open_and_encrypted_do_not_meet():
    for cipher, other, why in (("", "ccmp_128", "unprotected"), ("ccmp_128", "", "no_key")):
        both = bench(cipher=cipher, b_terms=terms(TWO, ONE, other))
        both.a.datagram_socket().send(b"x", 6000)
        await passed(50_000)
        assert both.b.statistics.refused == {why: 1}


async def test_a_replayed_frame_is_refused():
    both = bench()
    sink, socket = both.b.datagram_socket(6000), both.a.datagram_socket()
    for data in (b"one", b"two"):
        socket.send(data, 6000)
        await sink.receive()
    for octets in both.frames_by("a"):
        both.b.receive(octets)
    assert both.b.statistics.refused == {"replayed": 2}
    assert both.b.statistics.received == 2


async def test_frames_of_others_and_damage_are_refused_by_name():
    both = bench()
    both.a.datagram_socket().send(b"x", 6000)
    await passed(50_000)
    (octets,) = both.frames_by("a")
    both.b.statistics.refused.clear()
    stranger = octets[:10] + bytes.fromhex("0200deadbeef") + octets[16:]
    damaged = octets[:-1] + bytes((octets[-1] ^ 1,))
    for data in (stranger, damaged, octets[:20], b"\x80\x00" + bytes(40)):
        both.b.receive(data)
    assert both.b.statistics.refused == {"not_ours": 2, "wrong_key": 1, "malformed": 1}


async def test_anything_may_come_from_the_air():
    both = bench(cipher="")
    both.a.datagram_socket().send(b"x", 6000)
    await passed(50_000)
    (good,) = both.frames_by("a")
    rng = random.Random("air")
    for _ in range(500):
        data = bytearray(good)
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(data))
            data[at:at] = rng.randbytes(rng.randint(0, 2))
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        both.b.receive(bytes(data))
    await passed(1_000_000)
    found = both.b.statistics
    assert sum(found.refused.values()) + found.received + found.received_nulls == 501


# --- neighbours, keep-alive, ends -----------------------------------------------------------------


async def test_neighbour_discovery_finds_the_peer():
    """Rule IA-60 without pinning: a solicitation and an advertisement come first."""
    both = bench(settings=LinkSettings(neighbour="discovery"))
    sink = both.b.datagram_socket(6000)
    both.a.datagram_socket().send(b"x", 6000)
    assert (await sink.receive()).data == b"x"
    assert both.a.packets.neighbours.known == {both.b.local.ip: TWO}
    assert both.b.packets.neighbours.known == {both.a.local.ip: ONE}
    assert len(both.medium.log) == 3


async def test_a_peer_that_does_not_answer_for_its_address_is_unreachable():
    """Three solicitations, a second apart (RFC 4861 10); then what waited is dropped."""
    both = bench(settings=LinkSettings(neighbour="discovery"))
    both.medium.fate = lambda name, octets: "lost"
    both.a.datagram_socket().send(b"x", 6000)
    await passed(2_500_000)
    assert both.a.statistics.lost == 3
    await passed(1_000_000)
    assert both.a.statistics.dropped == {"unreachable": 1}


async def test_a_null_frame_goes_out_when_it_is_wanted_and_nothing_else_waits():
    """Rule IA-61. A packet that waits does as well, so that no null frame goes beside it."""
    both = bench(ONE_SLOT)
    both.b.datagram_socket(6000)
    both.a.queue.keep_alive()
    await passed(INTERVAL_US)
    both.a.datagram_socket().send(b"x", 6000)
    both.a.queue.keep_alive()
    await passed(INTERVAL_US)
    assert [read(octets).data_subtype for octets in both.frames_by("a")] == [12, 8]
    assert (both.a.statistics.nulls, both.a.statistics.sent) == (1, 1)
    assert (both.b.statistics.received_nulls, both.b.statistics.received) == (1, 1)


async def test_closing_a_link_ends_what_is_on_it():
    both = bench()
    server = both.b.listen(7024)
    accepting = asyncio.create_task(server.accept())
    stream = await both.a.connect(7024)
    theirs = await accepting
    reading = asyncio.create_task(stream.read())
    pinging = asyncio.create_task(both.a.ping())
    await asyncio.sleep(0)
    both.a.close()
    for task in (reading, pinging):
        with pytest.raises(LinkError, match="ended"):
            await task
    with pytest.raises(StreamEndedError):
        await stream.write(b"x")
    assert not theirs.reason


async def test_a_new_data_path_carries_on_where_the_old_one_ended():
    """Reconnection: new keys, packet numbers from 1; a frame of the old path is refused on the new one."""
    both = bench()
    both.b.datagram_socket(6000)
    both.a.datagram_socket().send(b"old", 6000)
    await passed(50_000)
    (old,) = both.frames_by("a")
    both.a.close()
    both.b.close()
    again: Any = Bench(both.loop, EVERY_SLOT, cipher="gcmp_256")
    sink = again.b.datagram_socket(6000)
    again.b.receive(old)
    again.a.datagram_socket().send(b"new", 6000)
    assert (await sink.receive()).data == b"new"
    assert again.b.statistics.refused == {"wrong_key": 1}
    assert read(again.frames_by("a")[0]).packet_number == 1


# --- streams --------------------------------------------------------------------------------------


async def carried(both, data, *, port=7024):
    """Send `data` from a to b on a stream; what b got, and both ends closed."""
    server = both.b.listen(port)

    async def serve():
        stream = await server.accept()
        out = b""
        while piece := await stream.read():
            out += piece
        stream.close()
        return out

    serving = asyncio.create_task(serve())
    stream = await both.a.connect(port)
    await stream.write(data)
    stream.finish()
    assert await stream.read() == b""
    got = await serving
    await stream.closed()
    server.close()
    return got


@pytest.mark.parametrize("slots", [ONE_SLOT, EVERY_SLOT], ids=["one slot", "every slot"])
async def test_a_stream_carries_everything(slots):
    both = bench(slots)
    data = random.Random("stream").randbytes(60_000)
    assert await carried(both, data) == data
    assert both.a.statistics.lost == 0


@pytest.mark.parametrize("loss", [0.2, 0.6])
async def test_a_stream_survives_losses(loss):
    """At 0.6 one frame in 60 is lost for good, and TCP repeats it."""
    both = bench()
    rng = random.Random("loss")
    both.medium.fate = lambda name, octets: (
        rng.choice(("lost", "ack_lost")) if rng.random() < loss else ""
    )
    data = rng.randbytes(150_000)
    assert await carried(both, data) == data
    assert (both.a.statistics.lost > 0) == (loss > 0.5)


async def test_a_stream_survives_an_outage():
    both = bench()
    both.medium.fate = lambda name, octets: "lost" if 50_000 < both.loop.now_us < 9_000_000 else ""
    data = random.Random("outage").randbytes(400_000)
    assert await carried(both, data) == data
    assert both.loop.now_us > 9_000_000


async def test_a_stream_is_bounded_by_the_slots_too():
    """One slot of an interval: not more payload than what its frames hold, and more than a quarter of that."""
    both = bench(ONE_SLOT)
    server = both.b.listen(7024)
    stream = await both.a.connect(7024)
    theirs = await server.accept()
    begin = both.loop.now_us
    data = bytes(500_000)
    writing = asyncio.create_task(stream.write(data))
    got = await theirs.read_exactly(len(data))
    await writing
    assert got == data
    intervals = (both.loop.now_us - begin) / INTERVAL_US
    most = frames_in(SLOT_US, 1440)[1] * 1440
    assert 0.25 * most < len(data) / intervals <= most * (1 + 1 / intervals)


async def test_both_sides_talk_at_once():
    both = bench()
    server = both.b.listen(7024)
    stream = await both.a.connect(7024)
    theirs = await server.accept()
    rng = random.Random("both")
    there, here = rng.randbytes(80_000), rng.randbytes(80_000)
    writes = [asyncio.create_task(stream.write(there)), asyncio.create_task(theirs.write(here))]
    assert await theirs.read_exactly(len(there)) == there
    assert await stream.read_exactly(len(here)) == here
    await asyncio.gather(*writes)
    await stream.delivered()


async def test_a_slow_reader_slows_the_writer():
    settings = LinkSettings(stream=StreamSettings(receive_octets=20_000, send_octets=20_000))
    both = bench(settings=settings)
    server = both.b.listen(7024)
    stream = await both.a.connect(7024)
    theirs = await server.accept()
    writing = asyncio.create_task(stream.write(bytes(100_000)))
    await passed(5_000_000)
    assert not writing.done()
    assert theirs.engine.incoming.readable == 20_000
    await theirs.read_exactly(100_000)
    await writing


async def test_nobody_listens():
    both = bench()
    with pytest.raises(StreamEndedError, match="nobody listens on port 7024") as caught:
        await both.a.connect(7024)
    assert caught.value.reason == "refused"


async def test_the_peer_is_gone():
    both = bench()
    both.medium.fate = lambda name, octets: "lost"
    with pytest.raises(StreamEndedError, match="slots"):
        await both.a.connect(7024)
    assert both.loop.now_us > 100_000_000


async def test_a_reset_ends_the_other_end():
    both = bench()
    server = both.b.listen(7024)
    stream = await both.a.connect(7024)
    theirs = await server.accept()
    theirs.abort()
    with pytest.raises(StreamEndedError, match="reset"):
        await stream.read()


async def test_what_arrived_before_a_reset_can_be_read():
    both = bench()
    server = both.b.listen(7024)
    stream = await both.a.connect(7024)
    theirs = await server.accept()
    await theirs.write(b"last words")
    await theirs.delivered()
    theirs.abort()
    await passed(100_000)
    assert await stream.read() == b"last words"
    with pytest.raises(StreamEndedError):
        await stream.read()


async def test_many_streams_and_datagrams_share_a_link():
    both = bench()
    sink, socket = both.b.datagram_socket(6000), both.a.datagram_socket()
    rng = random.Random("many")
    datas = [rng.randbytes(rng.randrange(1, 40_000)) for _ in range(5)]
    runs = [asyncio.create_task(carried(both, data, port=7000 + n)) for n, data in enumerate(datas)]
    socket.send(b"between", 6000)
    assert (await sink.receive()).data == b"between"
    assert await asyncio.gather(*runs) == datas


def test_the_same_run_is_the_same_run():
    def run():
        loop = VirtualLoop()
        asyncio.set_event_loop(loop)
        try:

            async def main():
                both = bench(ONE_SLOT)
                rng = random.Random("same")
                both.medium.fate = lambda name, octets: "lost" if rng.random() < 0.3 else ""
                await carried(both, bytes(30_000))
                return both.medium.log

            return loop.run_until_complete(main())
        finally:
            asyncio.set_event_loop(None)
            loop.close()

    assert run() == run()


# --- tshark ---------------------------------------------------------------------------------------

EXPECTED_REMARKS = {"", "Connection establish", "Connection finish", "This frame"}
"""Beginnings of what tshark says of any connection: that it is opened and closed."""


@pytest.mark.parametrize("cipher", ["ccmp_128", "gcmp_256"])
async def test_tshark_reads_what_was_on_the_air(cipher, tmp_path):
    """With the ND-TK: every frame opens, every checksum is right, no expert finds fault, and the stream is whole."""
    both = bench(cipher=cipher, settings=LinkSettings(neighbour="discovery"))
    sink = both.b.datagram_socket(6000)
    both.a.datagram_socket(5000).send(b"datagram", 6000)
    await sink.receive()
    data = random.Random("tshark").randbytes(5000)
    assert await carried(both, data) == data
    await both.a.ping(b"ping")
    octets = [frame for _, _, frame in both.medium.log]
    names = (
        "wlan.analysis.tk", "ipv6.src", "udp.checksum.status", "tcp.checksum.status", "icmpv6.checksum.status",
        "_ws.expert.message", "_ws.malformed", "tcp.payload", "tcp.dstport", "data.data",
    )  # fmt: skip
    found = ip_shark.rows(tmp_path, ip_shark.WIFI, octets, *names, keys=[KEYS[cipher]])
    rows = [dict(zip(names, row, strict=True)) for row in found]
    assert {row["wlan.analysis.tk"] for row in rows} == {KEYS[cipher].hex()}
    statuses = [
        row["udp.checksum.status"] + row["tcp.checksum.status"] + row["icmpv6.checksum.status"]
        for row in rows
    ]
    assert set(statuses) == {"1"}
    assert {row["ipv6.src"] for row in rows} == {both.a.local.ip, both.b.local.ip}
    remarks = ",".join(row["_ws.expert.message"] for row in rows).replace("(", " ").split(",")
    assert {" ".join(remark.split()[:2]) for remark in remarks} <= EXPECTED_REMARKS
    assert {row["_ws.malformed"] for row in rows} == {""}
    carried_octets = "".join(row["tcp.payload"] for row in rows if row["tcp.dstport"] == "7024")
    assert bytes.fromhex(carried_octets) == data
    assert any(row["data.data"] == b"datagram".hex() for row in rows)


async def test_a_medium_without_links_keeps_quiet():
    """The double itself: what no link hears is only logged."""
    loop: Any = asyncio.get_running_loop()
    medium = Medium(loop)
    fates: list[Any] = []
    Radio(medium, "x").send_data(bytes(30), CHANNEL, 1_000_000, fates.append)
    await passed(10_000)
    assert (len(medium.log), fates) == (1, ["acked"])
