"""IA-37: vendor, model and pairing name in the publish."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import frames_of, is_paired, published

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.aware_observations import Offer

LONGEST, ESPRESSIF = 63, 15
"""Octets of a value; characters that Espressif's component takes."""


def _judge(case: Case) -> Iterator[Verdict]:
    service = case.service
    if not published(case) or is_paired(case):
        return
    pairing = {
        offer: seen
        for offer, seen in service.offers.items()
        if offer.pairing_setup and offer.methods
    }
    if not pairing:
        return
    offer = max(pairing, key=lambda one: pairing[one].last_us)
    wrong = faults(offer)
    if wrong:
        yield Verdict(
            severity="error" if not offer.info_octets else "warning",
            evidence=f"pairing is on offer, but {'; '.join(wrong)}",
            short=wrong[0],
            effect="hide",
            frames=frames_of([pairing[offer]]),
        )


def faults(offer: Offer) -> list[str]:
    """What is wrong with the pairing info of an offer."""
    info = offer.info
    if info is None:
        if not offer.info_octets:
            return ["there is no service info at all, so no vendor, model or pairing name"]
        return [
            f"no vendor, model or pairing name was found in its {offer.info_octets} octets of service info"
        ]
    named = {"vendor": info.vendor, "model": info.model, "pairing name": info.name}
    out = [f"its {what} is empty" for what, value in named.items() if not value]
    for what, value in named.items():
        if len(value.encode()) > LONGEST:
            out.append(f"its {what} has {len(value.encode())} octets, {LONGEST} at most")
        elif len(value) > ESPRESSIF:
            out.append(
                f"its {what} has {len(value)} characters, more than the {ESPRESSIF} that were seen to work"
            )
    return out


RULE = Rule(
    id="IA-37",
    title="pairing info is missing or wrong",
    statement="Vendor name, model name and pairing name are sent in publish frames while pairing is on (by a subscriber "
    "in its bootstrapping request), and never again after the first pairing. Without them the phone does not "
    "list the device (IA-38).",
    source="Apple WAPairedDevice.PairingInfo; Espressif blog, 2026-08-11",
    confidence="D (when), O (15 characters)",
    profiles=("ios-aware",),
    stories=("US-02", "US-10"),
    remedy="Send vendorName, modelName and pairingName as text strings in the service info of the publish, 15 "
    "characters each or fewer.",
    switch="on; where the strings stand is not published: what is not found in another service info is a warning only",
    on="aware_service",
    judge=_judge,
)
