"""NB-06: an authentication ended with a status; an ID of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import AWARE_PROFILES, Rule, Verdict
from sim.explain.aware_parts import status_words
from sim.explain.parts import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.aware_pairs import Pasn

REMEDIES = {
    1: "Look at the log of the side that sent it: a person or an app refused, a PIN differs, or an element is malformed.",
    15: "See IA-45 when an iPhone publishes; otherwise compare the PINs.",
    38: "Send PASN Parameters with group and public key.",
    53: "The cached key does not exist any more: forget the pairing on both sides and pair anew.",
    72: "Send an RSNE with one pairwise cipher and one AKM, the ones that the responder expects (SAE with a password, "
    "PASN without), and both management frame protection bits.",
    77: "Use one of the groups in the response (19 for NCS-PK-PASN-128, 20 for NCS-PK-PASN-256).",
    123: "Do not send a password identifier.",
    136: "Send the public key compressed (02 and x).",
}


def _judge(case: Case) -> Iterator[Verdict]:
    pair = case.pair
    for pasn in pair.pasns:
        refusal = pasn.refusal
        if refusal is None:
            continue
        later = pair.succeeded_after(refusal.t_us) or pair.is_proven(pasn)
        yield Verdict(
            severity="note" if later else "error",
            evidence=f"{refusal.sender} ends the {'verification' if pasn.is_verification else 'authentication'} with "
            f"{status_words(refusal.status)} (message {refusal.transaction})"
            + "".join(f"; {why}" for why in causes(pasn)),
            frames=(*pasn.frames[:1], refusal.frame),
            device=refusal.sender,
            remedy=REMEDIES.get(refusal.status, ""),
        )


def causes(pasn: Pasn) -> list[str]:
    """What in the first frame goes with the status."""
    if not pasn.firsts:
        return []
    first, out = (
        pasn.firsts[-1],
        [f"message 1 is malformed: {fault}" for fault in pasn.firsts[-1].faults],
    )
    if not first.has_rsne:
        out.append("message 1 has no RSNE")
    elif not first.is_mfp:
        out.append("message 1 does not require management frame protection")
    refusal = pasn.refusal
    if refusal is not None and refusal.groups and first.group not in refusal.groups:
        out.append(
            f"message 1 uses group {first.group}, the responder knows {listed(map(str, refusal.groups))}"
        )
    return out


RULE = Rule(
    id="NB-06",
    title="authentication refused",
    statement="An Authentication frame with a status other than 0 ends the exchange for whoever hears it; it is not "
    "authenticated, so anybody in range could have sent it.",
    source="IEEE 802.11-2020 9.4.1.9; hostap src/pasn/pasn_responder.c, src/nan/nan_pairing.c",
    confidence="D",
    profiles=AWARE_PROFILES,
    stories=("US-02", "US-07", "US-46"),
    remedy="Look the status up on the side that sent it.",
    on="aware_pairing",
    judge=_judge,
)
