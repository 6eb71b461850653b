"""NB-03: a bootstrapping was rejected, whatever the phone; an ID of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import AWARE_PROFILES, Rule, Verdict
from sim.explain.aware_pairs import REJECTED
from sim.explain.aware_parts import COMPLEMENTS, method_words, reason_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.aware_pairs import Bootstrap


def _judge(case: Case) -> Iterator[Verdict]:
    pair = case.pair
    for one in pair.bootstraps:
        refusal = next((step for step in one.responses if step.status == REJECTED), None)
        if refusal is None:
            continue
        later = any(other.accepted and other.last_us > refusal.t_us for other in pair.bootstraps)
        yield Verdict(
            severity="note" if later or pair.succeeded_after(refusal.t_us) else "error",
            evidence=f"{one.requester} asks for {method_words(one.methods)}; {one.responder} rejects it with "
            f"{reason_words(refusal.reason)}{_advertised(case, one)}",
            frames=one.frames,
            device=one.responder,
        )


def _advertised(case: Case, one: Bootstrap) -> str:
    """What the responder had on offer, when that does not go with the request."""
    device = case.scene.aware.devices.get(one.responder)
    own = 0
    for offer in device.offers if device is not None else ():
        own |= offer.methods or 0
    if not own or own & (COMPLEMENTS.get(one.methods, 0) | one.methods):
        return ""
    return f"; it advertises {method_words(own)}"


RULE = Rule(
    id="NB-03",
    title="bootstrapping rejected",
    statement="A bootstrapping request names one method, and the responder rejects it when its side of the method is not "
    "among its own (reason 13; iOS rejects with 0).",
    source="Wi-Fi Aware 4.0, NAN Pairing Bootstrapping attribute; hostap src/nan/nan_bootstrap.c",
    confidence="D",
    profiles=AWARE_PROFILES,
    stories=("US-02", "US-10"),
    remedy="Ask for a method whose other side the responder advertises (PIN keypad for PIN display), or advertise it.",
    on="aware_pairing",
    judge=_judge,
)
