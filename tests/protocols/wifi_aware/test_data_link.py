"""One end of a link: packet numbers, priorities, replays, cleartext frames, sizes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from protocols.errors import EncodeError
from protocols.ip import packet
from protocols.ip.packet import Packet
from protocols.ip.udp import Udp
from protocols.wifi_aware import frames
from protocols.wifi_aware.data_link import DataLink, LinkTerms, Received, Refusal
from protocols.wifi_aware.frame import build, read

ONE, TWO, CLUSTER = "02:00:5e:10:a0:01", "02:00:5e:20:b0:01", "50:6f:9a:01:4d:21"
KEYS = {"": b"", "ccmp_128": bytes(range(16)), "gcmp_256": bytes(range(32))}
PACKET = packet.build(
    Packet(
        next_header=17, source="fe80::1", destination="fe80::2", udp=Udp(source_port=1, destination_port=2, data="61")
    )
)  # fmt: skip


def terms(own, peer, cipher="ccmp_128", **change) -> LinkTerms:
    given = {
        "own_ndi": own,
        "peer_ndi": peer,
        "cluster_id": CLUSTER,
        "cipher": cipher,
        "tk": KEYS[cipher],
    }
    return LinkTerms(**{**given, **change})


def pair(cipher="ccmp_128", **change):
    return DataLink(terms(ONE, TWO, cipher, **change)), DataLink(terms(TWO, ONE, cipher, **change))


@pytest.mark.parametrize("cipher", KEYS)
@pytest.mark.parametrize("qos", [True, False])
def test_a_packet_arrives_and_takes_what_the_overhead_says(cipher, qos):
    one, two = pair(cipher, qos=qos)
    octets = one.frame_of(PACKET)
    assert len(octets) == len(PACKET) + one.overhead
    assert two.receive(octets) == Received(PACKET)
    frame: Any = read(octets)
    assert (frame.qos is frames.UNSET) != qos
    assert frame.bssid == CLUSTER


def test_each_priority_has_its_own_order():
    """IEEE 802.11-2020 12.5.3.4.4: a replay counter per TID, so a later high priority may pass an earlier low one."""
    one, two = pair()
    low, high, later = one.frame_of(PACKET, 0), one.frame_of(PACKET, 6), one.frame_of(PACKET, 0)
    assert [read(octets).packet_number for octets in (low, high, later)] == [1, 2, 3]
    assert two.receive(high) == two.receive(low) == two.receive(later) == Received(PACKET)
    assert [two.receive(octets) for octets in (high, low, later)] == [Refusal.REPLAYED] * 3


def test_an_older_number_is_refused():
    one, two = pair()
    first, second = one.frame_of(PACKET), one.frame_of(PACKET)
    assert two.receive(second) == Received(PACKET)
    assert two.receive(first) is Refusal.REPLAYED


def test_a_frame_sent_again_is_known_by_its_retry_bit():
    one, two = pair()
    octets = one.frame_of(PACKET)
    again = octets[:1] + bytes((octets[1] | 0x08,)) + octets[2:]
    assert two.receive(octets) == Received(PACKET)
    assert two.receive(again) is Refusal.REPEATED
    assert two.receive(octets) is Refusal.REPLAYED


def test_the_first_try_may_be_lost():
    one, two = pair()
    octets = one.frame_of(PACKET)
    again = octets[:1] + bytes((octets[1] | 0x08,)) + octets[2:]
    assert two.receive(again) == Received(PACKET)


def test_a_null_frame_says_only_that_the_peer_is_there():
    for qos, subtype in ((True, 12), (False, 4)):
        one, two = pair(qos=qos)
        octets = one.null()
        assert read(octets).data_subtype == subtype
        assert two.receive(octets) == Received(None)
    assert one.packet_number == 0


def test_a_reflected_frame_is_not_ours():
    one, _ = pair()
    assert one.receive(one.frame_of(PACKET)) is Refusal.NOT_OURS


def test_other_payloads_are_refused_by_name():
    one, two = pair()
    arp = frames.Data(
        destination=TWO, source=ONE, bssid=CLUSTER, sequence_number=9, data_subtype=0, ethertype=0x0806, payload="00"
    )  # fmt: skip
    assert two.receive(build(arp)) is Refusal.UNPROTECTED
    open_ = DataLink(terms(TWO, ONE, ""))
    assert open_.receive(build(arp)) is Refusal.ETHERTYPE
    assert open_.receive(one.frame_of(PACKET)) is Refusal.NO_KEY
    assert open_.receive(b"") is Refusal.MALFORMED


def test_a_key_of_another_length_is_named():
    link = DataLink(msgspec.structs.replace(terms(ONE, TWO), tk=bytes(5)))
    with pytest.raises(EncodeError, match="5 octets given, ccmp_128 needs 16"):
        link.frame_of(PACKET)


def test_sequence_numbers_wrap():
    one, two = pair()
    for _ in range(4097):
        octets = one.frame_of(b"")
    assert (read(octets).sequence_number, read(octets).packet_number) == (0, 4097)
    assert two.receive(octets) == Received(b"")
