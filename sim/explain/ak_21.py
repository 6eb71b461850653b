"""AK-21: the order of the picker's events. The phone carries it out."""

from __future__ import annotations

from sim.explain import Rule

RULE = Rule(
    id="AK-21",
    title="accessoryAdded comes while the sheet is up",
    statement="accessoryAdded arrives before pickerDidDismiss; starting the accessory's handshake while the sheet is up "
    "misbehaves. A migration may finish without any UI.",
    source="public notes of a camera GPS app",
    confidence="O",
    profiles=("ios-ask",),
    remedy="Wait for pickerDidDismiss before connecting.",
    on="app",
)
