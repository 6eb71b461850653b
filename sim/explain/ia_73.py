"""IA-73: protection of frames, group frames and beacons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.wifi_aware.attributes.cipher_suite_information import GROUP_SUPPORT
from sim.explain import Rule, Verdict
from sim.explain.aware_parts import frames_of, offers, published, share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.aware_observations import Offer

BIGTK_TOO = 2


def _judge(case: Case) -> Iterator[Verdict]:
    def wanted(offer: Offer) -> bool:
        return (
            offer.pairing_setup
            and offer.group_support is not None
            and offer.group_support < BIGTK_TOO
        )

    if not published(case):
        return
    sightings = offers(case.service, wanted)
    if sightings:
        found = GROUP_SUPPORT[case.service.latest.group_support or 0]
        yield Verdict(
            severity="warning",
            evidence=f"{share(sightings, case.service)}: the Cipher Suite Information announces {found} of the group keys",
            frames=frames_of(sightings),
        )


RULE = Rule(
    id="IA-73",
    title="group frames or beacons without protection",
    statement="Accessories for Apple devices protect data and management frames to one device, group frames, and beacons.",
    source="public feasibility note citing the Accessory Design Guidelines R29, chapter 56",
    confidence="O (second-hand)",
    profiles=("ios-aware",),
    remedy="Support GTK, IGTK and BIGTK (value 2 in bits 1 and 2 of the capabilities).",
    on="aware_service",
    judge=_judge,
)
