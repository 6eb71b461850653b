"""Floods of frames, and everything at once: bounded memory and work, a stated status in a stated time."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from protocols.wifi_aware.events import (
    PairingRequested,
    PairingResult,
)
from protocols.wifi_aware.pairing import PairingSettings, State
from tests.protocols.wifi_aware.pairing_sides import (
    A,
    Air,
    B,
    Frame,
    Side,
    accept,
    pair,
    sides,
    status_frame,
)

SECOND = 1_000_000


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


# --- floods -----------------------------------------------------------------------------------------


def auth1_from(nmi: str, seed: str = "") -> bytes:
    """A right Auth1 to A, of a device with that NMI."""
    stranger = Side(nmi, PairingSettings(), seed=seed or nmi)
    Air(Side(A, PairingSettings()), stranger)
    pair(stranger, A, mode="opportunistic", now=0)
    (out,) = stranger.pairing.to_send(0)
    return out.octets


def test_only_so_many_strangers_are_remembered_and_not_for_long() -> None:
    air = sides()
    for number in range(100):
        air.a.take(auth1_from(f"02:00:00:00:01:{number:02x}"), air.now)
    assert len(air.a.of(PairingRequested)) == 8
    assert set(air.a.station.peers) == {B}, "strangers get no place among the peers"
    assert air.a.pairing.to_send(air.now) == []
    assert "ecdh_private" not in air.a.draws.log
    air.advance(air.now + 20 * SECOND)
    assert air.a.pairing.next_timer() is None
    air.a.take(auth1_from("02:00:00:00:02:01"), air.now)
    assert len(air.a.of(PairingRequested)) == 9


def test_a_flood_of_auth1_in_the_name_of_the_peer_costs_five_answers() -> None:
    air = sides()
    accept(air.a, B, mode="opportunistic", now=air.now)
    for number in range(50):
        air.a.take(auth1_from(B, f"flood {number}"), air.now)
    assert len([out for out in air.a.pairing.to_send(air.now) if out.name == "auth2"]) == 5
    assert air.a.results == [1]


def test_a_flood_of_one_auth1_costs_no_computation() -> None:
    air = started()
    first = air.deliver()
    drawn = len(air.a.draws.log)
    for _ in range(100):
        air.a.take(first.octets, air.now)
    assert len(air.a.draws.log) == drawn
    air.run(air.now + SECOND)
    assert air.a.results == [0]


def test_an_exchange_with_one_peer_is_not_touched_by_frames_of_another() -> None:
    air = started()
    air.deliver()
    for number in range(8):
        air.a.take(auth1_from(f"02:00:00:00:01:{number:02x}"), air.now)
    air.run(air.now + SECOND)
    assert air.a.results == air.b.results == [0]


def test_waiting_for_transmit_statuses_that_never_come_does_not_grow() -> None:
    air = sides()
    for number in range(200):
        pair(air.b, A, mode="opportunistic", now=air.now + number)
        air.b.pairing.to_send(air.now)
    assert len(air.b.pairing._awaited) <= 64
    assert len(air.b.pairing._contexts) == 1


# --- everything at once -----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_whatever_a_hostile_air_does_everything_ends_in_a_stated_status_in_a_stated_time(
    seed: int,
) -> None:
    chance = random.Random(seed)
    both = with_(tie_break="nmi") if seed % 3 == 0 else PairingSettings()
    air = sides(both, both)
    accept(air.a, B, now=air.now)
    pair(air.b, A, now=air.now)
    if seed % 3 == 0:
        pair(air.a, B, now=air.now)
    heard: list[Frame] = []
    for _ in range(120):
        air.collect()
        while air.waiting:
            heard.append(air.next())
            air.report(heard[-1], acked=chance.random() < 0.5)
        meddle(chance, air, heard)
        if chance.random() < 0.1:
            air.advance(air.now + chance.randrange(SECOND))
    begun = air.now
    while (due := air.due()) is not None:
        air.advance(due)
        air.waiting.clear()
    assert air.now <= begun + 30 * SECOND
    for side, other in ((air.a, air.b), (air.b, air.a)):
        assert side.pairing.state(other.nmi) in (State.IDLE, State.ARMED)
        assert side.station.peers[other.nmi].paired == (0 in side.results)
        good = {event.nm_tk for event in side.of(PairingResult) if event.status == 0}
        told = {event.nm_tk for event in other.of(PairingResult) if event.status == 0}
        assert not (good and told) or good & told


def meddle(chance: random.Random, air: Air, heard: list[Frame]) -> None:
    """Deliver something old or new: whole, cut, altered, with a status, or to its sender."""
    frame = chance.choice(heard)
    octets = bytearray(frame.octets)
    what = chance.randrange(7)
    if what == 0:
        octets = octets[: chance.randrange(len(octets))]
    elif what == 1:
        octets[chance.randrange(len(octets))] ^= 1 << chance.randrange(8)
    elif what == 2:
        octets[28] = chance.choice((1, 30, 72))
    elif what == 3:
        octets = bytearray(
            status_frame(air, chance.choice((1, 30)), transaction=chance.randrange(5))
        )
    receiver = frame.sender if what == 4 else frame.receiver
    receiver.take(bytes(octets), air.now)
