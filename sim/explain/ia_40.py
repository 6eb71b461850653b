"""IA-40: the phone's identity key comes late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_losses import lost_in
from sim.explain.aware_parts import maybe_phone, ms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

LATE_S = 2.0
"""A patience that was too short (ESP-IDF); 5 s is enough."""


def _judge(case: Case) -> Iterator[Verdict]:
    pair = case.pair
    for pasn in pair.pasns:
        if pasn.is_verification or not pasn.is_complete:
            continue
        if lost_in(case.scene.aware, pair, pasn) is not None:
            continue  # NB-18: what the other side does not have it cannot answer
        until = pair.end_of(pasn)
        for phone in (pair.a, pair.b):
            first = pair.guarded_by(phone, pasn.last_us, until)
            if first is None or not maybe_phone(case, phone):
                continue
            waited_us = first.t_us - pasn.last_us
            if waited_us < LATE_S * 1e6 or pair.guarded_by(pair.other(phone), pasn.last_us, until):
                continue
            yield Verdict(
                severity="error",
                evidence=f"{phone} sends its identity key {ms(waited_us)} after the authentication; "
                f"{pair.other(phone)} sends nothing protected",
                frames=(pasn.frames[-1], first.frame),
                device=pair.other(phone),
            )


RULE = Rule(
    id="IA-40",
    title="gave up before the phone's identity key came",
    statement="After PASN both sides exchange identity keys in follow-ups. The iPhone's comes 2.5 to 2.6 s after the keys"
    " are derived: an accessory that waits 2 s tears the pairing down first, one that waits 5 s works.",
    source="ESP-IDF nan_pairing.c (NAN_PAIRING_NIK_FUP_TIMEOUT_SEC)",
    confidence="O",
    profiles=("ios-aware",),
    stories=("US-45",),
    remedy="Wait 5 s or longer for the identity key of the phone. If the accessory says that it sent its own, that one got "
    "lost on the way: forget the pairing on both sides and pair again, closer together.",
    on="aware_pairing",
    causes=("NB-18",),
    judge=_judge,
)
