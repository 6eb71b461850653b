"""PacketLogger: octet orders, what is no HCI, what is damage, what cannot be written; judged by tshark."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from protocols.capture import Packet, open_reader
from protocols.errors import CaptureError, UsageError
from tests.protocols.capture.samples import (
    ACL_DATA,
    PACKETLOGGER,
    RESET,
    RESET_COMPLETE,
    read,
    write,
)
from tests.protocols.capture.test_capture_judges import HCI, epoch, octets, tshark

if TYPE_CHECKING:
    from pathlib import Path


def little(record: bytes) -> bytes:
    """A big endian record with its three numbers the other way round."""
    numbers = [record[at : at + 4][::-1] for at in (0, 4, 8)]
    return b"".join(numbers) + record[12:]


def test_little_endian_files_are_read_as_well() -> None:
    pieces = [PACKETLOGGER.head, *PACKETLOGGER.records]
    assert read(b"".join(map(little, pieces))) == PACKETLOGGER.packets


def test_the_order_of_a_file_does_not_change_on_the_way() -> None:
    with pytest.raises(CaptureError, match="a record claims 201326592 octets"):
        read(PACKETLOGGER.head + little(PACKETLOGGER.records[0]))


def test_records_that_are_no_hci_are_counted_by_their_kind() -> None:
    power = bytes.fromhex("0000000a 5e0be100 00000000 fb 01")
    unknown = bytes.fromhex("00000009 5e0be100 00000000 77")
    reader = open_reader(io.BytesIO(PACKETLOGGER.whole + power + unknown), "phone.pklg")
    assert [packet.number for packet in reader] == [2, 3, 4]
    assert reader.notes.skipped == {
        "PacketLogger note": 1,
        "PacketLogger power": 1,
        "PacketLogger type 0x77": 1,
    }


@pytest.mark.parametrize(
    "head",
    [
        "00000008 5e0be100 00000000 01",  # shorter than its own header
        "0001000e 5e0be100 00000000 02",  # longer than any packet
        "0000000c 5e0be100 000f4240 00",  # a million microseconds
        "0000000c 5e0be100 00000001 42",  # no type that begins a file
    ],
)
def test_what_only_looks_like_it_is_no_capture(head: str) -> None:
    with pytest.raises(UsageError, match="not a capture"):
        read(bytes.fromhex(head) + bytes(40))


def test_a_file_without_packets_is_valid() -> None:
    assert read(write("pklg.pklg", [])) == []


@pytest.mark.parametrize(
    ("packet", "sentence"),
    [
        (Packet(7, 0, 187, b"\x05\x00", 2, "sent"), "packet 7: .* this is none; write pcapng"),
        (Packet(7, 0, 187, b"", 0, "sent"), "this is none"),
        (Packet(7, 0, 256, bytes(20), 20), "this is none"),
        (Packet(7, 0, 187, ACL_DATA, 12), "which way"),
        (Packet(7, 0, 187, ACL_DATA, 40, "sent"), "12 of 40 octets"),
        (Packet(7, -1, 187, RESET, 4, "sent"), "the time -1"),
        (Packet(7, (1 << 32) * 1_000_000, 187, RESET, 4, "sent"), "the time 4294967296000000"),
    ],
)
def test_what_it_cannot_hold_is_refused(packet: Packet, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        write("packetlogger", [packet])


def test_the_way_of_commands_and_events_is_implied() -> None:
    packets = [Packet(1, 0, 187, RESET, 4), Packet(2, 0, 187, RESET_COMPLETE, 7)]
    assert [each.direction for each in read(write("packetlogger", packets))] == ["sent", "received"]


@pytest.mark.parametrize("order", ["big", "little"])
def test_tshark_reads_the_same(tmp_path: Path, order: str) -> None:
    """packetlogger.type: 0 command, 1 event, 2 ACL sent; the dump has it before the packet."""
    data = write("packetlogger", HCI)
    if order == "little":
        data = b"".join(little(write("packetlogger", [each])) for each in HCI)
    path = tmp_path / "phone.pklg"
    path.write_bytes(data)
    types = [0, 1, 1, 2]
    assert tshark(path, "frame.time_epoch", "packetlogger.type", "_ws.malformed") == [
        [epoch(packet.t_us), f"0x{kind:02x}", ""] for packet, kind in zip(HCI, types, strict=True)
    ]
    assert octets(path) == [bytes((k,)) + p.data[1:] for p, k in zip(HCI, types, strict=True)]
