"""NB-07: the second authentication frame stays unanswered: the signature of a wrong PIN; an ID of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import AWARE_PROFILES, Rule, Verdict
from sim.explain.aware_losses import pasn_loss
from sim.explain.aware_parts import is_over, tail
from sim.explain.parts import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.aware_pairs import Auth, Pasn

WAIT_S = 2


def _judge(case: Case) -> Iterator[Verdict]:
    pair, scene = case.pair, case.scene
    for pasn in pair.pasns:
        second = next((one for one in reversed(pasn.seconds) if one.status == 0), None)
        until = pair.end_of(pasn)
        if second is None or pasn.thirds or pasn.refusal is not None:
            continue
        if pasn_loss(scene.aware, pair, pasn) is not None:
            continue  # NB-18
        if pair.guarded_by(pasn.initiator, second.t_us, until) is not None or pair.is_proven(pasn):
            continue
        if not is_over(scene, pasn.last_us, WAIT_S):
            continue
        yield Verdict(
            severity="note" if pair.succeeded_after(pasn.t_us) else "error",
            evidence=f"{pasn.initiator} does not answer the second message of {pasn.responder}{tail(scene, pasn.last_us)}; "
            f"{cause(pasn, second)}",
            frames=(*pasn.frames[:1], second.frame),
            device=pasn.initiator,
        )


def cause(pasn: Pasn, second: Auth) -> str:
    """What an initiator finds wrong with a second message, as far as it can be seen."""
    if second.faults:
        return f"malformed: {second.faults[0]}"
    if not second.has_mic:
        return "it has no MIC"
    if second.groups is not None and second.group not in second.groups:
        return f"its Supported Groups ({listed(map(str, second.groups))}) do not have the group in use, {second.group}"
    if pasn.is_verification:
        return "the two sides remember different keys"
    if second.has_wrapped:
        return "the two sides used different PINs, or the message was altered on the way"
    return "its MIC does not check: it was altered on the way"


RULE = Rule(
    id="NB-07",
    title="second authentication message unanswered (wrong PIN)",
    statement="The initiator finds a wrong PIN in the second message, which carries the responder's confirm, and stays "
    "silent; so it does with a MIC that does not check. The responder waits for ever.",
    source="hostap src/pasn/pasn_initiator.c, src/nan/nan_pairing.c",
    confidence="D (behaviour), I (cause)",
    profiles=AWARE_PROFILES,
    stories=("US-02", "US-46"),
    remedy="Enter the PIN again: six digits as ASCII, leading zeros kept, no normalisation. After a verification "
    "forget the pairing on both sides.",
    on="aware_pairing",
    causes=("NB-18",),
    judge=_judge,
)
