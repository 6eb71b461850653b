"""IA-55: a new address with an old identity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    for identity, nmis in case.scene.aware.identities.items():
        if len(nmis) < 2:
            continue
        seen = [case.scene.aware.devices[nmi].identities.get(identity) for nmi in nmis]
        yield Verdict(
            severity="warning",
            evidence=f"{' and '.join(nmis)} send the same NIRA (nonce {identity[:16]}), whose tag can be right for one of "
            "them only",
            frames=tuple(one.frames[0] for one in seen if one is not None),
            device=nmis[-1],
        )


RULE = Rule(
    id="IA-55",
    title="a new address with the old NIRA",
    statement="Keys of data paths and the tag of a NIRA are bound to the NMI that was in use: a device that comes back "
    "with another NMI has to compute the tag anew, and its derived keys are no longer valid.",
    source="ESP-IDF nan_app.c (comment); hostap nan_pairing.c",
    confidence="O",
    profiles=("ios-aware",),
    stories=("US-46",),
    remedy="After a change of the NMI draw a new nonce, compute the NIRA again, and run a verification before the data"
    " path.",
    on="scene",
    judge=_judge,
)
