"""How pairings end: wrong passwords, lost frames, refusals, two that start at once, comebacks, refused commands, identities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from protocols.wifi_aware.events import (
    AuthReceived,
    Dropped,
    NikReceived,
    NiraUnknown,
    PairingResult,
)
from protocols.wifi_aware.pairing import HOSTAP, PairingSettings, State
from protocols.wifi_aware.station import RefusedError
from tests.protocols.wifi_aware.pairing_sides import (
    PIN,
    A,
    Air,
    B,
    Side,
    accept,
    pair,
    paired,
    parameters_of,
    read,
    sides,
    status_frame,
)

if TYPE_CHECKING:
    from protocols.wifi_aware.attributes.identity_resolution import IdentityResolution

SECOND = 1_000_000


def with_(**changes: Any) -> PairingSettings:
    return msgspec.structs.replace(PairingSettings(), **changes)


# --- wrong passwords and lost frames ----------------------------------------------------------------


@pytest.mark.parametrize("csid", [7, 8])
def test_a_wrong_pin_is_learnt_at_once_by_the_initiator_and_in_time_by_the_responder(
    csid: int,
) -> None:
    air = sides()
    accept(air.a, B, csid=csid, password=b"492138", now=air.now)
    pair(air.b, A, csid=csid, now=air.now)
    air.deliver()
    answered = air.now - 1_000
    air.settle()
    failed = air.b.of(PairingResult)[-1]
    assert (failed.status, failed.cause) == (1, "SAE confirm: the peer has another password")
    assert failed.kck == failed.nm_tk == ""
    assert [frame.name for frame in air.log] == ["auth1", "auth2"], "the initiator says nothing"
    patience = PairingSettings().auth_timeout_us
    assert patience is not None
    air.advance(answered + patience - 1)
    assert air.a.results == []
    air.advance(answered + patience)
    ended = air.a.of(PairingResult)[-1]
    assert (ended.status, ended.role, ended.cause) == (
        1,
        "responder",
        "a right Auth3 did not come in time",
    )
    assert air.a.pairing.state(B) is State.IDLE


def test_leading_zeros_of_a_pin_count() -> None:
    air = sides()
    accept(air.a, B, password=b"001234", now=air.now)
    pair(air.b, A, password=b"1234", now=air.now)
    air.settle()
    assert air.b.results == [1]


@pytest.mark.parametrize("limit", [1, 3])
def test_a_password_can_be_tried_only_so_often(limit: int) -> None:
    air = sides(a=with_(attempts_limit=limit))
    accept(air.a, B, password=b"492138", now=air.now)
    for _ in range(limit + 1):
        pair(air.b, A, now=air.now)
        air.settle()
    assert [frame.name for frame in air.log].count("auth2") == limit
    assert air.a.results == [1]
    pair(air.b, A, password=b"492138", now=air.now)
    air.settle()
    assert air.b.results == [1] * limit, "the right password comes too late: accept again"
    assert air.a.pairing.state(B) is State.STORED


def test_without_limit_and_patience_as_in_hostap_a_responder_waits_for_ever() -> None:
    air = sides(a=HOSTAP)
    accept(air.a, B, password=b"492138", now=air.now)
    for _ in range(20):
        pair(air.b, A, now=air.now)
        air.settle()
    assert [frame.name for frame in air.log].count("auth2") == 20
    assert air.a.pairing.next_timer() is None
    assert air.a.results == []


@pytest.mark.parametrize("lost", ["auth1", "auth2"])
def test_a_lost_frame_ends_in_status_1_at_a_stated_time_and_a_new_start_succeeds(lost: str) -> None:
    air = sides(b=with_(auth_timeout_us=10 * SECOND))
    accept(air.a, B, now=air.now)
    started = air.now
    pair(air.b, A, now=air.now)
    if lost == "auth2":
        air.deliver()
    air.lose()
    air.advance(started + 10 * SECOND - 1)
    assert air.b.results == []
    air.advance(started + 10 * SECOND)
    assert air.b.of(PairingResult)[-1].cause == "a right Auth2 did not come in time"
    pair(air.b, A, now=air.now)
    air.run(air.now + SECOND)
    assert (air.a.results, air.b.results) == ([0], [1, 0])


def test_an_auth1_that_nobody_answers_is_dropped_in_time() -> None:
    air = sides(b=with_(auth_timeout_us=None))
    pair(air.b, A, now=air.now)
    heard = air.now
    air.settle()
    patience = PairingSettings().stored_timeout_us
    assert patience is not None
    air.advance(heard + patience - 1)
    assert air.a.pairing.state(B) is State.STORED
    air.advance(heard + patience)
    assert air.a.pairing.state(B) is State.IDLE
    ended = air.a.of(PairingResult)[-1]
    assert (ended.status, ended.akm, ended.cause) == (
        1,
        "sae",
        "the application did not answer in time",
    )
    with pytest.raises(RefusedError, match="no Auth1"):
        air.a.pairing.refuse(B, air.now)


# --- refusals ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [1, 37, 123])
def test_a_refusal_reaches_the_initiator_with_its_status_after_the_grace(status: int) -> None:
    air = sides()
    pair(air.b, A, now=air.now)
    air.deliver()
    air.a.pairing.refuse(B, air.now, status)
    refused = air.now
    air.deliver()
    assert air.b.results == [], "anyone can say no: a right Auth2 may still come"
    grace = PairingSettings().rejection_grace_us
    air.advance(refused + grace - 1)
    assert air.b.results == []
    air.advance(refused + grace)
    assert air.b.results == [status]
    assert air.a.results == []


def test_a_refusal_shows_suite_7_instance_0_and_no_bootstrapping() -> None:
    air = sides()
    pair(air.b, A, csid=8, now=air.now)
    air.deliver()
    air.a.pairing.refuse(B, air.now)
    frame = read(air.next().octets)
    assert [attr.octets.hex() for attr in frame.nan_attributes] == ["000700", "0003"]
    assert [element.name for element in frame.elements] == ["nan"]


def test_hostap_believes_a_refusal_at_once() -> None:
    air = sides(b=HOSTAP)
    pair(air.b, A, now=air.now)
    air.deliver()
    air.a.pairing.refuse(B, air.now)
    air.deliver()
    assert air.b.results == [1]


def test_two_ways_of_pairing_do_not_meet() -> None:
    air = sides()
    accept(air.a, B, mode="opportunistic", now=air.now)
    pair(air.b, A, now=air.now)
    air.run(air.now + 5 * SECOND)
    assert air.b.results == [72]
    assert air.a.pairing.state(B) is State.ARMED, "what does not fit does not disarm"
    pair(air.b, A, mode="opportunistic", now=air.now)
    air.run(air.now + SECOND)
    assert (air.a.results, air.b.results) == ([0], [72, 0])


def test_an_abort_ends_without_a_frame() -> None:
    air = sides()
    pair(air.b, A, now=air.now)
    air.b.pairing.abort(A, air.now)
    assert air.b.results == [1]
    assert air.b.pairing.next_timer() is None
    with pytest.raises(RefusedError, match="no pairing with"):
        air.b.pairing.abort(A, air.now)


def test_unpairing_takes_protection_off_and_keeps_the_identity() -> None:
    air = paired(sides())
    air.a.pairing.unpair(B, air.now)
    peer = air.a.station.peers[B]
    assert (peer.paired, peer.nd_pmk) == (False, b"")
    assert (A, B) not in air.a.station.link_keys
    assert len(air.a.station.identities) == 1
    with pytest.raises(RefusedError, match="not paired"):
        air.a.pairing.unpair(B, air.now)


# --- both start -------------------------------------------------------------------------------------


def both_start(settings: PairingSettings) -> Air:
    air = sides(a=settings, b=settings)
    pair(air.a, B, now=air.now)
    pair(air.b, A, now=air.now)
    air.run(air.now + 30 * SECOND)
    return air


def test_two_initiators_wait_for_each_other_until_their_time_is_over() -> None:
    air = both_start(PairingSettings())
    assert air.a.results == air.b.results == [1]
    assert [frame.name for frame in air.log] == ["auth1", "auth1"]
    assert all(not event.accepted for event in air.a.of(AuthReceived))


def test_in_hostap_two_initiators_wait_for_ever() -> None:
    air = both_start(HOSTAP)
    assert air.a.results == air.b.results == []
    assert air.a.pairing.state(B) is air.b.pairing.state(A) is State.AUTH1_SENT
    air.a.pairing.abort(B, air.now)
    air.b.pairing.abort(A, air.now)
    assert air.a.pairing.state(B) is State.IDLE


def test_the_lower_address_gives_way_where_the_tie_is_broken() -> None:
    air = both_start(with_(tie_break="nmi"))
    assert air.a.results == air.b.results == [0]
    assert [side.of(PairingResult)[0].role for side in (air.a, air.b)] == ["responder", "initiator"]
    assert len(air.a.station.identities) == 1


def test_a_start_after_the_peers_auth1_answers_it_where_the_tie_is_broken() -> None:
    settings = with_(tie_break="nmi")
    air = sides(a=settings, b=settings)
    pair(air.b, A, now=air.now)
    air.settle()
    pair(air.a, B, now=air.now)
    air.run(air.now + SECOND)
    assert air.a.results == air.b.results == [0]
    assert [frame.name for frame in air.log].count("auth1") == 1


# --- coming back ------------------------------------------------------------------------------------


def test_a_responder_under_load_makes_initiators_come_back_with_a_cookie() -> None:
    air = sides(a=with_(comeback_after_tu=100))
    accept(air.a, B, now=air.now)
    pair(air.b, A, now=air.now)
    air.deliver()
    assert "ecdh_private" not in air.a.draws.log, "nothing is computed for a stranger"
    asked = air.now
    answer = air.deliver()
    assert read(answer.octets).status == 30
    assert air.b.pairing.state(A) is State.COMING_BACK
    air.advance(asked + 100 * 1024 - 1)
    assert not air.waiting
    air.run(air.now + SECOND)
    assert air.a.results == air.b.results == [0]
    auth1 = [frame for frame in air.log if frame.name == "auth1"]
    cookies = [parameters_of(frame.octets).cookie for frame in auth1]
    assert cookies[0] is msgspec.UNSET
    assert cookies[1] == parameters_of(answer.octets).cookie


def test_a_stored_auth1_without_cookie_comes_back_too() -> None:
    air = sides(a=with_(comeback_after_tu=1))
    pair(air.b, A, now=air.now)
    air.settle()
    accept(air.a, B, now=air.now)
    air.run(air.now + SECOND)
    assert air.a.results == air.b.results == [0]


def test_an_initiator_comes_back_only_so_often() -> None:
    air = sides(b=with_(comeback_limit=2))
    pair(air.b, A, now=air.now)
    cookie = "0100640004" + "7f632408"
    for _ in range(4):
        air.collect()
        while air.waiting:
            air.lose()
        air.b.take(status_frame(air, 30, "ff0a64" + cookie[:2] + "00" + cookie[4:]), air.now)
        air.advance(air.now + 100 * 1024)
    assert [frame.name for frame in air.log].count("auth1") == 3
    air.run(air.now + 30 * SECOND)
    assert air.b.results == [30]


# --- what is refused here and now -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "wish", "words"),
    [
        ({}, {"mode": "wps"}, "no way of pairing is called 'wps'"),
        ({}, {"csid": 1}, "suite 1 is not for pairing here; use one of 7, 8"),
        ({"suites": (7,)}, {"csid": 8}, "use one of 7"),
        ({}, {"password": b""}, "0 octets, this device needs 1 or more"),
        ({"minimum_password_octets": 8}, {}, "6 octets, this device needs 8 or more"),
        ({"verification": False}, {"mode": "verification"}, "verifies no pairings"),
        ({}, {"mode": "verification"}, "no stored identity made the NIRA"),
    ],
)
def test_a_command_that_cannot_be_carried_out_says_why(
    change: dict[str, Any], wish: dict[str, Any], words: str
) -> None:
    air = sides(b=with_(**change))
    with pytest.raises(RefusedError, match=words):
        pair(air.b, A, now=air.now, **wish)
    assert air.b.pairing.state(A) is State.IDLE
    assert not air.b.pairing.to_send(air.now)
    assert air.b.station.availability_sequence == 1, "refused ones count too (recordings)"


def test_what_must_be_known_before_a_pairing() -> None:
    air = sides()
    with pytest.raises(RefusedError, match="was never heard"):
        pair(air.b, "02:00:00:00:00:09", now=air.now)
    with pytest.raises(RefusedError, match="no publish or subscribe has handle 9"):
        air.b.pairing.pair(A, 9, 1, mode="sae", password=PIN, now=air.now)
    peer = air.b.station.peers[A]
    peer.bootstrapping = True
    with pytest.raises(RefusedError, match="bootstrapping with"):
        pair(air.b, A, now=air.now)
    peer.bootstrapping, peer.pairing_setup = False, False
    with pytest.raises(RefusedError, match="does not show pairing setup"):
        pair(air.b, A, now=air.now)
    peer.nira = None
    with pytest.raises(RefusedError, match="has shown no NIRA"):
        pair(air.b, A, mode="verification", now=air.now)
    with pytest.raises(RefusedError, match="this device does not show pairing setup"):
        accept(Air(Side(A, PairingSettings(), dcea=""), air.b).a, B, now=air.now)


def test_one_that_has_started_is_no_responder() -> None:
    air = sides()
    pair(air.b, A, now=air.now)
    with pytest.raises(RefusedError, match="abort it first"):
        accept(air.b, A, now=air.now)


# --- identities -------------------------------------------------------------------------------------


def test_identities_have_their_place_and_the_oldest_makes_room() -> None:
    side = Side(A, with_(identity_limit=2))
    add = side.pairing.add_identity
    assert [add(bytes([n]) * 16, bytes(32), "sae", n) for n in (1, 2)] == [0, 1]
    assert add(b"\2" * 16, b"\7" * 32, "pasn", 5) == 1, "the same device keeps its place"
    assert add(b"\3" * 16, bytes(32), "sae", 6) in (0, 2)
    assert {one.nik[0] for one in side.station.identities.values()} == {2, 3}
    with pytest.raises(RefusedError, match="places in use: "):
        side.pairing.forget(7, 0)
    for nik, npk, akm in (
        (bytes(15), bytes(32), "sae"),
        (bytes(16), bytes(16), "sae"),
        (bytes(16), bytes(32), "psk"),
    ):
        with pytest.raises(RefusedError):
            add(nik, npk, akm, 0)  # fmt: skip


def test_an_identity_goes_when_its_lifetime_is_over_where_that_is_enforced() -> None:
    air = paired(sides(a=with_(enforce_lifetime=True)))
    stored = air.a.station.identities[0].since_us
    air.advance(stored + 43200 * SECOND - 1)
    assert 0 in air.a.station.identities
    air.advance(stored + 43200 * SECOND)
    assert 0 not in air.a.station.identities
    assert 0 in air.b.station.identities, "hostap enforces nothing"


def test_an_identity_that_made_room_has_no_lifetime_that_ends() -> None:
    side = Side(A, with_(identity_limit=2, enforce_lifetime=True))
    since: list[int] = []
    for number in (1, 2, 3):
        nmi = f"02:00:5e:20:b0:0{number}"
        air = Air(side, Side(nmi, PairingSettings()))
        air.now = number * 10 * SECOND
        accept(side, nmi, now=air.now)
        pair(air.b, A, now=air.now)
        air.run(air.now + SECOND)
        since.append(max(one.since_us for one in side.station.identities.values()))
    for started in since[1:]:
        assert side.pairing.next_timer() == started + 43200 * SECOND, "the first one is gone"
        side.pairing.handle_timer(started + 43200 * SECOND)
        assert all(one.since_us > started for one in side.station.identities.values())
    assert side.pairing.next_timer() is None


def test_a_nira_is_recognised_only_with_the_address_it_was_made_for() -> None:
    air = paired(sides())
    nira: IdentityResolution = air.b.station.nira().fields
    assert air.a.pairing.recognise(B, nira) == 0
    assert air.a.pairing.recognise("02:00:5e:20:b0:02", nira) is None
    assert [event.kind for event in air.a.of(NiraUnknown)] == ["nira_no_match"]


def test_a_new_address_of_this_device_ends_what_ran_under_the_old_one() -> None:
    air = sides()
    accept(air.a, B, now=air.now)
    pair(air.b, A, now=air.now)
    air.b.station.move("06:00:00:00:00:01")
    air.run(air.now + 30 * SECOND)
    assert air.b.pairing.state(A) is State.IDLE
    assert air.b.results == []


def test_pairing_again_replaces_keys_and_begins_packet_numbers_anew() -> None:
    air = paired(sides())
    before = air.a.station.link_keys[(A, B)]
    paired(air)
    after = air.a.station.link_keys[(A, B)]
    assert before.key != after.key
    assert (after.sent, after.received) == (1, 1)
    assert len(air.a.station.identities) == 1
    assert len(air.a.of(NikReceived)) == 2
    assert not [one for one in air.a.of(Dropped) if "replayed" in one.reason]
