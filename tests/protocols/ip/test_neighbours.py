"""Neighbour discovery: asking, answering, giving up, pinning, and messages that are not to be believed."""

from __future__ import annotations

import contextlib

import msgspec
import pytest

from protocols.errors import DecodeError
from protocols.ip import icmpv6, ipv6
from protocols.ip.icmpv6 import Neighbour
from protocols.ip.neighbours import Neighbours, Resolved, Unreachable
from protocols.ip.packet import Packet, build, read

MAC_A, MAC_B = "02:00:5e:10:a0:01", "02:00:5e:20:b0:01"
A, B = (ipv6.link_local(ipv6.eui64(mac)) for mac in (MAC_A, MAC_B))


def pair():
    return Neighbours(A, MAC_A), Neighbours(B, MAC_B)


def crossed(one, other, now=0):
    """What `one` sends, as octets, to `other`."""
    packets = one.to_send(now)
    for packet in packets:
        other.receive(read(build(packet)), now)
    return packets


def test_a_solicitation_is_answered_and_both_know_each_other():
    """RFC 4861 7.2.2: to the solicited-node group, hop limit 255, with the own address; 7.2.4: the answer."""
    a, b = pair()
    assert a.resolve(B, 0) is None
    (ask,) = crossed(a, b)
    assert (ask.source, ask.destination, ask.hop_limit) == (A, ipv6.solicited_node(B), 255)
    assert b.known == {A: MAC_A}
    (answer,) = crossed(b, a)
    said = answer.icmpv6.neighbour
    assert (answer.destination, said.solicited, said.override, said.target) == (A, True, True, B)
    assert a.next_event() == Resolved(B, MAC_B)
    assert a.resolve(B, 0) == MAC_B
    assert a.next_timer() is None


def test_three_questions_a_second_apart_and_then_nobody_is_there():
    a, _ = pair()
    a.resolve(B, 0)
    asked = [len(a.to_send(0))]
    for second in (1, 2):
        assert a.next_timer() == second * 1_000_000
        a.handle_timer(second * 1_000_000)
        asked.append(len(a.to_send(0)))
    a.handle_timer(2_999_999)
    assert a.next_event() is None
    a.handle_timer(3_000_000)
    assert (asked, a.next_event(), a.next_timer()) == ([1, 1, 1], Unreachable(B), None)
    assert a.resolve(B, 4_000_000) is None
    assert len(a.to_send(0)) == 1


def test_asking_twice_asks_once():
    a, _ = pair()
    a.resolve(B, 0)
    a.resolve(B, 5)
    assert len(a.to_send(5)) == 1


def test_a_pinned_neighbour_is_neither_asked_for_nor_changed():
    """Rule IA-60."""
    a = Neighbours(A, MAC_A, {B: MAC_B})
    assert a.resolve(B, 0) == MAC_B
    a.receive(advert("02:00:00:00:00:66"), 0)
    assert (a.known, a.to_send(0)) == ({B: MAC_B}, [])


def advert(mac, target=B, **change) -> Packet:
    option = icmpv6.address_option(icmpv6.TARGET_ADDRESS, mac)
    body = Neighbour(target=target, override=True, options=(option,))
    message = icmpv6.Icmpv6(type=icmpv6.ADVERTISEMENT, neighbour=body)
    given = {"next_header": 58, "hop_limit": 255, "source": B, "destination": A, "icmpv6": message}
    return Packet(**{**given, **change})


@pytest.mark.parametrize(
    "change",
    [{"hop_limit": 254}, {"icmpv6": msgspec.structs.replace(advert(MAC_B).icmpv6, code=1)},
     {"icmpv6": msgspec.structs.replace(advert(MAC_B).icmpv6, checksum="0001")}],
    ids=["from off the link", "code", "checksum"],
)  # fmt: skip
def test_what_is_not_to_be_believed(change):
    """RFC 4861 7.1.2."""
    a, _ = pair()
    a.resolve(B, 0)
    a.receive(advert(MAC_B, **change), 0)
    assert a.known == {}


def test_nobody_is_learnt_unasked():
    a, _ = pair()
    a.receive(advert(MAC_B), 0)
    assert a.known == {}


def test_an_answer_may_replace_what_is_known():
    """Override flag (RFC 4861 7.2.5)."""
    a, b = pair()
    a.resolve(B, 0)
    crossed(a, b)
    crossed(b, a)
    a.receive(advert("02:00:00:00:00:66"), 0)
    assert a.known[B] == "02:00:00:00:00:66"
    keep = advert(MAC_B)
    body = msgspec.structs.replace(keep.icmpv6.neighbour, override=False)
    a.receive(
        msgspec.structs.replace(keep, icmpv6=msgspec.structs.replace(keep.icmpv6, neighbour=body)),
        0,
    )
    assert a.known[B] == "02:00:00:00:00:66"


def test_a_question_for_somebody_else_is_not_answered():
    a, b = pair()
    a.resolve("fe80::99", 0)
    crossed(a, b)
    assert (b.to_send(0), b.known) == ([], {})


def test_a_probe_for_a_duplicate_is_answered_to_all():
    """RFC 4861 7.2.4: a solicitation from the unspecified address."""
    _, b = pair()
    body = Neighbour(target=B)
    message = icmpv6.Icmpv6(type=icmpv6.SOLICITATION, neighbour=body)
    b.receive(
        Packet(
            next_header=58,
            hop_limit=255,
            source="::",
            destination=ipv6.solicited_node(B),
            icmpv6=message,
        ),
        0,
    )
    (answer,) = b.to_send(0)
    assert (answer.destination, answer.icmpv6.neighbour.solicited) == (ipv6.ALL_NODES, False)
    assert b.known == {}


def test_a_damaged_message_teaches_nothing():
    """The checksum proves the message: no single flipped bit gets an address in."""
    a, b = pair()
    a.resolve(B, 0)
    (ask,) = a.to_send(0)
    good = build(ask)
    for bit in range(8 * 40, 8 * len(good)):
        data = bytearray(good)
        data[bit // 8] ^= 1 << bit % 8
        with contextlib.suppress(DecodeError):
            b.receive(read(bytes(data)), 0)
    assert (b.known, b.to_send(0)) == ({}, [])
