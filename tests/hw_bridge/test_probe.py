"""What is behind a port: number 31 of digest 9, other protocols, and the report."""

from __future__ import annotations

import base64

import pytest

from hw_bridge.errors import NotFoundError
from hw_bridge.identify import Facts, verdict
from hw_bridge.link import LinkInfo
from hw_bridge.probe import missing_commands, probe
from hw_bridge.recognise import recognise
from protocols.hci.framing import PacketFramer
from protocols.hci.h5 import H5Framer
from tests.hw_bridge.real_time import real_time
from tests.hw_bridge.scripted import READ_VERSION, Dongle, MemoryPort, PtyDongle, complete, version

SNIFFLE_LINE = base64.b64encode(b"\x02\x13\x04\x00") + b"\r\n"
NRF_REPLY = bytes.fromhex("ab06020105000e1234bc")


class Board:
    """A device with one right baud (and framing); at others it sends what a wrong baud makes of it."""

    def __init__(self, dongle=None, *, baud=115_200, framing="h4", answers=(b"", b"")):
        self.dongle, self.baud, self.framing, self.answers = (
            dongle or Dongle(),
            baud,
            framing,
            answers,
        )
        self.tried = []

    def __call__(self, moniker):
        baud, framing = moniker.number("baud"), moniker.choice("framing")
        self.tried.append((baud, framing))
        right = baud == self.baud
        port = MemoryPort(
            self.dongle if right and framing == self.framing else Noise(self, right=right)
        )
        if framing == "h5":
            port.framer = H5Framer
        return port


class Noise(Dongle):
    def __init__(self, board, *, right):
        super().__init__()
        self.board, self.right = board, right

    def feed(self, data, now=0):
        question, answer = self.board.answers
        if self.right and question and question in data:
            return [answer]
        return [] if self.right else [b"\x80\xf8\x78\x00\xe6"]


async def test_31_the_next_baud_is_tried_and_named():
    board = Board(baud=115_200)
    report = await probe("serial:/dev/nowhere", port=board)
    assert report.moniker == "serial:/dev/nowhere?baud=115200"
    assert report.speaks == "hci"
    assert [baud for baud, _ in board.tried] == [1_000_000, 115_200]
    assert [each.outcome for each in report.attempts] == ["no answer", "answers"]
    assert report.attempts[0].heard.startswith("80 f8 78")


async def test_31_a_written_baud_is_the_only_one_and_the_hint_says_so():
    board = Board(baud=115_200)
    report = await probe("serial:/dev/nowhere?baud=921600", port=board)
    assert {baud for baud, _ in board.tried} == {921_600}
    assert report.speaks == ""
    assert "wrong baud" in report.hints[0]


async def test_31_all_tries_end_in_bounded_time(running_loop_time):
    dongle = Dongle()
    dongle.mute = True
    report = await probe("serial:/dev/nowhere", port=Board(dongle))
    assert report.verdict == "nothing that is known answers"
    assert len(report.attempts) == 6
    assert running_loop_time() < 20


@pytest.fixture
def running_loop_time():
    import asyncio

    return lambda: asyncio.get_running_loop().time()


async def test_three_wire_is_tried_when_h4_is_silent():
    dongle = Dongle(framer=H5Framer())
    feed = dongle.feed

    def on_three_wire(data, now=0):
        replies = feed(data, now)
        for packet in replies:
            dongle.framer.send(packet, now)
        octets = dongle.framer.to_send(now)
        return [octets] if octets else []

    dongle.feed = on_three_wire
    report = await probe("serial:/dev/nowhere?baud=115200", port=Board(dongle, framing="h5"))
    assert (report.speaks, report.moniker) == ("h5", "serial:/dev/nowhere?baud=115200&framing=h5")


@pytest.mark.parametrize(
    ("question", "answer", "speaks"),
    [(b"\r\nAgEYbmIwMQ"[:2], SNIFFLE_LINE, "sniffle"), (b"\x0d\xbc", NRF_REPLY, "nrf-sniffer")],
)
async def test_sniffers_are_named(question, answer, speaks):
    board = Board(baud=1_000_000, framing="none", answers=(question, answer))
    report = await probe("serial:/dev/nowhere?baud=1000000", port=board)
    assert (report.speaks, report.facts) == (speaks, None)
    assert "not HCI" in report.verdict


