"""Monitor captures as they are: other networks, malformed neighbours, retransmissions, radiotap, damage, size."""

from __future__ import annotations

import io
import random
import struct
import zlib

import pytest

from protocols.capture import Packet, open_reader
from protocols.errors import CaptureError, DecodeError, UsageError
from protocols.wifi_aware import radiotap
from sim.explain import explain, view_of
from sim.explain.aware_capture import heard_of, tap_of
from sim.explain.aware_source import AwareSource, Heard
from sim.explain.observations import Scene
from sim.explain.reading import events_of_lines, scene_of_capture, scene_of_events
from tests.sim.explain.aware_logs import (
    A_NDI,
    B_NDI,
    CLUSTER,
    NETWORK,
    OTHER_CLUSTER,
    WFA,
    A,
    B,
    C,
    Wifi,
    attribute,
    mac,
)
from tests.sim.explain.logs import Air, rules

PHONES = [view for name in ("ios-aware", "android-aware") for view in view_of(name)]


def whole() -> Wifi:
    return Wifi().paired().path(category=9)


def broken() -> Wifi:
    """Wrong PIN."""
    log = Wifi().discovery().bootstrap()
    log.auth(1, B, A)
    log.auth(2, A, B, key=2)
    return log


def told(scene: Scene) -> set[tuple[str, str, str]]:
    return {(one.rule, one.severity, one.device) for one in explain(scene)}


def errors(scene: Scene) -> list[str]:
    return [one.rule for one in explain(scene) if one.severity == "error"]


# What else is on the air


def noise(log: Wifi, chance: random.Random) -> None:
    """One frame of somebody who has nothing to do with Wi-Fi Aware."""
    cluster, log.cluster = log.cluster, "00:11:22:33:44:55"
    sender = f"00:11:22:33:44:{chance.randrange(256):02x}"
    kind = chance.randrange(6)
    if kind == 0:  # beacon of an access point, with a vendor element of the Wi-Fi Alliance
        log.frame(0x0080, "ff:ff:ff:ff:ff:ff", sender, bytes(12) + b"\xdd\x05" + WFA + b"\x0a\x00")
    elif kind == 1:  # SAE at an access point
        log.frame(0x00B0, A, sender, struct.pack("<HHH", 3, 1, 1) + chance.randbytes(40))
    elif kind == 2:  # Wi-Fi Direct
        log.frame(0x00D0, A, sender, b"\x04\x09" + WFA + b"\x09" + chance.randbytes(20))
    elif kind == 3:  # encrypted management frame of another network
        log.frame(0x40D0, A, sender, chance.randbytes(40))
    elif kind == 4:  # PASN for ranging
        log.frame(0x00B0, sender, A, struct.pack("<HHH", 7, 1, 0) + chance.randbytes(30))
    else:
        log.data(A, sender)
    log.cluster = cluster


@pytest.mark.parametrize("make", [whole, broken])
def test_other_networks_change_nothing(make):
    quiet, busy, chance = make(), Wifi(), random.Random(3)
    for packet in quiet.packets:
        for _ in range(chance.randrange(4)):
            noise(busy, chance)
        busy.t_us = packet.t_us
        busy.put(105, packet.data)
    scene = busy.scene(".pcap")
    assert told(scene) == told(quiet.scene(".pcap"))
    assert set(scene.aware.devices) == {A, B}
    assert scene.aware.others > 5


def test_two_clusters_and_a_failed_pair_beside_a_good_one():
    """The finding names the pair that failed, and no other."""
    log = whole()
    other, unlucky = "02:dd:00:00:00:01", "02:ee:00:00:00:01"
    log.cluster = OTHER_CLUSTER
    log.publish(other, name="_tv._udp")
    log.subscribe(unlucky, name="_tv._udp")
    first = log.auth(1, unlucky, other, key=77)
    second = log.auth(2, other, unlucky, key=78)
    scene = log.scene(".pcap")
    failures = [one for one in explain(scene) if one.severity == "error"]
    assert {(one.rule, one.device, one.frames) for one in failures} == {
        ("NB-07", unlucky, (first, second))
    }
    assert scene.aware.devices[other].clusters == {OTHER_CLUSTER}
    assert scene.aware.devices[A].clusters == {CLUSTER}


