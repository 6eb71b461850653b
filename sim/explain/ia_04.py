"""IA-04: a publish without Device Capability Extension does not reach the picker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import frames_of, offers, published, share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    if not published(case):
        return
    sightings = offers(case.service, lambda offer: not offer.dcea)
    if not sightings:
        return
    always = len(sightings) == len(case.service.offers)
    yield Verdict(
        severity="error" if always else "warning",
        evidence=f"{share(sightings, case.service)} of service {case.service.service_id} without attribute 0x2A "
        "(Device Capability Extension)",
        short="missing DCEA attribute",
        effect="drop" if always else "",
        frames=frames_of(sightings),
    )


RULE = Rule(
    id="IA-04",
    title="publish without Device Capability Extension",
    statement="A publish that carries no Device Capability Extension (DCEA) is dropped before it reaches the app or the "
    'picker; the phone logs "Dropping event, ... missing DCEA attribute". One in the later authentication '
    "frames does not help.",
    source="Apple Developer Forums, Samsung S25 and iOS 26 thread",
    confidence="O",
    profiles=("ios-aware",),
    stories=("US-01",),
    remedy="Put attribute 0x2A with the bits for pairing setup and caching (2A 02 00 00 03) into every publish.",
    switch="on: seen on real phones; the Wi-Fi Aware specification is read differently (only required in PASN)",
    on="aware_service",
    judge=_judge,
)
