"""AA-40: the framework answers bootstrapping by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import maybe_phone, method_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

PAIRING_REJECTED = 13


def _judge(case: Case) -> Iterator[Verdict]:
    for one in case.pair.bootstraps:
        if one.accepted or not one.requests or not maybe_phone(case, one.responder):
            continue
        device = case.scene.aware.devices.get(one.responder)
        if device is None or not device.services or any(offer.methods for offer in device.offers):
            continue
        yield Verdict(
            severity="error" if one.rejected else "warning",
            evidence=f"{one.requester} asks for {method_words(one.methods)}, and {one.responder} advertises no method",
            short="no pairing configuration",
            effect=f"reject:{PAIRING_REJECTED}",
            frames=one.frames,
            device=one.responder,
        )


RULE = Rule(
    id="AA-40",
    title="no pairing configuration",
    statement="Android's framework answers bootstrapping requests by itself, the app is not asked: it accepts when a "
    "method of the session and the requested one have a bit in common, else it rejects; without pairing "
    "configuration it always rejects.",
    source="AOSP acceptsBootstrappingMethod",
    confidence="D",
    profiles=("android-aware",),
    stories=("US-02", "US-03"),
    remedy="Give the publish an AwarePairingConfig with the methods that peers ask for.",
    switch="on; the reason of the rejection on the air (13) is the firmware's choice and a guess here",
    on="aware_pairing",
    judge=_judge,
)
