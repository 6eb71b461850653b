"""What an Android's Wi-Fi Aware is set to: its firmware and framework (the table `aware`), the phone, the app on it.

Phone profiles `android-aware-aosp` and its variants, rules AA-xx; the sources are in `nearbench show rule ID`. Timers are those
of AOSP (AA-20 to AA-33). What nobody has published is a setting that says so. No clock, no radio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from sim.explain.aa_10 import SHORTEST
from sim.phones._aware import PhoneFirmware
from sim.phones._judged import JudgedSettings
from sim.units import Duration
from sim.wifi_aware.firmware import Method, method_bits

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.wifi_aware.device import DeviceSettings

__all__ = [
    "CIPHERS",
    "DATA_SUITE",
    "MODELS",
    "RADIO_USES",
    "AndroidFirmware",
    "AwareAndroidSettings",
    "Cipher",
    "Model",
    "ModelFacts",
    "PairingConfig",
    "RadioUse",
    "can_pair",
    "firmware_now",
]

Model = Literal["aosp", "s25_2025", "pixel9pro_17", "pixel6a_17"]
Cipher = Literal["pk_pasn_128", "pk_pasn_256"]
CIPHERS: dict[str, int] = {"pk_pasn_128": 7, "pk_pasn_256": 8}
"""Cipher suites of a pairing as AOSP calls them -> their numbers (AA-08)."""
DATA_SUITE = 1
"""NCS-SK-128: suite of data paths with a passphrase or a PMK (AA-04)."""
RadioUse = Literal["free", "wifi_off", "soft_ap", "wifi_direct", "tethering"]
RADIO_USES: dict[str, str] = {
    "wifi_off": "Wi-Fi is off",
    "soft_ap": "the SoftAP holds the radio",
    "wifi_direct": "Wi-Fi Direct holds the radio",
    "tethering": "tethering holds the radio",
}
"""What takes Wi-Fi Aware away, in words (AA-01)."""
_ALL_METHODS = 0xC1FF
"""Bits 0 to 8, and the two of API 37 (AA-07)."""
_CLOSE_DBM = -60
"""AA-32."""
_HOSTAP = Duration(30_000_000)
"""Set-up of a data path without AOSP's limit (hostap's)."""
_UNLIMITED, _UNLIMITED_US = 1_000_000, 86_400_000_000


class ModelFacts(NamedTuple):
    """What tells a model from AOSP."""

    version: str
    """Android version it was observed with."""
    profile: str
    """rule set it keeps (`nearbench list rules`)."""
    pairs: bool = True
    """isAwarePairingSupported (AA-03)."""
    dcea_in_publish: bool = True
    """its firmware shows the DCEA in publish frames (AA-51)."""


MODELS: dict[str, ModelFacts] = {
    "aosp": ModelFacts("16", "android-aware"),
    "s25_2025": ModelFacts("15", "android-s25-2025", dcea_in_publish=False),
    "pixel9pro_17": ModelFacts("17", "android-pixel9pro-17"),
    "pixel6a_17": ModelFacts("17", "android-pixel6a-17", pairs=False),
}


class PairingConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """AwarePairingConfig of a publish or subscribe."""

    setup: bool = True
    """setPairingSetupEnabled."""
    caching: bool = True
    """setPairingCacheEnabled: identity keys are exchanged, so that the two recognise each other later."""
    verification: bool = True
    """setPairingVerificationEnabled."""
    methods: tuple[Method, ...] = ("pin_display",)
    """setBootstrappingMethods."""

    @property
    def bits(self) -> int:
        """Mask of the methods."""
        return method_bits(self.methods)


class AndroidFirmware(PhoneFirmware, frozen=True, kw_only=True):
    """Wi-Fi Aware of an Android phone: what firmware and framework do."""

    vendor_name: str = "Android"
    """vendor in the pairing info, when it sends any; AOSP's interface has none (AA-51 says what it has)."""
    model_name: str = "Android phone"
    """model in it."""
    pairing_name: str = "Android phone"
    """name in it."""
    method_matching: Literal["complement", "same_bit"] = "same_bit"
    """which side's method a request names, in its own and those of others: the same bit (AOSP), or the complement,
    for firmware that translates (AA-41; the sources contradict each other)."""
    cipher_suites: tuple[int, ...] = (7, 8)
    """cipher suites for pairing: 7 PK-PASN-128, 8 PK-PASN-256 (AA-03)."""
    group_security: Literal["none", "igtk", "bigtk"] = "bigtk"
    """group keys it announces in its CSIA: all of them where pairing is supported (AA-02)."""
    address_time: Duration = Duration(1_800_000_000)
    """time after which it takes a new NMI (AA-30); 0s = never; a duration."""
    message_timeout: Duration = Duration(10_000_000)
    """time after which a message counts as lost (AA-21); 0s = never; a duration."""
    message_queue: int = 50
    """messages under way, for one app (AA-21)."""
    message_retries: int = 0
    """times a message that was not acknowledged goes out again (AA-21)."""
    indication: Literal["once", "changed"] = "once"
    """when a subscribe reports a match: once for each peer (AA-33), or when its service info has changed too."""
    longest_info: int = 255
    """octets of service info and of a message (AA-04)."""
    bootstrapping_timeout: Duration = Duration(20_000_000)
    """time for the answer to a bootstrapping request (AA-24); 0s = for ever; a duration."""
    comebacks: int = 1
    """times that it comes back when it is told to (AA-25)."""
    comeback_clock: Literal["seconds", "tu"] = "seconds"
    """what it takes the number in a comeback for: AOSP multiplies it by 1000 ms (AA-25)."""
    auth_timeout: Duration = Duration(20_000_000)
    """time for a pairing, and for the app's answer to a pairing request (AA-23, AA-42); 0s = for ever; a duration."""
    shortest_password: int = 0
    """octets of the shortest password that the firmware pairs with; 8 on some Qualcomm builds (AA-10)."""
    data_path_timeout: Duration = Duration(20_000_000)
    """time for the set-up of a data path (AA-22); a duration."""
    data_paths: int = 8
    """data paths at the same time (AA-04); 0 = any number."""
    address_check: Duration = Duration(1_000_000)
    """time until the own IPv6 address can be used: duplicate address detection of RFC 4862; a duration."""
    address_poll: Duration = Duration(1_000_000)
    """how often the framework looks whether it can (AA-26); a duration."""
    address_patience: Duration = Duration(5_000_000)
    """time after which it gives the data path up (AA-26); a duration."""
    screen_off_wake: int = 4
    """discovery windows it attends with the screen off: every 2^(n-1)th (AA-28)."""
    doze_disables: bool = True
    """whether Doze switches Wi-Fi Aware off (AA-29)."""
    instant_time: Duration = Duration(30_000_000)
    """how long the instant communication mode lasts (AA-31); a duration."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.screen_off_wake <= 5:
            raise ValueError(f"screen_off_wake: {self.screen_off_wake} is not 1 to 5")
        if not self.address_poll > 0:
            raise ValueError("address_poll: must be above 0")

    def refine(self, settings: DeviceSettings) -> DeviceSettings:
        """What an Android phone does in its own way."""
        change = msgspec.structs.replace
        own_bit = self.method_matching == "complement"
        waits_us = int(self.auth_timeout) or None
        return change(
            settings,
            discovery=change(
                settings.discovery,
                dcea_in_subscribe=True,
                indication=self.indication,
                close_proximity_dbm=_CLOSE_DBM,
                service_info_limit=self.longest_info,
                follow_up_retries=self.message_retries,
                follow_up_timeout_us=int(self.message_timeout) or None,
                follow_up_queue=self.message_queue,
            ),
            bootstrapping=change(
                settings.bootstrapping,
                supported=_ALL_METHODS,
                automatic=_ALL_METHODS,
                request_bit="own" if own_bit else "peer",
                response_check="either",
                comeback_clock=self.comeback_clock,
                comeback_limit=self.comebacks,
                retry_limit=None,
                timeout_us=None,
            ),
            pairing=change(
                settings.pairing,
                minimum_password_octets=self.shortest_password,
                auth_timeout_us=waits_us,
                stored_timeout_us=waits_us,
            ),
            data_path=change(
                settings.data_path,
                long_us=int(self.data_path_timeout),
                paired_suite="sk",
                reinitiation="replace",
            ),
        )


class AwareAndroidSettings(JudgedSettings, frozen=True, kw_only=True):
    """Settings of an Android phone about Wi-Fi Aware, and of the app on it."""

    model: Model = "aosp"
    """model: its version, and what its Wi-Fi Aware can do (AA-03); its BLE is AOSP's, nobody published a difference."""
    aware: AndroidFirmware = AndroidFirmware()
    """its Wi-Fi Aware."""
    radio_use: RadioUse = "free"
    """what keeps Wi-Fi Aware away at the start: nothing, wifi_off, soft_ap, wifi_direct or tethering (AA-01)."""
    permission: bool = True
    """whether the app has NEARBY_WIFI_DEVICES (AA-50)."""
    pairing_supported: Literal["model", "yes", "no"] = "model"
    """isAwarePairingSupported: as measured with the model, or as said here (AA-02, AA-03)."""
    pairing_cache: Literal["memory", "stored"] = "memory"
    """where the framework keeps pairings: in memory (AOSP of 2024), or so that they outlive a restart (AA-44)."""
    answers_pairing: Literal["accept", "reject", "by_command"] = "accept"
    """what the app does about onPairingSetupRequestReceived; by_command: accept_pairing or reject_pairing (AA-42)."""
    answer_delay: Duration = Duration(0)
    """time the app takes for that answer; a duration."""
    pin_patience: Duration = Duration(60_000_000)
    """time the app waits for a PIN to be typed; a duration."""


