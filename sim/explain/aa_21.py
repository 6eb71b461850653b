"""AA-21: messages. The phone carries it out."""

from __future__ import annotations

from sim.explain import Rule

RULE = Rule(
    id="AA-21",
    title="queue of messages",
    statement="A message is given up after 10 s; 50 may wait for each app; the framework does not repeat them by "
    "default.",
    source="AOSP WifiAwareStateManager, WifiAwareNativeApi, WifiAwareDataPathStateManager, config.xml",
    confidence="D",
    profiles=("android-aware",),
    remedy="Send the next message when the fate of the last one is known, and repeat those that failed.",
    switch="on; settings aware.message_timeout, message_queue and message_retries",
    on="aware_pairing",
)
