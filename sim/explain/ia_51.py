"""IA-51: where pairings are removed. The phone carries it out."""

from __future__ import annotations

from sim.explain import Rule

RULE = Rule(
    id="IA-51",
    title="where pairings are removed",
    statement="Settings > Privacy & Security > Paired Devices, devices of AccessorySetupKit also under Accessories. A "
    "clean new pairing needs the removal there and an erased store on the accessory.",
    source="wifi-aware-ios-demo README",
    confidence="O",
    profiles=("ios-aware",),
    stories=("US-07",),
    remedy="Remove the pairing on both sides before pairing again.",
    on="app",
)
