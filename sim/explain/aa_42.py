"""AA-42: the app must answer a pairing request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import gone, is_silent, maybe_phone, tail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

CONFIRM_S = 20
_STAY = (
    "See first that the phone stays in range and on: in Doze Wi-Fi Aware is disabled (AA-29). If it does, call "
    "acceptPairingRequest or rejectPairingRequest from the callback, at once."
)


def _judge(case: Case) -> Iterator[Verdict]:
    pair = case.pair
    for pasn in pair.pasns:
        if (
            not pasn.firsts
            or pasn.seconds
            or pasn.is_verification
            or pair.succeeded_after(pasn.t_us)
        ):
            continue
        if maybe_phone(case, pasn.responder) and is_silent(case.scene, pasn.last_us, CONFIRM_S):
            silence = gone(case, pasn.responder, pasn.last_us)
            yield Verdict(
                severity="error",
                evidence=f"{pasn.responder} does not answer the first message of the authentication"
                f"{tail(case.scene, pasn.last_us)}{silence}",
                frames=pasn.frames,
                device=pasn.responder,
                remedy=_STAY if silence else "",
            )


RULE = Rule(
    id="AA-42",
    title="the app did not answer the pairing request",
    statement="A request for pairing becomes the app's onPairingSetupRequestReceived; the app must accept or reject with "
    "alias, cipher suite and password. Without an answer it ends after 20 s.",
    source="AOSP",
    confidence="D",
    profiles=("android-aware",),
    stories=("US-48",),
    remedy="Call acceptPairingRequest or rejectPairingRequest from the callback, at once.",
    on="aware_pairing",
    causes=("AA-29",),
    judge=_judge,
)
