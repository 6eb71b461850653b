"""Captures as rows: any format, any size, cut or garbled."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.ble.ll_capture import captured_packet
from protocols.capture import Packet, open_reader, writer_for
from protocols.errors import UsageError
from tui.capture_source import CaptureSource
from tui.models.decoding import decoded, info_of
from tui.models.packet_list import PacketList
from tui.models.packets import protocol_of

VECTORS = Path(__file__).parents[1] / "vectors"
AWARE = VECTORS / "wifi-aware-full-sae-ccmp128-ndp-pk128.pcap"
ADVERT = bytes.fromhex("60217dd3a5d8e5fc0201061107907d5b3c1a6f0e9d0d4ac15301000a6b05094c6f636b")


def written(path, count, suffix="pcap"):
    """A capture of adverts whose addresses count."""
    with path.open("wb") as stream:
        writer = writer_for(suffix)(stream)
        for n in range(1, count + 1):
            pdu = ADVERT[:2] + n.to_bytes(5, "little") + ADVERT[7:]
            data = captured_packet(pdu, channel=37, rssi_dbm=-40 - n % 50)
            writer.write(Packet(n, 1_700_000_000_000_000 + n * 100, 256, data, len(data)))
    return path


def test_rows_are_the_packets_of_the_file(opened):
    source = opened(AWARE)
    with AWARE.open("rb") as stream:
        packets = list(open_reader(stream, "x"))
    rows = [source.at(position) for position in range(source.end)]
    assert [row.data for row in rows] == [packet.data for packet in packets]
    assert [row.seq for row in rows] == [packet.number for packet in packets]
    assert [row.t_us for row in rows] == [packet.t_us - packets[0].t_us for packet in packets]
    assert list(source.span(0, source.end)) == rows
    assert {"NAN", "PASN"} <= {protocol_of(row) for row in rows}
    assert all(":" in row.node for row in rows if protocol_of(row) == "PASN")
    assert not [decoded(row).wrong for row in rows if decoded(row).wrong]


@pytest.mark.parametrize("suffix", ["pcap", "pcapng"])
def test_filters_find_the_same_as_plain_python(opened, tmp_path, suffix):
    source = opened(written(tmp_path / f"a.{suffix}", 3000, suffix))
    packets = PacketList(source)
    assert len(packets) == 3000
    packets.set_filter("rssi>-45 && adv")
    while packets.progress < 1:
        packets.look(lambda: True)
    rows = [packets.event(row) for row in range(len(packets))]
    assert [row.seq for row in rows] == [n for n in range(1, 3001) if -40 - n % 50 > -45]
    assert packets.total == 3000
    assert packets.row_of(packets.position(7)) == 7
    assert source.position_of(2999) == 2998
    assert "Lock" in info_of(rows[0])


def test_what_comes_before_damage_is_shown(opened, tmp_path):
    whole = written(tmp_path / "whole.pcap", 100).read_bytes()
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(whole[:-20])
    source = opened(cut)
    assert source.end == 99
    assert "cut.pcap" in source.trouble
    assert "a part is shown" in source.trouble


@pytest.mark.parametrize("content", [b"", b"hello", b"\x00" * 100], ids=["empty", "text", "zeros"])
def test_what_is_no_capture_is_refused(tmp_path, content):
    file = tmp_path / "no.pcap"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=r"no\.pcap"):
        CaptureSource(file)


def test_half_a_header_is_no_capture(tmp_path):
    """A file that cannot be read at all is a wrong request (status 2), not a damaged capture (1)."""
    whole = written(tmp_path / "whole.pcap", 1).read_bytes()
    for size in range(4, 24):
        file = tmp_path / "half.pcap"
        file.write_bytes(whole[:size])
        with pytest.raises(UsageError, match=r"half\.pcap.*header") as refused:
            CaptureSource(file)
        assert refused.value.exit_status == 2


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"gone\.pcap"):
        CaptureSource(tmp_path / "gone.pcap")


def test_garbled_packets_are_rows_too(opened, tmp_path):
    """Octets of every length and link type: a row and a sentence, whatever they are."""
    file = tmp_path / "garbled.pcapng"
    with file.open("wb") as stream:
        writer = writer_for("pcapng")(stream)
        number = 0
        for link_type in (256, 251, 187, 105, 127, 272, 1):
            for size in (0, 1, 2, 3, 7, 16, 40):
                number += 1
                data = bytes((number * 37 + i * 101) & 0xFF for i in range(size))
                writer.write(Packet(number, number, link_type, data, size))
    source = opened(file)
    assert source.end == number
    for position in range(source.end):
        row = source.at(position)
        assert isinstance(info_of(row), str)
        assert isinstance(protocol_of(row), str)
