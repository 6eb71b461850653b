"""Frames of a pairing that got lost on the way, and what each side makes of that.

Digest of pairing 6.1, 6.2 and 7 (what an initiator and a responder do about silence), digest of frames 6. A lost frame
is no refusal: the rules about silence leave it to the one about losses. Whether a frame was acknowledged is in
`aware_deliveries`. No clock, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.explain.aware_observations import Aware
    from sim.explain.aware_pairs import Auth, Bootstrap, Guarded, Pair, Pasn, Step

__all__ = ["Lost", "bootstrap_loss", "key_loss", "lost_in", "pasn_loss"]

REQUEST, RESPONSE = "bootstrapping request", "bootstrapping response"
FIRST, SECOND, THIRD = "first message (Auth1)", "second message (Auth2)", "third message (Auth3)"
KEY = "protected frame after the authentication (its identity key)"


_LEFT_US = 5_000_000
"""Ten discovery windows, in which a device that is there sends something; a choice of this project."""


class Lost(NamedTuple):
    """The frame of an exchange at which it stopped, and that nobody acknowledged."""

    what: str
    sender: str
    receiver: str
    frames: tuple[int, ...]
    tries: int
    """how often they were sent, repetitions too where they were heard."""
    t_us: int


def lost_in(aware: Aware, pair: Pair, pasn: Pasn) -> Lost | None:
    """What was lost of an authentication or of the identity keys after it."""
    return pasn_loss(aware, pair, pasn) or key_loss(aware, pair, pasn)


def bootstrap_loss(aware: Aware, pair: Pair, one: Bootstrap) -> Lost | None:
    """What was lost since the last response that arrived: responses, else all requests; None when it went on."""
    if any(pasn.last_us >= one.t_us for pasn in pair.pasns):
        return None
    arrived = [step for step in one.responses if aware.deliveries.loss(step.frame) is None]
    since_us = arrived[-1].t_us if arrived else -1
    responses = [step for step in one.responses if step.t_us > since_us]
    if responses:
        return _lost(aware, RESPONSE, one.responder, one.requester, responses)
    requests = [step for step in one.requests if step.t_us > since_us]
    return _lost(aware, REQUEST, one.requester, one.responder, requests)


def pasn_loss(aware: Aware, pair: Pair, pasn: Pasn) -> Lost | None:
    """The message at which an authentication stopped, when it was lost; None when somebody acted on it."""
    if pasn.refusal is not None or pair.is_proven(pasn):
        return None
    mine, other = pasn.initiator, pasn.responder
    if pasn.thirds:
        return _lost(aware, THIRD, mine, other, pasn.thirds)
    if pasn.seconds:
        return _lost(aware, SECOND, other, mine, pasn.seconds)
    return _lost(aware, FIRST, mine, other, pasn.firsts)


def key_loss(aware: Aware, pair: Pair, pasn: Pasn) -> Lost | None:
    """The frame with an identity key, when all that its sender sent after a setup were lost."""
    if pasn.is_verification or not pasn.is_complete:
        return None
    until = pair.end_of(pasn)
    for sender, receiver in ((pasn.initiator, pasn.responder), (pasn.responder, pasn.initiator)):
        after = [
            one
            for one in pair.guarded
            if one.sender == sender and one.t_us >= pasn.last_us and (until is None or one.t_us < until)
        ]  # fmt: skip
        if lost := _lost(aware, KEY, sender, receiver, after):
            return lost
    return None


def _lost(
    aware: Aware, what: str, sender: str, receiver: str, messages: Sequence[Step | Auth | Guarded]
) -> Lost | None:
    """The messages as one loss: some, none acknowledged, to an address that was heard of since."""
    tries = _tries(aware, messages)
    if not tries or _has_left(aware, receiver, messages[0].t_us):
        return None
    frames = tuple(one.frame for one in messages)
    return Lost(what, sender, receiver, frames, tries, messages[-1].t_us)


def _has_left(aware: Aware, nmi: str, t_us: int) -> bool:
    """Whether an address is silent from before an instant on: off, or changed; nothing gets lost on the way there."""
    device = aware.devices.get(nmi)
    if device is None or device.last_us >= t_us:
        return False
    return max(one.last_us for one in aware.devices.values()) - device.last_us >= _LEFT_US


def _tries(aware: Aware, messages: Sequence[Step | Auth | Guarded]) -> int:
    """How often these went out, when all were lost; else 0."""
    losses = [aware.deliveries.loss(one.frame) for one in messages]
    found = [one.tries for one in losses if one is not None]
    return sum(found) if len(found) == len(losses) else 0
