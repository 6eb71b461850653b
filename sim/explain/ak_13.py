"""AK-13: whose role a descriptor names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.wifi_aware.matching import service_id
from sim.explain import Rule, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

PUBLISHER = 20


def _judge(case: Case) -> Iterator[Verdict]:
    picker = case.scene.app.picker
    if picker is None or case.service.kind != "publish":
        return
    is_accessorys = case.view.choice("descriptor_role", "phone") == "accessory"
    for one in picker.descriptors:
        if (
            not one.wifi_aware_service
            or service_id(one.wifi_aware_service) != case.service.service_id
        ):
            continue
        if is_accessorys == ((one.wifi_aware_role or 0) != PUBLISHER):
            yield Verdict(
                severity="warning",
                evidence=f"{one.name}: wifiAwareServiceRole is {one.wifi_aware_role or 'at its default, subscriber'}, and "
                "the accessory publishes",
                short="the role does not go with an accessory that publishes",
                effect="hide",
                frames=case.service.frames,
            )


RULE = Rule(
    id="AK-13",
    title="role of a Wi-Fi Aware descriptor",
    statement="Leaving the role at its default (subscriber) works for an accessory that publishes, although the reference"
    " calls it the role of the accessory's service.",
    source="wifi-aware-ios-demo; Apple role page",
    confidence="O / wording conflict",
    profiles=("ios-ask",),
    remedy="Leave wifiAwareServiceRole at its default for an accessory that publishes.",
    switch='option descriptor_role: "phone" (default, as the working demo has it) or "accessory" (as the reference '
    "words it)",
    on="aware_service",
    judge=_judge,
)
