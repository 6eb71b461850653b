"""AA-03: phones that were measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aa_02 import can_pair
from sim.explain.aware_parts import PASN_SUITES, frames_of, offers, published, share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


GROUP_SUITES = {5, 6}
"""Of group keys: no way to a data path."""


def _judge(case: Case) -> Iterator[Verdict]:
    if can_pair(case.view) or not published(case):
        return
    sightings = offers(case.service, lambda offer: offer.pairing_setup and bool(offer.methods))
    if not sightings:
        return
    suites = {suite for offer in case.service.offers for suite in offer.suites or ()} - GROUP_SUITES
    is_only_way = bool(suites) and suites <= set(PASN_SUITES)
    yield Verdict(
        severity="error" if is_only_way else "warning",
        evidence=f"{share(sightings, case.service)}: pairing is on offer"
        + (" and no other way to a data path" if is_only_way else ""),
        short="this phone cannot pair",
        effect="hide" if is_only_way else "",
        frames=frames_of(sightings),
    )


RULE = Rule(
    id="AA-03",
    title="a phone that cannot pair",
    statement="isAwarePairingSupported() was true on a Galaxy S25, false on a Pixel 9 and a Xiaomi 14 in 2025; on Android"
    " 17 (September 2026) true on a Pixel 9 Pro (PASN-128, PASN-256, GTK) and false on a Pixel 6a with the same"
    " build.",
    source="Apple Developer Forums, threads 790195 and 801280; public dumpsys wifiaware table, 2026-09-09",
    confidence="O",
    profiles=("android-aware",),
    stories=("US-52",),
    remedy="Offer a data path with a passphrase beside pairing (NCS-SK-128), or use a phone that can pair.",
    on="aware_service",
    judge=_judge,
)
