"""NB-09: the same first authentication frame again; an ID of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import AWARE_PROFILES, Rule, Verdict
from sim.explain.parts import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    pair = case.pair
    for pasn in pair.pasns:
        if len(pasn.firsts) < 2:
            continue
        proven = pair.is_proven(pasn)
        again = pasn.firsts[-1]
        finished_us = max((one.t_us for one in (*pasn.seconds, *pasn.thirds)), default=None)
        is_replay = proven and finished_us is not None and again.t_us > finished_us
        answers = len({one.identity for one in pasn.seconds})
        words = f"{again.sender} sends the same first message in frames {listed(str(one.frame) for one in pasn.firsts)}"
        if is_replay:
            words += ", the last time after the pairing was complete: a responder keeps it as a new request"
        elif answers > 1:
            words += f"; {pasn.responder} answers {answers} times, each time with other keys, so the third message fits one"
        failed = answers > 1 and not proven and not pair.succeeded_after(pasn.t_us)
        yield Verdict(
            severity="error" if failed else "warning" if is_replay else "note",
            evidence=words,
            frames=pasn.frames,
            device=again.sender,
        )


RULE = Rule(
    id="NB-09",
    title="first authentication message repeated",
    statement="A second copy of the first PASN frame (without the Retry bit) makes a responder start anew: it answers "
    "again, and the third message belongs to a context that is gone. A copy after the pairing is stored as a "
    "new request.",
    source="hostap src/nan/nan_pairing.c; IEEE 802.11-2020 10.3.2.14 (duplicates are told by the Retry bit)",
    confidence="D",
    profiles=AWARE_PROFILES,
    stories=("US-02",),
    remedy="Send a retransmission with the Retry bit and the same sequence number, and a new attempt with new keys; "
    "drop copies on the receiving side.",
    on="aware_pairing",
    judge=_judge,
)
