"""AA-51: firmware decides on the DCEA."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import frames_of, offers, share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    service = case.service
    if service.kind != "publish":
        return
    sightings = offers(service, lambda offer: not offer.dcea and bool(offer.methods))
    elsewhere = case.aware.dcea_in.get("authentication")
    if not sightings:
        return
    yield Verdict(
        severity="warning",
        evidence=f"{share(sightings, service)}: pairing is on offer, without Device Capability Extension"
        + (f"; its authentication frame {elsewhere} has one" if elsewhere else ""),
        frames=(*frames_of(sightings), *((elsewhere,) if elsewhere else ())),
    )


RULE = Rule(
    id="AA-51",
    title="the firmware leaves the DCEA out of the publish",
    statement="Whether a publish carries the Device Capability Extension is decided by the firmware: the interface to it "
    "has flags for cache, setup, verification and methods only. Publish frames of a Galaxy S25 had none while "
    "its authentication frames did; an iPhone drops them (IA-04).",
    source="AOSP HAL; Apple Developer Forums, Samsung S25 and iOS 26 thread",
    confidence="D / O",
    profiles=("android-aware",),
    stories=("US-01",),
    remedy="No setting of the app helps: let the iPhone publish, or use a phone whose firmware sends it.",
    on="aware_service",
    judge=_judge,
)
