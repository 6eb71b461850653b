"""Frames that anyone can forge in a peer's name: none blocks a verification, replaces an exchange or prolongs a wait."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

import msgspec

from protocols.wifi_aware import frame as codec
from protocols.wifi_aware import group_protection, pasn_frames
from protocols.wifi_aware.attributes import Attr, make
from protocols.wifi_aware.attributes.identity_resolution import IdentityResolution
from protocols.wifi_aware.discovery import Discovery
from protocols.wifi_aware.discovery_settings import DiscoverySettings
from protocols.wifi_aware.events import GroupKeySet, PairingRequested, PairingResult
from protocols.wifi_aware.heard import BROADCAST, hear
from protocols.wifi_aware.pairing import PairingSettings, State
from tests.protocols.wifi_aware.pairing_sides import (
    A,
    Air,
    B,
    Side,
    accept,
    pair,
    paired,
    read,
    sides,
)

if TYPE_CHECKING:
    import pytest

SECOND = 1_000_000
FORGED = IdentityResolution(cipher_version=0, nonce="11" * 8, tag="22" * 8)
IGTK_AND_BIGTK = 0x04


def with_(**changes: Any) -> PairingSettings:
    return msgspec.structs.replace(PairingSettings(), **changes)


def auth1_of_b(seed: str) -> bytes:
    """A right Auth1 of B to A, another one for each seed."""
    one = Side(B, PairingSettings(), seed=seed)
    Air(Side(A, PairingSettings()), one)
    pair(one, A, mode="opportunistic", now=0)
    (out,) = one.pairing.to_send(0)
    return out.octets


# --- identities ---------------------------------------------------------------------------------------


def moved() -> Air:
    """Both sides of a pairing, at new addresses, with the keys of the old ones in their stores."""
    old = paired(sides())
    again: list[Side] = []
    for side, nmi in ((old.a, "06:11:22:33:a0:77"), (old.b, "06:11:22:33:b0:78")):
        fresh = Side(nmi, PairingSettings(), nik=side.station.nik.hex())
        for one in side.station.identities.values():
            fresh.pairing.add_identity(one.nik, one.npk, one.akm, 0)
        again.append(fresh)
    return Air(*again)


def publish(side: Side, source: Side, nira: Attr) -> None:
    """A service discovery frame in the name of `source`."""
    frame = source.station.sdf(BROADCAST, [nira])
    Discovery(side.station, DiscoverySettings()).receive(hear(codec.build(frame)), 0)


def verify(air: Air) -> None:
    accept(air.a, air.b.nmi, mode="verification", password=b"", now=air.now)
    pair(air.b, air.a.nmi, mode="verification", password=b"", now=air.now)
    air.run(air.now + SECOND)


def test_a_publish_with_a_forged_nira_blocks_no_verification() -> None:
    air = moved()
    for side, other in ((air.a, air.b), (air.b, air.a)):
        publish(side, other, make(FORGED))
    verify(air)
    assert air.a.results == air.b.results == [0]


def test_a_later_nira_of_the_peer_itself_is_learnt() -> None:
    air = moved()
    fresh = air.a.station.nira(bytes(8))
    publish(air.b, air.a, fresh)
    shown: Any = fresh.fields
    assert air.b.station.peers[air.a.nmi].nira == (shown.nonce, shown.tag)


def test_a_stranger_is_known_by_the_nira_that_it_showed_last() -> None:
    """Nothing is stored: the newest is as good as any."""
    air = sides()
    publish(air.a, air.b, make(FORGED))
    assert air.a.station.peers[B].nira == (FORGED.nonce, FORGED.tag)


def test_the_nira_of_a_kept_auth1_counts_whatever_was_published() -> None:
    air = moved()
    pair(air.b, air.a.nmi, mode="verification", password=b"", now=air.now)
    air.settle()
    air.a.station.peers[air.b.nmi].nira = "11" * 8, "22" * 8
    accept(air.a, air.b.nmi, mode="verification", password=b"", now=air.now)
    air.run(air.now + SECOND)
    assert air.a.results == air.b.results == [0]


def test_a_kept_auth1_with_a_forged_nira_does_not_stop_the_right_one() -> None:
    air = moved()
    pair(air.b, air.a.nmi, mode="verification", password=b"", now=air.now)
    auth1 = air.next()
    shown = read(auth1.octets)
    nira = next(one for one in shown.nan_attributes if one.name == "identity_resolution")
    air.a.take(auth1.octets.replace(nira.octets, make(FORGED).octets), air.now)
    assert air.a.pairing.state(air.b.nmi) is State.STORED
    accept(air.a, air.b.nmi, mode="verification", password=b"", now=air.now)
    air.deliver(auth1)
    air.run(air.now + SECOND)
    assert air.a.results == air.b.results == [0]


# --- exchanges ----------------------------------------------------------------------------------------


def with_short_dcea(octets: bytes) -> bytes:
    """The same Auth1, its DCEA one octet long."""
    shown = read(octets)
    short = [
        Attr(one.id, b"\0") if one.name == "device_capability_extension" else one
        for one in shown.nan_attributes
    ]
    kept = [pasn_frames.nan(short) if one.name == "nan" else one for one in shown.elements]
    return codec.build(msgspec.structs.replace(shown, elements=tuple(kept)))


def test_an_auth1_with_a_malformed_dcea_leaves_a_running_exchange_alone() -> None:
    air = sides()
    air.a.station.peers[B].npk_caching = None
    accept(air.a, B, mode="opportunistic", now=air.now)
    pair(air.b, A, mode="opportunistic", now=air.now)
    air.deliver()
    air.a.station.peers[B].npk_caching = None
    drawn = len(air.a.draws.log)
    air.a.take(with_short_dcea(auth1_of_b("forged")), air.now)
    assert air.a.pairing.state(B) is State.AUTH2_SENT
    assert len(air.a.draws.log) == drawn, "nothing is computed for it"
    air.run(air.now + SECOND)
    assert air.a.results == air.b.results == [0]
    assert [frame.name for frame in air.log].count("auth2") == 1


def test_a_kept_auth1_with_a_malformed_dcea_is_passed_over_by_accept() -> None:
    air = sides()
    air.a.station.peers[B].npk_caching = None
    air.a.take(with_short_dcea(auth1_of_b("forged")), air.now)
    accept(air.a, B, mode="opportunistic", now=air.now)
    assert air.a.pairing.state(B) is State.ARMED
    pair(air.b, A, mode="opportunistic", now=air.now)
    air.run(air.now + SECOND)
    assert air.a.results == air.b.results == [0]


def test_more_auth1_do_not_prolong_the_wait_for_the_application() -> None:
    patience = PairingSettings().stored_timeout_us
    assert patience is not None
    air = sides()
    begun = air.now
    for number in range(4):
        air.advance(begun + number * patience // 4)
        air.a.take(auth1_of_b(f"number {number}"), air.now)
    assert len(air.a.of(PairingRequested)) == 4
    air.advance(begun + patience - 1)
    assert air.a.pairing.state(B) is State.STORED
    air.advance(begun + patience)
    assert air.a.pairing.state(B) is State.IDLE
    (ended,) = air.a.of(PairingResult)
    assert (ended.status, ended.cause) == (1, "the application did not answer in time")
    assert air.a.pairing.next_timer() is None
    air.a.take(auth1_of_b("later"), air.now)
    assert air.a.pairing.next_timer() == begun + 2 * patience, "a new request has its own time"


def test_proofs_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Confirm and MIC of Auth2, confirm and MIC of Auth3."""
    compared: list[int] = []
    compare = hmac.compare_digest

    def noted(expected: bytes, found: bytes) -> bool:
        compared.append(len(found))
        return compare(expected, found)

    monkeypatch.setattr(hmac, "compare_digest", noted)
    air = paired(sides())
    assert air.a.results == air.b.results == [0]
    assert compared == [32, 16, 32, 16]


