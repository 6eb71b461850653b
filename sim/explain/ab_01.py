"""AB-01: the first MTU request. The phone carries it out."""

from __future__ import annotations

from sim.explain import Rule

MTU = 517

RULE = Rule(
    id="AB-01",
    title="MTU 517, once",
    statement="From Android 14 on the first requestMtu asks for 517; later calls on that link are ignored.",
    source="Android 14 behaviour changes",
    confidence="D†",
    profiles=("android-ble",),
    remedy="Answer with the largest MTU the buffers allow, and expect no second request.",
    on="link",
)
