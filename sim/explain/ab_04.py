"""AB-04: the broadcast for a lost bond."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.ib_34 import refusals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

SINCE = "16"


def _judge(case: Case) -> Iterator[Verdict]:
    lost = refusals(case.device)
    if lost and case.view.since(SINCE):
        yield Verdict(
            severity="note",
            evidence="encryption refused with 0x06 PIN or Key Missing: apps get ACTION_KEY_MISSING",
            frames=tuple(one.frame for one in lost[:8]),
        )


RULE = Rule(
    id="AB-04",
    title="ACTION_KEY_MISSING",
    statement="Android 16 (API 36) broadcasts ACTION_KEY_MISSING when a bonded device cannot supply its key; 36.1 adds "
    "EXTRA_BOND_LOSS_REASON (3: LE encryption failure) and getKeyMissingCount().",
    source="BluetoothDevice API documentation and diff",
    confidence="D",
    profiles=("android-ble",),
    stories=("US-18",),
    remedy="Listen for ACTION_KEY_MISSING and offer to remove the bond.",
    versions={"14": "no broadcast", "15": "no broadcast", "16": "broadcast", "17": "broadcast"},
    on="link",
    judge=_judge,
)
