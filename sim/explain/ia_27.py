"""IA-27: nobody is paired."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import aware_app
from sim.explain.parts import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

NO_PAIRED_DEVICES = -11992


def _judge(case: Case) -> Iterator[Verdict]:
    app = aware_app(case)
    if app is None or app.paired or app.picker_open or app.pairing_view_open:
        return
    if app.publishing or app.subscribing:
        names = listed((*app.publishing, *app.subscribing))
        yield Verdict(
            severity="error",
            evidence=f"listener or browser for {names}, and no paired device",
            short=f"NWError {NO_PAIRED_DEVICES}: no paired device",
            effect=f"error:{NO_PAIRED_DEVICES}",
        )


RULE = Rule(
    id="IA-27",
    title="no paired device",
    statement="Without a paired device a listener and a browser both fail after they became ready: NWError -11992 (Wi-Fi "
    "Aware). What the number means is not published; noPairedDevices fits best.",
    source='Apple Developer Forums, "Get Wi-Fi Aware demo app working"',
    confidence="O, mapping I",
    profiles=("ios-aware",),
    stories=("US-05", "US-06"),
    remedy="Pair through DevicePicker or DevicePairingView first, and start the listener or browser after that.",
    on="app",
    causes=("IA-40", "IA-41", "IA-42"),
    judge=_judge,
)
