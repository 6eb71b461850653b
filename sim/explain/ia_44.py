"""IA-44: the MIC of the identity key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import known_phone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    for key in case.pair.keys:
        if key.has_mic and known_phone(case, key.sender):
            yield Verdict(
                severity="note",
                evidence=f"the key descriptor of {key.sender} has its MIC bit set",
                frames=(key.frame,),
                device=key.sender,
            )


RULE = Rule(
    id="IA-44",
    title="the identity key has a MIC",
    statement="The iPhone's follow-up has a MIC in the key descriptor, over the whole body of the frame. A peer that "
    "leaves its own MIC bit clear appears to be tolerated.",
    source="ESP-IDF nan_pairing.c (comment); the tolerance is inferred",
    confidence="O / I",
    profiles=("ios-aware",),
    remedy="Leave room for 16 octets of MIC when the bit is set; compute it over the body from Category on.",
    on="aware_pairing",
    judge=_judge,
)
