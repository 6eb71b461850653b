"""AA-05: service names of Android."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sim.explain import Rule
from sim.explain.aware_parts import aware_app, illegal_argument

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case, Verdict

ALLOWED = re.compile(r"[A-Za-z0-9_.-]")
LONGEST = 255


def fault(name: str) -> str:
    """What is wrong with a service name; empty when nothing is."""
    octets = len(name.encode())
    if not 1 <= octets <= LONGEST:
        return f"has {octets} octets, 1 to {LONGEST} are allowed"
    wrong = [char for char in name if len(char.encode()) == 1 and not ALLOWED.fullmatch(char)]
    return f"has {wrong[0]!r} in it" if wrong else ""


def _judge(case: Case) -> Iterator[Verdict]:
    app = aware_app(case)
    if app is None:
        return
    yield from illegal_argument(
        [
            f"{name!r} {words}"
            for name in (*app.publishing, *app.subscribing)
            if (words := fault(name))
        ]
    )


RULE = Rule(
    id="AA-05",
    title="service name is not valid",
    statement="A service name has 1 to 255 octets of UTF-8; characters of one octet are limited to A to Z, a to z, 0 to "
    "9, hyphen, underscore and dot. Lengths of name, filter and service info are capped by Characteristics.",
    source="AOSP WifiAwareUtils, PublishConfig",
    confidence="D",
    profiles=("android-aware",),
    stories=("US-52",),
    remedy="Use the full name of the service as iOS does: _example-service._udp.",
    on="app",
    judge=_judge,
)
