"""IA-13: what an iPhone publishes while its pairing view is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_observations import PairingInfo
from sim.explain.aware_parts import frames_of, method_words, offers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.aware_observations import Offer

PIN_DISPLAY_ONLY = 0x0002


def _judge(case: Case) -> Iterator[Verdict]:
    def wanted(offer: Offer) -> bool:
        return offer.info is not None and offer.info.vendor.lower().startswith("apple")

    if case.service.kind != "publish":
        return
    sightings = offers(case.service, wanted)
    if not sightings:
        return
    offer = next(one for one in case.service.offers if wanted(one))
    info = offer.info or PairingInfo()
    others = offer.methods not in (None, PIN_DISPLAY_ONLY)
    yield Verdict(
        severity="warning" if others else "note",
        evidence=f"{case.aware.nmi} says that it is {info.vendor} / {info.model} / {info.name}, with its pairing view open"
        + (
            f", and offers {method_words(offer.methods or 0)}, which no iPhone was seen to do"
            if others
            else ""
        ),
        frames=frames_of(sightings),
    )


RULE = Rule(
    id="IA-13",
    title="an iPhone with its pairing view open",
    statement='A publishing iPhone sends pairing info while its pairing view is open (vendor "Apple Inc.", model and '
    'pairing name "iPhone") and offers PIN display (0x0002) with pairing setup.',
    source="github.com/espressif/esp-idf/issues/16743 (log)",
    confidence="O",
    profiles=("ios-aware",),
    remedy="Subscribe to its service, ask for PIN display, and send pairing info in the request (IA-35, IA-36).",
    on="aware_service",
    judge=_judge,
)
