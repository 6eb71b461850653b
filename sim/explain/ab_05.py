"""AB-05: Android pairs again where iOS does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.ib_34 import paired_again, refusals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    lost = refusals(case.device)
    if lost and not paired_again(case.device):
        yield Verdict(
            severity="warning",
            evidence="the accessory has lost its key (0x06), and nobody has paired again in this capture",
            frames=tuple(one.frame for one in lost[:8]),
        )


RULE = Rule(
    id="AB-05",
    title="bond lost by the accessory",
    statement="After an accessory reset Android commonly drops the bond and pairs again; iOS does not (IB-34).",
    source="flutter_reactive_ble #809",
    confidence="O",
    profiles=("android-ble",),
    stories=("US-18",),
    remedy="Allow the new pairing in the accessory; do not take Android's success as proof for iOS.",
    on="link",
    judge=_judge,
)
