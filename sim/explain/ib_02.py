"""IB-02: which advertising PDUs and channels an iPhone wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.parts import frames_of, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

_PRIMARY = {37, 38, 39}
_ENOUGH = 12
"""adverts after which a channel that is never used is no accident."""


def _judge(case: Case) -> Iterator[Verdict]:
    device = case.device
    directed = [sight for sight in device.sights.values() if sight.advert.directed]
    if directed:
        only = len(directed) == len(device.sights)
        yield Verdict(
            severity="warning" if only else "note",
            evidence=f"ADV_DIRECT_IND, {sum(one.count for one in directed)} packets"
            + (", and nothing else" if only else ", beside other adverts"),
            short="directed advertising",
            frames=frames_of(directed),
        )
    unused = _PRIMARY - device.channels
    if (
        device.channels
        and unused
        and case.scene.channels >= _PRIMARY
        and len(device.times_us) >= _ENOUGH
    ):
        yield Verdict(
            severity="warning",
            evidence=f"never on channel {listed(map(str, sorted(unused)))} in {len(device.times_us)} adverts, "
            "though the capture hears all three",
            frames=frames_of(list(device.sights.values())[:1]),
        )


RULE = Rule(
    id="IB-02",
    title="not advertised as the guidelines ask",
    statement="An accessory advertises on all three channels in each event, with ADV_IND, ADV_NONCONN_IND or "
    "ADV_SCAN_IND, not with ADV_DIRECT_IND.",
    source="Accessory Design Guidelines for Apple Devices, 2022-04, 40.2 and 40.3",
    confidence="D",
    profiles=("ios-ble", "ios-ask"),
    stories=("US-16",),
    remedy="Advertise undirected, on channels 37, 38 and 39.",
    on="advert",
    judge=_judge,
)
