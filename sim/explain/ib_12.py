"""IB-12: addresses. The phone carries it out: apps get an identifier, never the address."""

from __future__ import annotations

from sim.explain import Rule

RULE = Rule(
    id="IB-12",
    title="apps never see the address",
    statement="The iPhone uses resolvable private addresses, which the accessory must resolve in all situations. The "
    "address of a peripheral is never shown to apps; they get a UUID that differs from phone to phone.",
    source="Accessory Design Guidelines for Apple Devices 40.8; CoreBluetooth",
    confidence="D",
    profiles=("ios-ble",),
    stories=("US-18",),
    remedy="Put an identity of the unit into the manufacturer data or a characteristic; do not rely on the address.",
    switch="the identifier is always there; the simulated iPhone's own address is what its setting `address` says",
    on="app",
)
