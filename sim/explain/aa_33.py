"""AA-33: matches. The phone carries it out."""

from __future__ import annotations

from sim.explain import Rule

RULE = Rule(
    id="AA-33",
    title="when a match is reported",
    statement="A publish never reports matches, a subscribe once for each peer.",
    source="AOSP WifiAwareStateManager, WifiAwareNativeApi, WifiAwareDataPathStateManager, config.xml",
    confidence="D",
    profiles=("android-aware",),
    remedy="Keep the handle of onServiceDiscovered; a new one comes only after onServiceLost.",
    switch="on; without it a changed service info is reported too",
    on="app",
)
