"""AB-06: a bonded device is encrypted at reconnection. The phone carries it out."""

from __future__ import annotations

from sim.explain import Rule

RULE = Rule(
    id="AB-06",
    title="encryption at reconnection",
    statement='AOSP has a flag "encrypt LE link on reconnection with bonded devices".',
    source="AOSP Bluetooth security.aconfig",
    confidence="D",
    profiles=("android-ble",),
    stories=("US-18",),
    remedy="Expect encryption right after the connection of a bonded phone, before any request; have the key at hand.",
    switch="on: when_bonded = encrypt; whether a given build has the flag set is its maker's choice",
    on="link",
)
