"""AA-07: methods that came with API 37."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import known_phone, method_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

NEW_METHODS = 0xC000
SINCE = "17"


def _judge(case: Case) -> Iterator[Verdict]:
    if case.view.since(SINCE):
        return
    for one in case.pair.bootstraps:
        if one.methods & NEW_METHODS and not one.accepted and known_phone(case, one.responder):
            yield Verdict(
                severity="error",
                evidence=f"{one.requester} asks for {method_words(one.methods)}",
                short="a bootstrapping method of API 37",
                effect="reject:13",
                frames=one.frames,
                device=one.requester,
            )


RULE = Rule(
    id="AA-07",
    title="a method that the phone does not know",
    statement="The bootstrapping constants of Android are bits 0 to 8 of the attribute; API 37 (Android 17) adds "
    "service-managed and handshake-skipped.",
    source="AOSP; public API 37 notes",
    confidence="D/O",
    profiles=("android-aware",),
    remedy="Ask older phones for one of the methods that they advertise.",
    on="aware_pairing",
    judge=_judge,
)
