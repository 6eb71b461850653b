"""IA-28: a service that the app did not declare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import aware_app
from sim.explain.parts import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    app = aware_app(case)
    if app is None:
        return
    used = [(name, "Publishable") for name in app.publishing] + [
        (name, "Subscribable") for name in app.subscribing
    ]
    missing = [
        f"{name} as {role}" for name, role in used if role not in declared(app.services.get(name))
    ]
    if missing:
        yield Verdict(
            severity="error",
            evidence=f"WiFiAwareServices does not declare {listed(missing)}",
            short="serviceNotDeclared",
            effect="error:serviceNotDeclared",
        )


def declared(roles: object) -> tuple[str, ...]:
    """Names of the roles of a service; none when they are malformed (IA-22)."""
    return tuple(cast("dict[str, Any]", roles)) if isinstance(roles, dict) else ()


RULE = Rule(
    id="IA-28",
    title="service is not declared",
    statement="WAError has the cases connectionFailed, connectionIdleTimeout, connectionTerminated, deviceInvalid, "
    "deviceNoLongerAvailable, entitlementMissing, noPairedDevices, noRadioResources, publisherTimeout, "
    "subscriberTimeout, serviceAlreadyPublishing, serviceAlreadySubscribing, serviceNotDeclared and "
    "wifiAwareUnsupported.",
    source="wifi-aware-ios-demo; Apple WAError pages",
    confidence="D/O",
    profiles=("ios-aware",),
    stories=("US-05",),
    remedy="Declare the name with the role in WiFiAwareServices of Info.plist.",
    on="app",
    judge=_judge,
)
