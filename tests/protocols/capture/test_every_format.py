"""What holds for every capture format: cuts, chunks, damage, round trips, recognition, bounded memory."""

from __future__ import annotations

import io
import itertools
import random
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.capture import Packet, copy, formats, open_reader, writer_for
from protocols.errors import CaptureError, NearbenchError, UsageError
from tests.protocols.capture.samples import BTSNOOP, PCAP, PCAPNG, SAMPLES, Sample, read, write

EACH = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES.keys())


class Trickle(io.RawIOBase):
    """A stream that gives one octet a read, as a slow pipe may, and cannot seek."""

    def __init__(self, data: bytes) -> None:
        self._rest = iter(data)

    def read(self, size: int = -1, /) -> bytes:
        return bytes(itertools.islice(self._rest, 1 if size else 0))


def test_every_registered_format_has_a_sample_here() -> None:
    assert formats().keys() == SAMPLES.keys()


@EACH
def test_sample_is_read(sample: Sample) -> None:
    assert read(sample.whole) == sample.packets


@EACH
def test_one_octet_at_a_time_gives_the_same(sample: Sample) -> None:
    assert list(open_reader(Trickle(sample.whole), "pipe")) == sample.packets


@EACH
def test_live_packets_come_when_their_record_is_there(sample: Sample) -> None:
    """A pipe is never asked for more than the record at hand needs, so nobody waits for the next packet."""
    pieces = [sample.head, *sample.records]
    left_after = list(range(len(sample.packets) - 1, -1, -1))

    class Pipe(io.RawIOBase):
        def read(self, size: int = -1, /) -> bytes:
            return pieces.pop(0) if pieces else b""

    reader = open_reader(Pipe(), "pipe")
    assert [len(pieces) for _ in reader] == left_after


@EACH
def test_cut_at_every_octet(sample: Sample) -> None:
    """Packets before the cut come out; then a clean end at record borders, an error at the record elsewhere."""
    whole = sample.whole
    ends = list(itertools.accumulate(map(len, sample.records), initial=len(sample.head)))
    extra = len(sample.records) - len(sample.packets)  # records that carry no packet come first
    for cut in range(len(whole)):
        got: list[Packet] = []
        complete = [end for end in ends if end <= cut]
        expected = sample.packets[: max(0, len(complete) - 1 - extra)]
        if cut in ends:
            assert read(whole[:cut]) == expected
            continue
        got, error = _until_error(whole[:cut])
        assert got == expected
        if complete:
            assert isinstance(error, CaptureError)
            assert error.offset == complete[-1]
            assert "ends in the middle of" in str(error)
        else:  # what is shorter than the magic need not be recognised
            assert isinstance(error, CaptureError if cut >= 8 else NearbenchError)


def _until_error(data: bytes) -> tuple[list[Packet], NearbenchError | None]:
    """The packets that come out before reading ends, and the error that ended it."""
    got: list[Packet] = []
    try:
        got.extend(open_reader(io.BytesIO(data), "cut"))
    except NearbenchError as error:
        return got, error
    return got, None


def _accepts_or_refuses(data: bytes) -> None:
    try:
        for packet in open_reader(io.BytesIO(data), "fuzz"):
            assert len(packet.data) <= packet.original_length
    except (CaptureError, UsageError) as error:
        assert str(error).startswith("fuzz: ")  # noqa: PT017  both outcomes are right


@EACH
def test_flipped_bits_and_random_tails_give_packets_or_our_errors(sample: Sample) -> None:
    rng = random.Random(20_260)
    for _ in range(1500):
        data = bytearray(sample.whole)
        for _ in range(rng.choice((1, 1, 2, 8))):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        _accepts_or_refuses(bytes(data))
    for _ in range(300):
        keep = rng.randrange(len(sample.whole))
        _accepts_or_refuses(sample.whole[:keep] + rng.randbytes(rng.randrange(200)))


@given(st.binary(max_size=300))
def test_random_octets_give_our_errors(data: bytes) -> None:
    _accepts_or_refuses(data)


