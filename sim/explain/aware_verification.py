"""Pairing verification that came to nothing: what several rules say about it in the same words.

Digest of pairing 6.5. No clock, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain.aware_parts import is_over, status_words, tail

if TYPE_CHECKING:
    from sim.explain import Case
    from sim.explain.aware_pairs import Pasn

__all__ = ["failure"]

WAIT_S = 20


def failure(case: Case, pasn: Pasn) -> str:
    """How a verification failed; empty when it did not, or is not over."""
    scene = case.scene
    if pasn.refusal is not None:
        return f"{pasn.refusal.sender} ends it with {status_words(pasn.refusal.status)}"
    if pasn.thirds or case.pair.is_proven(pasn):
        return ""
    if case.pair.guarded_by(pasn.initiator, pasn.last_us, case.pair.end_of(pasn)) is not None:
        return ""
    if not is_over(scene, pasn.last_us, WAIT_S):
        return ""
    if pasn.seconds:
        return f"the answer does not satisfy it (the cached keys differ){tail(scene, pasn.last_us)}"
    return f"there is no answer{tail(scene, pasn.last_us)}"
