"""IA-10: the long period of the phone's availability."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_losses import bootstrap_loss
from sim.explain.aware_parts import frames_of, has_spoken
from sim.explain.aware_phones import IPHONE_PERIOD_TU
from sim.explain.parts import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    device = case.aware
    long = {period: seen for period, seen in device.periods_tu.items() if period > IPHONE_PERIOD_TU}
    if not long:
        return
    deaf = _deaf(case)
    alone = not device.peers
    words = (
        "; nobody spoke to it" if alone else f"; {listed(deaf)} never answers it" if deaf else ""
    )
    yield Verdict(
        severity="warning" if words else "note",
        evidence=f"the availability of {device.nmi} has time bitmaps with a period of "
        f"{listed(f'{period} TU' for period in sorted(long))}{words}",
        frames=frames_of(long.values()),
    )


def _deaf(case: Case) -> list[str]:
    """Devices that it spoke to, and that never said anything to it."""
    nmi, pairs = case.aware.nmi, case.scene.aware.pairs
    return [
        peer
        for peer in sorted(case.aware.peers)
        if (pair := pairs.get((min(nmi, peer), max(nmi, peer))))
        and not has_spoken(pair, peer)
        and not any(bootstrap_loss(case.scene.aware, pair, one) for one in pair.bootstraps)
    ]


RULE = Rule(
    id="IA-10",
    title="availability with a period above 512 TU",
    statement="The availability of iOS has time bitmaps with a period longer than 512 TU; a stack that allows no more "
    'fails ("Invalid time bitmap in Availability") and sees nothing of the phone.',
    source="github.com/espressif/esp-idf/issues/16743 (comment of 2026-08-17)",
    confidence="O",
    profiles=("ios-aware",),
    stories=("US-43",),
    remedy="Use a stack whose parser takes periods up to 8192 TU and bitmaps up to 64 octets (for ESP-IDF: with the "
    "fix of that issue).",
    on="aware_device",
    judge=_judge,
)
