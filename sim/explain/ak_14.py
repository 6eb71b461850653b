"""AK-14: vendor and model that a descriptor asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.wifi_aware.matching import service_id
from sim.explain import Rule, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.app import Descriptor
    from sim.explain.aware_observations import PairingInfo


def _judge(case: Case) -> Iterator[Verdict]:
    picker = case.scene.app.picker
    if picker is None or case.service.kind != "publish":
        return
    for one in picker.descriptors:
        if (
            not one.wifi_aware_service
            or service_id(one.wifi_aware_service) != case.service.service_id
        ):
            continue
        wrong = mismatch(one, case.service.latest.info)
        if wrong:
            yield Verdict(
                severity="error",
                evidence=f"{one.name}: {wrong}",
                short=wrong,
                effect="hide",
                frames=case.service.frames,
            )


def mismatch(descriptor: Descriptor, info: PairingInfo | None) -> str:
    """What keeps the pairing info from matching; empty when it matches."""
    for what, wanted, found in (
        ("vendor", descriptor.wifi_aware_vendor, info.vendor if info else ""),
        ("model", descriptor.wifi_aware_model, info.model if info else ""),
    ):
        if wanted and wanted.lower() not in found.lower():
            return f"the {what} is {found!r}, the descriptor wants {wanted!r}"
    return ""


RULE = Rule(
    id="AK-14",
    title="vendor or model does not match",
    statement="Vendor and model matches are evaluated against the pairing info in the publish frame; empty fields can "
    "never match.",
    source="Espressif blog, 2026-08-11; evaluation inferred",
    confidence="O/I",
    profiles=("ios-ask",),
    stories=("US-14",),
    remedy="Let the accessory's pairing info say the vendor and model of the descriptor (compared without case, as a "
    "part: inferred).",
    on="aware_service",
    judge=_judge,
)
