"""AK-06: the picker is for apps in the foreground."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

RESTRICTED = 550


def _judge(case: Case) -> Iterator[Verdict]:
    app = case.scene.app
    if app.picker is not None and app.background:
        yield Verdict(
            severity="error",
            evidence="the picker was asked for while the app was in the background",
            short="the app is in the background",
            effect=f"error:{RESTRICTED}",
        )


RULE = Rule(
    id="AK-06",
    title="picker from the background",
    statement="The picker opens only from a foreground app; third parties have no proximity pop-up.",
    source="WWDC24-10203; public notes",
    confidence="D†",
    profiles=("ios-ask",),
    stories=("US-14",),
    remedy="Show the picker after the user opened the app.",
    on="app",
    judge=_judge,
)
