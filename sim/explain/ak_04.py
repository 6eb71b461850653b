"""AK-04: what a descriptor must contain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.app import Descriptor

INVALID_REQUEST = 450


def faults(descriptor: Descriptor) -> list[str]:
    """What is wrong with a descriptor in itself."""
    wrong: list[str] = []
    has_wifi = bool(descriptor.ssid or descriptor.ssid_prefix)
    if descriptor.ssid and descriptor.ssid_prefix:
        wrong.append("SSID and SSID prefix exclude each other")
    has_wifi = has_wifi or bool(descriptor.wifi_aware_service)
    if not (descriptor.service or descriptor.company or has_wifi):
        wrong.append("neither a service UUID nor a company identifier")
    for what, needs, blob, mask in (
        (
            "manufacturer data",
            descriptor.company,
            descriptor.manufacturer_hex,
            descriptor.manufacturer_mask_hex,
        ),
        (
            "service data",
            descriptor.service,
            descriptor.service_data_hex,
            descriptor.service_data_mask_hex,
        ),
    ):
        if (blob or mask) and len(blob) != len(mask):
            wrong.append(f"{what}: blob and mask differ in length")
        if blob and not needs:
            word = "company identifier" if what == "manufacturer data" else "service UUID"
            wrong.append(f"{what} without a {word}")
    return wrong


def _judge(case: Case) -> Iterator[Verdict]:
    picker = case.scene.app.picker
    if picker is None:
        return
    wrong = [f"{one.name}: {text}" for one in picker.descriptors for text in faults(one)]
    if not picker.descriptors:
        wrong = ["no descriptor"]
    if wrong:
        yield Verdict(
            severity="error",
            evidence="; ".join(wrong),
            short="; ".join(wrong),
            effect=f"error:{INVALID_REQUEST}",
        )


RULE = Rule(
    id="AK-04",
    title="descriptor is not valid",
    statement="A descriptor must contain a service UUID or a company identifier; a name substring and masked data are "
    "only additional filters (blob and mask of equal length). SSID and SSID prefix exclude each other.",
    source="Apple ASDiscoveryDescriptor table",
    confidence="D (first part), D† (mask, SSID)",
    profiles=("ios-ask",),
    stories=("US-14",),
    remedy="Give the descriptor a service UUID or a company identifier that the accessory advertises.",
    on="app",
    judge=_judge,
)
