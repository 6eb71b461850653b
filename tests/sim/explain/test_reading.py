"""Capture files of every kind into a scene: other link types, damage, nonsense; never a traceback."""

from __future__ import annotations

import io
import random
import struct

import pytest

from protocols.capture import open_reader
from protocols.errors import CaptureError, UsageError
from sim.explain import explain
from sim.explain.reading import events_of_lines, scene_of_capture
from tests.sim.explain.logs import ACCESSORY, SEAT, Air, Hci, rules

FULL = "02010603030d1806094b6974656e"


def session(kind: type[Hci] | type[Air]):
    log = kind()
    for _ in range(4):
        log.advert(SEAT)
        log.t_us += 100_000
    log.connect()
    if isinstance(log, Hci):
        log.wish(6, 6, 0, 600)
        log.smp("0b0d", sent=False)
        log.encryption(0x06)
        log.disconnect(0x08)
    else:
        log.control(0x0F, struct.pack("<HHHH", 6, 6, 0, 600) + bytes(15), central=False)
        log.control(0x11, b"\x0f\x20", central=True)
    return log


@pytest.mark.parametrize("suffix", [".btsnoop", ".pcap", ".pcapng"])
def test_the_file_format_does_not_matter(suffix):
    log = session(Hci)
    assert rules(explain(log.scene(suffix))) == rules(log.findings())


def test_without_pseudo_header():
    """Link type 251: access address, PDU, CRC."""
    log, bare = session(Air), Air()
    for packet in log.packets:
        bare.t_us = packet.t_us
        bare.put(251, packet.data[10:])  # nothing says who sent it
    found = explain(bare.scene(".pcapng"))
    assert {"IB-04", "IB-20"} <= rules(found)


def nordic(log: Air, version: int) -> Air:
    """The same packets behind the header of the nRF Sniffer (Wireshark packet-nordic_ble)."""
    out = Air()
    for counter, packet in enumerate(log.packets):
        out.t_us = packet.t_us
        kind = packet.data[8] >> 7 | (packet.data[9] & 3) << 1
        body = packet.data[10:]
        flags = 1 | (2 if kind == 2 else 0)
        if version == 3:
            head = struct.pack("<BHBHB", 7, 10 + len(body), 3, counter, 6)
        else:
            head = struct.pack("<BBBBHB", 7, 6, 10 + len(body), version, counter, 6)
        ble = struct.pack("<BBBBHI", 10, flags, 37, 55, 0, packet.t_us & 0xFFFFFFFF)
        out.put(272, head + ble + body)
    return out


@pytest.mark.parametrize("version", [1, 2, 3])
def test_the_nrf_sniffer(version):
    scene = nordic(session(Air), version).scene(".pcapng")
    assert {"IB-04", "IB-20"} <= rules(explain(scene))
    assert next(iter(scene.devices[ACCESSORY].sights.values())).rssi_dbm == -55


def test_the_nrf_sniffers_own_clock_is_used_for_t_ifs():
    """Version 3 stamps each packet; the time of the file is that of a serial port."""
    log = Air()
    for _ in range(5):
        log.scanned(FULL, 165)
    sniffed = nordic(log, 3)
    jitter = random.Random(1)
    late = Air()
    for packet in sniffed.packets:
        late.t_us = packet.t_us + jitter.randrange(5000)
        late.put(272, packet.data)
    assert "IB-09" in rules(explain(late.scene(".pcapng")), "error")


def test_packets_with_a_wrong_crc_are_not_judged():
    log = Air()
    frame = log.advert(SEAT)
    packet = log.packets[frame - 1]
    flags = int.from_bytes(packet.data[8:10], "little") & ~0x0800
    damaged = Air()
    damaged.put(256, packet.data[:8] + flags.to_bytes(2, "little") + packet.data[10:])
    scene = damaged.scene(".pcapng")
    assert explain(scene) == []
    assert scene.passed_over == {"packet with a wrong CRC": 1}


