"""NB-01: a pairing failed, whatever the phone; an ID of our own, for what the profiles of phones have no rule for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import BLE_PROFILES, Rule, Verdict
from sim.explain.pairings import encrypted_after, failed_pairings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    for failed in failed_pairings(case.device, case.scene.end_us):
        later = encrypted_after(case.device, failed.t_us)
        yield Verdict(
            severity="note" if later else "error",
            evidence=failed.what + ("; a later attempt succeeded" if later else ""),
            frames=failed.frames,
            remedy=failed.remedy,
        )


RULE = Rule(
    id="NB-01",
    title="pairing failed",
    statement="A pairing ends without keys when a side sends Pairing Failed, when no message comes for 30 seconds, or "
    "when the connection or its encryption breaks on the way.",
    source="Core Specification 5.4 Vol 3 Part H 2.3, 3.4, 3.5.5",
    confidence="D",
    profiles=BLE_PROFILES,
    remedy="Pair again, and watch the side that ended it.",
    on="link",
    judge=_judge,
)
