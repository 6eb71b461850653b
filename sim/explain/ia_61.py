"""IA-61: a data path must be kept alive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_pairs import TERMINATE
from sim.explain.aware_parts import known_phone, ms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

QUIET_S = 10
"""Without a frame of the accessory; a choice of this project, the phone's patience is not published."""


def _judge(case: Case) -> Iterator[Verdict]:
    path = case.path
    end = path.step(TERMINATE)
    if end is None or not path.is_up or not path.traffic or not known_phone(case, end.sender):
        return
    mine = path.initiator_ndi if end.sender == path.initiator else path.responder_ndi
    theirs = [one for ndi, one in path.traffic.items() if ndi != mine]
    setup = path.furthest
    last_us = max((one.last_us for one in theirs), default=setup.t_us if setup else path.t_us)
    if end.t_us - last_us >= QUIET_S * 1e6:
        peer = path.responder if end.sender == path.initiator else path.initiator
        yield Verdict(
            severity="warning",
            evidence=f"{end.sender} ends the data path {ms(end.t_us - last_us)} after the last frame of {peer} on it",
            frames=(*path.frames[:1], end.frame),
            device=peer,
        )


RULE = Rule(
    id="IA-61",
    title="the data path was not kept alive",
    statement="A data path must be kept alive with NULL data frames, else the phone ends it.",
    source="ESP-IDF commit b08e848f464",
    confidence="O",
    profiles=("ios-aware",),
    stories=("US-34",),
    remedy="Send NULL data frames on the data path while there is nothing to say.",
    on="aware_data_path",
    judge=_judge,
)
