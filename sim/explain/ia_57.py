"""IA-57: how a data path with an iPhone is set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import known_phone, publisher_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    path = case.path
    if path.is_partial or not known_phone(case, path.initiator, path.responder):
        return
    if not path.is_secure:
        yield Verdict(
            severity="error",
            evidence=f"{path.initiator} asks for an open data path (no security in the request)",
            short="open data path",
            effect="reject:8",
            frames=path.frames[:1],
            device=path.initiator,
        )
    publisher = publisher_of(case.scene.aware, path.initiator, path.responder)
    if path.initiator == publisher and path.initiator not in case.phones:
        yield Verdict(
            severity="warning",
            evidence=f"the publisher {path.initiator} asks for the data path",
            short="the accessory asks for the data path",
            effect="ignore",
            frames=path.frames[:1],
            device=path.initiator,
        )


RULE = Rule(
    id="IA-57",
    title="a data path that an iPhone does not take",
    statement="The phone asks for the data path and the accessory accepts without further ado. It is always encrypted, "
    "with a key length inherited from the pairing (PASN-128: NCS-SK-128); no interface turns that off.",
    source="Espressif blog, 2026-08-11; ESP-IDF esp_nan_supplicant.c",
    confidence="O",
    profiles=("ios-aware",),
    stories=("US-03",),
    remedy="Accept the phone's request, with the suite that it names; never ask for an open path.",
    switch="on; the reason of the refusal (8, security policy) is a choice of this project",
    on="aware_data_path",
    judge=_judge,
)
