"""LL control procedures, from HCI command to HCI event, and their PDUs on the air."""

from __future__ import annotations

import itertools
import struct
from typing import Any

import pytest
from connected import Bare, Pair

from sim.ble.channel_selection import used_channels

LE_META = 0x3E
UPDATED, FEATURES, ASKED, LENGTH, PHY = 0x03, 0x04, 0x06, 0x07, 0x0C
DISCONNECTED, VERSION = 0x05, 0x0C
OPPOSITE = {"central": "peripheral", "peripheral": "central"}


def controls(pair: Pair) -> list[tuple[str, bytes]]:
    """Sender and payload of each LL control PDU on the air."""
    seen: list[tuple[str, bytes]] = []

    def note(sent: Any, _: Any) -> None:
        if sent.meta.llid == 3:
            seen.append((sent.sender, sent.meta.plaintext or sent.meta.payload))

    pair.air.observe(note)
    return seen


def both(pair: Pair) -> tuple[Bare, Bare]:
    return pair.central, pair.peripheral


# Features, version


@pytest.mark.parametrize("side", ["central", "peripheral"])
def test_feature_exchange(side: str) -> None:
    pair = Pair()
    seen = controls(pair)
    asker: Bare = getattr(pair, side)
    getattr(pair, OPPOSITE[side]).le_features = 0x0000_0000_0001_00FD
    pair.run_ms(100)
    asker.command("read_features", "H", 1)
    pair.run_ms(100)
    assert asker.status("read_features") == 0
    # Octet 0 is what both have, the rest is the peer's.
    assert asker.events(LE_META, FEATURES) == [bytes.fromhex("000100fd00010000000000")]
    assert [p[0] for _, p in seen] == [0x08 if side == "central" else 0x0E, 0x09]
    asker.command("read_features", "H", 1)
    pair.run_ms(1)
    assert len(asker.events(LE_META, FEATURES)) == 2  # from memory
    assert len(seen) == 2


def test_version_exchange_each_side_sends_once() -> None:
    pair = Pair()
    seen = controls(pair)
    for bare in both(pair):
        bare.command("read_remote_version", "H", 1)
    pair.run_ms(200)
    for bare in both(pair):
        assert bare.events(VERSION) == [bytes.fromhex("00010009ffff3412")]
    pair.central.command("read_remote_version", "H", 1)
    pair.run_ms(100)
    assert len(pair.central.events(VERSION)) == 2
    assert [p[0] for _, p in seen] == [0x0C, 0x0C]


# Connection parameters


def test_connection_update_by_the_central_changes_both_at_the_instant() -> None:
    pair = Pair()
    starts: list[int] = []
    pair.air.observe(lambda s, _: starts.append(s.start_us) if s.sender == "central" else None)
    pair.run_ms(100)
    pair.central.command("update", "HHHHHHH", 1, 12, 16, 2, 500, 0, 0)
    pair.run_ms(1000)
    expected = struct.pack("<BHHHH", 0, 1, 16, 2, 500)
    for bare in both(pair):
        assert bare.events(LE_META, UPDATED) == [expected]
        assert bare.links[1].timeout_us == 5_000_000
    gaps = [b - a for a, b in itertools.pairwise(starts)]
    assert set(gaps) == {30_000, 20_000}
    assert gaps == sorted(gaps, reverse=True)
    assert gaps.count(30_000) >= 8  # the instant is at least 6 events ahead


def test_connection_update_under_loss_keeps_the_connection() -> None:
    for seed in range(8):
        pair = Pair(loss=0.3, seed=seed, timeout=600)
        for interval in (40, 12, 24):
            pair.central.command("update", "HHHHHHH", 1, interval, interval, 0, 600, 0, 0)
            pair.run_ms(1500)
        assert [p[3] for p in pair.peripheral.events(LE_META, UPDATED)] == [40, 12, 24]
        assert pair.central.links


@pytest.mark.parametrize(
    "values",
    [
        (5, 24, 0, 100),
        (24, 3201, 0, 3200),
        (24, 12, 0, 100),
        (24, 24, 500, 3200),
        (24, 24, 0, 9),
        (80, 80, 4, 100),
    ],
)
def test_connection_update_with_bad_values_is_0x12(values: tuple[int, ...]) -> None:
    pair = Pair()
    pair.central.command("update", "HHHHHHH", 1, *values, 0, 0)
    pair.run_ms(1)
    assert pair.central.status("update") == 0x12


