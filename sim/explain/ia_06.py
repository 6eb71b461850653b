"""IA-06: the publish must say that pairing can be set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import frames_of, is_paired, offers, published, share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    service = case.service
    if not published(case) or is_paired(case):
        return
    sightings = offers(service, lambda offer: offer.dcea and not offer.pairing_setup)
    if not sightings or any(offer.pairing_setup for offer in service.offers):
        return
    may_have_paired = any(offer.has_identity for offer in service.offers)
    yield Verdict(
        severity="warning" if may_have_paired else "error",
        evidence=f"{share(sightings, service)} with a Device Capability Extension whose bit 8 (pairing setup) is 0"
        + ("; it sends a NIRA, so its pairing mode may just be off" if may_have_paired else ""),
        short="pairing setup is off in the DCEA",
        effect="hide",
        frames=frames_of(sightings),
    )


RULE = Rule(
    id="IA-06",
    title="pairing setup is not on offer",
    statement="To be listed before the first pairing, an accessory's publish has a Device Capability Extension with the "
    "bit for pairing setup.",
    source="follows from IA-04 and the Accessory Design Guidelines R29 as summarised in public notes",
    confidence="I",
    profiles=("ios-aware",),
    stories=("US-01", "US-10"),
    remedy="Set bit 8 of the capability info (2A 02 00 00 03) while the accessory is in pairing mode.",
    on="aware_service",
    judge=_judge,
)
