"""What is behind a port: number 31 of digest 9, other protocols, and the report."""

from __future__ import annotations

import asyncio
import base64
import os
import re

import pytest

from hw_bridge.abilities import abilities_of, missing_commands
from hw_bridge.errors import MuteError, NotFoundError
from hw_bridge.identify import Facts, verdict
from hw_bridge.link import LinkInfo
from hw_bridge.probe import ProbeSettings, probe
from hw_bridge.recognise import recognise
from hw_bridge.session import Session
from protocols.hci.framing import PacketFramer
from protocols.hci.h5 import H5Framer
from protocols.hci.replies import opcode_of
from tests.hw_bridge.real_time import real_time
from tests.hw_bridge.scripted import (
    READ_ADDRESS,
    READ_VERSION,
    RESET,
    Dongle,
    MemoryPort,
    PtyDongle,
    complete,
    event,
    nop,
    version,
)

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
    assert not report.is_controller
    assert (
        f"bridge record serial:/dev/nowhere?baud=1000000 air.pcapng --sniffer {speaks}`"
        in report.hints[0]
    )


async def test_a_console_is_named_and_asked_no_more():
    dongle = Dongle()
    dongle.mute = True
    dongle.banner = b"ESP-ROM:esp32c3-api1-20210207\r\nBuild:Feb  7 2021\r\n"
    report = await probe("serial:/dev/nowhere?baud=115200", port=Board(dongle))
    assert report.speaks == "console"
    assert report.verdict.startswith("a text console, and no controller")
    assert "other port" in report.verdict
    assert len(report.attempts) == 1
    assert not report.is_controller
    assert "it sends text and no HCI packets" in report.hints[0]
    assert "Build:Feb 7 2021" in report.hints[0], "what came is shown"


async def test_a_console_that_talks_only_when_it_is_spoken_to_is_named_too():
    dongle = Dongle()
    dongle.answer = lambda _packet: [b"\r\nlogin incorrect\r\n\r\nesp32 login: "]
    report = await probe("serial:/dev/nowhere?baud=115200", port=Board(dongle))
    assert (report.speaks, len(report.attempts)) == ("console", 1)
    assert "login" in report.hints[0]


async def test_a_server_of_something_else_that_hangs_up_is_named_by_its_text():
    dongle = Dongle()
    port = MemoryPort(dongle)

    def answer(_packet):
        asyncio.get_running_loop().call_later(0.2, port.unplug)
        return [b"HTTP/1.1 400 Bad Request\r\n\r\n"]

    dongle.answer = answer
    report = await probe("tcp-client:127.0.0.1:80", port=lambda _: port)
    assert not report.is_controller
    assert report.verdict.startswith("it was lost")
    assert "it sends text and no HCI packets" in report.hints[0]
    assert "400 Bad Request" in report.hints[0]


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


def facts_with(commands=b"\xff" * 64, le_features=0, sets=1) -> Facts:
    return Facts(
        hci_version=6,
        hci_revision=0,
        lmp_version=6,
        manufacturer=0x000A,
        lmp_subversion=0x22BB,
        commands=commands,
        le_features=le_features,
        advertising_sets=sets,
    )


def test_a_stick_of_bluetooth_4_can_be_both_roles_and_nothing_beyond():
    can, cannot = abilities_of(facts_with())
    assert [words.split()[0] for words in can] == ["be", "be", "pair", "listen"]
    assert set(cannot) == {
        *("adverts of more than 31 octets", "several adverts at once", "packets of 251 octets"),
        *("2M PHY", "coded PHY"),
    }


def test_one_set_is_not_several_and_all_features_leave_nothing_out():
    every = 1 << 5 | 1 << 8 | 1 << 11 | 1 << 12
    assert abilities_of(facts_with(le_features=every, sets=1))[1] == ("several adverts at once",)
    assert abilities_of(facts_with(le_features=every, sets=4))[1] == ()


def test_a_command_that_is_not_listed_takes_its_ability_away_and_no_list_takes_none():
    without = bytearray(b"\xff" * 64)
    without[26] &= ~2  # LE Set Advertising Enable
    assert abilities_of(facts_with(bytes(without)))[1][0] == "be an accessory (--accessory)"
    assert abilities_of(facts_with(b""))[0] == abilities_of(facts_with())[0]
    assert abilities_of(facts_with(bytes(64)))[0] == abilities_of(facts_with())[0]


# Controllers that answer at first


class Failing(Dongle):
    """Answers until `at` is asked, then does what a test says."""

    def __init__(self, at, then=lambda port: None):
        super().__init__()
        self.at, self.then, self.port, self.failed = at, then, None, False

    def answer(self, packet):
        if packet[0] == 1 and opcode_of(packet) == self.at and not self.failed:
            self.failed = True
            self.then(self.port)
        return [] if self.failed else super().answer(packet)