def test_parameter_request_of_the_peripheral_goes_to_the_central_host() -> None:
    pair = Pair()
    seen = controls(pair)
    pair.run_ms(100)
    pair.peripheral.command("update", "HHHHHHH", 1, 40, 60, 1, 400, 0, 0)
    pair.run_ms(100)
    assert pair.central.events(LE_META, ASKED) == [struct.pack("<HHHHH", 1, 40, 60, 1, 400)]
    pair.central.command("accept_parameters", "HHHHHHH", 1, 40, 50, 1, 400, 0, 0)
    pair.run_ms(1000)
    assert pair.central.status("accept_parameters") == 0
    for bare in both(pair):
        assert bare.events(LE_META, UPDATED) == [struct.pack("<BHHHH", 0, 1, 50, 1, 400)]
    assert [p[0] for _, p in seen] == [0x0F, 0x00]
    pair.central.command("accept_parameters", "HHHHHHH", 1, 40, 50, 1, 400, 0, 0)
    pair.run_ms(1)
    assert pair.central.status("accept_parameters") == 0x0C


def test_parameter_request_refused() -> None:
    pair = Pair()
    pair.peripheral.command("update", "HHHHHHH", 1, 40, 60, 1, 400, 0, 0)
    pair.run_ms(100)
    pair.central.command("refuse_parameters", "HB", 1, 0x3B)
    pair.run_ms(100)
    assert pair.peripheral.events(LE_META, UPDATED) == [struct.pack("<BHHHH", 0x3B, 1, 24, 0, 200)]
    assert pair.central.events(LE_META, UPDATED) == []


def test_parameter_request_that_the_central_host_has_masked_is_0x1a() -> None:
    pair = Pair()
    pair.central.le_event_mask &= ~(1 << ASKED - 1)
    pair.peripheral.command("update", "HHHHHHH", 1, 40, 60, 1, 400, 0, 0)
    pair.run_ms(200)
    assert pair.peripheral.events(LE_META, UPDATED)[0][0] == 0x1A


def test_collision_of_two_updates_the_central_wins() -> None:
    pair = Pair()
    pair.run_ms(100)
    pair.central.command("update", "HHHHHHH", 1, 16, 16, 0, 300, 0, 0)
    pair.peripheral.command("update", "HHHHHHH", 1, 80, 80, 0, 400, 0, 0)
    pair.run_ms(1500)
    assert pair.central.events(LE_META, UPDATED) == [struct.pack("<BHHHH", 0, 1, 16, 0, 300)]
    statuses = [p[0] for p in pair.peripheral.events(LE_META, UPDATED)]
    assert statuses == [0x23, 0]
    assert pair.central.events(LE_META, ASKED) == []


def test_an_instant_that_has_passed_ends_the_connection_with_0x28() -> None:
    pair = Pair()
    pair.run_ms(100)
    past = (pair.c.events.counter - 1) & 0xFFFF
    pair.c.send_control(struct.pack("<B5sH", 1, b"\xff\xff\xff\xff\x0f", past))
    pair.run_ms(100)
    assert pair.peripheral.events(DISCONNECTED) == [b"\0\x01\0\x28"]


# Channel map


def test_channel_map_update_keeps_to_the_channels() -> None:
    pair = Pair()
    seen: list[Any] = []
    pair.air.observe(lambda s, _: seen.append((s.start_us, s.channel)))
    channels = bytes.fromhex("00f0ff0000")
    pair.run_ms(100)
    for bare in both(pair):
        bare.command("classify_channels", "5s", channels)
    pair.run_ms(1000)
    changed_us = pair.loop.now_us
    for bare in both(pair):
        bare.command("read_channel_map", "H", 1)
    pair.run_ms(3000)
    for bare in both(pair):
        answer = bare.events(0x0E)[-1]
        assert answer[3:] == b"\0\x01\0" + channels
    assert {c for t, c in seen if t > changed_us} <= set(used_channels(channels))
    assert len({c for t, c in seen if t > changed_us}) == 12


@pytest.mark.parametrize("channels", ["0000000000", "0100000000", "ffffffffff"])
def test_channel_classification_needs_two_data_channels(channels: str) -> None:
    pair = Pair()
    pair.central.command("classify_channels", "5s", bytes.fromhex(channels))
    pair.run_ms(1)
    assert pair.central.status("classify_channels") == 0x12


# Data length


def test_data_length_update_and_fragmentation_to_it() -> None:
    pair = Pair()
    sizes: list[int] = []
    pair.air.observe(lambda s, _: sizes.append(s.data[1]) if s.sender == "central" else None)
    pair.run_ms(100)
    pair.central.send(bytes(200))
    pair.run_ms(300)
    assert max(sizes) == 27
    pair.central.command("set_length", "HHH", 1, 100, 2120)
    pair.run_ms(200)
    assert pair.central.events(LE_META, LENGTH) == [struct.pack("<5H", 1, 100, 2120, 27, 328)]
    assert pair.peripheral.events(LE_META, LENGTH) == [struct.pack("<5H", 1, 27, 328, 100, 2120)]
    sizes.clear()
    pair.central.send(bytes(200))
    pair.run_ms(300)
    assert [n for n in sizes if n] == [100, 100]


