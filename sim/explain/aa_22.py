"""AA-22: a data path within 20 s."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_pairs import REQUEST
from sim.explain.aware_parts import maybe_phone, ms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

CONFIRM_S = 20


def _judge(case: Case) -> Iterator[Verdict]:
    path = case.path
    request, furthest = path.step(REQUEST), path.furthest
    if request is None or furthest is None or not maybe_phone(case, *path.peers):
        return
    took_us = furthest.t_us - path.t_us
    if took_us > CONFIRM_S * 1e6:
        yield Verdict(
            severity="error",
            evidence=f"the data path takes {ms(took_us)} from its request to its last message",
            short=f"no data path within {CONFIRM_S} s",
            effect="fail",
            frames=path.frames,
            device=path.responder,
        )


RULE = Rule(
    id="AA-22",
    title="the data path takes too long",
    statement="Android gives a data path 20 s until it is confirmed.",
    source="AOSP WifiAwareDataPathStateManager",
    confidence="D",
    profiles=("android-aware",),
    stories=("US-48",),
    remedy="Answer the request at once; the app's network request has a time limit of its own.",
    on="aware_data_path",
    judge=_judge,
)
