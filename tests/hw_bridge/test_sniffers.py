"""Numbers 29 and 30 of digest 9: sniffers on a serial line, from vectors made here and judged by tshark.

No sniffer was at hand: the vectors are built from the protocols' documents by code of their own.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import shutil
import struct
import subprocess

import pytest

from hw_bridge.errors import LostError, MuteError
from hw_bridge.sniffer import CaptureOf, Sniffer, to_trace
from protocols.ble.link_layer import decode_packet, summary
from protocols.ble.ll_radio import crc24
from protocols.capture import open_reader
from protocols.hci import nrf_sniffer, sniffle
from protocols.hci.nrf_sniffer import NrfReader, NrfSniffer
from protocols.hci.sniffed import Sniffed, event_name, in_capture
from protocols.hci.sniffle import SniffleSniffer
from sim.trace import TraceLog
from tests.hw_bridge.scripted import Dongle, MemoryPort

ADVERTISING, DATA, DATA_INIT = 0x8E89BED6, 0x50655DAB, 0x123456
ADV = bytes.fromhex("401166554433221102010607094b6574746c65")
CONNECT = bytes.fromhex(
    "4522" "665544332211" "ffeeddccbbaa" "ab5d6550" "563412" "02" "0c00" "1800" "0000" "4800" "ffffffff1f" "a9"
)  # fmt: skip
READ = bytes.fromhex("02070300 0400 0a0300".replace(" ", ""))
TSHARK = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


# nRF Sniffer


def block(flags: int, channel: int, rssi: int, stamp_us: int, *, event: int = 7) -> bytes:
    return struct.pack("<BBBBHI", 10, flags, channel, rssi, event, stamp_us)


def on_line(
    pdu: bytes,
    *,
    address=ADVERTISING,
    init=0x555555,
    flags=1,
    channel=37,
    stamp_us=1000,
    coding=b"",
) -> bytes:
    """Payload of a packet message as the sniffer sends it: with padding behind the header."""
    head = block(flags, channel, 55, stamp_us) + address.to_bytes(4, "little") + coding
    crc = crc24(pdu, init) if flags & 1 else bytes(3)
    return head + pdu[:2] + b"\0" + pdu[2:] + crc


def framed(payload: bytes, counter: int = 0, *, version: int = 3, identifier: int = 6) -> bytes:
    if version == 1:
        head = bytes((6, len(payload), 1))
    else:
        head = struct.pack("<HB", len(payload), version)
    body = head + struct.pack("<HB", counter, identifier) + payload
    escaped = (
        body.replace(b"\xcd", b"\xcd\xce")
        .replace(b"\xab", b"\xcd\xac")
        .replace(b"\xbc", b"\xcd\xbd")
    )
    return b"\xab" + escaped + b"\xbc"


def nrf(*octets: bytes) -> tuple[list[Sniffed], NrfSniffer]:
    sniffer = NrfSniffer()
    found = [packet for each in octets for packet in sniffer.receive(each)]
    return found, sniffer


@pytest.mark.parametrize("version", [1, 2, 3])
def test_29_a_packet_of_every_version_is_the_same(version):
    (packet,), sniffer = nrf(framed(on_line(ADV), version=version))
    assert (packet.pdu, packet.channel, packet.rssi_dbm, packet.crc_ok) == (ADV, 37, -55, True)
    assert (packet.access_address, packet.crc) == (ADVERTISING, crc24(ADV))
    assert not sniffer.counts


def test_29_a_coded_packet_has_its_padding_one_octet_later():
    payload = on_line(ADV, flags=0x21, coding=b"\1")
    (packet,), _ = nrf(framed(payload))
    assert (packet.phy, packet.coding, packet.pdu) == (3, 1, ADV)


def test_29_octet_by_octet_gives_the_same():
    stream = b"".join(framed(on_line(ADV, stamp_us=n), n) for n in range(20))
    whole, _ = nrf(stream)
    assert nrf(*(bytes((each,)) for each in stream))[0] == whole
    assert len(whole) == 20


def test_29_every_octet_can_be_escaped():
    pdu = bytes((2, 6 + 9)) + bytes(6) + bytes.fromhex("abbccdacbdceababcd")
    (packet,), _ = nrf(framed(on_line(pdu)))
    assert packet.pdu == pdu


def test_29_an_unknown_escape_drops_the_frame_and_no_other():
    bad = framed(on_line(ADV)).replace(b"\x4b", b"\xcd\x00")
    found, sniffer = nrf(framed(on_line(ADV), 0) + bad + framed(on_line(ADV), 1))
    assert len(found) == 2
    assert sniffer.counts["frames with an unknown escape"] == 1


def test_29_a_mark_inside_a_frame_begins_a_new_one():
    found, sniffer = nrf(framed(on_line(ADV))[:20] + framed(on_line(ADV)))
    assert len(found) == 1
    assert sniffer.counts["frames that another one cut off"] == 1


def test_29_gaps_of_the_counter_are_lost_packets_also_over_its_wrap():
    frames = [framed(on_line(ADV), counter) for counter in (65530, 65533, 65535, 0, 2)]
    _, sniffer = nrf(*frames)
    assert sniffer.counts["packets lost on the line"] == 2 + 1 + 1
    _, sniffer = nrf(framed(on_line(ADV), 40_000), framed(on_line(ADV), 0))
    assert sniffer.counts["packets lost on the line"] == 25_535
    _, sniffer = nrf(framed(on_line(ADV), 500), framed(on_line(ADV), 0))
    assert not sniffer.counts["packets lost on the line"], "it started afresh"


@pytest.mark.parametrize(
    "body",
    [
        b"\x06\x05\x01\0\0\x06",
        b"\x01\0\x07\0\0\x06\0",
        b"\x02\0\x03\0\0\x06\0",
        b"\x06",
        b"",
    ],
)
def test_29_lengths_and_versions_that_do_not_fit_are_counted(body):
    found, sniffer = nrf(b"\xab" + body + b"\xbc" + framed(on_line(ADV)))
    assert len(found) == 1
    assert sniffer.counts["frames of a wrong length or version"] == 1


@pytest.mark.parametrize("cut", [1, 9, 10, 14, 17, 20])
def test_29_packets_that_are_cut_are_counted(cut):
    found, sniffer = nrf(framed(on_line(ADV)[:cut]))
    assert found == []
    assert sniffer.counts["packets that are cut"] == 1


def test_29_noise_costs_nothing_but_itself():
    chance = random.Random(29)
    reader = NrfReader()
    for _ in range(300):
        reader.receive(chance.randbytes(chance.randrange(1, 300)))
    reader.receive(b"\xbc" + framed(on_line(ADV)))
    last = None
    while (message := reader.next_message()) is not None:
        last = message
    assert last.payload == on_line(ADV)


def test_29_the_clock_of_version_3_has_32_bits_and_that_of_version_2_counts_from_the_last_packet():
    stamps = [4_294_967_000, 200, 100, 4_294_967_200]
    found, _ = nrf(*(framed(on_line(ADV, stamp_us=each)) for each in stamps[:2]))
    assert [each.t_us for each in found] == [4_294_967_000, (1 << 32) + 200]
    found, _ = nrf(*(framed(on_line(ADV, stamp_us=500), n, version=2) for n in range(3)))
    air_us = (1 + 4 + len(ADV) + 3) * 8
    assert [each.t_us for each in found] == [500, 1000 + air_us, 1500 + 2 * air_us]


def test_29_other_messages_are_passed_over():
    found, sniffer = nrf(framed(b"3.1.0", identifier=0x0E), framed(b"", 1, identifier=1))
    assert found == []
    assert not sniffer.counts


def test_29_commands_are_frames_of_version_1():
    assert nrf_sniffer.simple(nrf_sniffer.PING) == bytes.fromhex(
        "ab0600010000 0dbc".replace(" ", "")
    )
    reader = NrfReader()
    reader.receive(nrf_sniffer.frame(0x0C, bytes.fromhex("abbccd00"), 0xABBC))
    message = reader.next_message()
    assert (message.version, message.counter, message.id) == (1, 0xABBC, 0x0C)
    assert message.payload == bytes.fromhex("abbccd00")


# Sniffle


def sniffle_line(
    kind: int, body: bytes, *, count: int | None = None, end: bytes = b"\r\n"
) -> bytes:
    groups = (2 + len(body) + 2) // 3
    return base64.b64encode(bytes((groups if count is None else count, kind)) + body) + end


def heard(
    pdu: bytes,
    *,
    channel=37,
    phy=0,
    stamp_us=1000,
    rssi=-60,
    bad=False,
    peripheral=False,
    length=None,
) -> bytes:
    word = (len(pdu) if length is None else length) | bad << 14 | peripheral << 15
    return sniffle_line(
        0x10, struct.pack("<LHHbB", stamp_us, word, 3, rssi, channel | phy << 6) + pdu
    )


def sniffled(*octets: bytes) -> tuple[list[Sniffed], SniffleSniffer]:
    sniffer = SniffleSniffer()
    found = [packet for each in octets for packet in sniffer.receive(each)]
    return found, sniffer


def test_30_a_frame_has_its_place_time_and_computed_crc():
    (packet,), sniffer = sniffled(heard(ADV))
    assert (packet.pdu, packet.channel, packet.rssi_dbm, packet.t_us) == (ADV, 37, -60, 1000)
    assert in_capture(packet)[-3:] == crc24(ADV)
    assert not sniffer.counts


def test_30_a_bad_crc_stays_a_bad_one_in_the_capture():
    (packet,), _ = sniffled(heard(ADV, bad=True))
    octets = in_capture(packet)
    assert octets[-3:] != crc24(ADV)
    found = decode_packet(octets, phdr=True)
    assert found.error is not None
    assert found.error.code == "crc"


def test_30_after_a_connection_request_data_have_its_address_until_the_state_says_otherwise():
    found, _ = sniffled(
        heard(READ, channel=5),
        heard(CONNECT),
        heard(READ, channel=5),
        heard(READ, channel=9, peripheral=True),
        heard(ADV),
        sniffle_line(0x13, b"\x03"),
        heard(READ, channel=11),
        sniffle_line(0x13, b"\x00"),
        heard(READ, channel=11),
    )
    addresses = [each.access_address for each in found]
    assert addresses == [ADVERTISING] * 2 + [DATA] * 2 + [ADVERTISING, DATA, ADVERTISING]
    assert found[2].crc_init == DATA_INIT
    assert [found[2].from_peripheral, found[3].from_peripheral] == [False, True]


def test_30_a_request_with_a_bad_crc_is_not_followed():
    found, _ = sniffled(heard(CONNECT, bad=True), heard(READ, channel=5))
    assert found[1].access_address == ADVERTISING


def test_30_time_wraps_after_two_to_the_thirty():
    found, _ = sniffled(heard(ADV, stamp_us=(1 << 30) - 10), heard(ADV, stamp_us=40))
    assert found[1].t_us - found[0].t_us == 50


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"no base64!\r\n", "lines that are no base64"),
        (sniffle_line(0x10, bytes(12), count=9), "lines with a wrong count"),
        (b"\r\n", "lines with a wrong count"),
        (sniffle_line(0x77, b"x"), "messages of an unknown type"),
        (heard(ADV, length=7), "packets that are cut"),
        (heard(b"\0"), "packets that are cut"),
        (heard(ADV, channel=55), "packets that are cut"),
        (b"A" * 2000 + b"\r\n", "lines longer than any"),
        (heard(ADV)[8:], "lines with a wrong count"),
    ],
)
def test_30_what_does_not_fit_is_counted_and_the_rest_decoded(line, reason):
    found, sniffer = sniffled(line + heard(ADV))
    assert [each.pdu for each in found][-1] == ADV
    assert sum(sniffer.counts.values()) == 1
    assert sniffer.counts[reason] == 1


def test_30_a_missing_carriage_return_is_counted_and_forgiven():
    line = heard(ADV).replace(b"\r\n", b"\n")
    found, sniffer = sniffled(line + heard(ADV))
    assert len(found) == 2
    assert sniffer.counts["lines without CR"] == 1


def test_30_octet_by_octet_gives_the_same():
    stream = b"".join(heard(ADV, stamp_us=n) for n in range(20))
    assert sniffled(*(bytes((each,)) for each in stream))[0] == sniffled(stream)[0]


def test_30_noise_costs_nothing_but_itself():
    chance = random.Random(30)
    sniffer = SniffleSniffer()
    for _ in range(300):
        sniffer.receive(chance.randbytes(chance.randrange(1, 400)))
    assert [each.pdu for each in sniffer.receive(b"\r\n" + heard(ADV))] == [ADV]


@pytest.mark.parametrize("octets", range(12))
def test_30_the_count_of_a_command_is_its_groups_of_four_characters(octets):
    line = sniffle.line(0x18, bytes(octets)).removesuffix(b"\r\n")
    assert base64.b64decode(line)[0] == len(line) // 4


def test_30_listening_is_on_the_advertising_channel():
    first = base64.b64decode(sniffle.listen()[0])
    assert first[1:] == bytes.fromhex("1025d6be898e0055555500")


# Both, as captures and traces


def sniffed_both() -> list[Sniffed]:
    line = [framed(on_line(ADV, stamp_us=1000), 0), framed(on_line(CONNECT, stamp_us=2000), 1)]
    data = on_line(READ, address=DATA, init=DATA_INIT, flags=3, channel=5, stamp_us=3000)
    line += [framed(data, 2), framed(on_line(ADV, flags=0, stamp_us=4000), 3)]
    coded = on_line(ADV, flags=0x21, coding=b"\0", channel=12, stamp_us=5000)
    line += [framed(coded, 4)]
    ours, _ = nrf(*line)
    theirs, _ = sniffled(
        heard(ADV, stamp_us=6000), heard(CONNECT, stamp_us=7000), heard(READ, channel=5, stamp_us=8000),
        heard(ADV, bad=True, stamp_us=9000), heard(ADV, channel=12, phy=1, stamp_us=10_000),
    )  # fmt: skip
    return ours + theirs


@TSHARK
def test_36_tshark_reads_the_capture_as_we_do(tmp_path):
    file = tmp_path / "air.pcapng"
    packets = sniffed_both()
    asyncio.run(_captured(file, packets))
    names = ("_ws.malformed", "btle.access_address", "btle_rf.channel", "btle_rf.signal_dbm")
    names += ("btle.advertising_header.pdu_type", "btle.crc.incorrect", "btle_rf.flags")
    words = [
        "tshark",
        "-r",
        str(file),
        "-T",
        "fields",
        *(w for name in names for w in ("-e", name)),
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert len(rows) == len(packets)
    assert not [row for row in rows if row[0]]
    assert [int(row[1], 16) for row in rows] == [each.access_address for each in packets]
    assert [int(row[3]) for row in rows] == [each.rssi_dbm for each in packets]
    wrong = [bool(row[5]) for row in rows]
    assert wrong == [not each.crc_ok for each in packets]


@TSHARK
def test_36_tshark_reads_the_lines_of_the_nrf_sniffer_as_we_do(tmp_path):
    """Link type 272 is the sniffer's own form: the same octets, read by Wireshark's dissector."""
    payloads = [
        on_line(ADV),
        on_line(READ, address=DATA, init=DATA_INIT, flags=3, channel=5, stamp_us=2000),
        on_line(READ, address=DATA, init=DATA_INIT, flags=1, channel=9, stamp_us=3000),
    ]
    ours, _ = nrf(*(framed(payload, n) for n, payload in enumerate(payloads)))
    file = tmp_path / "nordic.pcap"
    octets = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 272)
    for number, payload in enumerate(payloads):
        bare = payload[:16] + payload[17:]
        record = b"\0" + struct.pack("<HBHB", len(bare), 3, number, 6) + bare
        octets += struct.pack("<IIII", number, 0, len(record), len(record)) + record
    file.write_bytes(octets)
    names = (
        "nordic_ble.channel",
        "nordic_ble.rssi",
        "nordic_ble.direction",
        "nordic_ble.time",
        "_ws.malformed",
    )
    words = ["tshark", "-r", str(file), "-T", "json", *(w for name in names for w in ("-e", name))]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    for packet, row in zip(ours, json.loads(done.stdout), strict=True):
        fields = row["_source"]["layers"]
        assert int(fields["nordic_ble.channel"][0]) == packet.channel
        assert int(fields["nordic_ble.rssi"][0]) == packet.rssi_dbm
        assert int(fields["nordic_ble.time"][0]) == packet.t_us
        assert "_ws.malformed" not in fields
        if packet.access_address == DATA:
            to_peripheral = fields["nordic_ble.direction"][0] in ("1", "True")
            assert to_peripheral is not packet.from_peripheral


async def _captured(file, packets) -> None:
    capture = CaptureOf(file, "sniffer", wall_us=lambda: 1_700_000_000_000_000)
    for packet in packets:
        capture.add(packet)
    capture.close()


def test_what_is_sniffed_reads_back_with_its_meaning(tmp_path):
    file = tmp_path / "air.pcapng"
    packets = sniffed_both()
    asyncio.run(_captured(file, packets))
    with file.open("rb") as stream:
        found = list(open_reader(stream, "air"))
    words = [summary(decode_packet(each.data, phdr=True).fields) for each in found]
    assert words[0] == 'ADV_IND, 11:22:33:44:55:66, "Kettle"'
    assert "bad CRC" in words[3]
    assert found[1].t_us - found[0].t_us == 1000
    stamps = [each.t_us for each in found]
    assert stamps == sorted(stamps)


def test_what_is_sniffed_is_in_the_trace_as_packets_of_the_air():
    trace = TraceLog(lambda: 5)
    for packet in sniffed_both():
        to_trace(trace, "sniffer", packet)
    events = [each.event for each in trace]
    assert events[:4] == ["adv_ind", "connect_ind", "ll_data", "adv_ind"]
    first = next(iter(trace))
    assert (first.layer, first.data, first.fields["channel"]) == ("air", ADV, 37)
    empty = Sniffed(
        t_us=0, channel=1, rssi_dbm=0, phy=1, access_address=DATA, pdu=b"\1\0", crc_ok=True
    )
    assert event_name(empty) == "ll_empty"


# On a port


class NrfBoard(Dongle):
    """Answers a ping, listens when told to."""

    def feed(self, data, now=0):
        self.received.append(data)
        if b"\x0d\xbc" in data:
            return [framed(b"4.1", 0, identifier=0x0E)]
        return [framed(on_line(ADV), 1)] if b"\x07" in data else []


class SniffleBoard(Dongle):
    """Gives markers back; sends a frame once it is tuned."""

    def feed(self, data, now=0):
        out = []
        self.received.append(data)
        for line in data.split(b"\r\n"):
            octets = base64.b64decode(line) if line and b"@" not in line else b""
            if octets[1:2] == b"\x18":
                out.append(b"half a line\r\n" + sniffle_line(0x12, bytes(4) + octets[2:]))
            elif octets[1:2] == b"\x10":
                out.append(heard(ADV))
        return out


class Boards:
    """Ports by baud; the one at `right` has the board."""

    def __init__(self, board: Dongle, right: int) -> None:
        self.board, self.right = board, right
        self.tried = []

    def __call__(self, moniker):
        baud = moniker.number("baud")
        self.tried.append(baud)
        mute = Dongle()
        mute.mute = True
        self.port = MemoryPort(self.board if baud == self.right else mute)
        return self.port


@pytest.mark.parametrize(
    ("kind", "board", "bauds"),
    [
        ("nrf-sniffer", NrfBoard, [1_000_000, 460_800]),
        ("sniffle", SniffleBoard, [2_000_000, 921_600]),
    ],
)
async def test_31_a_sniffer_is_found_at_its_second_baud_and_told_to_listen(kind, board, bauds):
    found = []
    boards = Boards(board(), bauds[1])
    sniffer = Sniffer("serial:/dev/ttyACM0", kind, found.append, port=boards)
    await sniffer.start()
    await asyncio.sleep(0.1)
    assert boards.tried == bauds
    assert [each.pdu for each in found] == [ADV]
    await sniffer.close()


async def test_a_board_that_is_no_sniffer_is_refused_with_what_was_tried():
    boards = Boards(Dongle(), 1)
    sniffer = Sniffer("serial:/dev/ttyACM0", "sniffle", print, port=boards)
    with pytest.raises(MuteError, match=r"no sniffle answers at 2,000,000, 921,600 baud.*probe"):
        await sniffer.start()
    sniffer = Sniffer("serial:/dev/ttyACM0?baud=115200", "sniffle", print, port=boards)
    with pytest.raises(MuteError, match=r"at 115,200 baud"):
        await sniffer.start()


async def test_a_sniffer_that_is_unplugged_says_so():
    boards = Boards(NrfBoard(), 1_000_000)
    sniffer = Sniffer("serial:/dev/ttyACM0", "nrf-sniffer", lambda _: None, port=boards)
    await sniffer.start()
    boards.port.unplug()
    assert isinstance(await asyncio.wait_for(sniffer.lost, 1), LostError)
    await sniffer.close()
