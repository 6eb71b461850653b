"""Engine settings and attributes of a device, made of what its maker decided (`firmware.py`).

Wi-Fi Aware 4.0; digests of frames and pairing. Rule: every field of `Firmware` that is about frames, keys or patience
is used here; times of the radio are used in `radio_settings.py`, what an application answers in its accessory. No clock,
no radio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from protocols.wifi_aware.attributes import make
from protocols.wifi_aware.attributes.device_capability_extension import DeviceCapabilityExtension
from protocols.wifi_aware.attributes.nan_availability import AvailabilityEntry, NanAvailability
from protocols.wifi_aware.attributes.ndc import Ndc
from protocols.wifi_aware.bootstrapping_settings import PATIENT, BootstrappingSettings
from protocols.wifi_aware.channels import entry_of
from protocols.wifi_aware.datapath import DataPathSettings
from protocols.wifi_aware.device import DeviceSettings
from protocols.wifi_aware.discovery_settings import DiscoverySettings, PairingStrings
from protocols.wifi_aware.pairing_settings import PairingSettings
from protocols.wifi_aware.peer_facts import readable
from protocols.wifi_aware.schedule import PERIODS, ScheduleEntry, TimeBitmap, bitmap_of
from protocols.wifi_aware.station_settings import StationSettings, attribute_of
from sim.wifi_aware.firmware import PERIODS_TU, SLOTS_OF_INTERVAL, method_bits

if TYPE_CHECKING:
    from protocols.wifi_aware.attributes import Attr
    from protocols.wifi_aware.heard import Heard
    from sim.wifi_aware.firmware import Firmware

__all__ = ["engine_settings", "unreadable"]

_PASN = (7, 8)
_COMMITTED, _POTENTIAL = 1, 2
_SLOT_TU = 16
_INTERVALS = 16
_BASE = StationSettings(nmi="", ndi="")
"""Attributes as devices have them that configure nothing."""
_MICROSECONDS = 1_000_000


def engine_settings(firmware: Firmware, nmi: str, ndi: str, nik: bytes = b"") -> DeviceSettings:
    """Engine settings of a device with this firmware; `nik` is its identity key, drawn when empty."""
    return DeviceSettings(
        station=_station(firmware, nmi, ndi, nik),
        discovery=_discovery(firmware),
        bootstrapping=_bootstrapping(firmware),
        pairing=_pairing(firmware),
        data_path=DataPathSettings(
            reinitiation=firmware.reinitiation,
            believe_unprotected=False,
            simultaneous="lower_gives_way",
            keep_alive_us=None if firmware.keep_alive else 0,
        ),
    )


def _station(firmware: Firmware, nmi: str, ndi: str, nik: bytes) -> StationSettings:
    return StationSettings(
        nmi=nmi,
        ndi=ndi,
        nik=nik.hex(),
        device_capability=_hex(_capability_of(firmware)),
        availability=_hex(_availability_of(firmware)),
        ndc=_hex(_ndc_of(firmware)),
        ndl=_hex(_changed(_BASE.ndl, max_idle=firmware.max_idle)),
        dcea=_hex(_dcea_of(firmware)),
        security_capabilities=firmware.capabilities,
        group_integrity=firmware.group_security != "none",
        fresh_nira=firmware.fresh_nira,
    )


def _discovery(firmware: Firmware) -> DiscoverySettings:
    return DiscoverySettings(
        dcea_in_publish=firmware.dcea_in_publish,
        dcea_in_subscribe=firmware.dcea_in_publish,
        nira_in_follow_up=firmware.nira_in_follow_up,
        service_info_in=firmware.service_info_in,
        pairing_strings=_strings(firmware),
        pairing_info_form=firmware.pairing_info,
        indication="changed",
    )


def _bootstrapping(firmware: Firmware) -> BootstrappingSettings:
    methods = method_bits(firmware.methods)
    at_once = 0 if firmware.comeback_tu else methods
    return msgspec.structs.replace(
        PATIENT,
        supported=PATIENT.supported | methods,
        automatic=method_bits(firmware.open_methods) | at_once,
        comeback_tu=firmware.comeback_tu,
        matching=firmware.method_matching,
        pending_timeout_us=int(firmware.request_time),
    )


def _pairing(firmware: Firmware) -> PairingSettings:
    return PairingSettings(
        suites=tuple(one for one in firmware.cipher_suites if one in _PASN) or _PASN,
        identity_limit=firmware.pairings,
        attempts_limit=firmware.attempts,
        nik_timeout_us=int(firmware.nik_timeout) or None,
        after_nik_timeout=firmware.after_nik_timeout,
        auth_timeout_us=int(firmware.auth_timeout) or None,
        lifetime_s=int(firmware.key_lifetime) // _MICROSECONDS or None,
        requires_lifetime=firmware.requires_lifetime,
        enforce_lifetime=firmware.enforces_lifetime,
    )


def _strings(firmware: Firmware) -> PairingStrings | None:
    """What a person is shown of the device; nothing when its firmware sends no pairing info."""
    if firmware.pairing_info == "none":
        return None
    return PairingStrings(
        vendor_name=firmware.vendor_name,
        model_name=firmware.model_name,
        pairing_name=firmware.pairing_name,
    )


# Attributes


def _hex(attr: Attr) -> str:
    return attr.written().hex()


def _changed(complete: str, **values: Any) -> Attr:
    """An attribute with some of its fields changed."""
    return make(msgspec.structs.replace(attribute_of(complete).fields, **values))


def _capability_of(firmware: Firmware) -> Attr:
    """The Device Capability: the discovery windows it attends, none at 5 GHz."""
    return _changed(_BASE.device_capability, wake_2_4=firmware.wake, wake_5=0)


def _availability_of(firmware: Firmware) -> Attr:
    """The NAN Availability: there for data on channel 6 in its slots, in a bitmap of its period."""
    slots = firmware.availability_period_tu // _SLOT_TU
    wanted = firmware.data_slots_of_interval()
    number = sum(1 << slot for slot in range(slots) if slot % SLOTS_OF_INTERVAL in wanted)
    bitmap = TimeBitmap(
        bit_duration=0,
        period=PERIODS_TU.index(firmware.availability_period_tu) + 1,
        start_offset_slots=0,
        bitmap=number.to_bytes((slots + 7) // 8, "little").hex(),
    )
    entry = AvailabilityEntry(
        type=_COMMITTED if firmware.data_path else _POTENTIAL,
        usage_preference=0,
        utilization=7,
        rx_nss=2,
        time_bitmap=bitmap,
        non_contiguous=False,
        channels=(entry_of(81, 6),),
    )
    return make(
        NanAvailability(
            sequence_id=0,
            map_id=1,
            committed_changed=firmware.data_path,
            potential_changed=not firmware.data_path,
            public_availability_changed=False,
            ndc_changed=False,
            entries=(entry,),
        )
    )


def _ndc_of(firmware: Firmware) -> Attr:
    """The NDC: the first of its slots, so that both sides meet there."""
    first = min(firmware.data_slots_of_interval())
    slots = {interval * SLOTS_OF_INTERVAL + first for interval in range(_INTERVALS)}
    entry = ScheduleEntry(map_id=1, time_bitmap=bitmap_of(slots))
    return make(Ndc(ndc_id="00" * 6, selected=True, schedule=(entry,)))


def _dcea_of(firmware: Firmware) -> Attr:
    """The DCEA."""
    return make(
        DeviceCapabilityExtension(
            regulatory_info_valid=False,
            ap_type=0,
            pairing_setup=firmware.pairing_setup and firmware.pairing_mode,
            npk_nik_caching=firmware.npk_caching,
        )
    )


# What it cannot read


def unreadable(heard: Heard, limit_tu: int) -> str:
    """Why a firmware cannot read a frame: a bitmap of a longer period than that (IA-10); empty when it can."""
    if heard.frame is None or limit_tu >= PERIODS_TU[-1]:
        return ""
    for availability in readable(heard.frame, "nan_availability"):
        for entry in availability.entries:
            code = 0 if entry.time_bitmap is msgspec.UNSET else entry.time_bitmap.period
            if code and PERIODS_TU[code - 1] > limit_tu:
                return (
                    f"invalid time bitmap in Availability: it repeats after {PERIODS[code]}, this "
                    f"firmware reads up to {limit_tu} TU"
                )
    return ""
