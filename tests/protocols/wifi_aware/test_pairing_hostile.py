"""A peer, or somebody in between, that truncates, alters, replays, reorders, floods and forges.

No engine raises, hangs, keeps what it should not, or accepts; where a right frame comes after a wrong one, the pairing
succeeds.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from protocols.wifi_aware.events import (
    Dropped,
    PairingRequested,
)
from protocols.wifi_aware.pairing import HOSTAP, PairingSettings, State
from tests.protocols.wifi_aware.pairing_sides import (
    A,
    Air,
    B,
    Frame,
    Side,
    accept,
    pair,
    paired,
    sides,
    status_frame,
)

SECOND = 1_000_000
GRACE = PairingSettings().rejection_grace_us


def with_(**changes: Any) -> PairingSettings:
    return msgspec.structs.replace(PairingSettings(), **changes)


def started(
    a: PairingSettings | None = None, b: PairingSettings | None = None, mode: str = "sae"
) -> Air:
    """A is ready, Auth1 of B waits."""
    air = sides(a, b)
    accept(air.a, B, mode=mode, now=air.now)
    pair(air.b, A, mode=mode, now=air.now)
    return air


def at(air: Air, name: str) -> Frame:
    """The frame of that name, the ones before it delivered."""
    while (frame := air.next()).name != name:
        air.deliver(frame)
    return frame


# --- truncated and altered --------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["sae", "opportunistic"])
@pytest.mark.parametrize("name", ["auth1", "auth2", "auth3"])
def test_a_frame_cut_anywhere_is_not_taken_and_the_whole_one_still_is(name: str, mode: str) -> None:
    air = started(mode=mode)
    frame = at(air, name)
    before = frame.receiver.results
    for length in range(len(frame.octets)):
        frame.receiver.take(frame.octets[:length], air.now)
        frame.receiver.pairing.to_send(air.now)
        assert frame.receiver.results == before
        assert not frame.receiver.station.peers[frame.sender.nmi].paired
    air.deliver(frame)
    air.run(air.now + SECOND)
    assert air.a.results == air.b.results == [0]


@pytest.mark.parametrize("mode", ["sae", "opportunistic"])
@pytest.mark.parametrize("name", ["auth2", "auth3"])
def test_no_octet_of_auth2_and_auth3_can_be_altered(name: str, mode: str) -> None:
    """From the body on: the MIC covers it all; sequence number, duration and A3 belong to the radio."""
    step = 7 if mode == "sae" else 1
    for place in range(24, 400, step):
        air = started(mode=mode)
        frame = at(air, name)
        if place >= len(frame.octets):
            break
        octets = bytearray(frame.octets)
        octets[place] ^= 1 << place % 8
        air.deliver(frame, bytes(octets))
        air.run(air.now + 30 * SECOND)
        assert frame.receiver.results in ([], [1], [octets[28] | octets[29] << 8]), place
        assert 0 not in frame.receiver.results
        assert not frame.receiver.station.peers[frame.sender.nmi].paired


def test_an_altered_auth1_is_noticed_by_the_responder_at_auth3() -> None:
    """Auth2's MIC does not cover Auth1 (digest 3.4): the initiator succeeds, the responder does not."""
    fooled = 0
    for place in range(24, 400):
        air = started(mode="opportunistic")
        frame = at(air, "auth1")
        if place >= len(frame.octets):
            break
        octets = bytearray(frame.octets)
        octets[place] ^= 1 << place % 8
        air.deliver(frame, bytes(octets))
        air.run(air.now + 30 * SECOND)
        assert 0 not in air.a.results, place
        assert not air.a.station.peers[B].paired
        fooled += 0 in air.b.results
    assert 0 < fooled < 20, (
        "bits that nobody looks at before Auth3: DCEA, Publish ID, parity of the key"
    )


# --- forged -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [1, 30, 72, 77, 0xFFFF])
@pytest.mark.parametrize("transaction", [1, 2, 3])
def test_a_forged_rejection_does_not_stop_an_initiator(status: int, transaction: int) -> None:
    air = started()
    air.deliver()
    air.b.take(status_frame(air, status, transaction=transaction), air.now)
    assert air.b.results == []
    air.run(air.now + 5 * SECOND)
    assert air.a.results == air.b.results == [0]


