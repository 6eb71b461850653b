"""IA-30: no pairing on offer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import (
    PASN_SUITES,
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
    service = case.service
    sightings = everywhere(case, lambda offer: bool(lacks(offer)))
    if not sightings:
        return
    offer = service.latest
    yield Verdict(
        severity="error",
        evidence=f"{share(sightings, service)} of service {service.service_id}: {'; '.join(lacks(offer))}",
        short="no pairing on offer",
        effect="hide",
        frames=frames_of(sightings),
    )


def lacks(offer: Offer) -> list[str]:
    """What keeps an offer from being one of pairing."""
    out: list[str] = []
    if not offer.methods:
        out.append("no bootstrapping method (attribute 0x2C) is advertised")
    if offer.suites is not None and not set(offer.suites) & set(PASN_SUITES):
        out.append(f"the cipher suites are {suite_words(offer.suites)}, none for pairing")
    return out


RULE = Rule(
    id="IA-30",
    title="no pairing on offer",
    statement="With an iPhone pairing is mandatory: there is no open, no passphrase and no opportunistic path to data.",
    source='Apple Developer Forums, thread 791628 and "Wi-Fi Aware Pairing Flow"',
    confidence="D/O",
    profiles=("ios-aware",),
    stories=("US-03",),
    remedy="Give the publish a pairing configuration: advertise PIN display (2C 05 00 00 00 00 02 00), NCS-PK-PASN-128"
    " and the DCEA.",
    on="aware_service",
    judge=_judge,
)
