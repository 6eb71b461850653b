"""IA-45: an Android phone and an iPhone that publishes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import maybe_phone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

CHALLENGE_FAILURE = 15


def _judge(case: Case) -> Iterator[Verdict]:
    for pasn in case.pair.pasns:
        refusal = pasn.refusal
        if refusal is None or refusal.status != CHALLENGE_FAILURE:
            continue
        if maybe_phone(case, pasn.initiator, pasn.responder):
            yield Verdict(
                severity="error",
                evidence=f"{refusal.sender} ends the authentication with status 15 (challenge failure)",
                frames=(*pasn.frames[:1], refusal.frame),
                device=refusal.sender,
            )


RULE = Rule(
    id="IA-45",
    title="status 15 between Android and iPhone",
    statement="An Android phone that subscribes to a publishing iPhone discovers it, no PIN is shown on the iPhone, and "
    "the Android side gets status 15 (authentication rejected, challenge failure).",
    source="Apple Developer Forums, thread 801280 and the Samsung S25 thread; FB18751572, FB19568037",
    confidence="O",
    profiles=("ios-aware", "android-s25-2025"),
    stories=("US-02",),
    remedy="Let the iPhone subscribe and the other side publish; no way is known for the other direction.",
    on="aware_pairing",
    judge=_judge,
)
