"""tshark and btmon read what we write: same count, times, octets and directions, nothing malformed."""

from __future__ import annotations

import os
import struct
import subprocess
from typing import TYPE_CHECKING

import pytest

from protocols.capture import Packet
from protocols.errors import UsageError
from tests.judges import judge
from tests.protocols.capture.samples import (
    ACL_DATA,
    ADV_IND_WITH_HEADER,
    ADVERTISING_REPORT,
    NEW_YEAR_US,
    RESET,
    RESET_COMPLETE,
    read,
    write,
)

if TYPE_CHECKING:
    from pathlib import Path

HCI = [
    Packet(1, NEW_YEAR_US, 187, RESET, 4, "sent"),
    Packet(2, NEW_YEAR_US + 1, 187, RESET_COMPLETE, 7, "received"),
    Packet(3, NEW_YEAR_US + 999_999, 187, ADVERTISING_REPORT, 18, "received"),
    Packet(4, NEW_YEAR_US + 1_000_000, 187, ACL_DATA, 12, "sent"),
]
AIR = [
    Packet(1, NEW_YEAR_US + 5, 256, ADV_IND_WITH_HEADER, len(ADV_IND_WITH_HEADER)),
    Packet(2, NEW_YEAR_US + 100_005, 256, ADV_IND_WITH_HEADER, len(ADV_IND_WITH_HEADER)),
]


def tshark(path: Path, *fields: str, only: str = "") -> list[list[str]]:
    """Rows of `fields` for every frame that the display filter `only` keeps."""
    command = [judge("tshark"), "-n", "-r", str(path), "-T", "fields", "-E", "occurrence=f"]
    for field in fields:
        command += ["-e", field]
    done = subprocess.run(
        [*command, *(["-Y", only] if only else [])], capture_output=True, text=True, check=True
    )
    return [line.split("\t") for line in done.stdout.splitlines()]


def octets(path: Path) -> list[bytes]:
    """What tshark's hex dump shows of each frame."""
    done = subprocess.run(
        [judge("tshark"), "-n", "-r", str(path), "-x"], capture_output=True, text=True, check=True
    )
    frames = [b""]
    for line in done.stdout.splitlines():
        if line.strip():
            frames[-1] += bytes.fromhex(line[6:53])
        elif frames[-1]:
            frames.append(b"")
    return [frame for frame in frames if frame]


def epoch(t_us: int) -> str:
    return f"{t_us // 1_000_000}.{t_us % 1_000_000:06d}000"


@pytest.mark.parametrize("name", ["pcap", "pcapng", "btsnoop"])
def test_tshark_agrees_on_hci(tmp_path: Path, name: str) -> None:
    """hci_h4.direction: 0 sent by the host, 1 received from the controller."""
    path = tmp_path / f"hci.{name}"
    path.write_bytes(write(name, HCI))
    rows = tshark(path, "frame.time_epoch", "hci_h4.direction", "hci_h4.type")
    ways = {"sent": 0, "received": 1}
    assert [(time, int(way, 16), int(kind, 16)) for time, way, kind in rows] == [
        (epoch(p.t_us), ways[p.direction or ""], p.data[0]) for p in HCI
    ]
    assert octets(path) == [p.data for p in HCI]
    assert tshark(path, "frame.number", only="_ws.malformed") == []
    assert tshark(path, "frame.number", only="bthci_evt.bd_addr == 11:22:33:44:55:66") == [["3"]]