def test_suggested_data_length_is_offered_without_a_command() -> None:
    pair = Pair(connect=False)
    for bare in both(pair):
        bare.command("suggest_length", "HH", 251, 2120)
    pair.connect()
    pair.run_ms(500)
    for bare in both(pair):
        assert bare.events(LE_META, LENGTH) == [struct.pack("<5H", 1, 251, 2120, 251, 2120)]


def test_peripheral_offers_its_length_when_the_central_does_not() -> None:
    pair = Pair(connect=False)
    pair.peripheral.command("suggest_length", "HH", 251, 2120)
    pair.connect()
    pair.run_ms(1000)
    assert pair.peripheral.events(LE_META, LENGTH) == [struct.pack("<5H", 1, 251, 2120, 27, 328)]


def test_octets_are_limited_by_the_time() -> None:
    """1000 us at 1M: 80 + 8 * (2 header + n + 4 MIC) -> n = 110 less the overhead."""
    pair = Pair()
    pair.central.command("set_length", "HHH", 1, 251, 1000)
    pair.run_ms(200)
    octets = pair.c.tx_octets
    air_us = 80 + 8 * (octets + 4)  # preamble, address, header, CRC = 10 octets = 80 us
    assert air_us <= 1000 < air_us + 8


@pytest.mark.parametrize(("octets", "time_us"), [(26, 328), (252, 2120), (27, 327), (27, 17041)])
def test_data_length_out_of_range_is_0x12(octets: int, time_us: int) -> None:
    pair = Pair()
    pair.central.command("set_length", "HHH", 1, octets, time_us)
    pair.run_ms(1)
    assert pair.central.status("set_length") == 0x12


# PHY


@pytest.mark.parametrize("side", ["central", "peripheral"])
def test_phy_update_command_status_then_complete_on_both_sides(side: str) -> None:
    pair = Pair()
    lengths: list[tuple[int, int]] = []
    pair.air.observe(lambda s, _: lengths.append((s.meta.phy, s.end_us - s.start_us)))
    pair.run_ms(100)
    asker: Bare = getattr(pair, side)
    asker.command("set_phy", "HBBBH", 1, 0, 2, 2, 0)
    pair.run_ms(1)
    assert asker.status("set_phy") == 0
    assert asker.events(LE_META, PHY) == []
    pair.run_ms(1000)
    for bare in both(pair):
        assert bare.events(LE_META, PHY) == [b"\0\x01\0\x02\x02"]
        bare.command("read_phy", "H", 1)
        pair.run_ms(1)
        assert bare.events(0x0E)[-1][3:] == b"\0\x01\0\x02\x02"
    assert lengths[0] == (1, 80)
    assert lengths[-1] == (2, 44)


def test_phy_update_in_one_direction() -> None:
    pair = Pair()
    pair.central.command("set_phy", "HBBBH", 1, 0, 2, 1, 0)
    pair.run_ms(1000)
    assert pair.central.events(LE_META, PHY) == [b"\0\x01\0\x02\x01"]
    assert pair.peripheral.events(LE_META, PHY) == [b"\0\x01\0\x01\x02"]
    pair.central.send(b"still there")
    pair.run_ms(100)
    assert pair.peripheral.received() == b"still there"


def test_phy_that_the_peer_does_not_want_stays() -> None:
    pair = Pair(connect=False)
    pair.peripheral.command("default_phy", "BBB", 0, 1, 1)
    pair.connect()
    pair.central.command("set_phy", "HBBBH", 1, 0, 2, 2, 0)
    pair.run_ms(1000)
    assert pair.central.events(LE_META, PHY) == [b"\0\x01\0\x01\x01"]
    assert pair.peripheral.events(LE_META, PHY) == []


def test_coded_phy_carries_data_and_shortens_it_to_the_time() -> None:
    pair = Pair(interval=40)
    pair.central.command("set_length", "HHH", 1, 251, 2120)
    pair.central.command("set_phy", "HBBBH", 1, 0, 4, 4, 0)
    pair.run_ms(1500)
    assert pair.central.events(LE_META, PHY) == [b"\0\x01\0\x03\x03"]
    pair.central.send(bytes(range(100)))
    pair.run_ms(500)
    assert pair.peripheral.received() == bytes(range(100))


