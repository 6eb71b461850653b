"""IA-66: the phone ends the data path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_pairs import TERMINATE
from sim.explain.aware_parts import known_phone, reason_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    path = case.path
    end = path.step(TERMINATE)
    if end is None or not path.is_up or not known_phone(case, end.sender):
        return
    if any(one.type == TERMINATE and one.sender != end.sender for one in path.steps):
        return
    yield Verdict(
        severity="note",
        evidence=f"{end.sender} ends the data path with {reason_words(end.reason)}; its peer gave no cause",
        frames=(*path.frames[:1], end.frame),
        device=end.sender,
    )


RULE = Rule(
    id="IA-66",
    title="the phone ends the data path",
    statement="Connections live while the app's process runs, in foreground and background. Suspension closes them, idle "
    "ones are collected after a few minutes, and nothing wakes or restores the app.",
    source="Apple Wi-Fi Aware framework page; Apple Developer Forums, thread 787570",
    confidence="D/O",
    profiles=("ios-aware",),
    stories=("US-34",),
    remedy="Let the accessory expect the end and publish on; let the app connect again when it comes to the "
    "foreground.",
    on="aware_data_path",
    judge=_judge,
)