def test_a_forged_rejection_does_not_stop_a_responder_that_waits_for_auth3() -> None:
    air = started()
    air.deliver()
    air.deliver()
    swapped = swap(status_frame(air, 1, transaction=3))
    for _ in range(50):
        air.a.take(swapped, air.now)
    air.run(air.now + 5 * SECOND)
    assert air.a.results == air.b.results == [0]


def test_a_forged_rejection_does_not_shorten_a_responders_patience() -> None:
    """Auth3 may take a few discovery windows."""
    air = started()
    air.deliver()
    air.deliver()
    auth3 = air.next()
    air.a.take(swap(status_frame(air, 1, transaction=3)), air.now)
    air.advance(air.now + 3 * GRACE)
    air.deliver(auth3)
    assert air.a.results == [0]


def test_the_first_rejection_counts() -> None:
    air = started()
    air.lose()
    first = air.now
    air.b.take(status_frame(air, 72), first)
    air.advance(first + GRACE - 1)
    air.b.take(status_frame(air, 77), air.now)
    air.advance(first + GRACE)
    assert air.b.results == [72]


def test_a_rejection_that_was_held_back_is_forgotten_with_the_right_auth2() -> None:
    """The transmit status of Auth3 comes later than the grace ends: the frame waited for its window."""
    air = started()
    air.deliver()
    air.b.take(status_frame(air, 1), air.now)
    air.deliver()
    auth3 = air.next()
    air.advance(air.now + 2 * GRACE)
    assert air.b.results == []
    air.report(auth3)
    assert air.b.results == [0]


def test_a_late_transmit_status_of_auth1_is_no_success() -> None:
    air = started()
    auth1 = air.next()
    auth1.receiver.take(auth1.octets, air.now)
    air.deliver()
    air.report(auth1)
    assert air.b.results == []
    air.settle()
    assert air.b.results == [0]


@pytest.mark.parametrize("status", [1, 77])
def test_hostap_drops_everything_for_a_forged_rejection(status: int) -> None:
    air = started(b=HOSTAP)
    air.deliver()
    air.b.take(status_frame(air, status, transaction=3), air.now)
    assert air.b.results == [status]
    air.deliver()
    assert air.b.results == [status], "the right Auth2 meets nobody"


def test_a_rejection_does_not_disarm_a_responder_except_in_hostap() -> None:
    for settings, results in ((PairingSettings(), []), (HOSTAP, [1])):
        air = sides(a=settings)
        accept(air.a, B, now=air.now)
        air.a.take(swap(status_frame(air, 1, transaction=1)), air.now)
        assert air.a.results == results


def test_a_forged_comeback_delays_nothing() -> None:
    air = started()
    air.deliver()
    air.b.take(status_frame(air, 30, "ff0b640100ffff047f632408"[:24] + "08"), air.now)
    air.b.take(status_frame(air, 30, "ff0a640100ffff047f632408"), air.now)
    assert air.b.pairing.state(A) is State.COMING_BACK
    air.run(air.now + SECOND)
    assert air.a.results == air.b.results == [0]


def test_a_comeback_of_65_seconds_ends_with_the_patience_of_the_exchange() -> None:
    air = started(b=with_(auth_timeout_us=20 * SECOND))
    begun = air.now
    air.lose()
    air.b.take(status_frame(air, 30, "ff0a640100ffff047f632408"), air.now)
    air.advance(begun + 20 * SECOND - 1)
    assert air.b.results == []
    air.advance(begun + 20 * SECOND)
    assert air.b.results == [1]
    assert air.b.pairing.next_timer() is None


def test_a_wrong_auth3_is_held_back_and_a_right_one_succeeds() -> None:
    for repair in (True, False):
        air = started()
        frame = at(air, "auth3")
        now = air.now
        air.deliver(frame, frame.octets[:-1] + bytes((frame.octets[-1] ^ 1,)))
        assert air.a.results == []
        if repair:
            air.deliver(frame)
            assert air.a.results == [0]
        air.advance(now + GRACE - 1)
        assert air.a.results == ([0] if repair else [])
        air.advance(now + GRACE)
        assert air.a.results == ([0] if repair else [1])


