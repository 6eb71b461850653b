"""AA-01: Wi-Fi Aware is not always available. The phone carries it out."""

from __future__ import annotations

from sim.explain import Rule

RULE = Rule(
    id="AA-01",
    title="availability comes and goes",
    statement="The feature android.hardware.wifi.aware is the vendor's decision, not the version's; availability "
    "can vanish while Wi-Fi is off or SoftAP, Wi-Fi Direct or tethering hold the radio.",
    source="developer.android.com Wi-Fi Aware guide",
    confidence="D",
    profiles=("android-aware",),
    stories=("US-52",),
    remedy="Ask isAvailable() and listen to ACTION_WIFI_AWARE_STATE_CHANGED; switch Wi-Fi on and hotspots off.",
    switch="on; setting radio_use and command use_radio",
    on="app",
)
