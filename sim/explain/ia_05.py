"""IA-05: what the missing DCEA costs is not made good elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import published
from sim.explain.aware_phones import works_between
from sim.explain.parts import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    device = case.aware
    if not published(case) or any(offer.dcea for offer in device.offers):
        return
    elsewhere = {kind: frame for kind, frame in device.dcea_in.items() if kind != "publish"}
    works = works_between(case.scene.aware, device.nmi)
    if not elsewhere and not works:
        return
    places = [f"in its {kind} frame {frame}" for kind, frame in elsewhere.items()]
    reasons = [f"it has the attribute {listed(places)}"] if places else []
    reasons += ["it gets on with another device"] if works else []
    yield Verdict(
        severity="note",
        evidence=f"{', and '.join(reasons)}: an iPhone still drops its publish (IA-04)",
        frames=(*elsewhere.values(), *case.service.frames),
    )


RULE = Rule(
    id="IA-05",
    title="works with others, dropped by an iPhone",
    statement="A publish without DCEA is dropped even when the service name matches and other phones pair with the same "
    "publisher.",
    source="Apple Developer Forums, Samsung S25 and iOS 26 thread",
    confidence="O",
    profiles=("ios-aware",),
    stories=("US-01",),
    remedy="Put the attribute into the publish frames too; do not take a pairing between other devices as proof.",
    on="aware_service",
    judge=_judge,
)