@EACH
def test_lying_length_allocates_nothing_like_it(sample: Sample) -> None:
    """A record that claims 60 MiB in a file of a hundred octets."""
    claims = 60 << 20
    bodies = {
        "pcap": bytes(8) + claims.to_bytes(4, "little") * 2,
        "btsnoop": claims.to_bytes(4, "big") * 2 + bytes(16),
        "pcapng": bytes.fromhex("06000000") + claims.to_bytes(4, "little") + bytes(20),
        "packetlogger": (60 << 10).to_bytes(4, "big") + bytes(9),  # more is damage at once
    }
    name = next(name for name, each in SAMPLES.items() if each is sample)
    data = sample.whole + bodies[name]
    tracemalloc.start()
    try:
        with pytest.raises(CaptureError, match="middle of"):
            read(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20


def test_memory_stays_constant_over_a_long_file() -> None:
    """A hundred thousand packets and a skipped block of 32 MiB pass through in a few chunks of memory."""
    block_octets = 32 << 20
    length = (block_octets + 12).to_bytes(4, "little")

    class Long(io.RawIOBase):
        def __init__(self) -> None:
            packets = itertools.repeat(PCAPNG.records[1] * 500, 200)
            filler = itertools.repeat(bytes(1 << 18), block_octets >> 18)
            first = [PCAPNG.head + PCAPNG.records[0] + bytes.fromhex("77770000") + length]
            self._pieces = itertools.chain(first, filler, [length], packets)

        def read(self, size: int = -1, /) -> bytes:
            return next(self._pieces, b"")

    tracemalloc.start()
    try:
        reader = open_reader(Long(), "long")
        assert sum(1 for _ in itertools.islice(reader, 5000)) == 5000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sum(1 for _ in reader) == 95_000
    assert reader.notes.skipped == {"block type 0x7777": 1}
    assert peak < 4 << 20


# --- round trips -----------------------------------------------------------------------------------------------

_data = st.binary(max_size=60)
_ways = st.sampled_from(["sent", "received"])
_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_seconds_32 = st.integers(0, (1 << 32) * 1_000_000 - 1)
_air_links = st.sampled_from([105, 127, 251, 256, 272, 1, 65535])


def _packet(
    t_us: int,
    link_type: int,
    data: bytes,
    more: int,
    way: object,
    name: str = "",
    comment: str = "",
) -> Packet:
    return Packet(1, t_us, link_type, data, len(data) + more, way, name, comment)  # type: ignore[arg-type]


def _numbered(packets: list[Packet]) -> list[Packet]:
    return [
        Packet(
            n, p.t_us, p.link_type, p.data, p.original_length, p.direction, p.interface, p.comment
        )
        for n, p in enumerate(packets, 1)
    ]


_more = st.integers(0, 2000)
_btsnoop_packets = st.builds(
    _packet,
    st.integers(-(1 << 55), 1 << 60),
    st.just(187),
    st.binary(min_size=1, max_size=60),
    _more,
    _ways,
)
_pcap_files = st.one_of(
    st.lists(st.builds(_packet, _seconds_32, st.just(187), _data, _more, _ways), max_size=6),
    st.lists(st.builds(_packet, _seconds_32, st.just(187), _data, _more, st.none()), max_size=6),
    _air_links.flatmap(
        lambda link: st.lists(
            st.builds(_packet, _seconds_32, st.just(link), _data, _more, st.none()), max_size=6
        )
    ),
)
_pcapng_packets = st.builds(
    _packet,
    st.integers(0, (1 << 64) - 1),
    st.one_of(_air_links, st.just(187)),
    _data,
    _more,
    st.one_of(st.none(), _ways),
    _text,
    _text,
)
_packetlogger_packets = st.builds(
    lambda t_us, kind, data, way: Packet(
        0, t_us, 187, bytes((kind[0],)) + data, 1 + len(data), kind[1] or way
    ),
    st.integers(0, (1 << 32) * 1_000_000 - 1),
    st.sampled_from([(1, "sent"), (2, None), (3, None), (4, "received")]),
    st.binary(max_size=60),
    _ways,
)
ROUND_TRIPS = {
    "pcap": _pcap_files,
    "btsnoop": st.lists(_btsnoop_packets, max_size=6),
    "pcapng": st.lists(_pcapng_packets, max_size=6),
    "packetlogger": st.lists(_packetlogger_packets, max_size=6),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_what_was_written_is_read(name: str) -> None:
    @given(ROUND_TRIPS[name])
    def check(packets: list[Packet]) -> None:
        packets = _numbered(packets)
        data = write(name, packets)
        assert read(data) == packets
        assert write(name, packets) == data

    check()


@pytest.mark.parametrize(("source", "target"), list(itertools.permutations(SAMPLES, 2)))
def test_conversion_keeps_what_both_formats_hold(source: str, target: str) -> None:
    """Time, octets, original length and direction of HCI survive every conversion."""
    out = io.BytesIO()
    counts = copy(open_reader(io.BytesIO(SAMPLES[source].whole), source), writer_for(target)(out))
    assert (counts.read, counts.written) == (3, 3)
    fields = [
        [(p.t_us, p.link_type, p.data, p.original_length, p.direction) for p in packets]
        for packets in (read(out.getvalue()), SAMPLES[source].packets)
    ]
    assert fields[0] == fields[1]


def test_copy_filters_and_counts() -> None:
    out = io.BytesIO()
    reader = open_reader(io.BytesIO(PCAP.whole), "in")
    counts = copy(reader, writer_for("x.pcapng")(out), lambda p: p.direction == "received")
    assert (counts.read, counts.written) == (3, 2)
    assert [p.data for p in read(out.getvalue())] == [p.data for p in PCAP.packets[1:]]


def test_copy_of_a_damaged_file_leaves_a_valid_file_of_what_came_before() -> None:
    out = io.BytesIO()
    writer = writer_for("pcap")(out)
    with pytest.raises(CaptureError):
        copy(open_reader(io.BytesIO(BTSNOOP.whole[:-1]), "in"), writer)
    assert writer.written == 2
    assert read(out.getvalue()) == BTSNOOP.packets[:2]


# --- writers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLES)
def test_each_packet_is_flushed_whole_when_write_returns(name: str) -> None:
    class Stream(io.BytesIO):
        flushed = 0

        def flush(self) -> None:
            self.flushed = self.tell()

    stream = Stream()
    writer = writer_for(name)(stream)
    packets = _numbered(SAMPLES[name].packets)
    for count, packet in enumerate(packets, 1):
        writer.write(packet)
        assert stream.flushed == stream.tell()
        assert read(stream.getvalue()) == packets[:count]
    assert not stream.closed


@pytest.mark.parametrize("name", SAMPLES)
def test_stream_that_takes_a_part_gets_the_rest(name: str) -> None:
    class Narrow(io.BytesIO):
        def write(self, data: memoryview, /) -> int:  # type: ignore[override]  # narrower than any buffer
            return super().write(bytes(data[:5]))

    stream = Narrow()
    writer = writer_for(name)(stream)
    for packet in SAMPLES[name].packets:
        writer.write(packet)
    assert read(stream.getvalue()) == _numbered(SAMPLES[name].packets)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize(
    ("packet", "sentence"),
    [
        (Packet(4, 0, 70_000, b"\x01", 1, "sent"), "packet 4: link type 70000"),
        (Packet(4, 0, 187, b"\x01\x02", 1, "sent"), "packet 4: original length 1"),
        (Packet(4, 0, 187, b"\x01", 1 << 32, "sent"), "packet 4: original length 4294967296"),
        (
            Packet(4, 0, 187, bytes((64 << 20) + 1), (64 << 20) + 1, "sent"),
            "packet 4: 67108865 octets",
        ),
        (Packet(4, 0, 201, bytes(8), 8), r"packet 4: (HCI is given as link type 187|\w+ holds)"),
    ],
)
def test_fields_that_fit_no_file_are_refused_before_anything_is_written(
    name: str, packet: Packet, sentence: str
) -> None:
    stream = io.BytesIO()
    writer = writer_for(name)(stream)
    before = stream.getvalue()
    with pytest.raises(UsageError, match=sentence):
        writer.write(packet)
    assert (stream.getvalue(), writer.written) == (before, 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLES)
def test_hundred_thousand_records_take_well_under_half_a_second(name: str) -> None:
    """The budget of the capture readers, in processor time."""
    sample = SAMPLES[name]
    head = sample.head + b"".join(sample.records[: len(sample.records) - 3])
    data = head + b"".join(sample.records[-3:]) * 33_334
    begun = time.process_time()
    count = sum(1 for _ in open_reader(io.BytesIO(data), name))
    assert count == 100_002
    assert time.process_time() - begun < 0.5
