"""IA-20: the entitlement."""

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
    needed = {"Publish": bool(app.publishing), "Subscribe": bool(app.subscribing)}
    missing = [word for word, used in needed.items() if used and word not in app.entitlement]
    if missing or not app.entitlement:
        words = listed(missing) if missing else "Publish or Subscribe"
        yield Verdict(
            severity="error",
            evidence=f"com.apple.developer.wifi-aware does not have {words}",
            short=f"entitlementMissing: {words}",
            effect="error:entitlementMissing",
        )


RULE = Rule(
    id="IA-20",
    title="entitlement is missing",
    statement="The entitlement com.apple.developer.wifi-aware is an array with Publish, Subscribe or both; without it the"
    " app gets entitlementMissing.",
    source="Apple entitlement page",
    confidence="D",
    profiles=("ios-aware",),
    stories=("US-05",),
    remedy="Add the Wi-Fi Aware capability with Publish and Subscribe to the app's target.",
    on="app",
    judge=_judge,
)
