"""AA-31: instant communication mode. The phone carries it out."""

from __future__ import annotations

from sim.explain import Rule

RULE = Rule(
    id="AA-31",
    title="instant communication mode",
    statement="It lasts 30 s, on channel 6, or on 149, else 44.",
    source="AOSP WifiAwareStateManager, WifiAwareNativeApi, WifiAwareDataPathStateManager, config.xml",
    confidence="D",
    profiles=("android-aware",),
    remedy="Do what needs haste within 30 s, or ask for the mode again.",
    switch="on; command instant_mode, simulated on channel 6: the phone is awake in all slots; setting "
    "aware.instant_time",
    on="aware_device",
)
