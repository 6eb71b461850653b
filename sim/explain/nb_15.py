"""NB-15: frames that cannot be read whole; an ID of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import AWARE_PROFILES, Rule, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    device = case.aware
    if not device.malformed:
        return
    kinds = dict.fromkeys(one.what for one in device.malformed)
    frames = dict.fromkeys(one.frame for one in device.malformed)
    yield Verdict(
        severity="warning",
        evidence=f"{len(frames)} frame{'s' * (len(frames) > 1)} of {device.nmi}: {'; '.join(list(kinds)[:3])}"
        + (f"; and {len(kinds) - 3} more kinds" if len(kinds) > 3 else ""),
        frames=tuple(frames)[:8],
    )


RULE = Rule(
    id="NB-15",
    title="malformed frames",
    statement="Receivers differ in what they make of a malformed list of attributes or elements: some keep what stands "
    "before the fault, some drop the frame, hostap's NAN parser drops all attributes.",
    source="hostap src/nan/nan_util.c, src/common/nan_de.c; IEEE 802.11-2020 9.4.2; digest of frames 1.8",
    confidence="D",
    profiles=AWARE_PROFILES,
    remedy="Correct the length that is named; `nearbench decode` shows the frame octet by octet.",
    on="aware_device",
    judge=_judge,
)
