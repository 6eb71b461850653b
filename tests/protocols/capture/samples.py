"""Captures written by hand from the format documents, and what they hold.

Each sample is its pieces in order, so that the places where a file may end cleanly are known without our reader.
"""

from __future__ import annotations

import io
from typing import NamedTuple

import msgspec

from protocols.capture import Packet, Writer, open_reader, writer_for

# 2020-01-01T00:00:00Z is 1577836800 s: 0x5e0be100
NEW_YEAR_US = 1_577_836_800_000_000

RESET = bytes.fromhex("01 03 0c 00")  # HCI_Reset, Core 5.4 Vol 4 Part E 7.3.2
RESET_COMPLETE = bytes.fromhex("04 0e 04 01 03 0c 00")  # Command Complete, 1 packet, Reset, success
# LE Advertising Report, one ADV_IND from public 11:22:33:44:55:66 with Flags 06, -60 dBm (7.7.65.2)
ADVERTISING_REPORT = bytes.fromhex("04 3e 0f 02 01 00 00 66 55 44 33 22 11 03 02 01 06 c4")
# ACL data, handle 0x0040, ATT Exchange MTU Request 23
ACL_DATA = bytes.fromhex("02 40 00 07 00 03 00 04 00 02 17 00")

# LINKTYPE 256 header (channel 37, -60 dBm, reference address valid, CRC checked and valid), then access address,
# ADV_IND of public 11:22:33:44:55:66 with Flags 06, CRC
ADV_IND_WITH_HEADER = bytes.fromhex(
    "27 c4 00 00 d6be898e 130c d6be898e 00 09 665544332211 020106 be1c73"
)


class Sample(NamedTuple):
    """A capture in pieces: `head` has no packet; each of `records` ends where the file may end."""

    head: bytes
    records: list[bytes]
    packets: list[Packet]
    """What each record holds, in order."""

    @property
    def whole(self) -> bytes:
        return self.head + b"".join(self.records)


def read(data: bytes, name: str = "sample") -> list[Packet]:
    """All packets of a capture given as octets."""
    return list(open_reader(io.BytesIO(data), name))


def write(format_name: str, packets: list[Packet]) -> bytes:
    """The file that the writer of `format_name` makes of `packets`."""
    stream = io.BytesIO()
    writer: Writer = writer_for(format_name)(stream)
    for packet in packets:
        writer.write(packet)
    writer.finish()
    return stream.getvalue()


_HCI = [
    Packet(1, NEW_YEAR_US + 1, 187, RESET, 4, "sent"),
    Packet(2, NEW_YEAR_US + 500_000, 187, RESET_COMPLETE, 7, "received"),
    Packet(3, NEW_YEAR_US + 1_000_002, 187, ADVERTISING_REPORT, 18, "received"),
]

PCAP = Sample(
    bytes.fromhex("d4c3b2a1 0200 0400 00000000 00000000 00000400 c9000000"),
    [
        bytes.fromhex("00e10b5e 01000000 08000000 08000000 00000000 01030c00"),
        bytes.fromhex("00e10b5e 20a10700 0b000000 0b000000 00000001 040e0401030c00"),
        bytes.fromhex("01e10b5e 02000000 16000000 16000000 00000001") + ADVERTISING_REPORT,
    ],
    _HCI,
)

# 1970 on the clock of btsnoop, the constant of Android's snoop_logger.cc (BTSNOOP_EPOCH_DELTA)
_BTSNOOP_NEW_YEAR = 0x00DC_DDB3_0F2F_8000 + NEW_YEAR_US
BTSNOOP = Sample(
    bytes.fromhex("6274736e6f6f7000 00000001 000003ea"),
    [
        bytes.fromhex("00000004 00000004 00000002 00000000")
        + (_BTSNOOP_NEW_YEAR + 1).to_bytes(8, "big")
        + RESET,
        bytes.fromhex("00000007 00000007 00000003 00000000")
        + (_BTSNOOP_NEW_YEAR + 500_000).to_bytes(8, "big")
        + RESET_COMPLETE,
        bytes.fromhex("00000012 00000012 00000003 00000000")
        + (_BTSNOOP_NEW_YEAR + 1_000_002).to_bytes(8, "big")
        + ADVERTISING_REPORT,
    ],
    _HCI,
)

# pcapng keeps the upper half of the stamp first, in every byte order
_HIGH, _LOW = divmod(NEW_YEAR_US, 1 << 32)


def _stamp(after_us: int) -> bytes:
    return _HIGH.to_bytes(4, "little") + (_LOW + after_us).to_bytes(4, "little")


PCAPNG = Sample(
    bytes.fromhex("0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000"),
    [
        # interface 0: link type 201, no limit, if_name "hci0"
        bytes.fromhex("01000000 20000000 c900 0000 00000000 0200 0400 68636930 0000 0000 20000000"),
        bytes.fromhex("06000000 28000000 00000000")
        + _stamp(1)
        + bytes.fromhex("08000000 08000000 00000000 01030c00 28000000"),
        # with opt_comment "ok" and epb_flags inbound
        bytes.fromhex("06000000 40000000 00000000")
        + _stamp(500_000)
        + bytes.fromhex("0b000000 0b000000 00000001 040e0401030c00 00")
        + bytes.fromhex("0100 0200 6f6b 0000 0200 0400 01000000 0000 0000 40000000"),
        bytes.fromhex("06000000 38000000 00000000")
        + _stamp(1_000_002)
        + bytes.fromhex("16000000 16000000 00000001")
        + ADVERTISING_REPORT
        + bytes.fromhex("0000 38000000"),
    ],
    [
        Packet(1, NEW_YEAR_US + 1, 187, RESET, 4, "sent", "hci0"),
        Packet(2, NEW_YEAR_US + 500_000, 187, RESET_COMPLETE, 7, "received", "hci0", "ok"),
        Packet(3, NEW_YEAR_US + 1_000_002, 187, ADVERTISING_REPORT, 18, "received", "hci0"),
    ],
)

# A note ("hi", type fc) begins it, as there is no file header; 5e0be100 is the new year as in PCAP
PACKETLOGGER = Sample(
    bytes.fromhex("0000000b 5e0be100 00000000 fc 6869"),
    [
        bytes.fromhex("0000000c 5e0be100 00000001 00 030c00"),
        bytes.fromhex("0000000f 5e0be100 0007a120 01 0e0401030c00"),
        bytes.fromhex("0000001a 5e0be101 00000002 01") + ADVERTISING_REPORT[1:],
    ],
    [msgspec.structs.replace(packet, number=packet.number + 1) for packet in _HCI],
)

SAMPLES = {"pcap": PCAP, "btsnoop": BTSNOOP, "pcapng": PCAPNG, "packetlogger": PACKETLOGGER}
