"""HCI commands of advertising, legacy and extended.

Bluetooth Core specification 5.4, Vol 4 Part E, 7.8.5 to 7.8.9 and 7.8.52 to 7.8.60. Rules of the file:
* Parameters are checked here; the advertiser is only given what it can do.
* Enabling what is already enabled restarts it: one chain of events, fresh counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.ble.adv_params import (
    ANONYMOUS,
    CONNECTABLE,
    DIRECTED,
    HIGH_DUTY,
    LEGACY,
    SCANNABLE,
    AdvParams,
)
from sim.ble.advertiser import AdvertisingSet
from sim.ble.aux_advertising import largest_single
from sim.ble.pdus import addr_from_hci

if TYPE_CHECKING:
    from sim.ble.advertiser import Advertiser
    from sim.ble.lists import Addresses
    from sim.ble.radio import BleRadio

__all__ = ["AdvertisingCommands"]

MAX_SETS = 16
MAX_DATA = 1650
LEGACY_DATA = 31
MIN_POWER_DBM, MAX_POWER_DBM = -20, 10
NO_PREFERENCE_DBM = 127
SUCCESS, DISALLOWED, INVALID, CAPACITY = 0x00, 0x0C, 0x12, 0x07
UNKNOWN_SET, PACKET_TOO_LONG, UNSUPPORTED = 0x42, 0x45, 0x11
UNIT_US, DURATION_US = 625, 10_000
HIGH_DUTY_DURATION = 128  # 1.28 s, which high duty cycle advertising must not exceed
INTERMEDIATE, FIRST, LAST, COMPLETE, UNCHANGED = range(5)

LEGACY_PROPERTIES = {0: 0x13, 1: 0x1D, 2: 0x12, 3: 0x10, 4: 0x15}
"""HCI advertising type -> property bits."""


def _channels(channel_map: int) -> tuple[int, ...]:
    return tuple(37 + bit for bit in range(3) if channel_map >> bit & 1)


def _status(code: int) -> bytes:
    return bytes((code,))


def _carries(properties: int, field: str) -> bool:
    """Whether events of this type have advertising data ("data") or a scan response (Vol 4 Part E, 7.8.54, 7.8.55)."""
    if field == "scan_response":
        return bool(properties & SCANNABLE)
    return not properties & (DIRECTED if properties & LEGACY else SCANNABLE)


def _valid_properties(properties: int) -> bool:
    if properties & LEGACY:
        return properties in LEGACY_PROPERTIES.values()
    if (properties & CONNECTABLE and properties & SCANNABLE) or properties & HIGH_DUTY:
        return False
    return not (properties & ANONYMOUS and properties & (CONNECTABLE | SCANNABLE))


class AdvertisingCommands:
    """Mixin: needs `advertiser`, `addresses` and `radio`."""

    advertiser: Advertiser
    addresses: Addresses
    radio: BleRadio

    # Legacy

    def on_hci_le_set_advertising_parameters_command(self, command: Any) -> bytes:
        """7.8.5."""
        legacy = self.advertiser.legacy
        if legacy.enabled:
            return _status(DISALLOWED)
        properties = LEGACY_PROPERTIES.get(int(command.advertising_type))
        channels = _channels(command.advertising_channel_map)
        low, high = command.advertising_interval_min, command.advertising_interval_max
        high_duty = properties is not None and properties & HIGH_DUTY
        if properties is None or not channels or not (high_duty or 0x20 <= low <= high <= 0x4000):
            return _status(INVALID)
        legacy.params = AdvParams(
            properties=properties,
            interval_us=low * UNIT_US,
            channels=channels,
            own_type=int(command.own_address_type),
            peer=addr_from_hci(command.peer_address),
            filter_policy=command.advertising_filter_policy & 3,
        )
        return _status(SUCCESS)

    def on_hci_le_read_advertising_physical_channel_tx_power_command(self, command: Any) -> bytes:
        """7.8.6."""
        return bytes((0, self.radio.tx_power_dbm & 0xFF))

    def on_hci_le_set_advertising_data_command(self, command: Any) -> bytes:
        """7.8.7."""
        if len(command.advertising_data) > LEGACY_DATA:
            return _status(INVALID)
        self.advertiser.legacy.data = bytes(command.advertising_data)
        return _status(SUCCESS)

    def on_hci_le_set_scan_response_data_command(self, command: Any) -> bytes:
        """7.8.8."""
        if len(command.scan_response_data) > LEGACY_DATA:
            return _status(INVALID)
        self.advertiser.legacy.scan_response = bytes(command.scan_response_data)
        return _status(SUCCESS)

    def on_hci_le_set_advertising_enable_command(self, command: Any) -> bytes:
        """7.8.9."""
        legacy = self.advertiser.legacy
        if not command.advertising_enable:
            legacy.stop()
            return _status(SUCCESS)
        if command.advertising_enable != 1:
            return _status(INVALID)
        if legacy.params is None:  # defaults of 7.8.5
            legacy.params = AdvParams(
                properties=LEGACY_PROPERTIES[0],
                interval_us=0x800 * UNIT_US,
                channels=(37, 38, 39),
                own_type=0,
                peer=bytes(7),
                filter_policy=0,
            )
        if legacy.own_address() is None:
            return _status(INVALID)
        legacy.start()
        return _status(SUCCESS)

    # Extended

    def on_hci_le_set_extended_advertising_parameters_command(self, command: Any) -> bytes:
        """7.8.53; answers the power that is used."""
        sets = self.advertiser.sets
        one = sets.get(command.advertising_handle)
        if one is not None and one.enabled:
            return _status(DISALLOWED)
        params = self._extended_params(command)
        if isinstance(params, int):
            return _status(params)
        if one is None:
            if len(sets) >= MAX_SETS:
                return _status(CAPACITY)
            one = AdvertisingSet(self.advertiser, command.advertising_handle)
        too_long = max(len(one.data), len(one.scan_response)) > LEGACY_DATA
        if params.properties & LEGACY and too_long:
            return _status(INVALID)
        if one.data and not _carries(params.properties, "data"):
            return _status(INVALID)
        sets[command.advertising_handle] = one
        one.params = params
        return bytes((SUCCESS, one.power_dbm & 0xFF))

    def _extended_params(self, command: Any) -> AdvParams | int:
        properties = int(command.advertising_event_properties)
        channels = _channels(int(command.primary_advertising_channel_map))
        low, high = (
            command.primary_advertising_interval_min,
            command.primary_advertising_interval_max,
        )
        phys = (int(command.primary_advertising_phy), int(command.secondary_advertising_phy))
        if not _valid_properties(properties) or not channels:
            return INVALID
        if not properties & HIGH_DUTY and low < 0x20:  # high duty ignores them
            return UNSUPPORTED
        if not properties & HIGH_DUTY and low > high:
            return INVALID
        if command.advertising_handle > 0xEF or command.advertising_sid > 0x0F:
            return INVALID
        if properties & LEGACY:
            if phys[0] != 1:
                return INVALID
            phys = (1, 1)  # the secondary PHY means nothing
        if phys[0] not in (1, 3) or phys[1] not in (1, 2, 3):
            return UNSUPPORTED
        power = command.advertising_tx_power
        power = power - 256 if power > 127 else power  # signed octet
        chosen = (
            None if power == NO_PREFERENCE_DBM else max(MIN_POWER_DBM, min(MAX_POWER_DBM, power))
        )
        return AdvParams(
            properties=properties,
            interval_us=low * UNIT_US,
            channels=channels,
            own_type=int(command.own_address_type),
            peer=addr_from_hci(command.peer_address),
            filter_policy=command.advertising_filter_policy & 3,
            power_dbm=chosen,
            primary_phy=phys[0],
            secondary_phy=phys[1],
            sid=command.advertising_sid,
            notify_scans=bool(command.scan_request_notification_enable),
        )

    def on_hci_le_set_advertising_set_random_address_command(self, command: Any) -> bytes:
        """7.8.52."""
        one = self.advertiser.sets.get(command.advertising_handle)
        if one is None:
            return _status(UNKNOWN_SET)
        if one.enabled and one.params is not None and one.params.properties & CONNECTABLE:
            return _status(DISALLOWED)
        one.random = addr_from_hci(command.random_address)
        return _status(SUCCESS)

    def on_hci_le_set_extended_advertising_data_command(self, command: Any) -> bytes:
        """7.8.54."""
        return _status(self._set_data(command, "data", command.advertising_data))

    def on_hci_le_set_extended_scan_response_data_command(self, command: Any) -> bytes:
        """7.8.55."""
        return _status(self._set_data(command, "scan_response", command.scan_response_data))

    def _set_data(self, command: Any, field: str, fragment: bytes) -> int:
        one = self.advertiser.sets.get(command.advertising_handle)
        if one is None or one.params is None:
            return UNKNOWN_SET
        operation = int(command.operation)
        if operation == UNCHANGED:
            usable = field == "data" and one.enabled and not one.params.properties & LEGACY
            if usable and one.data:
                one.did = self.advertiser.next_did(one.did)
                return SUCCESS
            return INVALID
        if operation > UNCHANGED or (one.enabled and operation != COMPLETE):
            return INVALID if operation > UNCHANGED else DISALLOWED
        data = _joined(one.parts, field, operation, bytes(fragment), getattr(one, field))
        if data is None:
            return INVALID
        if one.params.properties & LEGACY and (len(data) > LEGACY_DATA or operation != COMPLETE):
            return INVALID
        if data and not _carries(one.params.properties, field):
            return INVALID
        if len(data) > MAX_DATA:
            return CAPACITY
        if operation in (LAST, COMPLETE):
            one.parts.pop(field, None)
            setattr(one, field, data)
            one.did = self.advertiser.next_did(one.did)
        else:
            one.parts[field] = data
        return SUCCESS

    def on_hci_le_set_extended_advertising_enable_command(self, command: Any) -> bytes:
        """7.8.56: all sets named or none."""
        sets = self.advertiser.sets
        handles = list(command.advertising_handles)
        if not command.enable:
            for handle in handles or list(sets):
                if handle not in sets:
                    return _status(UNKNOWN_SET)
            for handle in handles or list(sets):
                sets[handle].stop()
            return _status(SUCCESS)
        if not handles or len(set(handles)) != len(handles) or command.enable != 1:
            return _status(INVALID)
        for handle, duration in zip(handles, command.durations, strict=True):
            problem = self._cannot_enable(sets.get(handle), duration)
            if problem:
                return _status(problem)
        rows = zip(handles, command.durations, command.max_extended_advertising_events, strict=True)
        for handle, duration, events in rows:
            sets[handle].start(duration * DURATION_US, events)
        return _status(SUCCESS)

    def _cannot_enable(self, one: AdvertisingSet | None, duration: int) -> int:
        if one is None or one.params is None:
            return UNKNOWN_SET
        params = one.params
        if one.parts:
            return DISALLOWED
        endless = params.properties & HIGH_DUTY and not 0 < duration <= HIGH_DUTY_DURATION
        if one.own_address() is None or endless:
            return INVALID
        if params.properties & LEGACY:
            return SUCCESS
        if params.properties & SCANNABLE and not one.scan_response:
            return DISALLOWED
        if params.properties & CONNECTABLE:
            first: dict[str, Any] = {"adv_a": bytes(7), "did": one.did, "sid": params.sid}
            if params.properties & DIRECTED:
                first["peer_a"] = bytes(7)
            if len(one.data) > largest_single(first):
                return PACKET_TOO_LONG
        return SUCCESS

    def on_hci_le_read_maximum_advertising_data_length_command(self, command: Any) -> bytes:
        """7.8.57."""
        return b"\0" + MAX_DATA.to_bytes(2, "little")

    def on_hci_le_read_number_of_supported_advertising_sets_command(self, command: Any) -> bytes:
        """7.8.58."""
        return bytes((0, MAX_SETS))

    def on_hci_le_remove_advertising_set_command(self, command: Any) -> bytes:
        """7.8.59."""
        one = self.advertiser.sets.get(command.advertising_handle)
        if one is None:
            return _status(UNKNOWN_SET)
        if one.enabled or (one.periodic is not None and one.periodic.enabled):
            return _status(DISALLOWED)
        del self.advertiser.sets[command.advertising_handle]
        return _status(SUCCESS)

    def on_hci_le_clear_advertising_sets_command(self, command: Any) -> bytes:
        """7.8.60."""
        sets = self.advertiser.sets
        if any(
            one.enabled or (one.periodic is not None and one.periodic.enabled)
            for one in sets.values()
        ):
            return _status(DISALLOWED)
        sets.clear()
        return _status(SUCCESS)

    def on_hci_le_read_transmit_power_command(self, command: Any) -> bytes:
        """7.8.74."""
        return bytes((0, MIN_POWER_DBM & 0xFF, MAX_POWER_DBM))


def _joined(
    parts: dict[str, bytes], field: str, operation: int, fragment: bytes, current: bytes
) -> bytes | None:
    """Data after a fragment; None when the fragment does not fit the ones before."""
    if operation == COMPLETE:
        return fragment
    if operation == FIRST:
        return fragment or None
    if not fragment or field not in parts:
        return None
    return parts[field] + fragment
