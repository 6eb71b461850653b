"""What an iPhone's Wi-Fi Aware is set to: its radio and engines (the table `aware`), and the app that uses it.

Phone profile `ios26-aware`, rules IA-xx; the sources are in `nearbench show rule ID`. What nobody has published is a
setting that says so. No clock, no radio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from sim.phones._aware import PhoneFirmware
from sim.phones._judged import JudgedSettings
from sim.units import Duration
from sim.wifi_aware.firmware import Method, PairingInfoForm  # noqa: TC001  # msgspec reads the annotations

if TYPE_CHECKING:
    from protocols.wifi_aware.device import DeviceSettings

__all__ = ["OLD_MODELS", "AwareIosSettings", "IosFirmware"]

OLD_MODELS = ("iPhone 11", "iPhone 11 Pro", "iPhone 11 Pro Max", "iPhone SE 2")
"""run iOS 26 and have no Wi-Fi Aware: older than iPhone 12 (IA-01)."""
_NO_REASON = 0


class IosFirmware(PhoneFirmware, frozen=True, kw_only=True):
    """Wi-Fi Aware of an iPhone."""

    vendor_name: str = "Apple Inc."
    """vendor in the pairing info that it publishes (IA-13)."""
    model_name: str = "iPhone"
    """model in it."""
    pairing_name: str = "iPhone"
    """name in it."""
    pairing_info: PairingInfoForm = "generic"
    """where the pairing info is (not published): generic, bonjour, sda-raw, or none."""
    method_matching: Literal["same_bit", "complement"] = "same_bit"
    """what a request must name while it publishes: its own method (IA-35), or the requester's, as iPhones themselves
    send it when they subscribe; two iPhones pair with each other, so one of the observations is not the whole truth."""
    new_address_at_start: bool = True
    """whether it takes a new NMI each time it starts (not published)."""
    needs_pairing_info: bool = True
    """whether it shows no PIN for a request without pairing info (IA-36, a hypothesis)."""
    one_per_name: bool = True
    """whether a second publish or subscribe of one service fails (IA-14)."""
    comeback_tu: int = 1
    """what it tells a requester to wait while it shows the PIN, TU (not published; Android takes it for seconds, AA-25)."""
    methods: tuple[Method, ...] = ("pin_display",)
    """bootstrapping methods that it publishes; as a subscriber it asks by PIN keypad (IA-32, IA-34)."""
    open_methods: tuple[Method, ...] = ()
    """methods it agrees to without asking anybody: none (IA-30)."""
    group_security: Literal["none", "igtk", "bigtk"] = "bigtk"
    """group keys it announces in its CSIA (IA-12)."""
    key_lifetime: Duration = Duration(0)
    """lifetime it announces for its identity key; 0s = it sends no lifetime (IA-43); a duration."""
    nik_follow_up: Duration = Duration(2_550_000)
    """from the end of PASN to its identity key (IA-40); a duration."""
    nik_timeout: Duration = Duration(10_000_000)
    """how long it waits for the peer's identity key (not published); 0s = for ever; a duration."""
    after_nik_timeout: Literal["teardown", "keep"] = "keep"
    """what becomes of a pairing whose identity key did not come: it stands, and is not kept (not published)."""
    availability_period_tu: int = 1024
    """period of the time bitmap in its Availability, TU (IA-10 says "longer than 512"; the number is not published)."""
    data_suite: Literal["sk", "pairing"] = "sk"
    """suite of its data paths: NCS-SK-128 with the key of the pairing, or the suite of the pairing (IA-57)."""
    fresh_time: Duration = Duration(10_000_000)
    """time after a pairing in which a connection needs no verification (not published); a duration."""
    idle_time: Duration = Duration(180_000_000)
    """time without data after which a connection is collected (IA-66 says "a few minutes"); 0s = never; a duration."""
    held_time: Duration = Duration(0)
    """how long the system holds a subscribe to a service after the pairing (IA-15; not published); a duration."""

    def refine(self, settings: DeviceSettings) -> DeviceSettings:
        """What an iPhone does in its own way."""
        change = msgspec.structs.replace
        return change(
            settings,
            discovery=change(settings.discovery, one_per_name=self.one_per_name),
            bootstrapping=change(
                settings.bootstrapping,
                requires_pairing_info=self.needs_pairing_info,
                reject_reason=_NO_REASON,
            ),
            pairing=change(settings.pairing, nik_delay_us=int(self.nik_follow_up)),
            data_path=change(settings.data_path, paired_suite=self.data_suite),
        )


class AwareIosSettings(JudgedSettings, frozen=True, kw_only=True):
    """Settings of an iPhone about Wi-Fi Aware, and of the app on it."""

    model: str = "iPhone 17"
    """model; some run iOS 26 without Wi-Fi Aware (IA-01)."""
    entitlement: tuple[Literal["Publish", "Subscribe"], ...] = ("Publish", "Subscribe")
    """com.apple.developer.wifi-aware of the app."""
    services: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])
    """WiFiAwareServices of the app's Info.plist: service name -> { Publishable = {}, Subscribable = {} }."""
    aware: IosFirmware = IosFirmware()
    """its Wi-Fi Aware."""
    wifi: bool = True
    """whether Wi-Fi is on at the start."""
    descriptor_role: Literal["phone", "accessory"] = "phone"
    """whose role a descriptor of the picker names (AK-13; the sources contradict each other)."""
    supported_after_reinstall: bool = True
    """whether the feature is there after the app was installed again (IA-52, unexplained)."""
    same_ids_after_reinstall: bool = False
    """whether an app that was installed again knows its paired devices by their old ids (IA-50a)."""
    access_after_reinstall: bool = True
    """whether it still has access to them (not published)."""
