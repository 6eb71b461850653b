"""AA-52: an app without pairing configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import PASN_SUITES, frames_of, offers, share, suite_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.aware_observations import Offer


def _judge(case: Case) -> Iterator[Verdict]:
    def wanted(offer: Offer) -> bool:
        return (
            not offer.dcea and not offer.methods and not set(offer.suites or ()) & set(PASN_SUITES)
        )

    if case.service.kind != "publish":
        return
    sightings = offers(case.service, wanted)
    if sightings and len(sightings) == len(case.service.offers):
        suites = case.service.latest.suites
        yield Verdict(
            severity="warning",
            evidence=f"{share(sightings, case.service)}: nothing of pairing (no DCEA, no bootstrapping method, "
            f"{'no cipher suites' if suites is None else suite_words(suites)})",
            frames=frames_of(sightings),
        )


RULE = Rule(
    id="AA-52",
    title="an app without pairing configuration",
    statement="Apps that never set a pairing configuration (with a passphrase or a PMK alone) publish no pairing "
    "attributes: Android phones find each other, an iPhone can never find them.",
    source="Apple Developer Forums, Samsung S25 and iOS 26 thread; source of anagramrice/NAN",
    confidence="O",
    profiles=("android-aware",),
    stories=("US-03",),
    remedy="Set an AwarePairingConfig on the publish when iPhones shall find it.",
    on="aware_service",
    judge=_judge,
)
