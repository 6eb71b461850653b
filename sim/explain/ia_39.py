"""IA-39: NCS-PK-PASN-128."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import (
    PASN_128,
    everywhere,
    frames_of,
    share,
    suite_words,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.aware_observations import Offer


def _judge(case: Case) -> Iterator[Verdict]:
    def wanted(offer: Offer) -> bool:
        return bool(offer.methods) and PASN_128 not in (offer.suites or ())

    sightings = everywhere(case, wanted)
    if not sightings:
        return
    suites = case.service.latest.suites
    yield Verdict(
        severity="warning" if suites is None else "error",
        evidence=f"{share(sightings, case.service)}: pairing is on offer, "
        + (
            "without Cipher Suite Information"
            if suites is None
            else f"with {suite_words(suites)} alone"
        ),
        short="no NCS-PK-PASN-128",
        effect="hide",
        frames=frames_of(sightings),
    )


RULE = Rule(
    id="IA-39",
    title="no NCS-PK-PASN-128",
    statement="The cipher suite for pairing with an iPhone is NCS-PK-PASN-128 (7).",
    source="Accessory Design Guidelines as paraphrased in public notes; ESP-IDF",
    confidence="O",
    profiles=("ios-aware",),
    stories=("US-03",),
    remedy="List suite 7 for the service in the Cipher Suite Information (22 03 00 04 07 01).",
    on="aware_service",
    judge=_judge,
)