def test_an_auth2_of_another_password_ends_the_exchange_at_once() -> None:
    """It may be a guess: a second one for the same commit is not looked at."""
    air = started()
    stranger = Side(A, PairingSettings(), seed="stranger")
    Air(stranger, air.b)
    accept(stranger, B, password=b"000000", now=air.now)
    auth1 = air.next()
    stranger.take(auth1.octets, air.now)
    (forged,) = stranger.pairing.to_send(air.now)
    air.b.take(forged.octets, air.now)
    assert air.b.results == [1]
    air.deliver(auth1)
    air.deliver()
    assert air.b.results == [1]


# --- replayed, doubled, reordered -------------------------------------------------------------------


def test_a_doubled_auth1_gets_the_same_auth2_and_the_pairing_succeeds() -> None:
    air = started()
    first = air.deliver()
    air.a.take(first.octets, air.now)
    air.settle()
    air.run(air.now + SECOND)
    answers = [frame.out.clear[24:] for frame in air.log if frame.name == "auth2"]
    assert len(answers) == 2
    assert answers[0] == answers[1]
    assert air.a.results == air.b.results == [0]


def test_in_hostap_a_doubled_auth1_fails_both() -> None:
    air = started(HOSTAP, HOSTAP)
    first = air.next()
    for _ in range(2):
        first.receiver.take(first.octets, air.now)
    air.report(first)
    air.settle()
    assert air.a.results == air.b.results == [1]


def test_qualcomm_drops_an_auth1_while_a_pairing_runs() -> None:
    air = started(a=with_(second_auth1="drop"))
    air.deliver()
    air.lose()
    pair(air.b, A, now=air.now)
    air.settle()
    assert [frame.name for frame in air.log] == ["auth1", "auth2", "auth1"]


def test_a_doubled_auth2_is_passed_over() -> None:
    air = started()
    auth2 = at(air, "auth2")
    air.deliver(auth2)
    air.b.take(auth2.octets, air.now)
    air.deliver()
    air.b.take(auth2.octets, air.now)
    air.run(air.now + SECOND)
    assert air.a.results == air.b.results == [0]
    assert len(air.b.station.identities) == 1


def test_an_auth1_of_a_pairing_that_succeeded_is_not_taken_again() -> None:
    air = paired(sides())
    auth1 = next(frame for frame in air.log if frame.name == "auth1")
    air.a.take(auth1.octets, air.now)
    assert air.a.pairing.state(B) is State.IDLE
    assert air.a.of(PairingRequested) == []
    accept(air.a, B, now=air.now)
    air.a.take(auth1.octets, air.now)
    assert not air.a.pairing.to_send(air.now), "nor when the next pairing is expected"


def test_hostap_keeps_the_replayed_auth1_as_a_request() -> None:
    air = paired(sides(a=HOSTAP))
    auth1 = next(frame for frame in air.log if frame.name == "auth1")
    air.a.take(auth1.octets, air.now)
    assert air.a.pairing.state(B) is State.STORED
    assert air.a.pairing.next_timer() is None


def test_frames_of_an_earlier_exchange_do_nothing_in_a_later_one() -> None:
    old = paired(sides())
    air = started()
    frames = [frame for frame in old.log if frame.name.startswith("auth")]
    for frame in frames[1:]:
        receiver = air.a if frame.receiver is old.a else air.b
        receiver.take(frame.octets, air.now)
    assert air.a.results == air.b.results == []
    assert air.a.pairing.state(B) is State.ARMED


def test_an_encrypted_identity_key_cannot_be_replayed() -> None:
    air = paired(sides())
    nik = next(frame for frame in air.log if frame.name == "nik")
    stored = air.a.station.identities[0]
    nik.receiver.take(nik.octets, air.now)
    assert air.a.station.identities[0] == stored
    assert any("replayed" in one.reason for one in air.a.of(Dropped))


def swap(octets: bytes) -> bytes:
    """The same frame from B to A."""
    return octets[:4] + octets[10:16] + octets[4:10] + octets[16:]
