"""How a device publishes and subscribes: settings of the discovery engine and of its unsynchronised mode.

Wi-Fi Aware 4.0, service discovery; digest 3, 8 and 12. The defaults are what hostap does (src/common/nan_de.c),
except where a field says so; a switch names who does otherwise. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from protocols.wifi_aware.timing import DW_INTERVAL_US, TU_US

__all__ = [
    "DiscoverySettings",
    "Indication",
    "PairingStrings",
    "ServiceInfoPlace",
    "UnsynchronisedSettings",
]

ServiceInfoPlace = Literal["sdea", "sda", "both"]
Indication = Literal["every", "changed", "once", "never"]
PairingInfoForm = Literal["none", "generic", "bonjour", "sda-raw"]
SECOND_US = 1_000_000


class PairingStrings(msgspec.Struct, frozen=True, kw_only=True):
    """What a person is shown of a device before its first pairing; an empty one is not sent."""

    vendor_name: str = ""
    model_name: str = ""
    pairing_name: str = ""


class UnsynchronisedSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Times and channels of unsynchronised discovery (digest 3.7)."""

    channel: int = 6
    """where a publisher begins, and where a subscriber stays."""
    channels: tuple[int, ...] = (1, 6, 11)
    """what a publisher goes through in its multi-channel state: any 20 MHz channels of 2.4 and 5 GHz."""
    least: int = 5
    most: int = 10
    """A state lasts a uniform number from `least` to `most` - 1 of `unit_us`; as many as `least` when they are equal
    (hostap divides by zero then)."""
    unit_us: int = 100 * TU_US
    dwell_us: int = 150_000
    """on each channel of the multi-channel state."""
    period_us: int = 100_000
    """between announcements, and between queries."""
    pauses: bool = True
    """a publisher stays with the first who answers; False for P2P services."""
    pause_us: int = 60 * SECOND_US
    suspend_us: int = 0
    """radio off for so long in every `cycle_us`; 0: never."""
    cycle_us: int = 0
    extras: bool = False
    """Device Capability, Availability, DCEA and NIRA, which hostap shows only when it allows data paths."""


class DiscoverySettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a device shows in service discovery frames, and how it judges those of others."""

    # Shown

    extras: bool = True
    """Device Capability, Availability, DCEA and NIRA; hostap shows none of them without data paths."""
    dcea_in_publish: bool = True
    """False: Galaxy S25 of 2025, whose DCEA is in PASN frames only; an iPhone then drops the publish."""
    dcea_in_subscribe: bool = True
    dcea_in_follow_up: bool = True
    nira: bool = True
    """NIRA in publish and subscribe frames: the device can be recognised by those it is paired with."""
    nira_in_follow_up: bool = True
    """an iPhone keeps a pairing only when the NIK follow-up shows one (ESP-IDF nan_pairing.c)."""
    service_info_in: ServiceInfoPlace = "sdea"
    """`sda`: with OUI and protocol in the Service Descriptor (ESP-IDF `nan_gsp_in_sda`, for Android peers)."""
    filters_in_every_frame: bool = True
    """matching filter, response filter and range bit also in follow-ups and replies; False: announcements only."""
    pairing_strings: PairingStrings | None = None
    """shown in publish frames and bootstrapping requests of an instance whose pairing mode is on."""
    pairing_info_form: PairingInfoForm = "generic"
    """provisional: no capture tells which one phones use (digest 12.3)."""
    pairing_info_id: int = 0x04
    """sub-attribute of the form `generic`, provisional."""
    zero_ttl: Literal["forever", "once"] = "forever"
    """what `ttl_windows` 0 means. `once`, hostap: a publish goes out once, a subscribe ends with its first match;
    `forever`: the vendors' HAL, and what applications expect."""
    one_per_name: bool = False
    """refuse a second publish, or subscribe, of one name (iOS)."""
    service_info_limit: int | None = None
    """octets an application may give: 255 in most phones, 512 in ESP-IDF."""

    # Judged

    close_proximity_dbm: int = -70
    """weaker frames are not taken when frame or instance is limited to close range."""
    require_dcea: bool = False
    """a publish without DCEA is not taken (iOS 26)."""
    require_pairing_setup: bool = False
    """nor one whose DCEA lacks the pairing setup bit (iOS 26, towards those it is not paired with)."""
    check_cluster: bool = False
    """frames with another Cluster ID are not taken."""
    strip_sda_header: bool = False
    """take OUI and protocol off a service info in the Service Descriptor; hostap gives it as it is."""
    deliver_to: Literal["service", "instance"] = "service"
    """follow-ups reach every instance of the service; `instance`: only the one they name."""
    indication: Indication = "every"
    """when a match is told: at every frame, when its service info changed too, once per instance (Android), never."""
    match_expiry_windows: int | None = 10
    """a match is told as expired when so many windows brought no publish of it (unverified number); None: never."""
    match_limit: int = 256
    """matches remembered per subscribe; the oldest goes first."""
    peer_limit: int | None = 256
    """peers remembered; the oldest without pairing, bootstrapping or data path goes first. hostap has 32."""

    # Follow-ups of the application

    follow_up_retries: int = 0
    """times a follow-up that was not acknowledged goes out again; ESP-IDF 3."""
    follow_up_retry_us: int = DW_INTERVAL_US
    follow_up_timeout_us: int | None = None
    """a follow-up whose fate is unknown for so long counts as lost; Android 10 s."""
    follow_up_queue: int | None = None
    """follow-ups under way; further ones are refused. Android 50 per application."""

    unsynchronised: UnsynchronisedSettings = UnsynchronisedSettings()
