"""AK-03: UUIDs in Info.plist in upper case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    app = case.scene.app
    if app.picker is None or app.plist is None:
        return
    lower = [uuid for uuid in app.plist.services if uuid != uuid.upper()]
    if lower:
        yield Verdict(
            severity="error",
            evidence=f"NSAccessorySetupBluetoothServices has {', '.join(lower)} in lower case",
            short=f"service UUID {lower[0]} is in lower case in Info.plist",
            effect="no_discovery",
            remedy=f"Write {', '.join(uuid.upper() for uuid in lower)}.",
        )


RULE = Rule(
    id="AK-03",
    title="lower-case UUID in Info.plist",
    statement="Service UUID strings in Info.plist must be in upper case.",
    source="pub.dev flutter_accessorysetup",
    confidence="O",
    profiles=("ios-ask",),
    stories=("US-14",),
    remedy="Write the UUIDs in upper case.",
    switch="on: seen by developers; the descriptor then matches nothing",
    on="app",
    judge=_judge,
)