# --- group keys ---------------------------------------------------------------------------------------


def with_group_keys() -> Air:
    return paired(
        sides(
            with_(take_group_keys=True),
            with_(group_keys="ieee"),
            security_capabilities=IGTK_AND_BIGTK,
            group_integrity=True,
        )
    )


def test_group_keys_beside_an_identity_tell_forged_frames_from_right_ones() -> None:
    air = with_group_keys()
    plain = codec.build(air.b.station.sdf(BROADCAST, []))
    wrong = group_protection.protect(bytes(16), plain, 4, 100)
    right = air.b.station.guarded(plain, "igtk")
    genuine = air.a.station.is_genuine
    assert [genuine(hear(one)) for one in (plain, wrong, right, right)] == [
        False,
        False,
        True,
        False,
    ]


def test_group_keys_of_which_no_use_is_made_judge_nothing() -> None:
    air = paired(sides(b=with_(group_keys="ieee"), security_capabilities=IGTK_AND_BIGTK))
    assert air.a.station.is_genuine(hear(codec.build(air.b.station.sdf(BROADCAST, []))))


def test_a_group_key_that_comes_again_keeps_its_packet_number() -> None:
    """Otherwise frames heard before could be replayed after a second pairing."""
    air = with_group_keys()
    heard = hear(air.b.station.guarded(codec.build(air.b.station.sdf(BROADCAST, [])), "igtk"))
    assert air.a.station.is_genuine(heard)
    paired(air)
    assert not air.a.station.is_genuine(heard)
    assert len([one for one in air.a.of(GroupKeySet) if one.address == B]) == 2