def test_set_phy_without_any_phy_is_0x12_and_with_an_unknown_one_0x11() -> None:
    """Vol 4 Part E, 7.8.48 and 7.8.49."""
    pair = Pair()
    for tx_phys, rx_phys, status in ((0, 2, 0x12), (2, 0, 0x12), (2, 8, 0x11)):
        pair.central.command("set_phy", "HBBBH", 1, 0, tx_phys, rx_phys, 0)
        pair.central.command("default_phy", "BBB", 0, tx_phys, rx_phys)
        pair.run_ms(1)
        assert pair.central.status("set_phy") == pair.central.status("default_phy") == status


# Order, refusal, time-outs


def test_unknown_and_misplaced_pdus_are_answered_with_unknown_rsp() -> None:
    pair = Pair()
    seen = controls(pair)
    pair.run_ms(100)
    for pdu in (b"\x3c\0\0", b"\x09", b"\x0e" + bytes(8), b"\x02"):
        # an opcode nobody has, FEATURE_RSP without its octets, a request from the wrong role, a short TERMINATE
        pair.c.send_control(pdu)
    pair.run_ms(300)
    answers = [p for sender, p in seen if sender == "peripheral"]
    assert answers == [b"\x07\x3c", b"\x07\x09", b"\x07\x0e", b"\x07\x02"]
    assert pair.peripheral.links


def test_procedure_response_timeout_is_0x22_after_40_s() -> None:
    pair = Pair()
    pair.run_ms(100)
    pair.p.control.receive = lambda pdu: None  # type: ignore[method-assign] # acknowledges, never answers
    asked_us = pair.loop.now_us
    pair.central.command("read_features", "H", 1)
    pair.run_ms(45_000)
    assert pair.central.events(DISCONNECTED) == [b"\0\x01\0\x22"]
    assert pair.central.when(DISCONNECTED) - asked_us == 40_000_000
    assert pair.peripheral.events(DISCONNECTED) == [b"\0\x01\0\x08"]


def test_procedures_wait_for_one_another_and_all_finish() -> None:
    for seed in range(5):
        pair = Pair(loss=0.3, seed=seed, timeout=600)
        for bare in both(pair):
            bare.command("read_features", "H", 1)
            bare.command("set_length", "HHH", 1, 251, 2120)
            bare.command("read_remote_version", "H", 1)
            bare.command("set_phy", "HBBBH", 1, 0, 2, 2, 0)
        pair.central.command("classify_channels", "5s", bytes.fromhex("ffffff0000"))
        pair.central.command("update", "HHHHHHH", 1, 12, 12, 0, 600, 0, 0)
        pair.run_ms(8000)
        for bare in both(pair):
            assert len(bare.events(LE_META, FEATURES)) == 1
            assert len(bare.events(VERSION)) == 1
            assert bare.links[1].tx_octets == 251
            assert (bare.links[1].tx_phy, bare.links[1].rx_phy) == (2, 2)
            assert bare.links[1].channel_map == bytes.fromhex("ffffff0000")
            assert bare.links[1].events.interval_us == 15_000
            assert bare.links[1].control.idle


def test_read_rssi_is_that_of_the_last_packet() -> None:
    """40 dB at 1 m by default, and free-space-like loss beyond: further away is weaker."""
    found: list[int] = []
    for distance_m in (1.0, 8.0):
        pair = Pair(distance_m=distance_m)
        pair.central.command("read_rssi", "H", 1)
        pair.run_ms(1)
        assert pair.central.events(0x0E)[-1][3:] == b"\0\x01\0\x7f"  # nothing heard yet
        pair.run_ms(100)
        pair.central.command("read_rssi", "H", 1)
        pair.run_ms(1)
        found.append(struct.unpack("b", pair.central.events(0x0E)[-1][-1:])[0])
        assert found[-1] == pair.air.losses.rssi_dbm(pair.peripheral.radio, pair.central.radio)
    assert found[0] > found[1]


@pytest.mark.parametrize("name", ["read_rssi", "read_phy", "read_channel_map", "read_auth_timeout"])
def test_unknown_handle_is_0x02_in_the_reply(name: str) -> None:
    pair = Pair()
    pair.central.command(name, "H", 9)
    pair.run_ms(1)
    assert pair.central.status(name) == 0x02


@pytest.mark.parametrize("name", ["read_features", "read_remote_version"])
def test_unknown_handle_is_0x02_in_the_status(name: str) -> None:
    pair = Pair()
    pair.central.command(name, "H", 9)
    pair.run_ms(1)
    assert pair.central.status(name) == 0x02
