"""IA-34: the phone starts, the accessory answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import known_phone, publisher_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    pair = case.pair
    publisher = publisher_of(case.scene.aware, pair.a, pair.b)
    if not publisher or publisher in case.phones or not known_phone(case, pair.other(publisher)):
        return
    steps = [
        (one.frames[0], "bootstrapping")
        for one in pair.bootstraps
        if one.requests and one.requester == publisher
    ]
    steps += [
        (one.frames[0], "authentication")
        for one in pair.pasns
        if one.firsts and one.initiator == publisher
    ]
    for frame, what in steps:
        yield Verdict(
            severity="warning",
            evidence=f"the publisher {publisher} starts the {what}",
            short=f"the accessory starts the {what}",
            effect="ignore",
            frames=(frame,),
            device=publisher,
        )


RULE = Rule(
    id="IA-34",
    title="the accessory starts the pairing",
    statement="An iPhone that subscribes starts everything: bootstrapping request (PIN keypad), which the accessory "
    "accepts with PIN display; after the user typed, PASN; then the data path. The accessory never initiates.",
    source="Espressif blog, 2026-08-11; ESP-IDF nan_pairing.c",
    confidence="O",
    profiles=("ios-aware",),
    remedy="Let the accessory wait for the phone's request and answer it.",
    switch="on: what a phone does with such a request is not published; the simulated one lets it pass unanswered",
    on="aware_pairing",
    judge=_judge,
)
