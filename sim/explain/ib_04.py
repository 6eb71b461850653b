"""IB-04: an advert without Flags is not seen by apps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.parts import frames_of, picked, share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.observations import Advert


def lacks_flags(advert: Advert) -> bool:
    """Whether the advert has no Flags structure (its framing may break before one)."""
    return not advert.ad.has_flags and not (advert.pdu == "extended" and not advert.data)


def _judge(case: Case) -> Iterator[Verdict]:
    device = case.device
    sights = picked(device, lacks_flags)
    if not sights:
        return
    must_have = [sight for sight in sights if sight.advert.connectable or sight.advert.scannable]
    chosen = must_have or sights
    others = any(
        sight.advert.connectable and not lacks_flags(sight.advert)
        for sight in device.sights.values()
    )
    kind = (
        ""
        if must_have
        else "; the advert is not connectable, where the Core specification lets Flags out"
    )
    yield Verdict(
        severity="error" if must_have and not others else "warning",
        evidence=f"{share(chosen, device)} without AD type 0x01 (Flags): {chosen[0].advert.data.hex() or 'empty'}{kind}",
        short="no Flags in the advert",
        effect="drop" if must_have else "",
        frames=frames_of(chosen),
    )


RULE = Rule(
    id="IB-04",
    title="no Flags in the advert",
    statement="An advert without a Flags structure was invisible to CoreBluetooth apps while Android phones and "
    "sniffers saw it.",
    source="nordicsemi/IOS-nRF-Connect #54",
    confidence="O (cause I)",
    profiles=("ios-ble", "ios-ask"),
    stories=("US-16",),
    remedy="Begin the advertising data (not the scan response) with Flags: 02 01 06.",
    switch="on: seen on real phones; it applies to adverts one can connect to or scan, the only ones in which the "
    "Core Specification Supplement asks for Flags",
    on="advert",
    judge=_judge,
)