async def probed(dongle, **settings):
    port = MemoryPort(dongle)
    dongle.port = port
    said = []
    began = asyncio.get_running_loop().time()
    made = ProbeSettings(**settings)
    report = await probe("tcp-client:h:1", port=lambda _: port, tell=said.append, settings=made)
    return report, asyncio.get_running_loop().time() - began, said


CRASH = event(0xFF, b"\xaa" + b"ctlr/ull.c\0" + (1284).to_bytes(4, "little"))


@pytest.mark.parametrize("at", [READ_VERSION, READ_ADDRESS, 0x1002, 0x2002, 0x203B])
@pytest.mark.parametrize(
    ("then", "words"),
    [
        (lambda port: None, "falls silent at"),
        (lambda port: port.unplug(), "it was lost: memory: unplugged"),
        (lambda port: port.say(b"\x04\x0e\x04\x01"), "falls silent at"),
    ],
    ids=["silent", "lost", "half-packets"],
)
async def test_a_controller_that_ends_while_it_is_asked_is_no_good_one(at, then, words):
    report, took_s, _ = await probed(Failing(at, then))
    assert (report.speaks, report.facts, report.can) == ("", None, ())
    assert words in report.verdict
    assert took_s < 3, "it is not asked everything else"
    if words.startswith("falls"):
        assert report.verdict.startswith("Zephyr controller: ") is (at != READ_VERSION)
        assert f"({at:#06x})" in report.verdict


@pytest.mark.parametrize("at", [RESET, READ_VERSION, 0x2002])
async def test_10_a_crash_while_it_is_probed_is_named_with_file_and_line(at):
    report, took_s, _ = await probed(Failing(at, lambda port: port.say(CRASH)))
    assert report.speaks == ""
    assert report.verdict.startswith("the controller crashed in ctlr/ull.c:1284")
    assert took_s < 1


async def test_silence_behind_the_last_question_is_found_by_the_round_trips():
    dongle = Failing(READ_VERSION)
    dongle.failed = False
    answer, asked = dongle.answer, []

    def at_first(packet):
        asked.append(opcode_of(packet))
        return Dongle.answer(dongle, packet) if asked.count(READ_VERSION) < 3 else answer(packet)

    dongle.answer = at_first
    report, _, _ = await probed(dongle)
    assert report.speaks == ""
    assert report.verdict.startswith("Zephyr controller: it fell silent")


async def test_a_question_that_is_passed_over_is_told_from_one_that_is_refused():
    dongle = Dongle()
    dongle.answers[0x203B] = []
    report, took_s, _ = await probed(dongle)
    assert report.speaks == "hci"
    assert [words[-8:] for words in report.facts.unanswered] == ["(0x203b)"]
    assert not any("0x203b" in words for words in report.facts.refused)
    assert took_s < 2


async def test_a_controller_that_is_silent_at_what_every_host_asks_is_no_good_one():
    class Mumbles(Dongle):
        def answer(self, packet):
            known = opcode_of(packet) in (RESET, READ_VERSION)
            return super().answer(packet) if known else []

    report, _, _ = await probed(Mumbles())
    assert (report.speaks, report.facts, report.can) == ("", None, ())
    assert report.verdict.startswith("Zephyr controller: no host can use it")
    for opcode in ("0x1009", "0x1002", "0x1003", "0x2003", "0x2002"):
        assert f"({opcode})" in report.verdict


@pytest.mark.parametrize("at", [READ_ADDRESS, 0x1002, 0x1003, 0x2002, 0x2003])
async def test_each_of_what_hosts_wait_for_is_needed(at):
    dongle = Dongle()
    dongle.answers[at] = []
    report, _, _ = await probed(dongle)
    assert report.speaks == ""
    assert f"({at:#06x}); flash" in report.verdict


async def test_who_is_told_that_another_client_is_served_is_not_told_to_flash_anything():
    dongle = Dongle()
    dongle.answers[RESET] = [complete(RESET, b"\x0d")]
    report, _, _ = await probed(dongle)
    assert report.speaks == ""
    assert report.verdict.startswith("another client has it")
    assert not re.search("flash|off and on", report.verdict)
    session = Session("served", port=MemoryPort(dongle))
    session.start()
    with pytest.raises(MuteError, match="another client has it"):
        await session.ready()
    await session.close()


async def test_18_credits_that_are_withheld_are_waited_for_in_a_probe_and_said():
    dongle = Dongle()
    dongle.answers[RESET] = [complete(RESET, credits_=0)]
    report, took_s, _ = await probed(dongle)
    assert (report.speaks, report.verdict) == ("hci", "Zephyr controller")
    assert any("took all command credits away" in words for words in report.hints)
    assert 2 <= took_s < 4


