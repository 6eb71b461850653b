"""NB-10: a paired peer sends without protection; an ID of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import AWARE_PROFILES, Rule, Verdict
from sim.explain.parts import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.aware_pairs import Bare, Pair


def _judge(case: Case) -> Iterator[Verdict]:
    pair = case.pair
    for pasn in pair.pasns:
        if not pair.is_proven(pasn):
            continue
        until = pair.end_of(pasn)
        for nmi in (pair.a, pair.b):
            key = pair.guarded_by(nmi, pasn.t_us, until)
            bare = [
                one
                for one in pair.bares
                if one.sender == nmi
                and key is not None
                and one.t_us > key.t_us
                and (until is None or one.t_us < until)
            ]
            if not bare:
                continue
            later = pair.succeeded_after(pasn.t_us)
            yield Verdict(
                severity="note" if later else "warning" if _is_answered(pair, bare[0]) else "error",
                evidence=f"{nmi} is paired with {pair.other(nmi)} and sends it {listed(one.what for one in bare)} in public "
                "action frames (category 4), which the peer drops without a word"
                + ("; they paired again later" if later else ""),
                frames=tuple(one.frame for one in bare[:8]),
                device=nmi,
            )


def _is_answered(pair: Pair, bare: Bare) -> bool:
    """Whether the peer reacted to what it should have dropped."""
    return any(one.sender != bare.sender and one.t_us > bare.t_us for one in pair.bares)


RULE = Rule(
    id="NB-10",
    title="unprotected frame from a paired peer",
    statement="Once two devices share the keys of a pairing, follow-ups and action frames between them are protected "
    "(category 9, encrypted with NM-TK); a unicast frame in the clear is dropped silently and looks like packet"
    " loss.",
    source="hostap wpa_supplicant/events.c",
    confidence="D",
    profiles=AWARE_PROFILES,
    stories=("US-44", "US-46"),
    remedy="Send frames to a paired peer as protected ones; a device that has lost the keys must begin a new "
    "authentication.",
    on="aware_pairing",
    judge=_judge,
)
