"""Who sends a packet to whom: the arrow says what the words say, also of HCI and of what a capture holds."""

from __future__ import annotations

import pytest

from protocols.ble.ll_capture import captured_packet
from protocols.ble.ll_radio import crc24
from protocols.capture import Packet, open_reader, writer_for
from sim.air_capture import AirTap
from sim.scenario import load
from sim.world import World
from tests.shark import rows
from tests.tui.bench import bench, play
from tui.models.decoding import decoded
from tui.models.link_ends import UNKNOWN_LINK, LinkEnds
from tui.models.packet_list import PacketList
from tui.models.packets import protocol_of
from tui.widgets.packet_rows import ends_text

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
def test_directed_packets_of_a_capture_have_both_ends(opened, tmp_path, head):
    pdu = bytes.fromhex(head) + TWO + bytes(bytes.fromhex(head)[1] - 12)
    source = opened(capture_of(tmp_path / "a.pcap", pdu))
    packets = PacketList(source)
    assert packets.ends.of(source.at(0)) == (PHONE, LOCK)
    for text in (f"from:{PHONE}", f"to:{LOCK}", f"addr:{LOCK} && addr:{PHONE}"):
        packets.set_filter(text)
        packets.look(lambda: False)
        assert len(packets) == 1, text


@pytest.mark.parametrize("pdu", [bytes.fromhex("4006") + TWO[:6], bytes.fromhex("450a") + TWO[:10]])
def test_an_advert_and_a_cut_request_go_to_everybody(opened, tmp_path, pdu):
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


# Connections of a capture: the ends of the request that opened it, the direction that the header tells

LINK = 0xAF6C1C5A
OTHER_PHONE = "c0:00:00:00:00:01"
MTU = bytes.fromhex("0207 0300 0400 02 1700")
PHDR, FLAGS = 10, slice(8, 10)
CRC_FLAGS, CRC_CHECKED = 0x0C00, 0x0400
CENTRAL, PERIPHERAL = 2, 3


def connect_ind(central=PHONE, peripheral=LOCK, access=LINK):
    ends = b"".join(bytes.fromhex(one.replace(":", ""))[::-1] for one in (central, peripheral))
    return b"\x45\x22" + ends + access.to_bytes(4, "little") + bytes(18)


def on_link(kind, pdu=MTU, access=LINK, **more):
    return captured_packet(pdu, channel=5, rssi_dbm=-40, access_address=access, kind=kind, **more)


def request(pdu=None, **more):
    return captured_packet(pdu or connect_ind(), channel=37, rssi_dbm=-40, **more)


def with_flags(data, flags):
    """The packet with other words about its CRC."""
    old = int.from_bytes(data[FLAGS], "little")
    return data[:8] + (old & ~CRC_FLAGS | flags).to_bytes(2, "little") + data[10:]


def file_of(path, *packets, link_type=256):
    with path.open("wb") as stream:
        writer = writer_for("pcap")(stream)
        for n, data in enumerate(packets, 1):
            writer.write(Packet(n, n * 100, link_type, data, len(data)))
    return path


def ends_in(source):
    packets = PacketList(source)
    return [packets.ends.of(source.at(n)) for n in range(source.end)]


def test_a_connection_has_the_ends_of_the_request_that_opened_it(opened, tmp_path):
    """Before it the roles alone are known; another connection under the same access address has its own ends."""
    packets = (
        on_link(CENTRAL), request(), on_link(CENTRAL), on_link(PERIPHERAL), on_link(CENTRAL, access=LINK ^ 1),
        request(connect_ind(OTHER_PHONE)), on_link(PERIPHERAL, b"\x01\x00"), on_link(CENTRAL, b"\x03\x02\x02\x13"),
    )  # fmt: skip
    source = opened(file_of(tmp_path / "a.pcap", *packets))
    expected = [
        ("central", "peripheral"), (PHONE, LOCK), (PHONE, LOCK), (LOCK, PHONE), ("central", "peripheral"),
        (OTHER_PHONE, LOCK), (LOCK, OTHER_PHONE), (OTHER_PHONE, LOCK),
    ]  # fmt: skip
    assert ends_in(source) == expected
    assert [(row.node, row.peer) for row in source.span(0, source.end)] == expected