async def test_18_a_controller_that_never_gives_credits_is_waited_for_less_each_time():
    dongle = Dongle()
    answer = dongle.answer

    def without_credits(packet):
        return [each[:3] + b"\0" + each[4:] for each in answer(packet)]

    dongle.answer = without_credits
    report, took_s, _ = await probed(dongle, round_trips=5)
    assert report.speaks == "hci"
    assert took_s < 6


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({RESET: [complete(RESET, b"\x03")]}, "refuses Reset with status 0x03"),
        ({READ_VERSION: [complete(READ_VERSION, b"\x0c")]}, "with status 0x0c"),
        ({READ_VERSION: [complete(READ_VERSION, b"\0\x0d")]}, "with 2 octets, not 9"),
    ],
)
async def test_what_must_succeed_and_fails_is_named_and_is_not_called_silence(answers, words):
    dongle = Dongle()
    dongle.answers |= answers
    report, _, _ = await probed(dongle)
    assert report.speaks == ""
    assert words in report.verdict
    assert not any("no Reset" in hint for hint in report.hints)


async def test_silence_of_another_framing_does_not_contradict_what_was_heard():
    class Talks(Board):
        def __call__(self, moniker):
            port = super().__call__(moniker)
            if moniker.choice("framing") == "h4":
                port.dongle = Dongle()
                port.dongle.mute = True
                port.dongle.banner = nop() * 3
            return port

    report = await probe("serial:/dev/nowhere?baud=115200", port=Talks(framing="none"))
    assert report.hints == ("it sends packets and answers no Reset: switch it off and on",)


class Echo(Dongle):
    """A line whose ends are connected."""

    def feed(self, data, now=0):
        return [bytes(data)]


@pytest.mark.parametrize("options", ["", "?baud=115200", "?framing=h5"])
async def test_an_echo_is_called_one(options):
    def echo(moniker):
        port = MemoryPort(Echo())
        if moniker.choice("framing") == "h5":
            port.framer = H5Framer
        return port

    report = await probe(f"serial:/dev/nowhere{options}", port=echo)
    assert report.speaks == ""
    assert report.verdict.startswith("it echoes")
    session = Session("echo", port=MemoryPort(Echo()))
    session.start()
    with pytest.raises(MuteError, match="it echoes"):
        await session.ready()
    await session.close()


async def test_every_step_is_told_while_it_goes_on():
    dongle = Dongle()
    dongle.mute = True
    said = []
    await probe("serial:/dev/nowhere", port=Board(dongle), tell=said.append)
    assert sum("listening" in each for each in said) == 6
    assert {"asking for sniffle", "asking for nrf-sniffer"} <= {
        each.split(": ")[-1] for each in said
    }


@real_time
async def test_a_probe_of_a_listening_port_waits_for_its_peer():
    said, here = [], asyncio.Event()

    def tell(words):
        said.append(words)
        if "waiting" in words:
            here.set()

    async def come():
        await here.wait()
        address = re.search(r"connected to ([\d.]+):(\d+) yet", said[0])
        reader, writer = await asyncio.open_connection(address[1], int(address[2]))
        dongle = Dongle()
        while data := await reader.read(4096):
            for packet in dongle.feed(data):
                writer.write(packet)
        writer.close()

    coming = asyncio.create_task(come())
    report = await probe("tcp-server:0", tell=tell)
    await coming
    assert (report.speaks, len(report.attempts)) == ("hci", 1)


@real_time
async def test_a_probe_of_a_terminal_of_ours_waits_for_who_opens_it(tmp_path):
    link, here, dongle = tmp_path / "controller", asyncio.Event(), Dongle()

    def tell(words):
        if "waiting" in words:
            here.set()

    probing = asyncio.create_task(probe(f"pty:{link}", tell=tell))
    await here.wait()
    side = os.open(link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    loop = asyncio.get_running_loop()

    def answer():
        for packet in dongle.feed(os.read(side, 4096)):
            os.write(side, packet)

    loop.add_reader(side, answer)
    try:
        assert (await probing).speaks == "hci"
    finally:
        loop.remove_reader(side)
        os.close(side)


@real_time
async def test_a_listening_port_to_which_nobody_comes_is_given_up_and_closed():
    with pytest.raises(NotFoundError, match="nobody has connected"):
        await probe("tcp-server:0", settings=ProbeSettings(peer_ms=50))


def test_a_packet_line_needs_no_framer():
    framer = PacketFramer()
    framer.receive(complete(READ_VERSION, version()), 1)
    assert framer.next_event().packet == complete(READ_VERSION, version())
    framer.receive(b"\x04\x0e\x09", 2)
    assert framer.next_event().octets == b"\x04\x0e\x09"
