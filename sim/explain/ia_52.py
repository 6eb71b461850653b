"""IA-52: not supported after a reinstallation. The phone carries it out."""

from __future__ import annotations

from sim.explain import Rule

RULE = Rule(
    id="IA-52",
    title="not supported after a reinstallation",
    statement='Removing and installing the app after a pairing gave "This device does not support Wi-Fi Aware" on an '
    "iPhone 16 that had worked. Unexplained.",
    source="Apple Developer Forums, Samsung S25 and iOS 26 thread",
    confidence="O",
    profiles=("ios-aware",),
    stories=("US-08",),
    remedy="Nobody knows one; report it to Apple. A restart of the phone costs little.",
    switch="the simulated phone shows it with supported_after_reinstall = false: one report, cause unknown",
    on="app",
)
