"""IA-63: transports of Network.framework over Wi-Fi Aware. The phone carries it out."""

from __future__ import annotations

from sim.explain import Rule

RULE = Rule(
    id="IA-63",
    title="QUIC before iOS 27",
    statement="Network.framework carries UDP, TCP and TLS over Wi-Fi Aware, QUIC only from iOS 27 on (TN3213).",
    source="Apple sample; public notes citing TN3213",
    confidence="D / O",
    profiles=("ios-aware",),
    stories=("US-38",),
    remedy="Use TCP with TLS, or UDP, until all phones run iOS 27.",
    versions={"27.0": "QUIC works"},
    on="app",
)
