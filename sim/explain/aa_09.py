"""AA-09: the password decides on the AKM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import method_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

SAE, PASN_AKM = "00-0f-ac:8", "00-0f-ac:21"
OPPORTUNISTIC = 0x0001


def _judge(case: Case) -> Iterator[Verdict]:
    pair = case.pair
    for pasn in pair.pasns:
        akm = next((one.akm for one in pasn.firsts if one.akm), "")
        agreed = [one for one in pair.bootstraps if one.accepted and one.last_us <= pasn.t_us]
        if akm not in (SAE, PASN_AKM) or pasn.is_verification or not agreed or pair.is_over(pasn):
            continue
        wanted = PASN_AKM if agreed[-1].methods == OPPORTUNISTIC else SAE
        if akm != wanted:
            names = {SAE: "SAE", PASN_AKM: "PASN without a password"}
            yield Verdict(
                severity="error" if pasn.refusal is not None else "warning",
                evidence=f"{method_words(agreed[-1].methods)} was agreed on, and {pasn.initiator} uses {names[akm]}",
                short="the AKM does not go with the method",
                effect="fail",
                frames=(*agreed[-1].frames[:1], *pasn.frames),
                device=pasn.initiator,
            )


RULE = Rule(
    id="AA-09",
    title="the AKM does not go with the method",
    statement="An empty password means PASN (opportunistic), any password means SAE.",
    source="AOSP WifiAwareStateManager",
    confidence="D",
    profiles=("android-aware",),
    stories=("US-02",),
    remedy="Use SAE with the PIN as password after a PIN method, PASN alone after an opportunistic one.",
    on="aware_pairing",
    judge=_judge,
)
