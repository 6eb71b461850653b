"""AB-07: filters of the Companion Device Manager. The phone carries them out."""

from __future__ import annotations

from sim.explain import Rule

RULE = Rule(
    id="AB-07",
    title="companion device filters",
    statement="The Companion Device Manager filters by BluetoothLeDeviceFilter (name as a regular expression, raw "
    "scan-record octets with a mask, ScanFilter), BluetoothDeviceFilter and WifiDeviceFilter (name, BSSID); there is no "
    "Wi-Fi Aware filter.",
    source="android.companion documentation",
    confidence="D†",
    profiles=("android-ble",),
    stories=("US-14",),
    remedy="Remember that the raw filter compares from octet 0 of the scan record, lengths and types included.",
    switch="on for BluetoothLeDeviceFilter; the other two are not simulated",
    on="app",
)
