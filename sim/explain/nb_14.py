"""NB-14: no agreement on the schedule of a data link; an ID of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import AWARE_PROFILES, Rule, Verdict
from sim.explain.aware_pairs import NDP_REJECTED
from sim.explain.aware_parts import reason_words
from sim.explain.nb_11 import retried

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.aware_pairs import NdpStep

NDL_UNACCEPTABLE = 11


def is_schedule(refusal: NdpStep) -> bool:
    """Whether it is the data link that was refused, and not the data path on it."""
    return refusal.reason == NDL_UNACCEPTABLE or refusal.status != NDP_REJECTED


def _judge(case: Case) -> Iterator[Verdict]:
    path = case.path
    refusal = path.rejection
    if refusal is None or not is_schedule(refusal):
        return
    yield Verdict(
        severity="note" if retried(case) else "error",
        evidence=f"{refusal.sender} rejects the schedule of the data link with {reason_words(refusal.ndl_reason)} "
        f"(of the data path: {reason_words(refusal.reason)})",
        frames=(*path.frames[:1], refusal.frame),
        device=refusal.sender,
    )


RULE = Rule(
    id="NB-14",
    title="schedule of the data link rejected",
    statement="Before a data path the two sides agree on slots (NDL): common committed or conditional slots on a "
    "compatible channel, the peer's immutable schedule inside them, its quality of service met. Without them "
    "the data path is rejected with reason 11.",
    source="Wi-Fi Aware 4.0, NDL attribute; hostap src/nan/nan_ndl.c",
    confidence="D",
    profiles=AWARE_PROFILES,
    stories=("US-43", "US-50"),
    remedy="Offer availability on a channel that the peer has too, for longer; check that both read time bitmaps with "
    "periods above 512 TU.",
    on="aware_data_path",
    judge=_judge,
)
