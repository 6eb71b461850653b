"""AK-01: the key that allows AccessorySetupKit at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.app import Descriptor


def needs_of(descriptor: Descriptor) -> set[str]:
    """What a descriptor needs in NSAccessorySetupKitSupports."""
    bluetooth = descriptor.service or descriptor.company or descriptor.name_substring
    wifi = descriptor.ssid or descriptor.ssid_prefix
    return {word for word, needed in (("Bluetooth", bluetooth), ("WiFi", wifi)) if needed}


def _judge(case: Case) -> Iterator[Verdict]:
    app = case.scene.app
    if app.picker is None:
        return
    supports = set(app.plist.supports) if app.plist else set[str]()
    missing = {word for one in app.picker.descriptors for word in needs_of(one)} - supports
    if missing or not supports:
        words = " and ".join(sorted(missing)) or "anything"
        yield Verdict(
            severity="error",
            evidence=f"NSAccessorySetupKitSupports does not list {words}",
            short=f"Info.plist: NSAccessorySetupKitSupports does not list {words}",
            effect="crash",
        )


RULE = Rule(
    id="AK-01",
    title="Info.plist does not name AccessorySetupKit",
    statement="NSAccessorySetupKitSupports (older text: NSAccessorySetupSupports) lists Bluetooth, WiFi or both; "
    "without it the app crashes at the first call.",
    source='Apple "Discovering and configuring accessories"; pub.dev flutter_blue_ultra_accessory_setup',
    confidence="D/O",
    profiles=("ios-ask",),
    stories=("US-14",),
    remedy="Add NSAccessorySetupKitSupports with Bluetooth (or WiFi) to Info.plist.",
    on="app",
    judge=_judge,
)
