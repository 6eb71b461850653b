"""IB-01: the advertising intervals that Apple's guidelines recommend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.parts import frames_of, picked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

FAST_MS = 20.0
SLOW_MS = (152.5, 211.25, 318.75, 417.5, 546.25, 760.0, 852.5, 1022.5, 1285.0)
_TOLERANCE = 0.02
"""of the interval: gaps between packets say it no better, advDelay blurs each by up to 10 ms."""


def is_listed(interval_ms: float) -> bool:
    """Whether the interval is one of the recommended ones, within what a capture can tell."""
    return any(abs(interval_ms - one) <= max(2.5, _TOLERANCE * one) for one in (FAST_MS, *SLOW_MS))


def _judge(case: Case) -> Iterator[Verdict]:
    interval_ms = case.device.interval_ms()
    if interval_ms is None or is_listed(interval_ms):
        return
    frames = frames_of(picked(case.device, lambda _: True)[:1])
    if interval_ms > SLOW_MS[-1]:
        yield Verdict(
            severity="warning",
            evidence=f"about {interval_ms:.0f} ms between adverts; the slowest recommended interval is 1285 ms",
            short=f"advertises only every {interval_ms:.0f} ms",
            frames=frames,
        )
    else:
        yield Verdict(
            severity="note",
            evidence=f"about {interval_ms:.0f} ms between adverts, which is not one of the recommended intervals",
            frames=frames,
        )


RULE = Rule(
    id="IB-01",
    title="advertising interval not as recommended",
    statement="Apple recommends 20 ms for at least 30 s, then one of 152.5, 211.25, 318.75, 417.5, 546.25, 760, "
    "852.5, 1022.5 or 1285 ms: the phone's scan windows find these soonest.",
    source="Accessory Design Guidelines for Apple Devices (R7 11.5, same list later)",
    confidence="D",
    profiles=("ios-ble", "ios-ask"),
    stories=("US-14",),
    remedy="Advertise at 20 ms for the first 30 s, then at one of the listed intervals.",
    on="advert",
    judge=_judge,
)
