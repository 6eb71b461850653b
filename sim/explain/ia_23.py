"""IA-23: the grammar of a service name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import aware_app
from sim.explain.ia_22 import ROLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

NAME = re.compile(r"_[A-Za-z0-9](?:[A-Za-z0-9-]{0,13}[A-Za-z0-9])?\._(tcp|udp)")
LETTER = re.compile("[A-Za-z]")


def fault(name: str) -> str:
    """What is wrong with a service name; empty when nothing is."""
    if not NAME.fullmatch(name):
        return "is not _label._tcp or _label._udp with a label of 1 to 15 letters, digits and inner hyphens"
    if not LETTER.search(name[1:-5]):
        return "has no letter in its label"
    return ""


def _judge(case: Case) -> Iterator[Verdict]:
    app = aware_app(case)
    if app is None:
        return
    names = dict.fromkeys((*app.services, *app.publishing, *app.subscribing))
    wrong = [f"{name!r} {words}" for name in names if (words := fault(name))]
    wrong += [
        f"{name!r} is neither Publishable nor Subscribable"
        for name, roles in app.services.items()
        if isinstance(roles, dict) and not set(ROLES) & set(cast("dict[str, Any]", roles))
    ]
    if wrong:
        yield Verdict(
            severity="error",
            evidence="; ".join(wrong),
            short=wrong[0],
            effect="crash",
        )


RULE = Rule(
    id="IA-23",
    title="service name is not valid",
    statement="A service name is _label._tcp or _label._udp; the label has 1 to 15 characters of A to Z, a to z, 0 to 9 "
    "and hyphen, one letter at least, no hyphen at its ends. A wrong name, or one with neither role, crashes "
    "the app.",
    source="developer.apple.com/documentation/wifiaware/adopting-wi-fi-aware",
    confidence="D",
    profiles=("ios-aware",),
    stories=("US-09",),
    remedy="Use a name like _example-service._udp, on the accessory too.",
    on="app",
    judge=_judge,
)
