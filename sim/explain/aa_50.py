"""AA-50: the permission."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import aware_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    app = aware_app(case)
    if app is not None and not app.permission and (app.publishing or app.subscribing):
        yield Verdict(
            severity="error",
            evidence="NEARBY_WIFI_DEVICES is not granted",
            short="NEARBY_WIFI_DEVICES is not granted",
            effect="error:SecurityException",
        )


RULE = Rule(
    id="AA-50",
    title="permission is missing",
    statement="Up to Android 13 the location mode had to be on; from 13 on the app needs NEARBY_WIFI_DEVICES.",
    source="AOSP; Android documentation",
    confidence="D",
    profiles=("android-aware",),
    stories=("US-52",),
    remedy="Ask the user for NEARBY_WIFI_DEVICES before publish and subscribe.",
    on="app",
    judge=_judge,
)
