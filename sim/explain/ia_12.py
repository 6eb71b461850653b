"""IA-12: group keys without a group suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_facts import GROUP_SUITES
from sim.explain.aware_parts import frames_of, offers, share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.aware_observations import Offer


def _judge(case: Case) -> Iterator[Verdict]:
    def wanted(offer: Offer) -> bool:
        return bool(offer.group_support) and not set(offer.suites or ()) & set(GROUP_SUITES)

    sightings = offers(case.service, wanted)
    if sightings:
        yield Verdict(
            severity="note",
            evidence=f"{share(sightings, case.service)}: the capabilities of the Cipher Suite Information announce group "
            "keys, no NCS-GTK suite is listed",
            frames=frames_of(sightings),
        )


RULE = Rule(
    id="IA-12",
    title="group keys announced without a group suite",
    statement="iOS signals group keys with bits 1 and 2 of the Cipher Suite Information's capabilities and may list no "
    "NCS-GTK suite, which Android and ESP-IDF list. A peer must take either.",
    source="ESP-IDF nan_security.c",
    confidence="O",
    profiles=("ios-aware",),
    remedy="Decide on group keys by the capabilities, not by a suite 5 or 6 in the list.",
    on="aware_service",
    judge=_judge,
)
