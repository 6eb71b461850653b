"""IA-43: the lifetime of the identity key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import known_phone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    is_required = case.view.choice("key_lifetime", "optional") == "required"
    for key in case.pair.keys:
        if key.has_lifetime is not False or not known_phone(case, case.pair.a, case.pair.b):
            continue
        yield Verdict(
            severity="error" if is_required else "note",
            evidence=f"the follow-up with the identity key of {key.sender} has no Key Lifetime",
            short="no Key Lifetime beside the identity key",
            effect="drop" if is_required else "",
            frames=(key.frame,),
            device=key.sender,
        )


RULE = Rule(
    id="IA-43",
    title="identity key without lifetime",
    statement="An iPhone uses cipher version 0 for its identity key and leaves the Key Lifetime out, which hostap "
    "requires. Senders should include it, receivers must not require it.",
    source="ESP-IDF nan_pairing.c, esp_nan_supplicant.c",
    confidence="O / conflict between stacks",
    profiles=("ios-aware",),
    remedy="Send the Key Lifetime KDE (50-6F-9A 37), and take a follow-up without it.",
    switch='on; option key_lifetime: "optional" (default) or "required" (as hostap\'s receiver)',
    on="aware_pairing",
    judge=_judge,
)
