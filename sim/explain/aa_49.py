"""AA-49: one network on one interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import alive_at, maybe_phone, reason_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    path = case.path
    refusal = path.rejection
    if refusal is None or not maybe_phone(case, refusal.sender):
        return
    alive = alive_at(case.scene.aware, refusal.sender, path)
    if alive:
        yield Verdict(
            severity="warning",
            evidence=f"{refusal.sender} rejects the data path with {reason_words(refusal.reason)} while its data path of "
            f"frame {alive[-1].frames[0]} stands",
            short="no interface available",
            effect="reject:2",
            frames=(alive[-1].frames[0], *path.frames),
            device=refusal.sender,
        )


RULE = Rule(
    id="AA-49",
    title="a second data path on one interface",
    statement='AOSP does not put two networks on one data interface by default; a second data path may end with "no '
    'interface available".',
    source="AOSP configuration",
    confidence="D",
    profiles=("android-aware",),
    remedy="End the first data path, or use one network for both peers.",
    on="aware_data_path",
    judge=_judge,
)
