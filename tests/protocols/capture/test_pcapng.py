"""pcapng: known answers from draft-ietf-opsawg-pcapng, both byte orders, every block and option we read."""

from __future__ import annotations

import io
import struct

import pytest

from protocols.capture import Packet, open_reader
from protocols.errors import CaptureError, UsageError
from tests.protocols.capture.samples import NEW_YEAR_US, PCAPNG, RESET, RESET_COMPLETE, read, write


class Maker:
    """Blocks of one byte order, put together from the clauses of the draft."""

    def __init__(self, order: str) -> None:
        self.order = order

    def pack(self, layout: str, *values: int) -> bytes:
        return struct.pack(self.order + layout, *values)

    def block(self, kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        length = self.pack("I", len(body) + 12)
        return self.pack("I", kind) + length + body + length

    def option(self, code: int, value: bytes) -> bytes:
        return self.pack("HH", code, len(value)) + value + bytes(-len(value) % 4)

    def section(self, minor: int = 0) -> bytes:
        return self.block(0x0A0D0D0A, self.pack("IHHq", 0x1A2B3C4D, 1, minor, -1))

    def interface(self, link_type: int, *options: bytes, snap: int = 0) -> bytes:
        return self.block(1, self.pack("HHI", link_type, 0, snap) + b"".join(options))

    def enhanced(self, interface: int, stamp: int, data: bytes, *options: bytes) -> bytes:
        fixed = self.pack("IIIII", interface, stamp >> 32, stamp & 0xFFFFFFFF, len(data), len(data))
        return self.block(6, fixed + data + bytes(-len(data) % 4) + b"".join(options))


LITTLE, BIG = Maker("<"), Maker(">")
ORDERS = pytest.mark.parametrize("make", [LITTLE, BIG], ids=["little", "big"])


def test_written_file_octet_by_octet() -> None:
    """One packet: section header with shb_userappl, interface with if_name and if_tsresol, enhanced packet."""
    packet = Packet(1, (5 << 32) + 7, 251, b"\xd6\xbe\x89\x8e\x00", 5, "received", "air", "hi")
    assert write("pcapng", [packet]) == bytes.fromhex(
        "0a0d0d0a 30000000 4d3c2b1a 0100 0000 ffffffffffffffff"
        "0400 0900 6e65617262656e6368 000000 0000 0000 30000000"
        "01000000 28000000 fb00 0000 00000000 0200 0300 616972 00 0900 0100 06 000000 0000 0000 28000000"
        "06000000 3c000000 00000000 05000000 07000000 05000000 05000000 d6be898e00 000000"
        "0100 0200 6869 0000 0200 0400 01000000 0000 0000 3c000000"
    )


@ORDERS
def test_big_and_little_sections(make: Maker) -> None:
    data = make.section() + make.interface(105) + make.enhanced(0, NEW_YEAR_US, b"abcde")
    assert read(data) == [Packet(1, NEW_YEAR_US, 105, b"abcde", 5)]


@ORDERS
@pytest.mark.parametrize(
    ("resolution", "stamp", "t_us"),
    [
        (b"\x06", 1_500_000, 1_500_000),
        (b"\x09", 1_500_000_999, 1_500_000),
        (b"\x03", 1_500, 1_500_000),
        (b"\x00", 2, 2_000_000),
        (b"\x8a", 1024 + 512, 1_500_000),  # units of 2^-10 s
        (b"\x80", 3, 3_000_000),
        (b"\xff", (1 << 64) - 1, 0),  # 2^-127 s
        (b"\x7f", (1 << 64) - 1, 0),  # 10^-127 s
    ],
)
def test_resolution_and_offset(make: Maker, resolution: bytes, stamp: int, t_us: int) -> None:
    """Clause 4.2: if_tsresol is a power of 10, or of 2 with its top bit set; if_tsoffset adds seconds."""
    for offset_s in (0, 1_577_836_800, -1):
        options = (
            make.option(9, resolution),
            make.option(14, make.pack("q", offset_s)),
            make.option(0, b""),
        )
        data = make.section() + make.interface(105, *options) + make.enhanced(0, stamp, b"a")
        assert read(data)[0].t_us == t_us + offset_s * 1_000_000


@ORDERS
@pytest.mark.parametrize(
    ("flags", "direction"),
    [(0, None), (1, "received"), (2, "sent"), (0x0101, "received"), (3, None)],
)
def test_direction_flags(make: Maker, flags: int, direction: str | None) -> None:
    """Clause 4.3.1: bits 0 and 1 are 01 inbound, 10 outbound; the others are not about direction."""
    packet = make.enhanced(0, 0, b"abc", make.option(2, make.pack("I", flags)))
    assert read(make.section() + make.interface(105) + packet)[0].direction == direction


@ORDERS
@pytest.mark.parametrize(
    ("length", "flags", "octets"),
    [(None, None, 0), (4, None, 4), (32, None, 4), (3, None, 0), (None, 4 << 5, 4), (2, 4 << 5 | 1, 4)],
)  # fmt: skip
def test_length_of_an_fcs(make: Maker, length: int | None, flags: int | None, octets: int) -> None:
    """if_fcslen (clause 4.2; once in bits), and bits 5 to 8 of a packet's flags (clause 4.3.1), which go first."""
    about = [] if length is None else [make.option(13, bytes((length,)))]
    more = [] if flags is None else [make.option(2, make.pack("I", flags))]
    data = make.section() + make.interface(105, *about) + make.enhanced(0, 0, bytes(28), *more)
    assert read(data)[0].fcs_octets == octets


@ORDERS
def test_several_comments_and_drop_counts(make: Maker) -> None:
    first = make.enhanced(
        0,
        0,
        b"abc",
        make.option(1, "über".encode()),
        make.option(1, b"two"),
        make.option(4, make.pack("Q", (1 << 32) + 5)),
        make.option(0x9999, b"unknown"),
        make.option(0, b""),
    )
    second = make.enhanced(0, 0, b"abc", make.option(4, make.pack("Q", 2)))
    reader = open_reader(io.BytesIO(make.section() + make.interface(105) + first + second), "x")
    assert [p.comment for p in reader] == ["über\ntwo", ""]
    assert reader.notes.dropped == (1 << 32) + 7


@ORDERS
def test_interfaces_have_names_and_link_types_of_their_own(make: Maker) -> None:
    data = make.section() + make.interface(105, make.option(2, b"wlan0"))
    data += make.interface(201, make.option(2, b"hci0"))
    data += make.enhanced(1, 4, b"\x00\x00\x00\x01" + RESET_COMPLETE) + make.enhanced(
        0, 5, b"\xb4\x00"
    )
    assert read(data) == [
        Packet(1, 4, 187, RESET_COMPLETE, 7, "received", "hci0"),
        Packet(2, 5, 105, b"\xb4\x00", 2, None, "wlan0"),
    ]


def test_each_section_has_its_own_interfaces_and_byte_order() -> None:
    data = LITTLE.section() + LITTLE.interface(105) + LITTLE.enhanced(0, 1, b"a")
    data += BIG.section(minor=2) + BIG.interface(127) + BIG.enhanced(0, 2, b"bc")
    assert read(data) == [Packet(1, 1, 105, b"a", 1), Packet(2, 2, 127, b"bc", 2)]
    with pytest.raises(CaptureError, match="interface 0, and the section describes 0"):
        read(data + LITTLE.section() + LITTLE.enhanced(0, 3, b"d"))


@ORDERS
def test_simple_packets_have_no_time_and_are_cut_at_the_limit(make: Maker) -> None:
    """Clause 4.4: interface 0, the captured length is the lesser of original length and limit."""
    data = make.section() + make.interface(105, snap=4)
    data += make.block(3, make.pack("I", 3) + b"abc") + make.block(3, make.pack("I", 9) + b"abcd")
    assert read(data) == [Packet(1, 0, 105, b"abc", 3), Packet(2, 0, 105, b"abcd", 9)]


@ORDERS
def test_obsolete_packet_block(make: Maker) -> None:
    """Appendix A: 16-bit interface and drop count, 0xffff meaning that nobody counted."""
    data = make.section() + make.interface(105)
    for drops in (3, 0xFFFF):
        fixed = make.pack("HHIIII", 0, drops, 0, 9, 3, 3)
        data += make.block(
            2, fixed + b"abc\x00" + make.option(2, make.pack("I", 2)) + make.option(0, b"")
        )
    reader = open_reader(io.BytesIO(data), "old")
    assert [(p.t_us, p.data, p.direction) for p in reader] == [(9, b"abc", "sent")] * 2
    assert reader.notes.dropped == 3


@ORDERS
def test_other_blocks_are_skipped_and_counted(make: Maker) -> None:
    kinds = [4, 5, 10, 0x0BAD, 0x40000BAD, 0x0BAD, 0x80000001, 0x7777]
    data = make.section() + make.interface(105)
    data += b"".join(make.block(kind, b"whatever") for kind in kinds) + make.enhanced(0, 1, b"a")
    reader = open_reader(io.BytesIO(data), "x")
    assert [p.number for p in reader] == [1]
    assert reader.notes.skipped == {
        "name resolution block": 1,
        "interface statistics block": 1,
        "decryption secrets block": 1,
        "custom block": 3,
        "block type 0x80000001": 1,
        "block type 0x7777": 1,
    }


def long_block(total: int) -> bytes:
    return LITTLE.pack("II", 6, total)


@pytest.mark.parametrize(
    ("tail", "sentence"),
    [
        (long_block(8), "a block of 8 octets"),
        (long_block(33) + bytes(60), "a block of 33 octets"),
        (long_block((256 << 20) + 4), "a block of 268435460 octets"),
        (LITTLE.pack("IIII", 6, 16, 0, 20), "length as 16 before and 20 behind"),
        (LITTLE.pack("IIII", 5, 16, 0, 20), "length as 16 before and 20 behind"),
        (LITTLE.block(6, bytes(8)), "enhanced packet block is too short"),
        (LITTLE.block(2, bytes(8)), "packet block is too short"),
        (LITTLE.block(3, b""), "simple packet block is too short"),
        (LITTLE.block(1, bytes(4)), "interface description block is too short"),
        (LITTLE.enhanced(1, 0, b"a"), "interface 1, and the section describes 1"),
        (
            LITTLE.block(6, LITTLE.pack("IIIII", 0, 0, 0, 9, 9) + bytes(8)),
            "claims 9 octets.*room for 8",
        ),
        (LITTLE.block(6, LITTLE.pack("IIIII", 0, 0, 0, 1 << 31, 9)), "claims 2147483648 octets"),
        (LITTLE.enhanced(0, 0, b"abcd", LITTLE.pack("HHI", 1, 5, 0)), "option 1 runs over"),
        (b"\x0a\x0d\x0d\x0a" + bytes(40), "byte-order magic 00000000"),
    ],
)
def test_damaged_blocks_are_named_after_what_came_before(tail: bytes, sentence: str) -> None:
    good = LITTLE.section() + LITTLE.interface(105) + LITTLE.enhanced(0, 1, b"a")
    reader = open_reader(io.BytesIO(good + tail), "bad.pcapng")
    assert next(reader).data == b"a"
    with pytest.raises(CaptureError, match=sentence) as caught:
        next(reader)
    assert caught.value.offset == len(good)


def test_unknown_version_is_refused() -> None:
    with pytest.raises(UsageError, match=r"pcapng version 1\.7"):
        read(LITTLE.section(minor=7))


def test_interfaces_are_described_when_first_seen() -> None:
    """Same link type under two names, two link types under one: three interfaces, none described twice."""
    packets = [
        Packet(1, 1, 251, b"a", 1, None, "phone"),
        Packet(2, 2, 251, b"b", 1, None, "lock"),
        Packet(3, 3, 187, RESET, 4, "sent", "phone"),
        Packet(4, 4, 251, b"c", 1, None, "phone"),
    ]
    data = write("pcapng", packets)
    assert read(data) == packets
    assert [data.count(name) for name in (b"phone", b"lock")] == [2, 1]


def test_direction_of_hci_stands_in_the_prefix_and_in_the_flags() -> None:
    data = write("pcapng", PCAPNG.packets)
    assert read(data) == PCAPNG.packets
    assert b"\x00\x00\x00\x01" + RESET_COMPLETE in data
    assert data.count(bytes.fromhex("0200 0400 01000000")) == 2
    assert data.count(bytes.fromhex("0200 0400 02000000")) == 1


@pytest.mark.parametrize(
    ("packet", "sentence"),
    [
        (Packet(3, -1, 105, b"a", 1), "packet 3: pcapng holds times from 1970"),
        (Packet(3, 1, 105, b"a", 1, None, "", "x" * 65536), "packet 3: a comment of 65536 octets"),
        (Packet(3, 1, 105, b"a", 1, None, "x" * 65536), "an interface name of 65536 octets"),
    ],
)
def test_writer_refuses_what_pcapng_cannot_hold(packet: Packet, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        write("pcapng", [packet])
