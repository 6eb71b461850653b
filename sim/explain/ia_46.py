"""IA-46: paired, and no answer to the data path request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_pairs import REQUEST
from sim.explain.aware_parts import is_over, known_phone, tail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

WAIT_S = 20


def _judge(case: Case) -> Iterator[Verdict]:
    path, pair = case.path, case.pair
    asked = path.step(REQUEST)
    if (
        asked is None
        or path.rejection
        or len(path.steps) > sum(one.type == REQUEST for one in path.steps)
    ):
        return
    if not known_phone(case, path.responder) or not is_over(case.scene, asked.t_us, WAIT_S):
        return
    if any(one.t_us < asked.t_us and pair.is_over(one) for one in pair.pasns):
        yield Verdict(
            severity="error",
            evidence=f"{path.responder} is paired and does not answer the data path request"
            f"{tail(case.scene, asked.t_us)}",
            frames=path.frames,
            device=path.responder,
        )


RULE = Rule(
    id="IA-46",
    title="paired on one side only",
    statement='One side says that setup and verification succeeded, the iPhone logs "authenticated", but the device is '
    "not among its paired devices and the data path request stays unanswered: the signature of an identity key "
    "that came unprotected or without NIRA (IA-41, IA-42).",
    source="Apple Developer Forums, thread 801280; cause inferred",
    confidence="O / I",
    profiles=("ios-aware",),
    stories=("US-04", "US-44"),
    remedy="Look at the two follow-ups with the identity keys: both protected, both with a NIRA, in both directions; "
    "then remove the pairing on both sides and pair again.",
    on="aware_data_path",
    judge=_judge,
)
