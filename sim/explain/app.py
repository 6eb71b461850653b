"""What the app on a phone declared and asked for: Info.plist, picker, scan. Frozen values, no clock, no IO."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from protocols.conversion import as_typed
from sim.explain.aware_observations import AwareApp

__all__ = ["App", "Descriptor", "Picker", "Plist", "Timeout", "as_app"]


class Plist(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an app's Info.plist says for AccessorySetupKit; `NSAccessorySetup...` keys by their last word."""

    supports: tuple[str, ...] = ()
    """NSAccessorySetupKitSupports: `Bluetooth`, `WiFi`."""
    services: tuple[str, ...] = ()
    """NSAccessorySetupBluetoothServices, UUIDs as written."""
    names: tuple[str, ...] = ()
    """NSAccessorySetupBluetoothNames."""
    companies: tuple[str, ...] = ()
    """NSAccessorySetupBluetoothCompanyIdentifiers, 4 hex digits each."""


class Descriptor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One ASDiscoveryDescriptor with the display name of its picker item."""

    name: str = "Accessory"
    """display name of the item (the app's words, not the advertised name)."""
    service: str = ""
    """bluetoothServiceUUID."""
    company: str = ""
    """bluetoothCompanyIdentifier, 4 hex digits."""
    name_substring: str = ""
    """bluetoothNameSubstring."""
    manufacturer_hex: str = ""
    """bluetoothManufacturerDataBlob."""
    manufacturer_mask_hex: str = ""
    service_data_hex: str = ""
    """bluetoothServiceDataBlob."""
    service_data_mask_hex: str = ""
    ssid: str = ""
    ssid_prefix: str = ""
    wifi_aware_service: str = ""
    """wifiAwareServiceName."""
    wifi_aware_role: int | None = None
    """wifiAwareServiceRole: 10 subscriber, 20 publisher; None: left at its default (subscriber)."""
    wifi_aware_vendor: str = ""
    """wifiAwareVendorNameMatch."""
    wifi_aware_model: str = ""
    """wifiAwareModelNameMatch."""


Timeout = Literal["", "short", "medium", "long", "unbounded"]


class Picker(msgspec.Struct, frozen=True, kw_only=True):
    """A request to show the AccessorySetupKit picker."""

    descriptors: tuple[Descriptor, ...] = ()
    filter: bool = False
    """the app asked for filterDiscoveryResults."""
    timeout: Timeout = ""
    """discoveryTimeout; empty: not set."""
    already_active: bool = False


class App(msgspec.Struct, frozen=True, kw_only=True):
    """What the app on the phone asked for; `known` is False where a capture cannot tell."""

    known: bool = False
    scanning: bool = False
    services: tuple[str, ...] | None = None
    """the filter of the scan; None: no filter."""
    background: bool = False
    allow_duplicates: bool = False
    plist: Plist | None = None
    picker: Picker | None = None
    bluetooth_permission: bool = False
    """the app holds the global Bluetooth permission."""
    central_alive: bool = False
    """the app keeps a CBCentralManager."""
    authorised: tuple[str, ...] = ()
    """addresses of the accessories the picker has set up."""
    aware: AwareApp | None = None
    """what it declares and asks for of Wi-Fi Aware; None: nothing is known of it."""


def as_app(plain: dict[str, Any]) -> App:
    """An App from the fields of a trace event."""
    return as_typed(plain, App)
