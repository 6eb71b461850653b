"""IA-15: the system holds the subscribe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import aware_app
from sim.explain.parts import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    app = aware_app(case)
    if app is None:
        return
    held = [name for name in app.subscribing if name in app.held_by_system]
    if held:
        yield Verdict(
            severity="warning",
            evidence=f"the system itself subscribes to {listed(held)} at the moment",
            short="serviceAlreadySubscribing",
            effect="error:serviceAlreadySubscribing",
        )


RULE = Rule(
    id="IA-15",
    title="the system holds the subscribe",
    statement="During the pairing verification the daemon of AccessorySetupKit can hold the subscribe itself; the app's "
    "browser then fails with serviceAlreadySubscribing. A retry about 1 s later succeeds.",
    source="nachiketkukade/wifi-aware-ios-demo UDPSender.swift",
    confidence="O",
    profiles=("ios-aware",),
    stories=("US-47",),
    remedy="Try again after a second, a few times (the demo: five).",
    on="app",
    judge=_judge,
)
