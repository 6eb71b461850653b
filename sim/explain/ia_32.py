"""IA-32: the publisher displays, the subscriber types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import (
    PIN_DISPLAY,
    PIN_KEYPAD,
    everywhere,
    frames_of,
    method_words,
    share,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.aware_observations import Offer


def _judge(case: Case) -> Iterator[Verdict]:
    def wanted(offer: Offer) -> bool:
        return bool((offer.methods or 0) & PIN_KEYPAD) and not (offer.methods or 0) & PIN_DISPLAY

    sightings = everywhere(case, wanted)
    if not sightings:
        return
    yield Verdict(
        severity="error",
        evidence=f"{share(sightings, case.service)}: the method on offer is {method_words(case.service.latest.methods or 0)}, the publisher "
        "wants to type the PIN",
        short="PIN keypad instead of PIN display",
        effect="hide",
        frames=frames_of(sightings),
    )


RULE = Rule(
    id="IA-32",
    title="the publisher wants to type the PIN",
    statement="The publisher displays the PIN, the subscriber types it: an accessory that publishes shows it, and the "
    "iPhone asks for it.",
    source="Espressif blog, 2026-08-11; WWDC25-228",
    confidence="O",
    profiles=("ios-aware",),
    stories=("US-10",),
    remedy="Advertise PIN display (0x0002) in the publish, or let the accessory subscribe and the phone publish.",
    on="aware_service",
    judge=_judge,
)
