"""AA-25: one comeback."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_losses import bootstrap_loss
from sim.explain.aware_parts import known_phone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

RETRIES = 1


def _judge(case: Case) -> Iterator[Verdict]:
    for one in case.pair.bootstraps:
        if one.comebacks <= RETRIES or not known_phone(case, one.requester):
            continue
        if bootstrap_loss(case.scene.aware, case.pair, one) is not None:
            continue  # NB-18: what it does not hear it does not count
        yield Verdict(
            severity="warning" if one.accepted else "error",
            evidence=f"{one.responder} answers {one.comebacks} times that {one.requester} shall come back",
            short="a second comeback",
            effect="fail",
            frames=one.frames,
            device=one.responder,
        )


RULE = Rule(
    id="AA-25",
    title="a second comeback",
    statement="Android comes back once, after the delay (times 1000 ms) and with the cookie; a second comeback counts as "
    "a rejection.",
    source="AOSP WifiAwareStateManager",
    confidence="D",
    profiles=("android-aware",),
    stories=("US-48",),
    remedy="Give a comeback time that is long enough for the person, and decide before it is over.",
    on="aware_pairing",
    judge=_judge,
)
