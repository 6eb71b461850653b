"""AA-43: verification by the framework."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import maybe_phone, status_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    pair = case.pair
    for pasn in pair.pasns:
        refusal = pasn.refusal
        if not pasn.is_verification or refusal is None or not maybe_phone(case, refusal.sender):
            continue
        yield Verdict(
            severity="note" if pair.succeeded_after(pasn.t_us) else "error",
            evidence=f"{refusal.sender} rejects the verification of {pair.other(refusal.sender)} with "
            f"{status_words(refusal.status)}: the NIRA matches nobody in its cache",
            frames=pasn.frames,
            device=refusal.sender,
        )


RULE = Rule(
    id="AA-43",
    title="verification is rejected",
    statement="Android's framework answers a verification by itself from its cache, by the NIRA; no match means reject. "
    "The cache is in memory in the 2024 tree, so a restart forgets all peers (AA-44).",
    source="AOSP onPairingRequestReceivedLocal",
    confidence="D",
    profiles=("android-aware",),
    stories=("US-07", "US-51"),
    remedy="Pair again: remove the alias on the phone and the identity on the accessory first.",
    on="aware_pairing",
    judge=_judge,
)
