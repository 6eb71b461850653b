"""IA-36: pairing info in the bootstrapping request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import is_silent, known_phone, publisher_of, tail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

WAIT_S = 20


def _judge(case: Case) -> Iterator[Verdict]:
    pair, scene = case.pair, case.scene
    for one in pair.bootstraps:
        if not one.requests or any(step.has_info for step in one.requests):
            continue
        if not known_phone(case, one.responder) or one.responder not in _publishers(case):
            continue
        went_on = any(pasn.t_us > one.t_us for pasn in pair.pasns)
        if (
            went_on
            or one.rejected
            or (scene.source != "phone" and not is_silent(scene, one.last_us, WAIT_S))
        ):
            continue
        yield Verdict(
            severity="warning",
            evidence=f"the request of {one.requester} to the publisher {one.responder} has no vendor, model and pairing "
            f"name{tail(scene, one.last_us) if scene.source == 'phone' else f', and no authentication follows in {WAIT_S} s'}",
            short="no pairing info in the request",
            effect="no_pin",
            frames=one.frames,
            device=one.requester,
        )


def _publishers(case: Case) -> set[str]:
    pair = case.pair
    return {publisher_of(case.scene.aware, pair.a, pair.b)}


RULE = Rule(
    id="IA-36",
    title="no pairing info in the request",
    statement="A subscriber puts vendor, model and pairing name into the frame of the bootstrapping request. Without them"
    " a publishing iPhone does not reject, and shows no PIN (working hypothesis for IA-35).",
    source="Apple WAPairedDevice.PairingInfo with esp-idf issue 16743",
    confidence="I",
    profiles=("ios-aware",),
    stories=("US-02",),
    remedy="Send vendorName, modelName and pairingName in the service info of the request.",
    switch="on: it gives what was observed with PIN display; that the missing strings are the cause is inferred",
    on="aware_pairing",
    judge=_judge,
)
