"""IA-50: pairings stay. The phone carries it out."""

from __future__ import annotations

from sim.explain import Rule

RULE = Rule(
    id="IA-50",
    title="pairings stay",
    statement="A pairing is for two devices and stays until the user removes it; WAPairedDevice has no call to unpair.",
    source="Apple documentation; Apple Developer Forums, thread 837110",
    confidence="D/O",
    profiles=("ios-aware",),
    stories=("US-07",),
    remedy="Tell users where to remove it (IA-51); what a pairing removed on one side looks like is IA-54.",
    on="app",
)
