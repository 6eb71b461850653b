"""IB-22: 15 ms asked for, 30 ms given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.parts import all_requests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

SHORT_MS, GIVEN_MS = 15.0, 30.0


def _judge(case: Case) -> Iterator[Verdict]:
    for request in all_requests(case.device):
        if request.interval_min_ms == request.interval_max_ms == SHORT_MS:
            yield Verdict(
                severity="note",
                evidence=f"asked for {request}",
                short="15 ms is scaled to 30 ms",
                effect="scale",
                frames=(request.frame,),
            )
            return


RULE = Rule(
    id="IB-22",
    title="15 ms may become 30 ms",
    statement="A request with minimum = maximum = 15 ms may be scaled to 30 ms. HID accessories may get 11.25 ms.",
    source="Accessory Design Guidelines for Apple Devices R17 40.6",
    confidence="D",
    profiles=("ios-ble",),
    stories=("US-19",),
    remedy="Work with 30 ms too; do not ask again because 15 ms was not given.",
    default=False,
    switch='off: the guidelines say "may"; switch it on to test an accessory against it',
    on="link",
    judge=_judge,
)
