"""IA-11: protected beacons and group frames from the start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.parts import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    device = case.aware
    found = [
        (name, kind)
        for name, kind in (
            ("beacons", device.beacons),
            ("group-addressed discovery frames", device.group_frames),
        )
        if kind.protected
    ]
    if not found:
        return
    alone = not device.peers
    words = listed(f"{kind.protected} of {kind.count} {name}" for name, kind in found)
    yield Verdict(
        severity="warning" if alone else "note",
        evidence=f"{words} of {device.nmi} end with a Management MIC element"
        + ("; nobody spoke to it" if alone else ""),
        frames=tuple(kind.frame for _, kind in found),
    )


RULE = Rule(
    id="IA-11",
    title="beacons and group frames with integrity protection",
    statement="iOS protects beacons (BIGTK) and group-addressed discovery frames (IGTK) from the start of its cluster on,"
    " not only after the first data path. A receiver that drops frames with an unexpected Management MIC "
    "element loses discovery.",
    source="ESP-IDF nan_security.c, nan_app.c (comments)",
    confidence="O",
    profiles=("ios-aware",),
    stories=("US-43",),
    remedy="Take such frames before any key is known: pass over the element at their end.",
    on="aware_device",
    judge=_judge,
)
