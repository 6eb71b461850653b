"""AA-26: the address of a data path. The phone carries it out."""

from __future__ import annotations

from sim.explain import Rule

RULE = Rule(
    id="AA-26",
    title="IPv6 validation of a data path",
    statement="The address of a data path is polled every second, and given up after 5 s.",
    source="AOSP WifiAwareStateManager, WifiAwareNativeApi, WifiAwareDataPathStateManager, config.xml",
    confidence="D",
    profiles=("android-aware",),
    remedy="Let the peer answer neighbour discovery at once.",
    switch="on; settings aware.address_check (ours), address_poll and address_patience",
    on="aware_data_path",
)