@pytest.mark.parametrize("kind", [0, 6, 7])
def test_where_no_direction_is_told_no_end_is(opened, tmp_path, kind):
    """Of packets whose kind is open, of broadcasts, and of everything in LINKTYPE 251."""
    source = opened(file_of(tmp_path / "a.pcap", request(), on_link(kind)))
    assert ends_in(source)[1] == ("", "")
    bare = [packet[PHDR:] for packet in (request(), on_link(CENTRAL))]
    source = opened(file_of(tmp_path / "b.pcap", *bare, link_type=251))
    assert ends_in(source) == [(PHONE, LOCK), ("", "")]


def test_a_request_that_was_received_wrong_tells_nothing():
    right, wrong = request(), request()[:-1] + b"\xff"
    assert right[-3:] == crc24(connect_ind())
    for data, is_known in (
        (right, True), (with_flags(right, CRC_CHECKED), False), (with_flags(right, 0), True),
        (with_flags(wrong, 0), False), (with_flags(right, 0)[:-4] + right[-3:], False),
    ):  # fmt: skip
        ends = LinkEnds()
        assert ends.link_of("ll_phdr", data) == UNKNOWN_LINK
        assert (ends.link_of("ll_phdr", on_link(CENTRAL)) != UNKNOWN_LINK) is is_known
    ends = LinkEnds()
    ends.link_of("ll", right[PHDR:])
    assert ends.link_of("ll", on_link(CENTRAL)[PHDR:]) != UNKNOWN_LINK


def test_requests_cut_at_each_octet_tell_nothing(opened, tmp_path):
    whole = with_flags(request(), 0)
    source = opened(
        file_of(tmp_path / "a.pcap", *(whole[:n] for n in range(len(whole))), on_link(CENTRAL))
    )
    assert ends_in(source)[-1] == ("central", "peripheral")


def test_a_connection_on_le_coded(opened, tmp_path):
    """AUX_CONNECT_REQ on a secondary channel; behind the access address stands the coding indicator."""
    packets = (
        captured_packet(connect_ind(), channel=7, rssi_dbm=-40, kind=1, phy=3),
        on_link(CENTRAL, phy=3),
        on_link(PERIPHERAL, bytes.fromhex("0f0105"), phy=3),
        on_link(PERIPHERAL, bytes.fromhex("0a05a1a2a3a4a5"), phy=3),
    )
    source = opened(file_of(tmp_path / "a.pcap", *packets))
    assert ends_in(source) == [(PHONE, LOCK), (PHONE, LOCK), (LOCK, PHONE), (LOCK, PHONE)]
    assert [protocol_of(row) for row in source.span(0, 4)] == ["ADV", "ATT", "LL", "LL"]
    assert [bool(row.fields.get("encrypted")) for row in source.span(0, 4)] == [
        False,
        False,
        False,
        True,
    ]
    assert not [decoded(row).wrong for row in source.span(0, 4) if decoded(row).wrong]


@pytest.mark.parametrize(
    ("pdu", "expected"),
    [
        ("4708 0701 665544332211", ("11:22:33:44:55:66", "*")),
        ("c70e 0d03" "665544332211" "ffeeddccbbaa", ("11:22:33:44:55:66", "aa:bb:cc:dd:ee:ff")),
        ("8708 0702 ffeeddccbbaa", ("", "aa:bb:cc:dd:ee:ff")),
        ("0702 0000", ("", "*")),
        ("0703 0709 66", ("", "*")),
        ("480e 0d03" "665544332211" "ffeeddccbbaa", ("11:22:33:44:55:66", "aa:bb:cc:dd:ee:ff")),
    ],
)  # fmt: skip
def test_extended_packets_have_both_ends(opened, tmp_path, pdu, expected):
    data = captured_packet(bytes.fromhex(pdu), channel=7, rssi_dbm=-40, kind=1)
    source = opened(file_of(tmp_path / "a.pcap", data))
    assert ends_in(source) == [expected]


