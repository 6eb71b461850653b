"""AA-23: pairing within 20 s."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import maybe_phone, ms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

CONFIRM_S = 20


def _judge(case: Case) -> Iterator[Verdict]:
    pair = case.pair
    for pasn in pair.pasns:
        answers = (*pasn.seconds, *pasn.thirds)
        if not pasn.firsts or not answers or not maybe_phone(case, pair.a, pair.b):
            continue
        took_us = answers[-1].t_us - pasn.firsts[0].t_us
        if took_us > CONFIRM_S * 1e6:
            yield Verdict(
                severity="error",
                evidence=f"the authentication takes {ms(took_us)} from its first message to its last",
                short=f"no pairing within {CONFIRM_S} s",
                effect="fail",
                frames=pasn.frames,
                device=pasn.responder,
            )


RULE = Rule(
    id="AA-23",
    title="the pairing takes too long",
    statement="Android ends a pairing that is not confirmed within 20 s and tells the app that it failed.",
    source="AOSP WifiAwareStateManager",
    confidence="D",
    profiles=("android-aware",),
    stories=("US-48",),
    remedy="Let the app answer onPairingSetupRequestReceived at once, with the screen on: ask the person before, not "
    "then. If the other side says that it answered, the answer got lost on the way: pair again, closer together.",
    on="aware_pairing",
    causes=("AA-29", "AA-42", "NB-18"),
    judge=_judge,
)
