"""IA-53: after verification there is no exchange of identity keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import known_phone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    pair = case.pair
    for pasn in pair.pasns:
        if not (pasn.is_verification and pasn.is_complete):
            continue
        until = pair.end_of(pasn)
        for key in pair.keys:
            if key.t_us < pasn.t_us or (until is not None and key.t_us >= until):
                continue
            if known_phone(case, pair.other(key.sender)) and key.sender not in case.phones:
                yield Verdict(
                    severity="warning",
                    evidence=f"{key.sender} sends its identity key again after a verification",
                    short="identity key after a verification",
                    effect="ignore",
                    frames=(pasn.frames[-1], key.frame),
                    device=key.sender,
                )


RULE = Rule(
    id="IA-53",
    title="identity key after a verification",
    statement="A paired phone that comes back uses pairing verification (NIRA and the cached key) and goes straight to "
    "the data path; no identity keys are exchanged.",
    source="ESP-IDF nan_pairing.c",
    confidence="O",
    profiles=("ios-aware",),
    stories=("US-46",),
    remedy="After a verification wait for the data path request, not for an identity key.",
    on="aware_pairing",
    judge=_judge,
)
