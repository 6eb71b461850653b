"""AK-22: scans that return only what the picker has set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.parts import frames_of, picked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    app = case.scene.app
    if not (app.scanning and app.plist is not None and app.plist.supports and app.authorised):
        return
    if case.device.address not in app.authorised:
        yield Verdict(
            severity="error",
            evidence="the app has AccessorySetupKit keys and this accessory is not authorised",
            short="not set up in the picker, so the scan leaves it out",
            effect="drop",
            frames=frames_of(picked(case.device, lambda _: True)),
        )


RULE = Rule(
    id="AK-22",
    title="scan returns only authorised accessories",
    statement='Scans of an app with AccessorySetupKit keys return only authorised accessories, so "scan finds nothing" '
    "is normal before the first success of the picker.",
    source="public notes of a camera GPS app",
    confidence="O",
    profiles=("ios-ask", "ios-ble"),
    stories=("US-14",),
    remedy="Add the accessory in the picker.",
    on="advert",
    judge=_judge,
)
