"""NB-08: identity keys came from one side only; an ID of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import AWARE_PROFILES, Rule, Verdict
from sim.explain.aware_losses import lost_in
from sim.explain.aware_parts import is_over, tail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.aware_pairs import Pair, Pasn
    from sim.explain.model import Severity

WAIT_S = 5
"""ESP-IDF's patience; the iPhone takes 2.6 s."""


def _judge(case: Case) -> Iterator[Verdict]:
    pair, scene = case.pair, case.scene
    for pasn in pair.pasns:
        if pasn.is_verification or not caching(case, pasn) or _is_both(pair, pasn):
            continue
        if lost_in(scene.aware, pair, pasn) is not None:
            continue  # NB-18
        until = pair.end_of(pasn)
        start_us = pasn.t_us
        ones = {
            nmi: pair.guarded_by(nmi, start_us, until) for nmi in (pasn.initiator, pasn.responder)
        }
        seen = {nmi: one for nmi, one in ones.items() if one is not None}
        last_us = max([pasn.last_us, *(one.t_us for one in seen.values())])
        if not (seen or pasn.is_complete) or not is_over(scene, last_us, WAIT_S):
            continue
        has_third = any(one.status == 0 for one in pasn.thirds)
        yield Verdict(
            severity=_severity(case, pasn, list(seen)),
            evidence=_told(pasn, list(seen), has_third=has_third) + tail(scene, last_us),
            frames=(*pasn.frames, *(one.frame for one in seen.values())),
            device=next((nmi for nmi in ones if nmi not in seen), pasn.responder),
        )


def _is_both(pair: Pair, pasn: Pasn) -> bool:
    until = pair.end_of(pasn)
    return all(pair.guarded_by(nmi, pasn.t_us, until) is not None for nmi in (pair.a, pair.b))


def _severity(case: Case, pasn: Pasn, seen: list[str]) -> Severity:
    """The initiator speaks first: a responder alone means that a frame was not captured."""
    if case.pair.succeeded_after(pasn.t_us) or seen == [pasn.responder]:
        return "note"
    return "error" if seen else "warning"


def caching(case: Case, pasn: Pasn) -> bool:
    """Whether both sides said that they keep keys (NPK/NIK caching), so that identity keys are due."""
    said: list[bool] = []
    for nmi in (pasn.initiator, pasn.responder):
        device = case.scene.aware.devices.get(nmi)
        auths = [one.caching for one in pasn.messages if one.sender == nmi and one.dcea]
        offers = (
            [offer.caching for offer in device.offers if offer.dcea] if device is not None else []
        )
        said.append(all(auths or offers) if auths or offers else False)
    return all(said)


def _told(pasn: Pasn, seen: list[str], *, has_third: bool) -> str:
    if not seen:
        return "the authentication is complete, and nothing protected follows from either side: no identity keys"
    peer = pasn.responder if seen[0] == pasn.initiator else pasn.initiator
    third = "" if has_third else "; the third message is not in the capture"
    if any(not one.dcea for one in pasn.firsts):
        third += "; the first message has no Device Capability Extension, and the third's MIC covers the first"
    return f"{seen[0]} sends protected frames (its identity key), {peer} sends none{third}"


RULE = Rule(
    id="NB-08",
    title="identity keys from one side only",
    statement="After PASN the initiator sends its identity key in a protected follow-up and the responder answers with "
    "its own. One direction alone: the responder did not get (or not believe) the third message and has no "
    "keys, or it could not open the key data.",
    source="hostap src/nan/nan_pairing.c; digest of pairing 6.2 and 7",
    confidence="D (behaviour), I (cause)",
    profiles=AWARE_PROFILES,
    stories=("US-04", "US-44", "US-45"),
    remedy="Compare what was sent and received of all three messages on both sides (the third covers a hash of the "
    "first), wait at least 5 s for the peer's key, then remove the pairing on both sides and pair again.",
    on="aware_pairing",
    causes=("NB-18",),
    judge=_judge,
)
