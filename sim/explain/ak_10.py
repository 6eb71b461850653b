"""AK-10: no Bluetooth before the first accessory is authorised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.parts import frames_of, picked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    app = case.scene.app
    if app.scanning and app.plist is not None and app.plist.supports and not app.authorised:
        yield Verdict(
            severity="error",
            evidence="the app has AccessorySetupKit keys and no accessory is authorised yet",
            short="CBCentralManager is not poweredOn before an accessory is authorised",
            effect="drop",
            frames=frames_of(picked(case.device, lambda _: True)),
        )


RULE = Rule(
    id="AK-10",
    title="no scan before the picker",
    statement="With AccessorySetupKit keys present a CBCentralManager asks for no permission and becomes poweredOn only "
    "when at least one accessory is authorised; scans return only authorised ones.",
    source="skills.sh accessorysetupkit; WWDC24-10203",
    confidence="D†",
    profiles=("ios-ask", "ios-ble"),
    stories=("US-14",),
    remedy="Let the user add the accessory in the picker before scanning.",
    on="advert",
    judge=_judge,
)
