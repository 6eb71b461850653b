"""IA-42: the NIRA beside the identity key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import known_phone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    pair = case.pair
    for key in pair.keys:
        if key.has_nira or not key.is_protected or key.sender in case.phones:
            continue
        if known_phone(case, pair.other(key.sender)):
            yield Verdict(
                severity="error",
                evidence=f"the follow-up with the identity key of {key.sender} has no NIRA (attribute 0x2B)",
                short="no NIRA beside the identity key",
                effect="drop",
                frames=(key.frame,),
                device=key.sender,
            )


RULE = Rule(
    id="IA-42",
    title="identity key without NIRA",
    statement="An iPhone does not commit the pairing unless the accessory's follow-up with the identity key also has a "
    "valid NIRA for that key.",
    source="ESP-IDF nan_pairing.c",
    confidence="O",
    profiles=("ios-aware",),
    stories=("US-04", "US-44"),
    remedy="Put attribute 0x2B, computed with the new identity key and the own NMI, into the same follow-up.",
    on="aware_pairing",
    judge=_judge,
)
