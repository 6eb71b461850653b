"""IA-62: a new request is a new start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_pairs import REQUEST
from sim.explain.aware_parts import alive_at, is_over, known_phone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

WAIT_S = 20


def _judge(case: Case) -> Iterator[Verdict]:
    path = case.path
    request = path.step(REQUEST)
    if request is None or not known_phone(case, path.initiator):
        return
    alive = [
        one
        for one in alive_at(case.scene.aware, path.responder, path)
        if one.initiator == path.initiator
    ]
    furthest = path.furthest
    is_unanswered = furthest is not None and furthest.type == REQUEST
    if not alive or not (
        path.rejection or (is_unanswered and is_over(case.scene, request.t_us, WAIT_S))
    ):
        return
    yield Verdict(
        severity="error",
        evidence=f"{path.initiator} asks again while its data path of frame {alive[-1].frames[0]} stands, and "
        f"{path.responder} {'rejects it' if path.rejection else 'does not answer'}",
        frames=(alive[-1].frames[0], *path.frames),
        device=path.responder,
    )


RULE = Rule(
    id="IA-62",
    title="a second data path request is refused",
    statement="A new request from the same phone means that it starts anew: tear the old data path down, do not reject. "
    "After the first authentication frame of a known peer, end its data paths.",
    source="ESP-IDF commits 4f93a6777bf, 17ff376098c",
    confidence="O",
    profiles=("ios-aware",),
    stories=("US-44",),
    remedy="End the old data path when the same phone asks again, and accept the new one.",
    on="aware_data_path",
    judge=_judge,
)
