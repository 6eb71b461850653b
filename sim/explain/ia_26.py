"""IA-26: for whom a listener is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import aware_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    app = aware_app(case)
    if app is None:
        return
    if app.publishing and app.devices == "user_specified":
        yield Verdict(
            severity="error",
            evidence="the listener is for .userSpecifiedDevices, which only pairing screens take",
            short="a listener cannot be for user-specified devices",
            effect="error:invalid",
        )
    elif (app.publishing or app.subscribing) and app.devices == "selected" and not app.selected:
        yield Verdict(
            severity="error",
            evidence="the listener or browser is for .selected([]): for nobody",
            short="no device is selected",
            effect="silent",
        )


RULE = Rule(
    id="IA-26",
    title="a listener for nobody",
    statement=".selected([]) and .userSpecifiedDevices are for pairing screens; .userSpecifiedDevices given to a "
    "NetworkListener throws, and a listener without devices never activates.",
    source="Apple documentation (listener, connecting); SDK report",
    confidence="D",
    profiles=("ios-aware",),
    stories=("US-05",),
    remedy="Give the listener .allPairedDevices, or the paired devices that it is for.",
    on="app",
    judge=_judge,
)
