"""AA-41: the same bit, or its complement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import COMPLEMENTS, maybe_phone, method_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

PAIRING_REJECTED = 13


def _judge(case: Case) -> Iterator[Verdict]:
    if case.view.choice("npba_bit", "same") != "same":
        return
    for one in case.pair.bootstraps:
        if one.accepted or not maybe_phone(case, one.responder):
            continue
        device = case.scene.aware.devices.get(one.responder)
        own = 0
        for offer in device.offers if device is not None else ():
            own |= offer.methods or 0
        if not own or own & one.methods or not own & COMPLEMENTS.get(one.methods, 0):
            continue
        yield Verdict(
            severity="error" if one.rejected else "warning",
            evidence=f"{one.requester} asks for {method_words(one.methods)}, the complement of what {one.responder} "
            f"advertises ({method_words(own)})",
            short="the request names the requester's own method",
            effect=f"reject:{PAIRING_REJECTED}",
            frames=one.frames,
            device=one.requester,
        )


RULE = Rule(
    id="AA-41",
    title="which side's method a request names",
    statement="Android compares the same bit and tells initiators to pass a method that the peer advertises; hostap and "
    "ESP-IDF put the complement on the air. Whether firmware translates differs: a publisher that advertises "
    "PIN display alone may reject a request for PIN keypad.",
    source="AOSP and hostap; github.com/espressif/esp-idf/issues/16743",
    confidence="I / conflict",
    profiles=("android-aware",),
    stories=("US-02",),
    remedy="Advertise both bits of the method (0x0022 for PIN), or ask for the bit that the peer advertises.",
    switch='on; option npba_bit: "same" (default, as AOSP compares) or "complement" (firmware that translates)',
    on="aware_pairing",
    judge=_judge,
)
