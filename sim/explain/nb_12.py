"""NB-12: a data path was rejected; an ID of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import AWARE_PROFILES, Rule, Verdict
from sim.explain.aware_parts import reason_words
from sim.explain.nb_11 import retried
from sim.explain.nb_14 import is_schedule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

REMEDIES = {
    2: "Free a data path or an interface on the responder.",
    3: "The passphrase or PMK differs: the responder computes another PMKID. Compare both, and the service name and "
    "publisher address that enter it.",
    6: "Offer slots that both have in common.",
    8: "Ask with the security that the publish names.",
    10: "The responder's application refused, or was not waiting for a request (AA-47).",
}


def _judge(case: Case) -> Iterator[Verdict]:
    path = case.path
    refusal = path.rejection
    if refusal is None or is_schedule(refusal):
        return
    yield Verdict(
        severity="note" if retried(case) else "error",
        evidence=f"{refusal.sender} rejects the data path of {path.initiator} with {reason_words(refusal.reason)}",
        frames=(*path.frames[:1], refusal.frame),
        device=refusal.sender,
        remedy=REMEDIES.get(refusal.reason, ""),
    )


RULE = Rule(
    id="NB-12",
    title="data path rejected",
    statement="The responder (or the initiator in its confirm) rejects a data path and says why with a reason code.",
    source="Wi-Fi Aware 4.0, NDP and NDP Extension attributes; hostap src/nan/nan_ndp.c",
    confidence="D",
    profiles=AWARE_PROFILES,
    stories=("US-50",),
    remedy="Look the reason up on the side that rejected.",
    on="aware_data_path",
    judge=_judge,
)
