"""AA-24: bootstrapping within 20 s."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_pairs import COMEBACK
from sim.explain.aware_parts import maybe_phone, ms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

CONFIRM_S = 20


def _judge(case: Case) -> Iterator[Verdict]:
    for one in case.pair.bootstraps:
        final = next((step for step in one.responses if step.status != COMEBACK), None)
        if (
            final is None
            or not one.requests
            or one.comebacks
            or not maybe_phone(case, one.requester)
        ):
            continue
        took_us = final.t_us - one.requests[0].t_us
        if took_us > CONFIRM_S * 1e6:
            yield Verdict(
                severity="error",
                evidence=f"{one.responder} answers the bootstrapping request after {ms(took_us)}",
                short=f"no answer within {CONFIRM_S} s",
                effect="fail",
                frames=one.frames,
                device=one.responder,
            )


RULE = Rule(
    id="AA-24",
    title="the bootstrapping takes too long",
    statement="Android takes a bootstrapping request that is not answered within 20 s for rejected (internal failure).",
    source="AOSP WifiAwareStateManager",
    confidence="D",
    profiles=("android-aware",),
    stories=("US-48",),
    remedy="Answer at once; when a person must decide, answer with a comeback. If the other side says that it answered, the "
    "answer got lost on the way: ask again, closer together.",
    on="aware_pairing",
    causes=("NB-18",),
    judge=_judge,
)
