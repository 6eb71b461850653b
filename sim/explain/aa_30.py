"""AA-30: a new address every 30 minutes."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import ms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.aware_observations import AwareDevice

GAP_US = 30_000_000
"""Between the last frame of the old address and the first of the new one; a choice of this project."""


def _judge(case: Case) -> Iterator[Verdict]:
    groups: dict[frozenset[tuple[str, str, int]], list[AwareDevice]] = {}
    for device in case.scene.aware.devices.values():
        if device.services:
            groups.setdefault(frozenset(device.services), []).append(device)
    for devices in groups.values():
        devices.sort(key=lambda one: one.first_us)
        for old, new in pairwise(devices):
            gone_us = new.first_us - old.last_us
            if not 0 <= gone_us <= GAP_US or not old.clusters & new.clusters or _is_copy(old, new):
                continue
            yield Verdict(
                severity="warning",
                evidence=f"{old.nmi} falls silent and {ms(gone_us)} later {new.nmi} has the same services and instances "
                f"in the same cluster; the old address was there for {ms(old.last_us - old.first_us)}",
                frames=(*_first(old), *_first(new)),
                device=new.nmi,
            )


def _is_copy(old: AwareDevice, new: AwareDevice) -> bool:
    """Whether both send the same NIRA, which is another matter (IA-55)."""
    return bool(set(old.identities) & set(new.identities))


def _first(device: AwareDevice) -> tuple[int, ...]:
    return next(iter(device.services.values())).frames[:1]


RULE = Rule(
    id="AA-30",
    title="the address changed",
    statement="Android draws a new NMI every 1800 s. To peers that do not resolve its NIRA the device is gone and a new "
    "one is there; data paths and derived keys of the old address end.",
    source="AOSP config.xml",
    confidence="D",
    profiles=("android-aware",),
    stories=("US-49",),
    remedy="Recognise the device by its NIRA (pair with caching), not by its address; verify and set up the data path "
    "again.",
    switch="on; from the frames alone the same services, instances and cluster are the sign, not a proof",
    on="scene",
    judge=_judge,
)