@pytest.mark.parametrize(
    "body",
    [
        b"\x04\x09" + WFA + b"\x13" + b"\x03\xff\xff\x00",  # a length past the end
        b"\x04\x09" + WFA + b"\x13" + b"\x03\x09",  # two octets left over
        b"\x04\x09" + WFA + b"\x13" + attribute(0x03, b"\1\2\3"),  # a short descriptor
        b"\x04\x09" + WFA + b"\x13" + attribute(0x12, b"\1\1\0\xff\0\1"),  # availability entry
        b"\x04\x09" + WFA + b"\x18",  # no subtype
        b"\x09\x09" + WFA + b"\x18\x05" + attribute(0x29, b"\1"),  # a short NDPE
    ],
)
def test_a_malformed_neighbour_is_told_and_disturbs_nobody(body):
    log = whole()
    log.frame(0x00D0, NETWORK, C, body)
    log.frame(0x00D0, A, C, body)
    scene = log.scene(".pcap")
    assert errors(scene) == []
    found = [one for one in explain(scene, PHONES) if one.rule == "NB-15"]
    assert {(one.severity, one.device) for one in found} == {("warning", C)}
    assert found[0].frames == (len(log.packets) - 1, len(log.packets))


def test_what_stands_before_a_fault_still_counts():
    """A publish whose last attribute is cut: the service is heard, and so is what it lacks."""
    log = Wifi()
    log.publish(dcea=None, extra=b"\x7f\x20\x00\x01")
    scene = log.scene(".pcap")
    assert scene.aware.devices[A].malformed
    assert {"IA-04", "NB-15"} <= rules(explain(scene))


# Retransmissions


def retry_of(data: bytes) -> bytes:
    return data[:1] + bytes((data[1] | 0x08,)) + data[2:]


@pytest.mark.parametrize("make", [whole, broken])
def test_a_retransmission_counts_once(make):
    once, twice = make(), Wifi()
    for packet in once.packets:
        twice.t_us = packet.t_us
        twice.put(105, packet.data)
        if not packet.data[4] & 1:
            for _ in range(2):
                twice.t_us += 300
                twice.put(105, retry_of(packet.data))
    scene = twice.scene(".pcap")
    assert {one[:2] for one in told(scene)} - {("NB-16", "warning")} == {
        one[:2] for one in told(once.scene(".pcap"))
    }
    (pair,) = scene.aware.pairs.values()
    assert [len(one.firsts) for one in pair.pasns] == [1]
    assert len(pair.bootstraps[0].requests) == 1


def test_a_beacon_between_a_frame_and_its_retransmission():
    log = Wifi().discovery()
    log.auth(1, B, A)
    first = log.packets[-1].data
    log.beacon(B)
    log.put(105, retry_of(first))
    (pair,) = log.scene(".pcap").aware.pairs.values()
    assert len(pair.pasns[0].firsts) == 1


def test_a_retransmission_whose_first_copy_was_missed_counts():
    log = Wifi()
    for packet in whole().packets:
        log.t_us = packet.t_us
        log.put(105, packet.data if packet.data[4] & 1 else retry_of(packet.data))
    scene = log.scene(".pcap")
    assert errors(scene) == []
    assert [path.is_up for path in scene.aware.paths] == [True]


def test_two_interfaces_that_hear_the_same_count_it_once():
    scene = Scene(source="wifi")
    source = AwareSource(scene)
    for packet in whole().packets:
        for name in ("wlan0", "wlan1"):
            source.frame(Heard(packet.number, packet.t_us, packet.data, None, name))
    scene.end_us = packet.t_us
    assert told(scene) == told(whole().scene(".pcap"))
    assert scene.aware.frames == len(whole().packets)


def test_the_same_first_message_twice_is_no_retransmission():
    """Without the Retry bit a responder answers again (NB-09)."""
    log = Wifi().discovery()
    log.auth(1, B, A)
    log.put(105, log.packets[-1].data)
    (pair,) = log.scene(".pcap").aware.pairs.values()
    assert len(pair.pasns[0].firsts) == 2


# Without keys, without the beginning


def test_encrypted_frames_of_both_sides_show_a_pairing_that_worked():
    log = Wifi().discovery().bootstrap().pasn()
    for number in (1, 2):
        log.sealed(B, A, number)
        log.sealed(A, B, number)
    scene = log.scene(".pcap")
    assert errors(scene) == []
    assert "IA-58" not in rules(explain(scene, PHONES))  # a data path may be among them


def test_a_capture_that_begins_in_the_middle():
    frames = whole().packets
    for start in range(1, len(frames)):
        log = Wifi()
        for packet in frames[start:]:
            log.t_us = packet.t_us
            log.put(105, packet.data)
        assert errors(log.scene(".pcap")) == [], start


def test_data_on_both_sides_shows_a_path_whose_last_message_was_missed():
    log = Wifi().paired()
    log.ndp(0, B, A, category=9)
    log.ndp(1, A, B, nonce=2, category=9)
    stuck = log.scene(".pcap")
    log.data(B_NDI, A_NDI)
    log.data(A_NDI, B_NDI)
    assert errors(stuck) == ["NB-13", "NB-13"]
    assert errors(log.scene(".pcap")) == []