def test_a_capture_that_breaks_off_is_judged_up_to_there():
    octets = session(Hci).octets(".btsnoop")[:-5]
    scene, damage = scene_of_capture(open_reader(io.BytesIO(octets), "cut.btsnoop"))
    assert "cut.btsnoop: byte" in damage
    assert "IB-04" in rules(explain(scene))


def test_a_capture_of_something_else_is_refused_with_a_sentence():
    log = Air()
    log.put(1, b"\x80\x00" + bytes(30))
    with pytest.raises(UsageError, match="link type 1 holds neither Bluetooth LE nor"):
        log.scene(".pcapng")


def test_a_connection_from_before_the_capture_is_counted_and_passed_over():
    log = Air()
    log.advert(FULL)
    log.data(b"\x03\x00\x04\x00\x0a\x03\x00", central=True)
    assert log.scene(".pcapng").passed_over == {"connection whose start was not captured": 1}


@pytest.mark.parametrize("kind", [Hci, Air])
def test_any_octets_give_a_scene_or_a_sentence(kind):
    """300 damaged captures: octets of the packets changed, cut or doubled."""
    chance = random.Random(7)
    log = session(kind)
    for _ in range(300):
        broken = kind()
        for packet in log.packets:
            data = bytearray(packet.data)
            for _ in range(chance.randrange(3)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            if chance.random() < 0.1:
                del data[chance.randrange(len(data)) :]
            broken.t_us = packet.t_us
            broken.put(packet.link_type, bytes(data), packet.direction)
        try:
            scene, _ = scene_of_capture(open_reader(io.BytesIO(broken.octets(kind.suffix)), "x"))
        except (UsageError, CaptureError):
            continue
        explain(scene)


def test_extended_adverts_by_their_parts():
    """AUX_ADV_IND carries the data; an ADV_EXT_IND only points to it; the address may be in either."""
    address = "5544332211c0"
    log = Air()
    log.pdu(bytes.fromhex(f"470d0c19{address}34124c2102"))  # AdvA, ADI, AuxPtr
    log.pdu(bytes.fromhex("070c03083412070950656e63696c"), channel=10)  # ADI, data
    device = log.scene(".pcapng").devices[ACCESSORY]
    assert [(one.pdu, one.data.hex(), one.complete) for one in device.adverts] == [
        ("extended", "070950656e63696c", True)
    ]


def test_reports_in_parts_are_put_together():
    log = Hci()
    for status, data in ((1, "0201060909"), (0, "4b69746368656e31")):
        report = {
            "event_type": status << 5 | 1, "address_type": "random", "address": ACCESSORY, "primary_phy": 1,
            "secondary_phy": 1, "sid": 1, "tx_power_dbm": None, "rssi_dbm": -50, "periodic_interval_ms": 0.0,
            "direct_address_type": "public", "direct_address": "00:00:00:00:00:00", "data": data,
        }  # fmt: skip
        log.event(0x3E, {"reports": [report]}, subevent=0x0D)
    device = log.scene(".btsnoop").devices[ACCESSORY]
    assert device.name == "Kitchen1"
    assert device.connectable


def test_a_line_that_is_no_event_is_named():
    with pytest.raises(UsageError, match=r"t\.jsonl: line 2"):
        list(
            events_of_lines(
                [b'{"seq":1,"t_us":0,"node":"","layer":"world","event":"start"}', b"{}"], "t.jsonl"
            )
        )


def test_a_long_capture_keeps_its_memory():
    """Payloads that never repeat are kept up to a bound."""
    log = Hci()
    device = log.scene(".btsnoop").device("x")
    from sim.explain.observations import Advert

    for number in range(5000):
        device.add(Advert("ADV_NONCONN_IND", number.to_bytes(4, "little")), number, number)
    assert len(device.sights) <= 2000
    assert len(device.times_us) <= 4000
