"""IA-22: the values of WiFiAwareServices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import aware_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

ROLES = ("Publishable", "Subscribable")


def faults(services: dict[str, Any]) -> list[str]:
    """Values of the wrong type, each with the place."""
    out: list[str] = []
    for name, roles in services.items():
        if not isinstance(roles, dict):
            out.append(f"the value of {name!r} is malformed (not a dictionary)")
            continue
        given = cast("dict[str, Any]", roles)
        out += [
            f"{role!r} key of {name!r} is malformed (not a dictionary)"
            for role in ROLES
            if role in given and not isinstance(given[role], dict)
        ]
    return out


def _judge(case: Case) -> Iterator[Verdict]:
    app = aware_app(case)
    wrong = faults(app.services) if app is not None else []
    if wrong:
        yield Verdict(
            severity="error",
            evidence=f"WiFiAwareServices: {'; '.join(wrong)}",
            short=wrong[0],
            effect="crash",
        )


RULE = Rule(
    id="IA-22",
    title="WiFiAwareServices has a value of the wrong type",
    statement="In WiFiAwareServices every service name has a dictionary with Publishable, Subscribable or both, each a "
    "dictionary too (an empty one is fine). A Boolean there traps: \"'Publishable' key ... is malformed (not a "
    'dictionary)".',
    source="Apple documentation; text of a third-party regression test",
    confidence="D/O",
    profiles=("ios-aware",),
    stories=("US-09",),
    remedy="Write <key>Publishable</key><dict/>, not <true/>.",
    on="app",
    judge=_judge,
)