def test_addresses_of_interfaces_lead_to_their_devices():
    """A termination between the two interfaces ends the path of the two devices."""
    log = Wifi().discovery().path()
    log.ndp(4, B_NDI, A_NDI, status=2, reason=1)
    scene = log.scene(".pcap")
    (path,) = scene.aware.paths
    assert [step.sender for step in path.steps][-1] == B
    assert set(scene.aware.devices) == {A, B}


# Radiotap and check sequences


def tapped(
    log: Wifi, *, signal_dbm: int = -40, fcs: bool = True, bad: bool = False, wrong: bool = False
) -> Wifi:
    """The same frames behind a radiotap header with TSFT, flags, rate, channel and signal."""
    out = Wifi()
    for packet in log.packets:
        flags = (0x10 if fcs else 0) | (0x40 if bad else 0)
        fields = struct.pack("<QBBHHb", packet.t_us, flags, 12, 2437, 0x0480, signal_dbm)
        head = struct.pack("<BBHI", 0, 0, 8 + len(fields), 0x2F) + fields
        check = struct.pack("<I", zlib.crc32(packet.data) ^ int(wrong)) if fcs else b""
        out.t_us = packet.t_us
        out.put(127, head + packet.data + check)
    return out


@pytest.mark.parametrize("make", [whole, broken])
@pytest.mark.parametrize("fcs", [True, False])
def test_radiotap_changes_nothing(make, fcs):
    scene = tapped(make(), fcs=fcs).scene(".pcapng")
    assert told(scene) == told(make().scene(".pcap"))
    assert set(scene.aware.devices[A].rssi_dbm) == {-40}
    assert scene.passed_over == {}


@pytest.mark.parametrize("fault", [{"bad": True}, {"wrong": True}])
def test_frames_with_a_wrong_check_sequence_are_not_judged(fault):
    log = tapped(broken(), **fault)
    scene = log.scene(".pcapng")
    assert scene.aware.devices == {}
    assert scene.passed_over == {"frame with a wrong check sequence": len(log.packets)}


def test_what_the_file_says_about_a_check_sequence_is_heeded():
    scene = Scene(source="wifi")
    source = AwareSource(scene)
    for packet in broken().packets:
        data = packet.data + struct.pack("<I", zlib.crc32(packet.data))
        whole_one = Packet(packet.number, packet.t_us, 105, data, len(data), fcs_octets=4)
        source.frame(heard_of(scene, whole_one) or pytest.fail("not heard"))
    scene.end_us = packet.t_us
    assert told(scene) == told(broken().scene(".pcap"))


def test_a_frame_that_the_capture_cut_is_counted():
    log = Wifi().discovery()
    packet = log.packets[0]
    cut = Packet(1, packet.t_us, 105, packet.data[:60], len(packet.data))
    scene = Scene(source="wifi")
    AwareSource(scene).frame(heard_of(scene, cut) or pytest.fail("not heard"))
    assert scene.passed_over == {"frame that the capture cut": 1}
    assert errors(scene) == []


def test_the_short_way_through_a_radiotap_header_agrees_with_the_long_one():
    """1000 headers with random words, lengths and fields: length, FCS and signal, or neither reads it."""
    chance = random.Random(11)
    agreed = 0
    for _ in range(1000):
        words = [chance.getrandbits(30) & ~0x40 for _ in range(chance.randrange(1, 4))]
        words[:-1] = [word | 1 << 31 for word in words[:-1]]
        body = struct.pack(f"<{len(words)}I", *words) + chance.randbytes(chance.randrange(40))
        length = 4 + len(body) + chance.choice((0, 0, 0, 1, -3))
        data = struct.pack("<BBH", 0, 0, length) + body + bytes(8)
        try:
            wanted = radiotap.read(data)
        except DecodeError:
            assert tap_of(data) is None
            continue
        found = tap_of(data)
        assert found is not None
        signal = next((node.value for node in wanted.nodes if node.name == "signal_dbm"), None)
        assert (found.length, found.has_fcs, found.rssi_dbm) == (
            wanted.length,
            wanted.has_fcs,
            signal,
        )
        agreed += 1
    assert agreed > 300


# Anything at all