def test_periodic_advertising_is_no_connection(opened, tmp_path):
    """AUX_SYNC_IND has an access address of its own; the header says that it is auxiliary advertising."""
    train = on_link(1, bytes.fromhex("0704 0100 aabb"), aux_type=2)
    stream = on_link(4, bytes.fromhex("0207 0300 0400 02 1700"))
    source = opened(file_of(tmp_path / "a.pcap", train, stream))
    assert [row.event for row in source.span(0, 2)] == ["adv", "ll_iso"]
    assert [protocol_of(row) for row in source.span(0, 2)] == ["ADV", "LL"]
    assert ends_in(source) == [("", "*"), ("central", "peripheral")]


def test_tshark_names_the_same_ends(opened, tmp_path):
    """Of a run with two connections to the same device."""
    path = tmp_path / "a.pcap"
    world = World(load("lost_bond_repaired"))
    with path.open("wb") as stream:
        world.air.observe(AirTap("a", writer_for("pcap")(stream)).on_air)
        world.run()
    world.close()
    with path.open("rb") as stream:
        packets = [packet.data for packet in open_reader(stream, "a")]
    fields = ("btle.access_address", "btle.master_bd_addr", "btle.slave_bd_addr", "_ws.col.Source")
    theirs = rows(tmp_path, 256, packets, *fields)
    ours = ends_in(opened(path))
    compared = set()
    for (access, central, peripheral, sender), ends in zip(theirs, ours, strict=True):
        if central:
            wanted = (central, peripheral)
            assert ends == (wanted if sender.startswith("Master_") else wanted[::-1])
            compared.add((access, *ends))
    assert len(compared) >= 4


def test_a_conversation_and_filters_of_a_connection(tmp_path):
    packets = (
        request(),
        on_link(CENTRAL),
        on_link(PERIPHERAL),
        on_link(CENTRAL, access=LINK ^ 1),
        on_link(0),
    )
    path = file_of(tmp_path / "a.pcap", *packets)

    async def story():
        async with bench(path) as one:
            while not one.session.source.done:
                await one.pilot.pause()
            await one.turn()
            shown = one.app.screen.rows.packets
            for text, count in (
                (f"from:{LOCK}", 1), (f"to:{LOCK}", 2), (f"addr:{PHONE}", 3), ("from:central", 1),
                ("to:peripheral", 1),
            ):  # fmt: skip
                shown.set_filter(text)
                shown.look(lambda: False)
                assert len(shown) == count, text
            shown.set_filter("")
            await one.press("home", "down", "c")
            assert len(shown) == 3
            await one.press("c", "end", "c")
            assert len(shown) == 5
            assert "nothing tells between whom this packet goes" in one.text

    play(story())


@pytest.mark.parametrize(
    ("sender", "receiver"),
    [("phone", "lock"), (PHONE, LOCK), ("phone", LOCK), (LOCK, "phone"), ("", "*")],
)
@pytest.mark.parametrize("width", [19, 26])
def test_both_ends_are_seen_where_they_do_not_fit(sender, receiver, width):
    """The arrow stays, and of each end its beginning and its end."""
    text = ends_text(sender, "→", receiver, width)
    assert len(text) <= width
    for part, whole in zip(text.split("→"), (sender, receiver), strict=True):
        first, _, last = part.partition("…")
        assert whole.startswith(first)
        assert whole.endswith(last)
        assert len(part) >= min(len(whole), (width - 1) // 2)
