"""AB-02: Android's limits on scanning. The phone carries them out."""

from __future__ import annotations

from sim.explain import Rule

STARTS, WINDOW_US = 5, 30_000_000
LONG_US = 30 * 60_000_000

RULE = Rule(
    id="AB-02",
    title="scan limits",
    statement="An app may start five scans in 30 s; unfiltered scans stop delivering while the screen is off; very long "
    "scans are demoted to opportunistic.",
    source="Android BLE documentation, AOSP",
    confidence="D†",
    profiles=("android-ble",),
    stories=("US-16",),
    remedy="Start one scan with a ScanFilter and keep it for less than 30 minutes.",
    switch="on; the time after which a scan is demoted is 30 min (10 min on newer phones, unverified)",
    on="app",
)
