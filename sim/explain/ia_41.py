"""IA-41: the identity key goes out unprotected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import maybe_phone, ms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    pair = case.pair
    for pasn in pair.pasns:
        until = pair.end_of(pasn)
        for key in pair.keys:
            if (
                key.is_protected
                or key.t_us < pasn.last_us
                or (until is not None and key.t_us >= until)
            ):
                continue
            if key.sender in case.phones or not maybe_phone(case, pair.other(key.sender)):
                continue
            yield Verdict(
                severity="error",
                evidence=f"the identity key of {key.sender} is in a public action frame (category 4), "
                f"{ms(key.t_us - pasn.last_us)} after the authentication",
                short="identity key without protection",
                effect="drop",
                frames=(pasn.frames[-1], key.frame),
                device=key.sender,
            )


RULE = Rule(
    id="IA-41",
    title="identity key without protection",
    statement="When the phone's late identity key comes after the accessory has torn the pairing down, the accessory's "
    "own follow-up goes out unprotected, and the phone never starts the data path.",
    source="ESP-IDF nan_pairing.c",
    confidence="O",
    profiles=("ios-aware",),
    stories=("US-44", "US-45"),
    remedy="Keep the keys of the pairing until both identity keys are exchanged (5 s), and send the follow-up as a "
    "protected frame (category 9).",
    on="aware_pairing",
    judge=_judge,
)
