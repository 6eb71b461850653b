"""IA-08: outside of the pairing screens only paired devices are reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import aware_app, is_paired, published

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    app = aware_app(case)
    if app is None or not published(case) or app.picker_open or is_paired(case):
        return
    yield Verdict(
        severity="note",
        evidence=f"{case.aware.nmi} is not among the app's paired devices, and no picker is open",
        short="not paired, and no picker is open",
        effect="hide",
        frames=case.service.frames,
    )


RULE = Rule(
    id="IA-08",
    title="a stranger outside of the picker",
    statement="Outside of the picker and the pairing view a phone reports only devices that are in the app's set of "
    "paired devices.",
    source="developer.apple.com/documentation/wifiaware/connecting-paired-devices",
    confidence="D",
    profiles=("ios-aware",),
    stories=("US-05",),
    remedy="Pair first: show DevicePicker (or the AccessorySetupKit picker) and choose the accessory.",
    on="aware_service",
    judge=_judge,
)
