"""AA-29: Doze. The phone carries it out."""

from __future__ import annotations

from sim.explain import Rule

RULE = Rule(
    id="AA-29",
    title="Doze",
    statement="In Doze Wi-Fi Aware is disabled.",
    source="AOSP WifiAwareStateManager, WifiAwareNativeApi, WifiAwareDataPathStateManager, config.xml",
    confidence="D",
    profiles=("android-aware",),
    stories=("US-48",),
    remedy="Keep the phone awake while it pairs or has a data path.",
    switch="on; command doze, setting aware.doze_disables",
    on="aware_device",
)
