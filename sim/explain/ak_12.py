"""AK-12: the Wi-Fi Aware fields of a descriptor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.app import Descriptor

ROLES = {10: "subscriber", 20: "publisher"}
INVALID_REQUEST = 450


def _judge(case: Case) -> Iterator[Verdict]:
    picker = case.scene.app.picker
    if picker is None:
        return
    wrong = [f"{one.name}: {text}" for one in picker.descriptors for text in faults(one)]
    if wrong:
        yield Verdict(
            severity="error",
            evidence="; ".join(wrong),
            short="; ".join(wrong),
            effect=f"error:{INVALID_REQUEST}",
        )


def faults(descriptor: Descriptor) -> list[str]:
    """What is wrong with them."""
    out: list[str] = []
    role = descriptor.wifi_aware_role
    if role is not None and role not in ROLES:
        out.append(f"wifiAwareServiceRole {role} is neither 10 (subscriber) nor 20 (publisher)")
    others = descriptor.wifi_aware_vendor or descriptor.wifi_aware_model or role is not None
    if others and not descriptor.wifi_aware_service:
        out.append("a Wi-Fi Aware role, vendor or model without wifiAwareServiceName")
    return out


RULE = Rule(
    id="AK-12",
    title="Wi-Fi Aware fields of a descriptor",
    statement="Descriptors have wifiAwareServiceName, wifiAwareServiceRole (default subscriber; 10 subscriber, 20 "
    "publisher), wifiAwareModelNameMatch and wifiAwareVendorNameMatch.",
    source="Apple documentation; dotnet/macios bindings",
    confidence="D (fields), I (error code)",
    profiles=("ios-ask",),
    remedy="Give the descriptor the service name, and the role 10, 20 or none.",
    on="app",
    judge=_judge,
)
