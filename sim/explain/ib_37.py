"""IB-37: the GATT table that a bonded iPhone keeps. The phone carries it out."""

from __future__ import annotations

from sim.explain import Rule

RULE = Rule(
    id="IB-37",
    title="cached GATT table",
    statement="When the GATT table changes between firmware versions, bonded iPhones keep the cached one unless Service "
    "Changed is indicated.",
    source="Accessory Design Guidelines for Apple Devices, GATT section; CoreBluetooth behaviour",
    confidence="D†",
    profiles=("ios-ble",),
    remedy="Serve Service Changed, keep the subscription with the bond, and indicate the whole range after an update.",
    switch="on for the phone; in a capture a kept table looks like one that did not change, so nothing is diagnosed",
    on="link",
)