@pytest.mark.parametrize("make", [whole, broken])
def test_any_octets_give_a_scene_or_a_sentence(make):
    """400 damaged captures each: octets changed, cut or doubled, and every rule on what is left."""
    chance = random.Random(5)
    log = make()
    for _ in range(400):
        damaged = Wifi()
        for packet in log.packets:
            data = bytearray(packet.data)
            for _ in range(chance.randrange(3)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            if chance.random() < 0.1:
                del data[chance.randrange(len(data)) :]
            damaged.t_us = packet.t_us
            damaged.put(105, bytes(data))
        try:
            scene, _ = scene_of_capture(open_reader(io.BytesIO(damaged.octets(".pcap")), "x"))
        except (UsageError, CaptureError):
            continue
        explain(scene, PHONES)


def test_random_bodies_behind_a_good_beginning():
    """Discovery, action and authentication frames whose rest is noise."""
    chance = random.Random(6)
    log = Wifi().discovery()
    for _ in range(400):
        body = chance.choice(
            (b"\x04\x09" + WFA + b"\x13", b"\x09\x09" + WFA + b"\x18\x05", b"\7\0\1\0\0\0")
        )
        control = 0x00B0 if body[:1] == b"\7" else 0x00D0
        log.frame(control, chance.choice((A, B, NETWORK)), chance.choice((A, B, C)), body + chance.randbytes(chance.randrange(90)))  # fmt: skip
    explain(log.scene(".pcap"), PHONES)


@pytest.mark.parametrize(
    "fields",
    [
        b'{"phy": "wifi", "outcomes": 5, "signal_dbm": 7}',
        b'{"phy": "wifi", "outcomes": {"a": 1}, "signal_dbm": {"a": "loud"}}',
        b'{"phy": 3}',
        b'{"name": 5, "value": ["x"]}',
    ],
)
def test_a_trace_with_odd_fields_is_read(fields):
    data = whole().packets[0].data.hex().encode()
    line = b'{"seq":1,"t_us":1,"node":"a","layer":"%s","event":"%s","data":"%s","fields":%s}'
    for layer, event in ((b"air", b"sdf"), (b"aware", b"derived")):
        events = list(events_of_lines([line % (layer, event, data, fields)], "t"))
        for node in ("", "a", "b"):
            explain(scene_of_events(events, node))


def test_a_capture_of_802_11_without_wifi_aware_is_nothing_to_judge():
    log, chance = Wifi(), random.Random(2)
    for _ in range(30):
        noise(log, chance)
    scene = log.scene(".pcap")
    assert (explain(scene), scene.aware.devices) == ([], {})


def test_bluetooth_and_wifi_in_one_file_are_both_judged():
    log = broken()
    air = Air()
    air.advert("02010603030d1809094b69746368656e31")
    log.packets += [
        Packet(len(log.packets) + 1, log.t_us, 256, air.packets[0].data, len(air.packets[0].data))
    ]
    scene, _ = scene_of_capture(open_reader(io.BytesIO(log.octets(".pcapng")), "both.pcapng"))
    assert scene.source == "air+wifi"
    assert len(scene.devices) == 1
    assert "NB-07" in errors(scene)


# Size


def crowd(count: int) -> Scene:
    """`count` frames: ceremonies of ever new devices, data, beacons of access points."""
    scene, chance = Scene(source="wifi"), random.Random(4)
    source, frames = AwareSource(scene), [packet.data for packet in whole().packets]
    for number in range(count):
        kind = number % 3
        if kind == 0:
            data = bytearray(frames[number // 3 % len(frames)])
            data[10:12] = struct.pack(">H", 0x0200 | number // 3000 % 256)
            data[22:24] = struct.pack("<H", number & 0xFFF0)
        elif kind == 1:
            data = bytearray(b"\x88\x40" + chance.randbytes(60))
        else:
            data = bytearray(b"\x80\0\0\0" + b"\xff" * 6 + chance.randbytes(140))
        source.frame(Heard(number + 1, number * 500, bytes(data)))
    scene.end_us = count * 500
    return scene


def test_lists_of_a_long_capture_are_bounded():
    """One pair that talks for ever, one device that never repeats itself."""
    scene = Scene(source="wifi")
    source, log = AwareSource(scene), Wifi().paired()
    for number in range(6000):
        log.packets.clear()
        if number % 3 == 0:
            log.message(A, B, struct.pack("<H", number))
        elif number % 3 == 1:
            log.sealed(A, B, number)
        else:
            log.cluster = f"50:6f:9a:01:{number >> 8:02x}:{number & 255:02x}"
            log.publish(C, name=f"_s{number}._udp", identity=number % 256, instance=1)
        source.frame(Heard(number + 1, number, log.packets[0].data))
    (pair,) = scene.aware.pairs.values()
    device = scene.aware.devices[C]
    assert len(pair.messages) <= 256
    assert len(pair.guarded) <= 8
    assert len(device.services) <= 256
    assert len(device.clusters) <= 16
    assert len(device.identities) <= 64
    explain(scene, PHONES)


@pytest.mark.slow
def test_two_hundred_thousand_frames():
    """Every frame is looked at once; what is kept does not grow with what is heard again and again."""
    scene = crowd(200_000)
    assert scene.aware.frames > 60_000
    assert len(scene.aware.devices) <= 300
    assert len(scene.aware.paths) <= 4096
    explain(scene)


def test_macs_are_read_as_written():
    assert mac(A).hex(":") == A
