"""ACL data between HCI and the air: fragments, boundary flags, buffers, flow control both ways."""

from __future__ import annotations

import pytest
from connected import Bare, Pair

from sim.ble.acl import AclOutbox

COMPLETED, OVERFLOW, DISCONNECTED = 0x13, 0x1A, 0x05


def completed(bare: Bare) -> int:
    return sum(int.from_bytes(p[3:5], "little") for p in bare.events(COMPLETED))


def pieces(packets: list[tuple[int, bytes]], octets: int) -> list[tuple[int, bytes]]:
    """LLID and payload of the PDUs that an outbox makes of HCI packets."""
    outbox = AclOutbox()
    for pb, data in packets:
        outbox.put(pb, data)
    found: list[tuple[int, bytes]] = []
    while outbox:
        llid, payload, last = outbox.next_pdu(octets)
        found.append((llid, payload))
        if last:
            outbox.acknowledged()
    assert outbox.held == 0
    assert outbox.take_completed() == len(packets)
    return found


def test_fragments_of_one_packet() -> None:
    assert pieces([(0, b"abcdefg")], 3) == [(2, b"abc"), (1, b"def"), (1, b"g")]
    assert pieces([(0, b"abcdef")], 3) == [(2, b"abc"), (1, b"def")]
    assert pieces([(2, b"a")], 27) == [(2, b"a")]


def test_continuations_of_the_host_continue_on_the_air() -> None:
    assert pieces([(0, b"abcd"), (1, b"ef"), (0, b"gh")], 3) == [
        (2, b"abc"),
        (1, b"d"),
        (1, b"ef"),
        (2, b"gh"),
    ]


def test_an_empty_packet_is_completed_and_never_sent() -> None:
    assert pieces([(0, b""), (0, b"a")], 27) == [(2, b"a")]


@pytest.mark.parametrize("size", [1, 26, 27, 28, 54, 251, 517])
def test_acl_with_a_27_octet_host_buffer(size: int) -> None:
    """No ACL packet is larger than what the host said; flags let it reassemble."""
    pair = Pair()
    pair.peripheral.command("host_buffers", "HBHH", 27, 0, 20, 0)
    pair.central.command("set_length", "HHH", 1, 251, 2120)
    pair.run_ms(300)
    data = bytes(n & 0xFF for n in range(size))
    pair.central.send(data[:251])
    for start in range(251, size, 251):
        pair.central.send(data[start : start + 251], pb=1)
    pair.run_ms(300)
    got = pair.peripheral.acl()
    assert b"".join(part for _, part in got) == data
    assert [flag for flag, _ in got] == [2] + [1] * (len(got) - 1)
    assert max(len(part) for _, part in got) <= 27


def test_buffers_are_bounded_and_overrun_is_told() -> None:
    pair = Pair(central={"total_num_le_acl_data_packets": 3})
    for number in range(5):
        pair.central.send(bytes([number]))
    pair.run_ms(300)
    assert pair.central.events(OVERFLOW) == [b"\x01", b"\x01"]
    assert pair.peripheral.received() == bytes([0, 1, 2])
    assert completed(pair.central) == 3


def test_host_flow_control_holds_the_peer_back_without_losing_anything() -> None:
    """The host has 2 buffers and frees none: the air repeats; when it frees them all arrives, in order."""
    pair = Pair(timeout=600)
    host = pair.peripheral
    pair.peripheral.links, links = {}, pair.peripheral.links
    host.command("host_flow", "B", 1)
    pair.peripheral.links = links
    host.command("host_buffers", "HBHH", 251, 0, 2, 0)
    for number in range(25):
        pair.central.send(bytes([number]))
    pair.run_ms(2000)
    assert host.received() == bytes([0, 1])
    assert completed(pair.central) < 25
    for _ in range(30):
        host.command("host_completed", "BHH", 1, 1, 1)
        pair.run_ms(100)
    assert host.received() == bytes(range(25))
    assert completed(pair.central) == 25


def test_both_directions_at_once_at_full_speed() -> None:
    pair = Pair(interval=6)
    sent: dict[str, bytes] = {"central": b"", "peripheral": b""}
    for number in range(400):
        for bare in (pair.central, pair.peripheral):
            data = f"{bare.name}{number}".encode()
            sent[bare.name] += data
            while bare.links[1].outbox.held >= 20:
                pair.run_ms(5)
            bare.send(data)
    pair.run_ms(500)
    assert pair.peripheral.received() == sent["central"]
    assert pair.central.received() == sent["peripheral"]
    assert pair.air.counts["collision"] == 0


def test_what_the_host_still_had_to_send_dies_with_the_connection() -> None:
    pair = Pair(timeout=100)
    pair.run_ms(100)
    pair.peripheral.radio.position = (1e7, 0.0, 0.0)
    pair.central.send(b"lost")
    pair.run_ms(2000)
    assert pair.central.events(DISCONNECTED) == [b"\0\x01\0\x08"]
    assert completed(pair.central) == 0
    pair.central.send(b"too late")
    pair.run_ms(100)
    assert pair.central.events(OVERFLOW) == []


def test_reset_drops_the_connection_silently_and_the_peer_times_out() -> None:
    pair = Pair(timeout=100)
    pair.run_ms(1000)
    pair.central.reset_connections()
    pair.run_ms(3000)
    assert pair.central.events(DISCONNECTED) == []
    assert pair.peripheral.events(DISCONNECTED) == [b"\0\x01\0\x08"]
