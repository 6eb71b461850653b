"""AK-09: how long the picker looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

TIMEOUTS_S = {"short": 60, "medium": 120, "long": 300}
SETTABLE_SINCE, UNBOUNDED_SINCE = "26.0", "26.1"


def _judge(case: Case) -> Iterator[Verdict]:
    picker = case.scene.app.picker
    if picker is None or not picker.timeout:
        return
    since = UNBOUNDED_SINCE if picker.timeout == "unbounded" else SETTABLE_SINCE
    if not case.view.since(since):
        yield Verdict(
            severity="error",
            evidence=f"discoveryTimeout = {picker.timeout} on iOS {case.view.version}",
            short=f"discoveryTimeout = {picker.timeout} needs iOS {since}, this is {case.view.version}",
            effect="crash",
        )


RULE = Rule(
    id="AK-09",
    title="the picker's time is limited",
    statement="discoveryTimeout (iOS 26.0 and later) is short (about 60 s), medium (2 min) or long (5 min), and from "
    "26.1 on unbounded. An accessory that is not on the air in that time is not found.",
    source="Apple ASPickerDisplaySettings; the consequence is inferred",
    confidence="D/I",
    profiles=("ios-ask",),
    stories=("US-14",),
    remedy="Advertise all the time while the picker is open, or choose a longer discoveryTimeout.",
    versions={
        "18.2": "not settable",
        "18.7.2": "not settable",
        "26.0": "short, medium, long",
        "26.1": "and unbounded",
    },
    switch="on; for versions where it cannot be set the time is taken as short",
    on="app",
    judge=_judge,
)
