"""IA-14: one publish and one subscribe for each service."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import known_phone
from sim.explain.parts import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.aware_observations import Service


def _judge(case: Case) -> Iterator[Verdict]:
    device = case.aware
    if not known_phone(case, device.nmi):
        return
    groups: dict[tuple[str, str], list[Service]] = {}
    for one in device.services.values():
        groups.setdefault((one.kind, one.service_id), []).append(one)
    for (kind, name), instances in groups.items():
        if len(instances) < 2 or not _overlap(instances):
            continue
        numbers = listed(str(one.instance) for one in instances)
        error = "serviceAlreadyPublishing" if kind == "publish" else "serviceAlreadySubscribing"
        yield Verdict(
            severity="warning",
            evidence=f"{device.nmi} has the {kind} instances {numbers} of service {name} at the same time",
            short=error,
            effect=f"error:{error}",
            frames=tuple(frame for one in instances for frame in one.frames[:2]),
        )


def _overlap(instances: list[Service]) -> bool:
    """Whether two were there at the same time."""
    spans = sorted(
        (
            min(seen.first_us for seen in one.offers.values()),
            max(seen.last_us for seen in one.offers.values()),
        )
        for one in instances
        if one.offers
    )
    return any(later[0] <= earlier[1] for earlier, later in pairwise(spans))


RULE = Rule(
    id="IA-14",
    title="the same service twice",
    statement="A phone has one publish and one subscribe for each service name: a second one fails with "
    "serviceAlreadyPublishing or serviceAlreadySubscribing (WAError 5).",
    source="Apple WAError; nachiketkukade/wifi-aware-ios-demo",
    confidence="D/O",
    profiles=("ios-aware",),
    stories=("US-47",),
    remedy="End the old browser or listener before a new one; after pairing, wait a second and try again (IA-15).",
    on="aware_device",
    judge=_judge,
)
