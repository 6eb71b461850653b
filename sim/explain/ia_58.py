"""IA-58: the data path is asked for when data flow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_losses import lost_in
from sim.explain.aware_parts import is_silent, known_phone, tail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.aware_pairs import Pasn

WAIT_S = 10
"""Of silence until it is worth a word; a choice of this project."""


def _judge(case: Case) -> Iterator[Verdict]:
    pair, scene = case.pair, case.scene
    if not known_phone(case, pair.a, pair.b):
        return
    for pasn in pair.pasns:
        is_ready = pasn.is_complete if pasn.is_verification else pair.is_proven(pasn)
        last_us = max(
            pasn.last_us, *(one.t_us for one in pair.guarded), *(one.t_us for one in pair.bares), 0
        )
        is_last = pair.end_of(pasn) is None
        if not is_ready or not is_last or not is_silent(scene, last_us, WAIT_S):
            continue
        if lost_in(scene.aware, pair, pasn) is not None:
            continue  # NB-18
        if not any(path.last_us >= pasn.t_us for path in pair.paths) and not _sealed_paths(
            case, pasn
        ):
            yield Verdict(
                severity="warning",
                evidence=f"the {'verification' if pasn.is_verification else 'pairing'} is complete, no data path request"
                f"{tail(scene, last_us)}",
                frames=pasn.frames,
                device=pasn.responder,
            )


def _sealed_paths(case: Case, pasn: Pasn) -> bool:
    """Whether more was said in protected frames than the identity keys: it may be a data path."""
    later = [one for one in case.pair.guarded if one.t_us >= pasn.last_us]
    return len(later) > (0 if pasn.is_verification else 2)


RULE = Rule(
    id="IA-58",
    title="paired, and no data path is asked for",
    statement="The phone asks for the data path only when the app's first send or receive drives the connection and its "
    'browser is still running: stopping the browser at the first result leaves the connection in "preparing".',
    source="nachiketkukade/wifi-aware-ios-demo UDPSender.swift",
    confidence="O",
    profiles=("ios-aware",),
    stories=("US-44",),
    remedy="Keep the browser until the connection is ready, and send something; on the accessory's side see IA-41.",
    on="aware_pairing",
    judge=_judge,
)
