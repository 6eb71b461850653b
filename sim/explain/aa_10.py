"""AA-10: firmware that wants longer passwords. The phone carries it out."""

from __future__ import annotations

from sim.explain import Rule

SHORTEST = 8

RULE = Rule(
    id="AA-10",
    title="firmware that rejects a PIN of six digits",
    statement="Some Qualcomm builds reject a password of six digits. The framework does not check its length; 8 to "
    "63 is its limit for data paths, so firmware that reuses it would reject every PIN as iOS has it.",
    source="public notes citing issuetracker 446078848; AOSP WifiAwareServiceImpl",
    confidence="O / I (mechanism)",
    profiles=("android-aware",),
    stories=("US-02",),
    remedy="Use a password of 8 characters between Androids; with an iPhone there is none but the PIN of six "
    "digits.",
    default=False,
    switch="off: it was reported of some builds; aware.shortest_password sets another length",
    on="aware_pairing",
)
