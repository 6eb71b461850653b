"""IB-10: what an app in the background hears."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.ib_06 import lists_one_of
from sim.explain.parts import frames_of, picked, uuid_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    app = case.scene.app
    sights = picked(case.device, lambda _: True)
    if not sights or not (app.known and app.scanning and app.background):
        return
    frames = frames_of(sights)
    if not app.services:
        yield Verdict(
            severity="error",
            evidence="the app is in the background and its scan lists no service",
            short="no service UUID in a background scan",
            effect="drop",
            frames=frames,
            remedy="Give scanForPeripherals the service UUIDs, and advertise one of them.",
        )
    elif not lists_one_of(case, app.services):
        yield Verdict(
            severity="error",
            evidence=f"the background scan lists {uuid_words(app.services)}, none of which is advertised",
            short="no service UUID of the background scan in its advert or scan response",
            effect="drop",
            frames=frames,
        )


RULE = Rule(
    id="IB-10",
    title="not found by a background scan",
    statement="A scan in the background must list service UUIDs (without a list it finds nothing); duplicates are "
    "coalesced even with AllowDuplicates, and the scan is slower.",
    source="Apple Core Bluetooth Background Processing guide",
    confidence="D",
    profiles=("ios-ble",),
    stories=("US-16",),
    remedy="Advertise the service UUID that the app's background scan lists.",
    on="advert",
    judge=_judge,
)