def can_pair(settings: AwareAndroidSettings) -> bool:
    """isAwarePairingSupported."""
    if settings.pairing_supported == "model":
        return MODELS[settings.model].pairs
    return settings.pairing_supported == "yes"


def firmware_now(
    settings: AwareAndroidSettings, *, wake: int, kept: Callable[[str], bool]
) -> AndroidFirmware:
    """The firmware as it behaves now: what the model decides, `wake`, and no timer whose rule is not `kept`."""
    table = settings.aware
    never = Duration(0)
    return msgspec.structs.replace(
        table,
        wake=wake,
        group_security=table.group_security if can_pair(settings) else "none",
        dcea_in_publish=table.dcea_in_publish and MODELS[settings.model].dcea_in_publish,
        method_matching=table.method_matching if kept("AA-41") else "complement",
        bootstrapping_timeout=table.bootstrapping_timeout if kept("AA-24") else never,
        auth_timeout=table.auth_timeout if kept("AA-23") else never,
        comebacks=table.comebacks if kept("AA-25") else _UNLIMITED,
        address_time=table.address_time if kept("AA-30") else never,
        data_path_timeout=table.data_path_timeout if kept("AA-22") else _HOSTAP,
        shortest_password=table.shortest_password or (SHORTEST if kept("AA-10") else 0),
        message_timeout=table.message_timeout if kept("AA-21") else never,
        message_queue=table.message_queue if kept("AA-21") else _UNLIMITED,
        address_patience=table.address_patience if kept("AA-26") else Duration(_UNLIMITED_US),
        indication=table.indication if kept("AA-33") else "changed",
    )
