"""IA-01: which iPhones and iPads have Wi-Fi Aware. The phone carries it out."""

from __future__ import annotations

from sim.explain import Rule

RULE = Rule(
    id="IA-01",
    title="which iPhones and iPads have it",
    statement="The framework exists on iOS and iPadOS 26.0 and later, from iPhone 12, iPad 10th generation, iPad Air 4, "
    'iPad Pro 11" 3rd generation, iPad Pro 12.9" 5th generation and iPad mini 6 on. Older phones report no wifiAware '
    "feature.",
    source="developer.apple.com/documentation/wifiaware",
    confidence="D",
    profiles=("ios-aware",),
    stories=("US-08",),
    remedy="Ask WACapabilities.supportedFeatures before anything else, and offer another way.",
    on="app",
)
