"""IB-09: scan responses that come at the wrong time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

T_IFS_US, _TOLERANCE_US = 150, 3
"""Core Vol 6 Part B 4.1.1: 150 us, give or take 2; time stamps are whole microseconds, so one more."""
_ENOUGH, _SPREAD_US, _FAR_US = 3, 12, 100
"""Fewer, or more scattered, or wilder values come from the clock of the capture, not from the device."""


def _judge(case: Case) -> Iterator[Verdict]:
    near = [one for one in case.device.timings if abs(one.t_ifs_us - T_IFS_US) <= _FAR_US]
    values = [one.t_ifs_us for one in near]
    if len(near) < _ENOUGH or max(values) - min(values) > _SPREAD_US:
        return
    wrong = [one for one in near if abs(one.t_ifs_us - T_IFS_US) > _TOLERANCE_US]
    if len(wrong) * 2 <= len(near):
        return
    middle = sorted(values)[len(values) // 2]
    yield Verdict(
        severity="error",
        evidence=f"scan responses start {middle} us after the request ends ({len(wrong)} of {len(near)} are out of "
        "150 us ± 2 us)",
        short=f"scan response {middle} us after the request",
        frames=tuple(one.frame for one in wrong[:8]),
    )


RULE = Rule(
    id="IB-09",
    title="scan response at the wrong time",
    statement="A device whose scan responses do not come 150 us after the request is invisible to part of the phones, "
    "and only while its advert is scannable or connectable.",
    source="jonas-schievink/rubble #56",
    confidence="O",
    profiles=("ios-ble", "ios-ask", "android-ble"),
    stories=("US-16",),
    remedy="Correct the inter frame space of the radio driver (T_IFS), or try ADV_NONCONN_IND to prove the cause.",
    switch="on for captures of the air; a host is not told the timing, so a simulated phone never acts on it",
    on="advert",
    judge=_judge,
)
