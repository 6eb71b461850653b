"""IB-11: an iPhone app that advertises from the background."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.parts import APPLE, frames_of, picked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.observations import Advert

_OVERFLOW, _BITS = 0x01, 16


def has_overflow(advert: Advert) -> bool:
    """Whether the advert carries the overflow area: Apple's type 01 with 16 octets of hashed UUIDs."""
    return any(
        company == APPLE and data[:1] == bytes((_OVERFLOW,)) and len(data) == 1 + _BITS
        for company, data in advert.ad.manufacturer
    )


def _judge(case: Case) -> Iterator[Verdict]:
    sights = picked(case.device, has_overflow)
    if sights and not any(ad.service_uuids for ad in case.device.ads):
        yield Verdict(
            severity="warning",
            evidence="service UUIDs only as hashed bits in Apple's overflow area (4c00 01 ...), no name",
            short="its service UUIDs are in the overflow area, which only iOS scanners read",
            frames=frames_of(sights),
        )


RULE = Rule(
    id="IB-11",
    title="iPhone app advertising from the background",
    statement="An iPhone app that advertises in the background sends no local name, and its UUIDs move to an overflow "
    "area that only iOS scanners looking for that UUID see: Android phones and accessories as centrals do not.",
    source="Apple Core Bluetooth Background Processing guide",
    confidence="D",
    profiles=("android-ble",),
    stories=("US-16",),
    remedy="Keep the iPhone app in the foreground while others look for it, or let the iPhone be the central.",
    switch="on for captures; the peripheral role of an iPhone is not simulated",
    on="advert",
    judge=_judge,
)
