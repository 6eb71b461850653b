"""IB-03: what an advert should carry beside its service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.parts import frames_of, picked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    device = case.device
    sights = picked(device, lambda advert: advert.connectable and not advert.ad.framing)
    if sights and all(ad.tx_power_dbm is None for ad in device.ads):
        yield Verdict(
            severity="note",
            evidence="no TX power level in the advert or the scan response",
            frames=frames_of(sights[:1]),
        )
    wrong = sorted({ad.name for ad in device.ads if set(":;") & set(ad.name)})
    if wrong:
        yield Verdict(
            severity="warning",
            evidence=f"the local name {wrong[0]!r} has a colon or a semicolon in it",
            frames=frames_of(picked(device, lambda advert: advert.ad.name in wrong)),
            remedy="Take ':' and ';' out of the name.",
        )


RULE = Rule(
    id="IB-03",
    title="advert lacks what the guidelines ask for",
    statement="An advert should carry at least Flags and TX Power Level, then local name and services; the name "
    "has no ':' or ';' in it.",
    source="Accessory Design Guidelines for Apple Devices 40.4; validation in apple/HomeKitADK",
    confidence="D",
    profiles=("ios-ble", "ios-ask"),
    stories=("US-16",),
    remedy="Add the TX power level (3 octets), in the scan response if the advert is full.",
    on="advert",
    judge=_judge,
)
