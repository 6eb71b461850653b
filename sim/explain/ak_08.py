"""AK-08: the picker that lets the app choose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

SINCE = "26.1"


def _judge(case: Case) -> Iterator[Verdict]:
    picker = case.scene.app.picker
    if picker is not None and picker.filter and not case.view.since(SINCE):
        yield Verdict(
            severity="error",
            evidence=f"filterDiscoveryResults on iOS {case.view.version}",
            short=f"filterDiscoveryResults needs iOS {SINCE}, this is {case.view.version}",
            effect="crash",
        )


RULE = Rule(
    id="AK-08",
    title="picker filtering needs iOS 26.1",
    statement="iOS 26.1 adds ASDiscoveredDisplayItem and picker filtering (filterDiscoveryResults, accessoryDiscovered, "
    "updatePicker(showing:)): the supported way to tell identical units apart.",
    source="Apple documentation (26.1 and later); skills.sh summary",
    confidence="D",
    profiles=("ios-ask",),
    stories=("US-13",),
    remedy="Ask for filtering only where #available(iOS 26.1, *) holds.",
    versions={"26.1": "available", "26.0": "not there", "18.7.2": "not there", "18.2": "not there"},
    on="app",
    judge=_judge,
)
