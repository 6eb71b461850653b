"""AA-28: the screen is off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

EVERY_8TH = 4
"""Committed wake value: every 2**3rd discovery window."""


def _judge(case: Case) -> Iterator[Verdict]:
    device = case.aware
    asleep = [one for one in device.windows if one.low == EVERY_8TH and not one.high]
    if not asleep:
        return
    pairs = (
        case.scene.aware.pairs.get((min(device.nmi, peer), max(device.nmi, peer)))
        for peer in device.peers
    )
    is_pairing = any(pair is not None and (pair.pasns or pair.bootstraps) for pair in pairs)
    yield Verdict(
        severity="warning" if is_pairing else "note",
        evidence=f"{device.nmi} is awake at every 8th discovery window of 2.4 GHz (about every 4 s) and at none of 5 GHz"
        + (", while it pairs" if is_pairing else ""),
        frames=tuple(one.frame for one in asleep[:8]),
    )


RULE = Rule(
    id="AA-28",
    title="awake at every 8th discovery window",
    statement="With the screen off Android is there at every 8th discovery window of 2.4 GHz (about 4 s) and at none of 5"
    " and 6 GHz; with it on, at every one.",
    source="AOSP config.xml",
    confidence="D",
    profiles=("android-aware",),
    stories=("US-48",),
    remedy="Keep the screen on while pairing; let the peer repeat its messages for more than 4 s.",
    on="aware_device",
    judge=_judge,
)
