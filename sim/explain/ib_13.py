"""IB-13: the cached name. The phone carries it out."""

from __future__ import annotations

from sim.explain import Rule

RULE = Rule(
    id="IB-13",
    title="name from an earlier connection",
    statement="The name that apps see may be the GAP name cached at an earlier connection instead of the one that is "
    "advertised now.",
    source="CoreBluetooth behaviour",
    confidence="D†",
    profiles=("ios-ble",),
    remedy="Show kCBAdvDataLocalName in the app, and keep the GAP Device Name and the advertised name alike.",
    on="app",
)
