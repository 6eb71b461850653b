"""NB-05: the first authentication frame stays unanswered; an ID of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import AWARE_PROFILES, Rule, Verdict
from sim.explain.aware_losses import pasn_loss
from sim.explain.aware_parts import gone, is_over, suite_words, tail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.aware_pairs import Pasn

CIPHERS = {7: "00-0f-ac:4", 8: "00-0f-ac:9"}
"""Suite for pairing -> pairwise cipher of the RSNE (digest of pairing 0.3)."""
WAIT_S = 20
"""Of a person who has to accept (AOSP); ESP-IDF waits 10 s."""


def _judge(case: Case) -> Iterator[Verdict]:
    pair, scene = case.pair, case.scene
    unanswered = [one for one in pair.pasns if _is_unanswered(case, one)]
    ways = {one.initiator for one in unanswered}
    for pasn in unanswered:
        if not is_over(scene, pasn.last_us, WAIT_S):
            continue
        if len(ways) > 1 and pasn is not unanswered[-1]:
            continue  # both started: told once
        what = "verification" if pasn.is_verification else "authentication"
        words = f"{pasn.responder} does not answer the {what} of {pasn.initiator}"
        frames = pasn.frames
        if len(ways) > 1:
            words = "both sides start an authentication, and each ignores the other's"
            frames = tuple(sorted(frame for one in unanswered for frame in one.frames))
        yield Verdict(
            severity="note" if pair.succeeded_after(pasn.t_us) else "error",
            evidence=words
            + tail(scene, pasn.last_us)
            + gone(case, pasn.responder, pasn.last_us)
            + "".join(f"; {why}" for why in causes(pasn)),
            frames=frames,
            device=pasn.responder,
        )


def _is_unanswered(case: Case, pasn: Pasn) -> bool:
    """Whether nothing says that the responder took part."""
    pair = case.pair
    until = pair.end_of(pasn)
    return (
        bool(pasn.firsts)
        and pasn_loss(case.scene.aware, pair, pasn) is None  # else NB-18
        and not pasn.seconds
        and not pasn.thirds
        and pasn.refusal is None
        and pair.guarded_by(pasn.responder, pasn.t_us, until) is None
        and pair.guarded_by(pasn.initiator, pasn.t_us, until) is None
    )


def causes(pasn: Pasn) -> list[str]:
    """What in the first frame makes responders stay silent (digest of pairing 6.3)."""
    first = pasn.firsts[-1]
    out = [f"malformed: {fault}" for fault in first.faults]
    if not first.has_nan:
        out.append("the NAN element is missing")
    elif first.suites is None:
        out.append("the Cipher Suite Information is missing")
    elif not set(first.suites) & set(CIPHERS):
        out.append(f"its suites are {suite_words(first.suites)}, none for pairing")
    elif first.cipher and CIPHERS[min(set(first.suites) & set(CIPHERS))] != first.cipher:
        out.append(
            f"it names {suite_words(first.suites)}, and the RSNE another cipher ({first.cipher})"
        )
    if pasn.is_verification and not out:
        out.append("a responder that resolves no NIRA to a known peer stays silent")
    return out


RULE = Rule(
    id="NB-05",
    title="authentication unanswered",
    statement="Responders drop a first PASN frame silently when it is malformed, when the NAN element or its Cipher Suite"
    " Information is missing or names another suite, or when nobody waits for it. An initiator that waits for "
    "its own answer ignores the peer's first frame.",
    source="hostap src/nan/nan_pairing.c, src/pasn/pasn_responder.c; IEEE 802.11az-2022, PASN",
    confidence="D",
    profiles=AWARE_PROFILES,
    stories=("US-02", "US-07", "US-46", "US-48"),
    remedy="Correct what is named; otherwise let the responder accept the request (a person, an app), and let only one"
    " side start. If the responder says that it answered, its answer was lost: pair again, closer together.",
    on="aware_pairing",
    causes=("AA-29", "AA-42", "NB-18"),
    judge=_judge,
)
