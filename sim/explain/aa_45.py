"""AA-45: removing one alias removes all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import maybe_phone, status_words
from sim.explain.aware_phones import works_between
from sim.explain.parts import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    pair, aware = case.pair, case.scene.aware
    for pasn in pair.pasns:
        refusal = pasn.refusal
        if not pasn.is_verification or refusal is None or not maybe_phone(case, refusal.sender):
            continue
        phone = aware.devices.get(refusal.sender)
        before = any(one.t_us < pasn.t_us and pair.is_over(one) for one in pair.pasns)
        peers = phone.peers - {pair.other(refusal.sender)} if phone is not None else set[str]()
        others = [peer for peer in sorted(peers) if works_between(aware, refusal.sender, [peer])]
        if before and others:
            yield Verdict(
                severity="warning",
                evidence=f"{refusal.sender} had paired with {pair.other(refusal.sender)} and with {listed(others)}, and "
                f"now rejects the verification of the former with {status_words(refusal.status)}",
                frames=pasn.frames,
                device=refusal.sender,
            )


RULE = Rule(
    id="AA-45",
    title="one removed alias takes the others with it",
    statement="removePairedDevice(alias) drops the calling package's whole set of aliases in the 2024 tree, so other "
    "paired peers stop resolving.",
    source="AOSP PairingConfigManager",
    confidence="D (code)",
    profiles=("android-aware",),
    stories=("US-51",),
    remedy="After removing one alias pair the other devices again, or keep the alias.",
    on="aware_pairing",
    judge=_judge,
)
