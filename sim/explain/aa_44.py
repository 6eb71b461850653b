"""AA-44: the pairing cache. The phone carries it out."""

from __future__ import annotations

from sim.explain import Rule

RULE = Rule(
    id="AA-44",
    title="the pairing cache forgets",
    statement="The identity key is random for each package; the pairing cache is in memory in the 2024 tree, so a "
    "restart of phone or service forgets all peers unless the vendor adds storage.",
    source="AOSP PairingConfigManager",
    confidence="D (code) / I (consequence)",
    profiles=("android-aware",),
    stories=("US-07", "US-51"),
    remedy="Pair again after a restart of the phone; forget the phone on the accessory first.",
    switch='on; setting pairing_cache = "stored" is a vendor that adds storage',
    on="aware_pairing",
)
