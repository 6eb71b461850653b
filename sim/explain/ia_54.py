"""IA-54: the accessory has lost the keys of the pairing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import maybe_phone
from sim.explain.aware_verification import failure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    pair = case.pair
    for pasn in pair.pasns:
        if not pasn.is_verification or not maybe_phone(case, pasn.initiator, pasn.responder):
            continue
        words = failure(case, pasn)
        if words:
            yield Verdict(
                severity="note" if pair.succeeded_after(pasn.t_us) else "error",
                evidence=f"{pasn.initiator} recognises {pasn.responder} and starts a verification; {words}",
                frames=pasn.frames,
                device=pasn.responder if pasn.responder not in case.phones else pasn.initiator,
            )


RULE = Rule(
    id="IA-54",
    title="the pairing is remembered on one side only",
    statement="An accessory that loses its store of identities (power cycle without persistent memory, factory reset) "
    "fails the verification, while the phone still lists the pairing. An app of iOS cannot remove it.",
    source="ESP-IDF commits 7d6d7ead9a9, 601faef85b4; for the phone's side inferred",
    confidence="O / I",
    profiles=("ios-aware",),
    stories=("US-07", "US-46"),
    remedy="Keep identity keys and pairing keys in persistent memory. To pair anew remove the device in Settings > "
    "Privacy & Security > Paired Devices and erase the accessory's store: both.",
    on="aware_pairing",
    judge=_judge,
)
