"""Data frames between NDIs: header, protection by published vectors, packets inside, damage; tshark opens and reads them."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from typing import Any

import pytest

from protocols.dissect import Block, dissect, encode, summary
from protocols.errors import DecodeError, EncodeError
from protocols.format import Keys
from protocols.ip import packet
from protocols.ip.packet import Packet
from protocols.ip.tcp import Tcp
from protocols.ip.udp import Udp
from protocols.wifi_aware import frames, protection
from protocols.wifi_aware.data_frame import IPV6, LLC_SNAP
from protocols.wifi_aware.frame import build, read
from tests import ip_shark

ONE, TWO, CLUSTER = "02:00:5e:10:a0:01", "02:00:5e:20:b0:01", "50:6f:9a:01:4d:21"
ADDRESSES: Any = {"destination": TWO, "source": ONE, "bssid": CLUSTER, "sequence_number": 7}
UDP = Packet(
    next_header=17,
    source="fe80::5eff:fe10:a001",
    destination="fe80::5eff:fe20:b001",
    udp=Udp(source_port=49152, destination_port=7024, data="68656c6c6f"),
)
PAYLOAD = packet.build(UDP).hex()
KEYS = {"ccmp_128": bytes(range(16)), "gcmp_256": bytes(range(32))}


def data(**change) -> frames.Data:
    given = {"data_subtype": 8, "qos": frames.QosControl(), "ethertype": IPV6, "payload": PAYLOAD}
    return frames.Data(**{**ADDRESSES, **given, **change})


def without_qos(**change) -> frames.Data:
    return data(data_subtype=0, qos=frames.UNSET, **change)


def sealed(cipher, **change) -> tuple[frames.Data, bytes, dict[str, str]]:
    """(the frame, its octets, the context that opens it)."""
    frame = data(protected=True, packet_number=0x010203040506, key_id=0, cipher=cipher, **change)
    context = {"tk": KEYS[cipher].hex()}
    return frame, build(frame, Keys(context)), context


def dissected(octets, keys=None) -> Any:
    return dissect(Block(kind="frame", data=octets), keys)


def nodes_of(nodes):
    for node in nodes:
        yield node
        yield from nodes_of(node.children)


def named(found, name):
    return next(node for node in nodes_of(found.tree) if node.name == name)


# --- protection -----------------------------------------------------------------------------------

TK = bytes.fromhex("c97c1f67ce371185514a8a19f2bdd52f")
CCMP = bytes.fromhex(
    "0848c32c" + "0fd2e128a57c" + "5030f1844408" + "abaea5b8fcba" + "8033"
    + "0ce7002076970" + "3b5" + "f3d0a2fe9a3dbf2342a643e43246e80c3c04d019" + "7845ce0b16f97623"
)  # fmt: skip
"""IEEE 802.11-2012 M.6.4: a data frame with the retry bit set, packet number B5039776E70C."""
GCMP_HEADER = bytes.fromhex(
    "88480b00" + "0fd2e128a57c" + "5030f1844408" + "5030f1844408" + "8033" + "0300"
)
GCMP = bytes.fromhex(
    "60e9700cc4d40ac6d288b201c38f5bf08b807442640a1596e5dbdad41d1f3623f45d7a12db7afb23"
    "def619c2a374b6df66ffa53b6c69d79e"
)
"""IEEE 802.11ad-2012 M.11.1, GCMP test vector 2: a QoS data frame of TID 3, packet number 00895F5F2B08."""


def test_ccmp_of_a_data_frame_is_that_of_the_standard():
    found = dissected(CCMP, {"tk": TK.hex()})
    assert found.error is None
    frame = found.fields
    assert (frame.packet_number, frame.cipher, frame.retry) == (0xB5039776E70C, "ccmp_128", True)
    assert frame.payload == "f8ba1a55d02f85ae967bb62fb6cda8eb7e78a050"
    assert frame.ethertype is frames.UNSET
    assert encode("frame", found.plain, {"tk": TK.hex()}) == CCMP


def test_gcmp_of_a_qos_data_frame_is_that_of_the_standard():
    sealed_octets = protection.seal_data(
        "gcmp_128", TK, GCMP_HEADER, 0x0089_5F5F_2B08, bytes(range(40))
    )
    assert sealed_octets == GCMP
    opened = protection.open_data("gcmp_128", TK, GCMP_HEADER, 0x0089_5F5F_2B08, GCMP)
    assert opened == bytes(range(40))


@pytest.mark.parametrize("cipher", KEYS)
def test_sealed_frames_open_and_build_again(cipher):
    frame, octets, keys = sealed(cipher, qos=frames.QosControl(tid=5))
    assert octets[26:34].hex() == "0605002004030201"
    found = dissected(octets, keys)
    assert found.error is None
    assert found.fields == frame == read(octets, keys=Keys(keys))
    assert encode("frame", json.loads(json.dumps(found.plain)), keys) == octets


@pytest.mark.parametrize("cipher", KEYS)
@pytest.mark.parametrize("at", [4, 10, 16, 22, 24, 26, 30, 34, 50, -1])
def test_a_changed_octet_is_a_mic_fault(cipher, at):
    """Addresses, fragment number, TID, packet number, ciphertext and tag are proven."""
    _, octets, keys = sealed(cipher)
    damaged = bytearray(octets)
    damaged[at] ^= 0x01
    assert dissected(bytes(damaged), keys).error.code == "mic"


@pytest.mark.parametrize(
    ("at", "bit"), [(1, 0x08), (1, 0x10), (1, 0x20), (2, 0x01), (22, 0x10), (24, 0x20), (25, 0x01)]
)
def test_what_changes_on_the_way_is_not_proven(at, bit):
    """Retry, power management, more data, duration, sequence number, ack policy and queue are no additional data."""
    _, octets, keys = sealed("ccmp_128")
    changed = bytearray(octets)
    changed[at] ^= bit
    found = dissected(bytes(changed), keys)
    assert found.error is None
    assert encode("frame", found.plain, keys) == changed


def test_without_a_key_it_stays_sealed():
    _, octets, keys = sealed("ccmp_128")
    found = dissected(octets)
    assert isinstance(found.fields, frames.ProtectedData)
    assert (found.fields.packet_number, found.fields.qos) == (0x010203040506, frames.QosControl())
    assert encode("frame", found.plain) == octets
    assert encode("frame", found.plain, keys) == octets
    assert summary("frame", found.fields).startswith("encrypted data frame, packet 1108152157446")


def test_a_wrong_key_is_a_mic_fault_and_a_doubt_among_frames_of_others():
    _, octets, _ = sealed("ccmp_128")
    found = dissected(octets, {"tk": "00" * 16})
    assert (found.error.code, found.error.offset) == ("mic", 34)
    among = dissected(octets, {"tk": "00" * 16, "unopened": True})
    assert among.error is None
    assert named(among, "octets").doubts == ("no key of the context opens this frame",)


def test_open_data_gives_none_for_too_few_octets_and_another_key():
    header = bytes(24)
    assert protection.open_data("ccmp_128", bytes(16), header, 1, b"1234567") is None
    octets = protection.seal_data("gcmp_256", bytes(32), header, 1, b"x")
    assert protection.open_data("gcmp_256", bytes(31) + b"\1", header, 1, octets) is None
    with pytest.raises(EncodeError, match="needs 32"):
        protection.open_data("gcmp_256", bytes(16), header, 1, octets)


# --- what is in a frame ---------------------------------------------------------------------------


def test_octets_of_a_qos_data_frame_by_hand():
    qos = frames.QosControl(tid=6, end_of_service_period=True, ack_policy=1, txop_or_queue=9)
    octets = build(data(qos=qos))
    head = "8800" + "0000" + "02005e20b001" + "02005e10a001" + "506f9a014d21" + "7000"
    assert octets.hex() == head + "3609" + "aaaa03000000" + "86dd" + PAYLOAD


def test_the_packet_stands_in_plain_fields():
    found = dissected(build(data()))
    assert found.error is None
    assert found.plain["ipv6"]["udp"] == {
        "source_port": 49152,
        "destination_port": 7024,
        "data": "68656c6c6f",
    }
    assert "payload" not in found.plain
    assert named(found, "destination_port").start == 26 + 8 + 40 + 2
    assert named(found, "ethertype").meaning == "IPv6"


def test_an_edited_packet_gets_its_lengths_and_checksum():
    plain = dissected(build(data())).plain
    plain["ipv6"]["udp"]["data"] = "00" * 100
    again = dissected(encode("frame", plain))
    assert again.error is None
    assert again.plain == plain
    assert named(again, "payload_length").value == 108


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"payload": "00"}, "payload"),
        ({"ipv6": {"next_header": 17}}, "ipv6"),
        ({"ipv6": {"next_header": 17, "source": "::1", "destination": "::2"}}, "ipv6"),
        ({"ipv6": {"next_header": 300}}, "ipv6.next_header"),
        ({"ethertype": 65536}, "ethertype"),
        ({"data_subtype": 0}, "qos"),
        ({"to_ds": True}, "frame"),
    ],
)
def test_wrong_fields_are_named_by_path(change, path):
    plain = {**dissected(build(data())).plain, **change}
    with pytest.raises(EncodeError) as caught:
        encode("frame", plain)
    assert caught.value.path == path


NULLS = {4: frames.UNSET, 12: frames.QosControl(tid=7)}


@pytest.mark.parametrize("subtype", NULLS)
def test_null_frames_carry_nothing(subtype):
    null: Any = {"data_subtype": subtype, "qos": NULLS[subtype]}
    frame = frames.Data(**ADDRESSES, **null, power_management=True)
    octets = build(frame)
    assert len(octets) == (24 if subtype == 4 else 26)
    found = dissected(octets)
    assert found.fields == frame
    assert "null data frame" in summary("frame", frame)


@pytest.mark.parametrize(
    "body",
    ["", "aa", "aaaa03000000", "aaaa030000f886dd", LLC_SNAP.hex() + "888e0102", LLC_SNAP.hex() + "86dd", "0200" * 9],
)  # fmt: skip
def test_any_body_keeps_its_octets(body):
    octets = build(without_qos(ethertype=frames.UNSET, payload=body))
    found = dissected(octets)
    if body.endswith("86dd") and body.startswith(LLC_SNAP.hex()):
        assert (found.error.code, found.error.path) == ("frame_length", "ipv6")
    else:
        assert found.error is None
    assert found.plain["frame"] == "data"
    assert encode("frame", found.plain) == octets


@pytest.mark.parametrize(
    ("control", "why"),
    [
        ("0801", "to a distribution system"), ("0802", "from one"), ("0803", "both"), ("1800", "CF-Ack"),
        ("f800", "reserved subtype"), ("0880", "order bit"), ("0900", "version 1"), ("0840", "WEP"),
    ],
)  # fmt: skip
def test_data_frames_of_other_networks_stay_octets(control, why):
    octets = bytes.fromhex(control) + build(without_qos())[2:]
    found = dissected(octets)
    assert found.plain["frame"] == "other", why
    assert encode("frame", found.plain) == octets
    assert summary("frame", found.fields)


def test_ht_control_stands_behind_qos_control():
    frame = data(ht_control="01020304")
    octets = build(frame)
    assert octets[24:30].hex() == "0000" + "01020304"
    assert dissected(octets).fields == frame
    _, protected, keys = sealed("ccmp_128", ht_control="01020304")
    assert dissected(protected, keys).error is None


def test_a_malformed_packet_is_an_error_and_stays_octets():
    octets = build(data(payload=PAYLOAD[:-2]))
    found = dissected(octets)
    assert (found.error.code, found.error.offset, found.error.path) == (
        "frame_length",
        26 + 8 + 4,
        "ipv6.payload_length",
    )
    assert found.plain["payload"] == PAYLOAD[:-2]
    assert encode("frame", found.plain) == octets
    assert "malformed" in summary("frame", found.fields)


def test_every_octet_is_in_a_leaf():
    for octets, keys in ((build(data()), {}), sealed("gcmp_256")[1:], (sealed("ccmp_128")[1], {})):
        found = dissected(octets, keys)
        leaves = [node for node in nodes_of(found.tree) if not node.children]
        covered = [
            at
            for leaf in leaves
            for at in range(leaf.start, leaf.end)
            if leaf.name != "packet_number"
        ]
        assert set(covered) == set(range(len(octets)))
        assert not [leaf for leaf in leaves if leaf.name == "llc_snap" and leaf.start == 0]


def test_every_truncation_and_flip_is_exact_or_named():
    for octets, keys in ((build(data()), {}), sealed("ccmp_128")[1:], (build(without_qos()), {})):
        damaged = [octets[:size] for size in range(len(octets))]
        for bit in range(8 * len(octets)):
            flipped = bytearray(octets)
            flipped[bit // 8] ^= 1 << bit % 8
            damaged.append(bytes(flipped))
        for one in damaged:
            check(one, keys)


def test_fuzz_is_exact_or_named():
    rng = random.Random("data frames")
    pool = [(build(data()), {}), sealed("gcmp_256")[1:], (build(without_qos()), {})]
    for _ in range(400):
        octets, keys = rng.choice(pool)
        changed = bytearray(octets)
        for _ in range(rng.randint(1, 5)):
            at = rng.randrange(len(changed))
            if rng.random() < 0.5:
                changed[at] = rng.choice((0, 1, 4, 8, 0x0C, 0x80, 0x88, 0xAA, 0xDD, 0xFF))
            else:
                changed[at:at] = rng.randbytes(rng.randint(1, 4))
        check(bytes(changed), keys)


def check(octets, keys):
    found = dissected(octets, keys)
    if found.error is None:
        assert encode("frame", json.loads(json.dumps(found.plain)), keys) == octets
    else:
        assert type(found.error) is DecodeError
        offset: Any = found.error.offset
        assert 0 <= offset <= len(octets)
    if found.fields is not None:
        assert summary("frame", found.fields)


def test_summaries():
    assert summary("frame", data()) == f"UDP 49152 > 7024, 5 octets  {ONE} > {TWO}"
    opened = dissected(*sealed("ccmp_128")[1:]).fields
    assert summary("frame", opened).startswith("encrypted UDP 49152 > 7024")
    arp = without_qos(ethertype=0x0806, payload="00")
    assert summary("frame", arp).startswith("data frame, ARP")


def test_reading_a_management_frame_imports_no_ip():
    code = (
        "import sys; from protocols.wifi_aware.frame import read; read(bytes.fromhex('80000000' + 'ff' * 6 + '00' * 26));"
        "print([n for n in sys.modules if n.startswith('protocols.ip')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- tshark ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("cipher", KEYS)
@pytest.mark.parametrize("tid", [None, 0, 6])
def test_tshark_opens_what_we_seal(cipher, tid, tmp_path):
    change: Any = (
        {"qos": frames.QosControl(tid=tid)}
        if tid is not None
        else {"data_subtype": 0, "qos": frames.UNSET}
    )
    _, octets, _ = sealed(cipher, **change)
    names = (
        "wlan.analysis.tk",
        "wlan.qos.tid",
        "ipv6.dst",
        "udp.checksum.status",
        "data.data",
        "_ws.malformed",
    )
    (row,) = ip_shark.rows(tmp_path, ip_shark.WIFI, [octets], *names, keys=[KEYS[cipher]])
    wanted = ["" if tid is None else str(tid), "fe80::5eff:fe20:b001", "1", "68656c6c6f", ""]
    assert row == [KEYS[cipher].hex(), *wanted]


def test_tshark_reads_headers_alike(tmp_path):
    segment = Packet(
        next_header=6, source="fe80::1", destination="fe80::2", tcp=Tcp(source_port=1, destination_port=2, sequence_number=3, ack=True, window=9)
    )  # fmt: skip
    ours = [
        data(qos=frames.QosControl(tid=6, end_of_service_period=True, ack_policy=1), duration_us=44, retry=True),
        without_qos(sequence_number=4095, payload=packet.build(segment).hex()),
        frames.Data(**ADDRESSES, data_subtype=4, power_management=True),
    ]  # fmt: skip
    names = (
        "wlan.da", "wlan.sa", "wlan.bssid", "wlan.seq", "wlan.duration", "wlan.fc.subtype", "wlan.fc.retry",
        "wlan.fc.pwrmgt", "wlan.qos.tid", "wlan.qos.eosp", "wlan.qos.ack", "llc.type", "_ws.malformed",
        "_ws.expert.message",
    )  # fmt: skip
    found = ip_shark.rows(tmp_path, ip_shark.WIFI, [build(frame) for frame in ours], *names)
    for frame, row in zip(ours, found, strict=True):
        cells = dict(zip(names, row, strict=True))
        assert (cells["wlan.da"], cells["wlan.sa"], cells["wlan.bssid"]) == (TWO, ONE, CLUSTER)
        assert int(cells["wlan.seq"]) == frame.sequence_number
        assert int(cells["wlan.duration"]) == frame.duration_us
        assert int(cells["wlan.fc.subtype"]) == frame.data_subtype
        assert cells["wlan.fc.retry"] == str(int(frame.retry))
        assert cells["wlan.fc.pwrmgt"] == str(int(frame.power_management))
        remark = "Retransmission (retry)" if frame.retry else ""
        assert (cells["_ws.malformed"], cells["_ws.expert.message"]) == ("", remark)
    first = dict(zip(names, found[0], strict=True))
    assert (first["wlan.qos.tid"], int(first["wlan.qos.ack"], 0), int(first["llc.type"], 0)) == (
        "6",
        1,
        IPV6,
    )
