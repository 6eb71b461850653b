"""IA-31: the method is always a PIN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import (
    PIN_DISPLAY,
    PIN_KEYPAD,
    everywhere,
    frames_of,
    method_words,
    share,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.aware_observations import Offer


def _judge(case: Case) -> Iterator[Verdict]:
    def wanted(offer: Offer) -> bool:
        return bool(offer.methods) and not (offer.methods or 0) & (PIN_DISPLAY | PIN_KEYPAD)

    sightings = everywhere(case, wanted)
    if not sightings:
        return
    yield Verdict(
        severity="error",
        evidence=f"{share(sightings, case.service)}: the methods on offer are {method_words(case.service.latest.methods or 0)}, no PIN",
        short="no PIN among the bootstrapping methods",
        effect="hide",
        frames=frames_of(sightings),
    )


RULE = Rule(
    id="IA-31",
    title="no bootstrapping method in common with iOS",
    statement="An iPhone pairs by a PIN of six digits and by nothing else: no QR code, no NFC, nothing opportunistic.",
    source="Espressif blog, 2026-08-11; WWDC25-228",
    confidence="D/O",
    profiles=("ios-aware",),
    stories=("US-10",),
    remedy="Offer PIN display. Without a screen the PIN may stand on a label or be fixed by the factory (IA-33).",
    on="aware_service",
    judge=_judge,
)
