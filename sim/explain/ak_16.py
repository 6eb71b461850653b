"""AK-16: removal in Settings. The phone carries it out."""

from __future__ import annotations

from sim.explain import Rule

RULE = Rule(
    id="AK-16",
    title="removed without telling the accessory",
    statement="Removal in Settings raises accessoryRemoved in the app; the accessory gets no radio notification.",
    source="demo code; the consequence is inferred",
    confidence="O/I",
    profiles=("ios-ask",),
    stories=("US-18",),
    remedy="Let the accessory accept a new pairing from a phone it already knows.",
    on="app",
)