async def test_a_console_is_named_and_asked_no_more():
    dongle = Dongle()
    dongle.mute = True
    dongle.banner = b"ESP-ROM:esp32c3-api1-20210207\r\nBuild:Feb  7 2021\r\n"
    report = await probe("serial:/dev/nowhere?baud=115200", port=Board(dongle))
    assert (report.speaks, report.verdict) == ("console", "a text console")
    assert len(report.attempts) == 1


async def test_what_cannot_be_opened_is_no_report():
    def absent(moniker):
        port = MemoryPort(Dongle())
        port.error = NotFoundError("not there")
        return port

    with pytest.raises(NotFoundError):
        await probe("serial:/dev/nowhere", port=absent)


@real_time
async def test_a_real_line_gives_a_report_with_round_trip_times(tmp_path):
    async with PtyDongle(tmp_path / "dongle", Dongle("00:00:00:00:00:00")) as dongle:
        report = await probe(f"serial:{dongle.path}?baud=1000000")
    assert report.verdict == "Zephyr controller"
    assert 0 < report.p50_us <= report.p95_us < 100_000
    assert "no public address" in report.hints[0]
    assert report.facts.buffers.le == (3, 251)


@pytest.mark.parametrize(
    ("octets", "name"),
    [
        (b"", ""),
        (b"\x80\xf8\x78\x00\xe6" * 4, ""),
        (b"*** Booting Zephyr OS build v3.7.0 ***\r\n", "console"),
        (SNIFFLE_LINE, "sniffle"),
        (b"cut off==\r\n" + SNIFFLE_LINE, "sniffle"),
        (base64.b64encode(b"\x09\x13\x04\x00") + b"\r\n", "console"),
        (NRF_REPLY, "nrf-sniffer"),
        (bytes.fromhex("c0002f00d0017ec0"), "h5"),
        (bytes.fromhex("c0002f00d1017ec0"), ""),
        (bytes.fromhex("040e0401000000"), "hci"),
        (b"noise\x80" + bytes.fromhex("040e0401000000") * 3, "hci"),
    ],
)
def test_only_what_is_self_evident_gets_a_name(octets, name):
    assert recognise(octets) == name


@pytest.mark.parametrize(
    ("parameters", "bcd", "words"),
    [
        (version(0x000A, lmp=0x22BB, revision=0x22BB), 0x8990, "genuine CSR8510"),
        (version(0x000A, lmp=0x22BB, revision=0x22BB), 0x8891, "clone"),
        (version(0x000A, lmp=0x0811, revision=0x3120), None, "clone"),
        (version(0x005D, lmp=0x8761, revision=0x000B), None, "needs its firmware"),
        (version(0x005D, lmp=0xD922, revision=0xDFC6), None, "with firmware"),
        (version(0x05F1), None, "Zephyr"),
    ],
)
def test_verdicts(parameters, bcd, words):
    numbers = [int.from_bytes(parameters[at : at + 2], "little") for at in (2, 5, 7)]
    facts = Facts(
        hci_version=parameters[1],
        hci_revision=numbers[0],
        lmp_version=parameters[4],
        manufacturer=numbers[1],
        lmp_subversion=numbers[2],
    )
    assert words in verdict(facts, LinkInfo(vid=0x0A12, bcd_device=bcd))


def test_missing_commands_are_those_that_bumble_counts():
    """LE Set Advertising Enable is octet 26 bit 1 (Core 5.4 Vol 4 Part E 6.27)."""
    everything = bytearray(b"\xff" * 64)
    assert missing_commands(bytes(everything)) == ()
    everything[26] &= ~2
    assert missing_commands(bytes(everything)) == ("LE Set Advertising Enable",)
    assert missing_commands(b"") == ()


def test_a_packet_line_needs_no_framer():
    framer = PacketFramer()
    framer.receive(complete(READ_VERSION, version()), 1)
    assert framer.next_event().packet == complete(READ_VERSION, version())
    framer.receive(b"\x04\x0e\x09", 2)
    assert framer.next_event().octets == b"\x04\x0e\x09"
