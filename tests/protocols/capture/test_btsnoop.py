"""btsnoop: the five datalinks, flags, drops, and what the writer refuses."""

from __future__ import annotations

import io
import struct

import pytest

from protocols.capture import Packet, open_reader
from protocols.errors import CaptureError, UsageError
from tests.protocols.capture.samples import (
    ACL_DATA,
    ADV_IND_WITH_HEADER,
    BTSNOOP,
    RESET,
    RESET_COMPLETE,
    read,
    write,
)

EPOCH_US = 0x00DC_DDB3_0F2F_8000


def file(datalink: int, *records: tuple[int, bytes], version: int = 1) -> bytes:
    """A btsnoop file of (flags, octets) records, one microsecond apart from 1970."""
    data = b"btsnoop\x00" + struct.pack(">II", version, datalink)
    for number, (flags, octets) in enumerate(records):
        data += (
            struct.pack(">IIIIq", len(octets), len(octets), flags, 0, EPOCH_US + number) + octets
        )
    return data


def test_writer_makes_the_file_written_by_hand() -> None:
    """Flags: 2 for a command sent, 3 for an event received (Frontline manual, packet flags)."""
    assert write("btsnoop", BTSNOOP.packets) == BTSNOOP.whole


def test_data_packets_carry_no_control_flag() -> None:
    packets = [Packet(1, 0, 187, ACL_DATA, 12, "sent"), Packet(2, 1, 187, ACL_DATA, 12, "received")]
    data = write("btsnoop", packets)
    assert data == file(1002, (0, ACL_DATA), (1, ACL_DATA))
    assert read(data) == packets


def test_h1_gets_its_type_from_the_flags() -> None:
    """Datalink 1001 has no type octet: bit 1 tells commands and events, bit 0 which of them."""
    data = file(1001, (2, RESET[1:]), (3, RESET_COMPLETE[1:]), (0, ACL_DATA[1:]), (1, ACL_DATA[1:]))
    assert read(data) == [
        Packet(1, 0, 187, RESET, 4, "sent"),
        Packet(2, 1, 187, RESET_COMPLETE, 7, "received"),
        Packet(3, 2, 187, ACL_DATA, 12, "sent"),
        Packet(4, 3, 187, ACL_DATA, 12, "received"),
    ]


def test_linux_monitor_opcodes_become_types_and_the_rest_is_counted() -> None:
    """Datalink 2001: flags are adapter << 16 | opcode (BlueZ); numbers still count every record."""
    data = file(
        2001,
        (0x0000_0000, bytes(16)),  # new index
        (0x0000_0002, RESET[1:]),
        (0x0001_0003, RESET_COMPLETE[1:]),
        (0xFFFF_000C, b"note\x00"),
        (0x0001_0004, ACL_DATA[1:]),
        (0x0001_0012, b"\x40\x00\x00\x00"),
        (0x0001_0063, b""),
    )
    reader = open_reader(io.BytesIO(data), "monitor")
    assert list(reader) == [
        Packet(2, 1, 187, RESET, 4, "sent", "hci0"),
        Packet(3, 2, 187, RESET_COMPLETE, 7, "received", "hci1"),
        Packet(5, 4, 187, ACL_DATA, 12, "sent", "hci1"),
        Packet(6, 5, 187, b"\x05\x40\x00\x00\x00", 5, "sent", "hci1"),
    ]
    assert reader.notes.skipped == {
        "Linux monitor new index": 1,
        "Linux monitor system note": 1,
        "Linux monitor opcode 99": 1,
    }


