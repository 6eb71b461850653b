"""AB-03: connection priorities. The phone carries them out."""

from __future__ import annotations

from sim.explain import Rule

PRIORITIES_MS = {"high": (11.25, 15.0), "balanced": (30.0, 50.0), "low_power": (100.0, 125.0)}
"""priority -> shortest and longest connection interval, ms."""

RULE = Rule(
    id="AB-03",
    title="connection priorities",
    statement="Connection priorities mean intervals of about 11.25 to 15 ms (high), 30 to 50 ms (balanced) and 100 to "
    "125 ms (low power).",
    source="BluetoothGatt documentation",
    confidence="D†",
    profiles=("android-ble",),
    stories=("US-19",),
    remedy="Let the app call requestConnectionPriority instead of asking from the accessory.",
    on="link",
)