@pytest.mark.parametrize("name", ["pcap", "pcapng"])
def test_tshark_agrees_on_link_layer_frames(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"air.{name}"
    path.write_bytes(write(name, AIR))
    rows = tshark(path, "frame.time_epoch", "frame.cap_len", "btle.advertising_address")
    length = str(len(ADV_IND_WITH_HEADER))
    assert rows == [[epoch(p.t_us), length, "11:22:33:44:55:66"] for p in AIR]
    assert octets(path) == [p.data for p in AIR]
    assert tshark(path, "frame.number", only="_ws.malformed || btle.crc.incorrect") == []


def test_tshark_agrees_on_interfaces_directions_and_comments(tmp_path: Path) -> None:
    """frame.packet_flags_direction: 1 inbound, 2 outbound."""
    packets = [
        Packet(1, NEW_YEAR_US, 256, ADV_IND_WITH_HEADER, 28, "received", "air", "ä"),
        Packet(2, NEW_YEAR_US + 1, 187, RESET, 4, "sent", "phone", "größer"),
        Packet(3, NEW_YEAR_US + 2, 187, RESET_COMPLETE, 9, "received", "phone"),
    ]
    path = tmp_path / "mixed.pcapng"
    path.write_bytes(write("pcapng", packets))
    fields = ("frame.interface_name", "frame.packet_flags_direction", "frame.comment", "frame.len")
    rows = tshark(path, *fields)
    assert [(name, int(way, 16), comment) for name, way, comment, _ in rows] == [
        ("air", 1, "ä"),
        ("phone", 2, "größer"),
        ("phone", 1, ""),
    ]
    assert [int(row[3]) for row in rows[1:]] == [
        4,
        9,
    ]  # Wireshark leaves the direction prefix out, as we do


@pytest.mark.parametrize("target", ["pcap", "nsecpcap", "modpcap"])
def test_editcap_files_are_read_or_refused(tmp_path: Path, target: str) -> None:
    """Wireshark's own writers: nanoseconds read as the same packets, the modified pcap named in the error."""
    ours, theirs = tmp_path / "ours.pcap", tmp_path / "theirs"
    ours.write_bytes(write("pcap", HCI))
    subprocess.run([judge("editcap"), "-F", target, str(ours), str(theirs)], check=True)
    if target == "modpcap":
        with pytest.raises(UsageError, match="modified pcap"):
            read(theirs.read_bytes())
        return
    assert read(theirs.read_bytes()) == HCI


def test_pcapng_rewritten_by_wireshark_is_read_the_same(tmp_path: Path) -> None:
    """With the section comment, hardware, interface and statistics blocks that Wireshark adds."""
    packets = [
        Packet(1, NEW_YEAR_US + 5, 256, ADV_IND_WITH_HEADER, 28, "received", "air", "ä"),
        Packet(2, NEW_YEAR_US + 6, 187, RESET, 4, "sent", "phone"),
    ]
    ours, theirs = tmp_path / "ours.pcapng", tmp_path / "theirs.pcapng"
    ours.write_bytes(write("pcapng", packets))
    subprocess.run([judge("editcap"), "-F", "pcapng", str(ours), str(theirs)], check=True)
    assert read(theirs.read_bytes()) == packets


def test_btmon_reads_our_btsnoop(tmp_path: Path) -> None:
    path = tmp_path / "hci.btsnoop"
    path.write_bytes(write("btsnoop", HCI))
    done = subprocess.run(
        [judge("btmon"), "-T", "-r", str(path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "TZ": "UTC"},
    )
    for expected in (
        "< HCI Command: Reset (0x03|0x0003)",
        "> HCI Event: Command Complete (0x0e)",
        "> HCI Event: LE Meta Event (0x3e)",
        "11:22:33:44:55:66",
        "< ACL Data TX: Handle 64",
        "Exchange MTU Request",
        "2020-01-01 00:00:00.999999",
    ):
        assert expected in done.stdout


@pytest.mark.parametrize("datalink", [1001, 2001])
def test_tshark_takes_the_other_datalinks_as_we_do(tmp_path: Path, datalink: int) -> None:
    """The files that our H1 and Linux monitor expectations stand on mean the same to tshark."""
    flags = {1001: (2, 3, 3, 0), 2001: (2, 3, 3, 4)}[datalink]
    data = b"btsnoop\x00" + struct.pack(">II", 1, datalink)
    for flag, packet in zip(flags, HCI, strict=True):
        octets_of = packet.data[1:]
        lengths = (len(octets_of), len(octets_of))
        data += (
            struct.pack(">IIIIq", *lengths, flag, 0, 0x00DC_DDB3_0F2F_8000 + packet.t_us)
            + octets_of
        )
    path = tmp_path / "other.btsnoop"
    path.write_bytes(data)
    fields = ("bthci_cmd.opcode", "bthci_evt.code", "bthci_acl.chandle")
    rows = tshark(path, "frame.time_epoch", *fields)
    assert rows == [
        [epoch(HCI[0].t_us), "0x0c03", "", ""],
        [epoch(HCI[1].t_us), "", "0x0e", ""],
        [epoch(HCI[2].t_us), "", "0x3e", ""],
        [epoch(HCI[3].t_us), "", "", "0x0040"],
    ]
    ours = read(data)
    assert [(p.t_us, p.data, p.direction) for p in ours] == [
        (p.t_us, p.data, p.direction) for p in HCI
    ]
