"""Who sends a packet to whom: the arrow says what the words say, also of HCI and of what a capture holds."""

from __future__ import annotations

import pytest

from protocols.ble.ll_capture import captured_packet
from protocols.capture import Packet, writer_for
from tests.tui.bench import bench, play
from tests.tui.test_capture_source import opened  # noqa: F401  # a fixture
from tui.models.packet_list import PacketList

PHONE, LOCK = "66:55:44:33:22:11", "fc:e5:d8:a5:d3:7d"
TWO = bytes.fromhex("1122334455667dd3a5d8e5fc")


def capture_of(path, *pdus):
    with path.open("wb") as stream:
        writer = writer_for("pcap")(stream)
        for n, pdu in enumerate(pdus, 1):
            data = captured_packet(pdu, channel=37, rssi_dbm=-40)
            writer.write(Packet(n, n * 100, 256, data, len(data)))
    return path


@pytest.mark.parametrize("head", ["4522", "430c", "410c"])
def test_directed_packets_of_a_capture_have_both_ends(opened, tmp_path, head):  # noqa: F811
    pdu = bytes.fromhex(head) + TWO + bytes(bytes.fromhex(head)[1] - 12)
    source = opened(capture_of(tmp_path / "a.pcap", pdu))
    packets = PacketList(source)
    assert packets.ends.of(source.at(0)) == (PHONE, LOCK)
    for text in (f"from:{PHONE}", f"to:{LOCK}", f"addr:{LOCK} && addr:{PHONE}"):
        packets.set_filter(text)
        packets.look(lambda: False)
        assert len(packets) == 1, text


@pytest.mark.parametrize("pdu", [bytes.fromhex("4006") + TWO[:6], bytes.fromhex("450a") + TWO[:10]])
def test_an_advert_and_a_cut_request_go_to_everybody(opened, tmp_path, pdu):  # noqa: F811
    source = opened(capture_of(tmp_path / "a.pcap", pdu))
    assert PacketList(source).ends.of(source.at(0)) == (PHONE, "*")


def test_arrows_of_hci_go_to_the_controller_whatever_the_host_is_called(tmp_path):
    path = tmp_path / "a.btsnoop"
    reset, done = bytes.fromhex("01030c00"), bytes.fromhex("040e0401030c00")
    with path.open("wb") as stream:
        writer = writer_for("btsnoop")(stream)
        writer.write(Packet(1, 100, 187, reset, 4, "sent"))
        writer.write(Packet(2, 200, 187, done, 7, "received"))

    async def capture():
        async with bench(path) as one:
            lines = [line for line in one.text.splitlines() if "controller" in line]
            assert ["──▶" in line for line in lines] == [
                "host→controller" in line for line in lines
            ]
            assert len(lines) == 2

    async def live():
        async with bench(play=("none",), start="packets") as one:
            await one.press("escape")
            await one.run_for(0.5)
            lines = [line for line in one.text.splitlines() if "controller" in line]
            assert lines
            for line in lines:
                assert ("──▶" in line) == ("→controller" in line), line
                assert ("◀──" in line) == ("controller→" in line), line

    play(capture())
    play(live())
