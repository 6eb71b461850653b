"""IB-25: the parameters an iPhone begins with. The phone carries it out."""

from __future__ import annotations

from sim.explain import Rule

INTERVAL_MS, LATENCY, TIMEOUT_MS = 30.0, 0, 720

RULE = Rule(
    id="IB-25",
    title="default connection parameters",
    statement="An ordinary connection starts with 30 ms, latency 0, supervision timeout 720 ms.",
    source="blog.csdn.net/RollingPin/133087273",
    confidence="O",
    profiles=("ios-ble",),
    stories=("US-19",),
    remedy="Be ready for a supervision timeout of 720 ms: do not block the radio for longer.",
    switch="on: connection_interval_ms and supervision_timeout_ms of the phone, which a scenario may set",
    on="link",
)
