"""IPv6 packets: known answers, checksums, round trips, damage; tshark reads the same values and finds nothing wrong."""

from __future__ import annotations

import json
import random
import struct
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from protocols.errors import DecodeError, EncodeError
from protocols.format import as_fields, to_plain
from protocols.ip import icmpv6, ipv6
from protocols.ip.icmpv6 import Echo, Icmpv6, Neighbour
from protocols.ip.packet import Packet, build, look, read, summary
from protocols.ip.strategies import packets
from protocols.ip.tcp import MSS, NO_OPERATION, WINDOW_SCALE, Option, Tcp, option
from protocols.ip.udp import Udp
from protocols.ip.vocabulary import UNSET, sum_of
from protocols.layout import Walk
from tests import ip_shark
from tests.nan_frames import drawn

A, B = "fe80::5eff:fe10:a001", "fe80::5eff:fe20:b001"
EXACT = settings(
    max_examples=150,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def udp(data="aabbcc", **change) -> Packet:
    inner = Udp(source_port=49152, destination_port=7024, data=data)
    return Packet(**{"next_header": 17, "source": A, "destination": B, "udp": inner, **change})


def tcp(**change) -> Packet:
    options = (
        Option(kind=MSS, value="05a0"),
        Option(kind=WINDOW_SCALE, value="05"),
        Option(kind=NO_OPERATION),
    )
    given = {
        "source_port": 49152,
        "destination_port": 7024,
        "sequence_number": 0xFFFFFFF0,
        "syn": True,
    }
    inner = Tcp(**{**given, "options": options, "window": 65535, **change})
    return Packet(next_header=6, source=A, destination=B, tcp=inner)


def solicitation() -> Packet:
    address = icmpv6.address_option(icmpv6.SOURCE_ADDRESS, "02:00:5e:10:a0:01")
    message = Icmpv6(type=icmpv6.SOLICITATION, neighbour=Neighbour(target=B, options=(address,)))
    return Packet(
        next_header=58, hop_limit=255, source=A, destination=ipv6.solicited_node(B), icmpv6=message
    )


def echo() -> Packet:
    message = Icmpv6(
        type=icmpv6.ECHO_REQUEST, echo=Echo(identifier=7, sequence_number=1, data="00")
    )
    return Packet(next_header=58, source=A, destination=B, icmpv6=message)


EVERY = {
    "udp": udp(),
    "odd udp": udp("aabb"),
    "tcp": tcp(),
    "solicitation": solicitation(),
    "echo": echo(),
}


def words_sum(data):
    """RFC 1071 as it is written: 16-bit words with end-around carry."""
    padded = data + b"\0" * (len(data) % 2)
    total = 0
    for (word,) in struct.iter_unpack(">H", padded):
        total += word
        total = (total & 0xFFFF) + (total >> 16)
    return total


def test_the_sum_is_that_of_rfc_1071():
    """Example of section 3, and the definition on random octets; zero stays zero and 0xFFFF stays 0xFFFF."""
    assert sum_of(bytes.fromhex("0001f203f4f5f6f7")) == 0xDDF2
    rng = random.Random("sums")
    for _ in range(300):
        data = rng.randbytes(rng.randrange(40))
        assert sum_of(data) == words_sum(data)
    assert (sum_of(b""), sum_of(bytes(8)), sum_of(b"\xff\xff")) == (0, 0, 0xFFFF)


def test_udp_never_sends_zero_as_its_checksum():
    """RFC 8200 8.1: where the sum comes out as zero, 0xFFFF goes out."""
    zero = next(
        text
        for text in (f"{n:04x}" for n in range(0x10000))
        if words_sum(pseudo_and_udp(text)) == 0xFFFF
    )
    octets = build(udp(zero))
    assert octets[46:48] == b"\xff\xff"
    assert read(octets).udp.checksum == "computed"


def pseudo_and_udp(text):
    """What the checksum of `udp(text)` is computed over, put together here by hand."""
    data = bytes.fromhex(text)
    head = struct.pack(">HHHH", 49152, 7024, 8 + len(data), 0)
    addresses = bytes.fromhex(
        "fe8000000000000000005efffe10a001" + "fe8000000000000000005efffe20b001"
    )
    return addresses + struct.pack(">II", 8 + len(data), 17) + head + data


@EXACT
@given(packets())
def test_packets_build_read_and_build_again(packet):
    octets = build(packet)
    assert read(octets) == packet
    plain = json.loads(json.dumps(to_plain(packet)))
    assert build(as_fields(Packet, plain)) == octets


@pytest.mark.parametrize("name", EVERY)
def test_every_octet_is_in_a_leaf_of_the_tree(name):
    octets = build(EVERY[name])
    walk = Walk()
    look(octets, walk, base=5)
    covered = {at for leaf in leaves(walk.nodes) for at in range(leaf.start, leaf.end)}
    assert covered == set(range(5, 5 + len(octets)))


def leaves(nodes):
    for node in nodes:
        yield from leaves(node.children) if node.children else (node,)


@pytest.mark.parametrize("name", EVERY)
def test_damage_is_kept_or_named(name):
    """Any flip and cut: what is read builds the same octets, anything else is a DecodeError."""
    octets = build(EVERY[name])
    damaged = [octets[:size] for size in range(len(octets))]
    for bit in range(8 * len(octets)):
        flipped = bytearray(octets)
        flipped[bit // 8] ^= 1 << bit % 8
        damaged.append(bytes(flipped))
    for data in damaged:
        try:
            packet = read(data)
        except DecodeError as exc:
            check_fault(exc, data)
        else:
            assert build(packet) == data


def check_fault(fault, data):
    assert fault.offset is not None
    assert 0 <= fault.offset <= len(data)


def test_a_wrong_checksum_is_kept_and_doubted():
    octets = bytearray(build(udp()))
    octets[-1] ^= 1
    packet = read(bytes(octets))
    assert packet.udp.checksum == octets[46:48].hex()
    walk = Walk()
    look(bytes(octets), walk)
    node = next(leaf for leaf in leaves(walk.nodes) if leaf.name == "checksum")
    assert node.doubts == ("wrong checksum",)
    assert build(packet) == octets


@pytest.mark.parametrize(
    ("octets", "code", "offset", "path"),
    [
        (b"", "frame_length", 0, ""),
        (b"\x40" + bytes(39), "frame_type", 0, ""),
        (build(udp())[:50], "frame_length", 4, "payload_length"),
        (build(udp())[:44] + b"\0\x20" + build(udp())[46:], "frame_length", 44, "udp"),
        (build(tcp())[:52] + b"\x40" + build(tcp())[53:], "frame_length", 52, "tcp"),
        (build(tcp())[:61] + b"\x01" + build(tcp())[62:], "frame_length", None, "tcp"),
        (build(solicitation())[:65] + b"\0" + build(solicitation())[66:], "frame_length", None, "icmpv6"),
    ],
)  # fmt: skip
def test_what_is_malformed_is_named(octets, code, offset, path):
    with pytest.raises(DecodeError) as caught:
        read(octets)
    assert (caught.value.code, caught.value.path) == (code, path)
    assert offset is None or caught.value.offset == offset


def test_lenient_keeps_the_octets_of_a_malformed_upper_layer():
    octets = build(udp())[:44] + b"\0\x20" + build(udp())[46:]
    walk = Walk(strict=False)
    packet = look(octets, walk)
    assert packet.payload == octets[40:].hex()
    assert [doubt.path for doubt in walk.doubts] == ["udp"]
    assert build(packet) == octets


@pytest.mark.parametrize(
    ("packet", "path"),
    [
        (udp(next_header=6), "next_header"),
        (udp(payload="00"), ""),
        (udp(source="fe80::x"), "source, destination"),
        (tcp(options=(Option(kind=NO_OPERATION),)), "tcp.options"),
        (Packet(next_header=58, source=A, destination=B, icmpv6=Icmpv6(type=135)), "icmpv6.neighbour"),
    ],
)  # fmt: skip
def test_what_cannot_be_built_is_named(packet, path):
    with pytest.raises(EncodeError) as caught:
        build(packet)
    assert caught.value.path == path


def test_options_are_found_by_kind():
    segment: Any = read(build(tcp())).tcp
    assert (option(segment, MSS), option(segment, WINDOW_SCALE), option(segment, 8)) == (
        1440,
        5,
        None,
    )


def test_summaries_say_what_a_packet_is_for():
    assert summary(udp()) == "UDP 49152 > 7024, 3 octets"
    assert summary(tcp()) == "TCP 49152 > 7024 SYN"
    assert summary(tcp(ack=True, data="00")) == "TCP 49152 > 7024 SYN ACK, 1 octets"
    assert summary(solicitation()) == "ICMPv6 neighbour solicitation"
    assert (
        summary(Packet(next_header=59, source=A, destination=B, payload=""))
        == "IPv6 no next header"
    )


# --- tshark ---------------------------------------------------------------------------------------

JUDGED = {
    "ipv6.src": lambda p: p.source,
    "ipv6.dst": lambda p: p.destination,
    "ipv6.nxt": lambda p: p.next_header,
    "ipv6.hlim": lambda p: p.hop_limit,
    "ipv6.flow": lambda p: p.flow_label,
    "ipv6.tclass": lambda p: p.traffic_class,
    "udp.srcport": lambda p: p.udp and p.udp.source_port,
    "udp.dstport": lambda p: p.udp and p.udp.destination_port,
    "tcp.srcport": lambda p: p.tcp and p.tcp.source_port,
    "tcp.seq_raw": lambda p: p.tcp and p.tcp.sequence_number,
    "tcp.ack_raw": lambda p: p.tcp and p.tcp.acknowledgement_number,
    "tcp.window_size_value": lambda p: p.tcp and p.tcp.window,
    "tcp.urgent_pointer": lambda p: p.tcp and p.tcp.urgent_pointer,
    "icmpv6.type": lambda p: p.icmpv6 and p.icmpv6.type,
    "icmpv6.code": lambda p: p.icmpv6 and p.icmpv6.code,
}
CHECKSUMS = ("udp.checksum.status", "tcp.checksum.status", "icmpv6.checksum.status")
GOOD = "1"


def same(cell, value):
    if not value and value != 0:
        return cell == ""
    if cell == "" and value == 0:
        return True  # a field that is not shown
    return cell == value if isinstance(value, str) else int(cell.split(",")[0], 0) == value


def test_tshark_reads_the_same_values_and_finds_checksums_right(tmp_path):
    ours = [*EVERY.values(), *(p for p in drawn(packets()) if p.payload is UNSET)]
    found = ip_shark.rows(tmp_path, ip_shark.IPV6, [build(p) for p in ours], *JUDGED, *CHECKSUMS)
    for packet, row in zip(ours, found, strict=True):
        values, statuses = row[: len(JUDGED)], row[len(JUDGED) :]
        for (name, wanted), cell in zip(JUDGED.items(), values, strict=True):
            assert same(cell, wanted(packet)), (name, cell, packet)
        assert "".join(statuses) == GOOD, packet


def test_tshark_has_nothing_to_remark_on_what_we_send(tmp_path):
    octets = [build(packet) for packet in EVERY.values()]
    found = ip_shark.rows(
        tmp_path, ip_shark.IPV6, octets, "_ws.malformed", "_ws.expert.severity", "tcp.options.mss_val",
        "tcp.options.wscale.shift", "icmpv6.nd.ns.target_address", "icmpv6.opt.linkaddr", "icmpv6.echo.identifier",
    )  # fmt: skip
    assert {row[0] for row in found} == {""}
    chat = str(0x00200000)
    assert {row[1] for row in found} <= {"", chat}
    by_name = dict(zip(EVERY, found, strict=True))
    assert by_name["tcp"][2:4] == ["1440", "5"]
    assert by_name["solicitation"][4:6] == [B, "02:00:5e:10:a0:01"]
    assert int(by_name["echo"][6], 0) == 7
