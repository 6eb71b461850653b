"""IA-72: keys of pairings are kept."""

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
    sightings = offers(case.service, lambda offer: offer.pairing_setup and not offer.caching)
    if sightings:
        yield Verdict(
            severity="warning",
            evidence=f"{share(sightings, case.service)} with a Device Capability Extension whose bit 9 (NPK/NIK caching) "
            "is 0",
            frames=frames_of(sightings),
        )


RULE = Rule(
    id="IA-72",
    title="pairing without caching",
    statement="Accessories for Apple devices implement secure pairing with NIK caching.",
    source="public feasibility note citing the Accessory Design Guidelines R29, chapter 56",
    confidence="O (second-hand)",
    profiles=("ios-aware",),
    stories=("US-04",),
    remedy="Keep the keys of pairings, and say so: bit 9 of the capability info (2A 02 00 00 03).",
    on="aware_service",
    judge=_judge,
)
