"""AA-46: paired alias. The phone carries it out."""

from __future__ import annotations

from sim.explain import Rule

RULE = Rule(
    id="AA-46",
    title="paired alias",
    statement="ServiceDiscoveryInfo.getPairedAlias() is not null when the NIRA resolves.",
    source="AOSP; SDK report",
    confidence="D",
    profiles=("android-aware",),
    remedy="Know a paired peer by its alias, not by its handle or address.",
    switch="on; without it no alias is told",
    on="app",
)
