"""AK-20: the other cause of "restricted"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.ak_06 import RESTRICTED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    app = case.scene.app
    if app.picker is not None and app.bluetooth_permission and app.central_alive:
        yield Verdict(
            severity="error",
            evidence="the app holds the global Bluetooth permission and a CBCentralManager is alive",
            short="a CBCentralManager is alive under the global Bluetooth permission",
            effect=f"error:{RESTRICTED}",
        )


RULE = Rule(
    id="AK-20",
    title="picker restricted by the app's own central",
    statement="Error 550 also comes when the app holds the global Bluetooth permission and a CBCentralManager is alive.",
    source="public notes of a camera GPS app",
    confidence="O",
    profiles=("ios-ask",),
    stories=("US-14",),
    remedy="Leave NSBluetoothAlwaysUsageDescription out, release the central, and ask again.",
    on="app",
    judge=_judge,
)
