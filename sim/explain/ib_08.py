"""IB-08: iBeacons belong to Core Location."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.parts import APPLE, frames_of, picked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.observations import Advert

_IBEACON = b"\x02\x15"


def is_ibeacon(advert: Advert) -> bool:
    """Whether the advert carries an iBeacon frame."""
    return any(
        company == APPLE and data[:2] == _IBEACON for company, data in advert.ad.manufacturer
    )


def _judge(case: Case) -> Iterator[Verdict]:
    sights = picked(case.device, is_ibeacon)
    if sights:
        hides = case.view.options.get("ibeacon") == "hide"
        yield Verdict(
            severity="note",
            evidence="manufacturer data of Apple, type 02 15 (iBeacon)",
            short="an iBeacon frame, which Core Location keeps for itself",
            effect="hide:manufacturer_data" if hides else "drop",
            frames=frames_of(sights),
        )


RULE = Rule(
    id="IB-08",
    title="iBeacon frame, not for CoreBluetooth",
    statement="Manufacturer data in the iBeacon format is not delivered to CoreBluetooth; Core Location owns it.",
    source="Apple documentation (CoreBluetooth, Core Location)",
    confidence="D†",
    profiles=("ios-ble",),
    stories=("US-16",),
    remedy="Range the beacon with Core Location, or advertise another frame beside it.",
    switch="on; ibeacon = drop takes the whole advert away, hide only its manufacturer data (open in the sources)",
    on="advert",
    judge=_judge,
)