def test_h5_packets_are_unwrapped() -> None:
    """Core Vol 4 Part D: header 4 octets summing to 0xff; SLIP c0 framing, db dc and db dd escapes; CRC."""
    plain = bytes.fromhex("80 31 00 4e 030c00")  # reliable, type 1, length 3
    framed = bytes.fromhex(
        "c0 40 54 00 6b ff03 dbdc dbdd 01 1234 c0"
    )  # CRC present, type 4, length 5
    acknowledgement = bytes.fromhex("c0 08 00 00 f7 c0")
    bad_header = bytes.fromhex("80 31 00 4f 030c00")
    reader = open_reader(
        io.BytesIO(file(1004, (2, plain), (3, framed), (0, acknowledgement), (0, bad_header))), "h5"
    )
    assert list(reader) == [
        Packet(1, 0, 187, RESET, 4, "sent"),
        Packet(2, 1, 187, bytes.fromhex("04 ff03 c0db 01"), 6, "received"),
    ]
    assert reader.notes.skipped == {"H5 record without HCI": 2}


def test_bcsp_channel_5_is_command_or_event_by_direction() -> None:
    """BCSP channels: 5 commands and events, 6 ACL, 7 SCO; 1 is link establishment."""
    records = [
        (2, bytes.fromhex("80 35 00 4a") + RESET[1:]),
        (3, bytes.fromhex("80 65 00 1a") + RESET_COMPLETE[1:]),
        (0, bytes.fromhex("80 b6 00 c9") + ACL_DATA[1:]),
        (0, bytes.fromhex("00 41 00 be daDCedED")),
    ]
    reader = open_reader(io.BytesIO(file(1003, *records)), "bcsp")
    assert [(p.data, p.direction) for p in reader] == [
        (RESET, "sent"),
        (RESET_COMPLETE, "received"),
        (ACL_DATA, "sent"),
    ]
    assert reader.notes.skipped == {"BCSP record without HCI": 1}


def test_drops_are_cumulative() -> None:
    data = BTSNOOP.head
    for drops in (2, 5):
        data += struct.pack(">IIIIq", 4, 4, 2, drops, EPOCH_US) + RESET
    reader = open_reader(io.BytesIO(data), "drops")
    assert len(list(reader)) == 2
    assert reader.notes.dropped == 5


def test_capture_limit_and_times_before_1970() -> None:
    data = BTSNOOP.head + struct.pack(">IIIIq", 9, 4, 2, 0, EPOCH_US - 3) + RESET
    assert read(data) == [Packet(1, -3, 187, RESET, 9, "sent")]
    assert write("btsnoop", read(data)) == data


@pytest.mark.parametrize(("version", "datalink"), [(2, 1002), (1, 1000)])
def test_unknown_version_or_datalink_is_refused(version: int, datalink: int) -> None:
    with pytest.raises(UsageError, match=r"log: btsnoop (version 2|datalink 1000)"):
        read(file(datalink, version=version), "log")


def test_length_of_a_damaged_record_is_not_believed() -> None:
    data = BTSNOOP.head + struct.pack(">IIIIq", 4, 0xFFFF_FFFF, 2, 0, EPOCH_US)
    with pytest.raises(CaptureError, match="byte 16: a record claims 4294967295 octets"):
        read(data)


@pytest.mark.parametrize(
    ("packet", "sentence"),
    [
        (Packet(7, 0, 256, ADV_IND_WITH_HEADER, 28), "packet 7: btsnoop holds HCI packets only"),
        (Packet(7, 0, 187, b"", 0, "sent"), "packet 7: .*type octet"),
        (Packet(7, 0, 187, ACL_DATA, 12), "packet 7: .*which way"),
        (Packet(7, 1 << 63, 187, RESET, 4, "sent"), "packet 7: the time"),
    ],
)
def test_writer_refuses_what_btsnoop_cannot_hold(packet: Packet, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        write("btsnoop", [packet])


def test_direction_of_commands_and_events_is_implied() -> None:
    """From a link type 187 capture, which has no direction, commands and events can still be written."""
    packets = [Packet(1, 0, 187, RESET, 4), Packet(2, 0, 187, RESET_COMPLETE, 7)]
    assert [p.direction for p in read(write("btsnoop", packets))] == ["sent", "received"]
