"""pcap: known answers from draft-ietf-opsawg-pcap clauses 4 and 5, variants, and what the writer refuses."""

from __future__ import annotations

import io
import struct

import pytest

from protocols.capture import Packet, writer_for
from protocols.errors import CaptureError, UsageError
from tests.protocols.capture.samples import NEW_YEAR_US, PCAP, RESET, RESET_COMPLETE, read, write

BEACON = bytes.fromhex("8000 0000 ffffffffffff 506f9a010203 506f9a010203 0000")


def test_writer_makes_the_file_written_by_hand() -> None:
    """Little endian, microseconds, link type 201 with the direction in front; libpcap's header values."""
    assert write("pcap", PCAP.packets) == PCAP.whole


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "per_us"), [(0xA1B2C3D4, 1), (0xA1B23C4D, 1000)])
def test_reads_both_byte_orders_and_both_resolutions(order: str, magic: int, per_us: int) -> None:
    """Clause 4: the magic tells order and unit; nanoseconds are rounded down to microseconds."""
    data = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65535, 105)
    data += (
        struct.pack(f"{order}IIII", 1_577_836_800, 123_456 * per_us + per_us - 1, 24, 400) + BEACON
    )
    assert read(data) == [Packet(1, NEW_YEAR_US + 123_456, 105, BEACON, 400)]


def test_big_endian_nanosecond_file_octet_by_octet() -> None:
    data = bytes.fromhex(
        "a1b23c4d 0002 0004 00000000 00000000 00040000 00000069"
        "5e0be100 075bca00 00000002 00000002 b400"  # 123456000 ns
    )
    assert read(data) == [Packet(1, NEW_YEAR_US + 123_456, 105, b"\xb4\x00", 2)]


def captured(field: int, captured: int = 24, original: int = 24) -> Packet:
    """The packet of a file whose link type field is `field`."""
    data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, field)
    data += struct.pack("<IIII", 0, 0, captured, original) + BEACON[:captured]
    return read(data)[0]


@pytest.mark.parametrize(
    ("bits", "octets"),
    [(0x2400_0000, 4), (0x1400_0000, 2), (0x4400_0000, 4), (0x2000_0000, 0), (0x0400_0000, 0), (0xF400_0000, 0)],
)  # fmt: skip
def test_fcs_bits_beside_the_link_type(bits: int, octets: int) -> None:
    """Clause 4: bits 28 to 31 count 16-bit words when bit 26 is set; some writers count octets there."""
    packet = captured(bits | 105)
    assert (packet.link_type, packet.fcs_octets) == (105, octets)


def test_a_cut_packet_has_no_fcs() -> None:
    assert captured(0x2400_0000 | 105, 20, 24).fcs_octets == 0


@pytest.mark.parametrize("name", ["pcap", "pcapng"])
def test_the_length_of_an_fcs_is_kept(name: str) -> None:
    packet = Packet(1, NEW_YEAR_US, 105, BEACON, 24, fcs_octets=4)
    assert read(write(name, [packet]))[0].fcs_octets == 4


@pytest.mark.parametrize(
    ("magic", "word"),
    [
        ("34cdb2a1", "Kuznetsov"),
        ("a1b2cd34", "Kuznetsov"),
        ("ac01001c", "IXIA"),
        ("1c0001ab", "IXIA"),
    ],
)
def test_modified_pcap_is_named_and_refused(magic: str, word: str) -> None:
    with pytest.raises(UsageError, match=rf"odd\.pcap: .*{word}.*editcap"):
        read(bytes.fromhex(magic) + bytes(60), "odd.pcap")


def test_other_version_is_refused() -> None:
    """Before 2.3 the two lengths stood in the other order, so such a file must not be read as 2.4."""
    with pytest.raises(UsageError, match=r"pcap version 2\.2"):
        read(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 2, 0, 0, 65535, 105))


def test_length_of_a_damaged_record_is_not_believed() -> None:
    data = PCAP.head + PCAP.records[0] + struct.pack("<IIII", 0, 0, (64 << 20) + 1, 0)
    with pytest.raises(CaptureError, match="claims 67108865 octets") as caught:
        read(data, "big.pcap")
    assert (caught.value.file, caught.value.offset) == ("big.pcap", 24 + 24)


def test_hci_record_without_room_for_its_direction_is_damage() -> None:
    data = PCAP.head + struct.pack("<IIII", 0, 0, 2, 2) + b"\x00\x00"
    with pytest.raises(CaptureError, match="packet 1 is too short for the header of link type 201"):
        read(data)


def test_linux_monitor_records_become_hci_and_the_rest_stays() -> None:
    """LINKTYPE_BLUETOOTH_LINUX_MONITOR: adapter and opcode, big endian, before the packet without its type."""
    data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 254)
    index = bytes.fromhex("0001 000a") + bytes(8)  # index information
    for record in (bytes.fromhex("0001 0003") + RESET_COMPLETE[1:], index):
        data += struct.pack("<IIII", 0, 7, len(record), len(record)) + record
    assert read(data) == [
        Packet(1, 7, 187, RESET_COMPLETE, 7, "received", "hci1"),
        Packet(2, 7, 254, index, 12),
    ]


def test_capture_limit_keeps_the_original_length() -> None:
    """The prefix of link type 201 counts in the file and not in the packet."""
    cut = Packet(1, 0, 187, RESET[:2], 4, "sent")
    data = write("pcap", [cut])
    assert struct.unpack_from("<II", data, 24 + 8) == (2 + 4, 4 + 4)
    assert read(data) == [cut]


def test_hci_without_direction_is_stored_without_prefix() -> None:
    data = write("pcap", [Packet(1, 0, 187, RESET, 4)])
    assert struct.unpack_from("<I", data, 20) == (187,)
    assert read(data) == [Packet(1, 0, 187, RESET, 4)]


def test_second_link_type_is_refused_with_both_named_and_the_file_stays_valid() -> None:
    stream, first = io.BytesIO(), Packet(1, 0, 105, BEACON, 24)
    writer = writer_for("pcap")(stream)
    writer.write(first)
    with pytest.raises(UsageError, match=r"packet 2: .*has 105 and the packet 251.*pcapng"):
        writer.write(Packet(2, 0, 251, b"\x00", 1))
    assert read(stream.getvalue()) == [first]


@pytest.mark.parametrize("t_us", [-1, (1 << 32) * 1_000_000])
def test_time_outside_pcap_is_refused(t_us: int) -> None:
    with pytest.raises(UsageError, match="1970 to 2106"):
        write("pcap", [Packet(1, t_us, 105, BEACON, 24)])


def test_file_without_packets_is_still_a_pcap_file() -> None:
    assert read(write("pcap", [])) == []
