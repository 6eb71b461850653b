"""IA-50a: the identifier of a paired device. The phone carries it out."""

from __future__ import annotations

from sim.explain import Rule

RULE = Rule(
    id="IA-50a",
    title="identifier of a paired device",
    statement="WAPairedDevice.id is stable for one installation of an app on one device; after a reinstallation the peer "
    "may look new.",
    source="third-party design record citing Apple documentation; the link to IA-52 is a guess",
    confidence="O/I",
    profiles=("ios-aware",),
    stories=("US-08",),
    remedy="Do not keep the id outside of the app; recognise an accessory by something that it says itself.",
    switch="the simulated phone keeps the ids with same_ids_after_reinstall = true",
    on="app",
)
