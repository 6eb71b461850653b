"""NB-04: a bootstrapping that came to no end; an ID of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.wifi_aware.timing import TU_US
from sim.explain import AWARE_PROFILES, Rule, Verdict
from sim.explain.aware_losses import bootstrap_loss
from sim.explain.aware_parts import is_over, is_silent, method_words, tail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.aware_pairs import Bootstrap

WAIT_S = 20
"""AOSP's patience; hostap repeats the request every second without limit."""


def _judge(case: Case) -> Iterator[Verdict]:
    pair, scene = case.pair, case.scene
    for one in pair.bootstraps:
        if one.rejected or pair.succeeded_after(one.last_us):
            continue
        if bootstrap_loss(scene.aware, pair, one) is not None:
            continue  # NB-18
        if one.accepted:
            yield from _unused(case, one)
            continue
        later = any(other.accepted and other.last_us > one.last_us for other in pair.bootstraps)
        went_on = any(pasn.t_us >= one.last_us for pasn in pair.pasns)
        last = one.steps[-1]
        wait_s = WAIT_S + (last.comeback_tu or 0) * TU_US / 1e6
        if went_on or not one.requests or not is_over(scene, last.t_us, wait_s):
            continue
        answered = one.answer is not None and one.answer is last
        yield Verdict(
            severity="note" if later else "warning" if answered else "error",
            evidence=_told(one, answered=answered) + tail(scene, last.t_us),
            frames=one.frames,
            device=one.requester if answered else one.responder,
        )


def _told(one: Bootstrap, *, answered: bool) -> str:
    if answered:
        return f"{one.responder} told {one.requester} to come back; it did not"
    again = f" ({len(one.requests)} times)" if len(one.requests) > 1 else ""
    return f"{one.requester} asks for {method_words(one.methods)}{again}; {one.responder} does not answer"


def _unused(case: Case, one: Bootstrap) -> Iterator[Verdict]:
    """Agreed on a method, and then nothing."""
    pair, scene = case.pair, case.scene
    if any(pasn.last_us >= one.t_us for pasn in pair.pasns) or not is_silent(
        scene, one.last_us, WAIT_S
    ):
        return
    if any(other.t_us > one.last_us for other in pair.bootstraps):
        return
    yield Verdict(
        severity="warning",
        evidence=f"{method_words(one.methods)} was accepted, and no authentication follows{tail(scene, one.last_us)}",
        frames=one.frames,
        device=one.requester,
        remedy="See whether a person waits for a PIN that nobody shows, or the requester was closed.",
    )


RULE = Rule(
    id="NB-04",
    title="bootstrapping without end",
    statement="A bootstrapping request is answered with accepted, rejected or comeback. One that stays unanswered, or "
    "whose comeback nobody comes for, leads to no pairing.",
    source="Wi-Fi Aware 4.0, NAN Pairing Bootstrapping attribute; hostap src/nan/nan_bootstrap.c; AOSP "
    "WifiAwareStateManager (20 s)",
    confidence="D",
    profiles=AWARE_PROFILES,
    stories=("US-02", "US-48"),
    remedy="Look at the responder: awake at the discovery windows, still publishing, its person asked; a pending one "
    "ignores requests with another token.",
    on="aware_pairing",
    causes=("NB-18",),
    judge=_judge,
)
