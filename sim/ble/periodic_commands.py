"""HCI commands of periodic advertising, on both sides.

Bluetooth Core specification 5.4, Vol 4 Part E, 7.8.61 to 7.8.63, 7.8.67 to 7.8.73, 7.8.88. Sync handles are the lowest
free ones from 0. Synchronisation starts from SyncInfo, so it needs extended scanning to be on, as the specification
says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.ble.adv_params import ANONYMOUS, CONNECTABLE, LEGACY, SCANNABLE
from sim.ble.pdus import Addr, addr_from_hci
from sim.ble.periodic import PeriodicSync, PeriodicTrain, SyncOptions

if TYPE_CHECKING:
    from bumble import hci

    from sim.air import Reception
    from sim.ble.advertiser import Advertiser
    from sim.ble.controller import AirController
    from sim.ble.ext_pdus import ExtPdu
    from sim.ble.lists import Addresses
    from sim.clock import VirtualLoop

__all__ = ["PeriodicCommands", "Syncs"]

SUCCESS, DISALLOWED, INVALID, CAPACITY = 0x00, 0x0C, 0x12, 0x07
UNKNOWN_SET, ALREADY, CANCELLED, UNSUPPORTED = 0x42, 0x0B, 0x44, 0x11
SYNC_ESTABLISHED, SYNC_LOST = 0x0E, 0x10
LIST_SIZE, MAX_SYNCS, MAX_DATA = 8, 8, 1650
INTERMEDIATE, FIRST, LAST, COMPLETE, UNCHANGED = range(5)
USE_LIST, REPORTING_OFF = 1, 2
TIMEOUT_UNIT_US = 10_000


class Syncs:
    """The synchronisations of a controller, and the one being looked for."""

    def __init__(self, controller: AirController) -> None:
        self._controller = controller
        self.active: dict[int, PeriodicSync] = {}
        self.listed: dict[tuple[Addr, int], None] = {}
        self.wanted: Any = None
        """The Create Sync command being carried out."""
        self._trying: PeriodicSync | None = None

    def reset(self) -> None:
        """Forget everything."""
        self.give_up()
        for sync in self.active.values():
            sync.stop()
        self.active.clear()
        self.listed.clear()

    def give_up(self) -> None:
        """Look for nothing any more."""
        self.wanted = None
        if self._trying is not None:
            self._trying.stop()
            self._trying = None

    def on_sync_info(self, reception: Reception, packet: ExtPdu, address: Addr) -> None:
        """A scanner heard of a train of `address` (identity type when resolved)."""
        command = self.wanted
        if command is None or self._trying is not None or packet.sid is None:
            return
        key = (bytes((address[0] & 1,)) + address[1:], packet.sid)
        if command.options & USE_LIST:
            if key not in self.listed:
                return
        elif key != (addr_from_hci(command.advertiser_address), command.advertising_sid):
            return
        if any((sync.address, sync.sid) == (address, packet.sid) for sync in self.active.values()):
            return
        handle = next(n for n in range(MAX_SYNCS + 1) if n not in self.active)
        options = SyncOptions(
            address,
            skip=command.skip,
            timeout_us=command.sync_timeout * TIMEOUT_UNIT_US,
            reporting=not command.options & REPORTING_OFF,
        )
        start_us = reception.transmission.start_us
        self._trying = PeriodicSync(
            self._controller, handle, packet, start_us, options, self._done, self._lost
        )

    def _done(self, sync: PeriodicSync, status: int) -> None:
        self.wanted = self._trying = None
        if status:
            sync.stop()
        else:
            self.active[sync.handle] = sync
        tail = sync.interval.to_bytes(2, "little") + bytes((sync.sca,))
        head = bytes((status,)) + sync.handle.to_bytes(2, "little") + bytes((sync.sid or 0,))
        self._controller.send_le_event(
            SYNC_ESTABLISHED, head + sync.address + bytes((sync.phy,)) + tail
        )

    def _lost(self, sync: PeriodicSync) -> None:
        sync.stop()
        del self.active[sync.handle]
        self._controller.send_le_event(SYNC_LOST, sync.handle.to_bytes(2, "little"))

    def report_cancelled(self) -> None:
        """Tell the host that its Create Sync ended by its own wish."""
        self._controller.send_le_event(SYNC_ESTABLISHED, bytes((CANCELLED,)) + bytes(14))


class PeriodicCommands:
    """Mixin: needs `advertiser`, `syncs`, `addresses`, `loop`, `send_status`."""

    advertiser: Advertiser
    addresses: Addresses
    syncs: Syncs
    loop: VirtualLoop

    def send_status(self, status: int, opcode: int) -> None:
        """Command Status of `opcode`."""
        raise NotImplementedError

    # Advertiser

    def on_hci_le_set_periodic_advertising_parameters_command(self, command: Any) -> bytes:
        """7.8.61."""
        one = self.advertiser.sets.get(command.advertising_handle)
        if one is None or one.params is None:
            return bytes((UNKNOWN_SET,))
        if one.params.properties & (CONNECTABLE | SCANNABLE | LEGACY | ANONYMOUS):
            return bytes((INVALID,))
        low, high = (
            command.periodic_advertising_interval_min,
            command.periodic_advertising_interval_max,
        )
        if not 0x0006 <= low <= high:
            return bytes((INVALID,))
        before = one.periodic
        if before is not None and before.enabled:
            return bytes((DISALLOWED,))
        properties = int(command.periodic_advertising_properties)
        one.periodic = PeriodicTrain(one, self.advertiser.controller, low, properties)
        if before is not None:
            one.periodic.data, one.periodic.part = before.data, before.part
        return bytes((SUCCESS,))

    def on_hci_le_set_periodic_advertising_data_command(self, command: Any) -> bytes:
        """7.8.62."""
        one = self.advertiser.sets.get(command.advertising_handle)
        if one is None:
            return bytes((UNKNOWN_SET,))
        train = one.periodic
        if train is None:
            return bytes((DISALLOWED,))
        operation, fragment = int(command.operation), bytes(command.advertising_data)
        if operation > UNCHANGED or (operation == UNCHANGED and not train.enabled):
            return bytes((INVALID,))
        if operation == UNCHANGED:
            return bytes((SUCCESS,))
        if train.enabled and operation != COMPLETE:
            return bytes((DISALLOWED,))
        if operation in (COMPLETE, FIRST):
            data = fragment
        elif train.part is None or not fragment:
            return bytes((INVALID,))
        else:
            data = train.part + fragment
        if len(data) > MAX_DATA:
            return bytes((CAPACITY,))
        if operation in (COMPLETE, LAST):
            train.data, train.part = data, None
        else:
            train.part = data
        return bytes((SUCCESS,))

    def on_hci_le_set_periodic_advertising_enable_command(self, command: Any) -> bytes:
        """7.8.63; the ADI option (bit 1) is not supported."""
        one = self.advertiser.sets.get(command.advertising_handle)
        if one is None:
            return bytes((UNKNOWN_SET,))
        train = one.periodic
        if not command.enable & 1:
            if train is not None:
                train.stop()
            return bytes((SUCCESS,))
        if train is None or train.part is not None:
            return bytes((DISALLOWED,))
        if command.enable != 1:
            return bytes((UNSUPPORTED,))
        if not train.enabled:
            train.enable()
        return bytes((SUCCESS,))

    # Scanner

    def on_hci_le_periodic_advertising_create_sync_command(self, command: Any) -> None:
        """7.8.67."""
        syncs = self.syncs
        peer = addr_from_hci(command.advertiser_address)
        known = any(
            (bytes((sync.address[0] & 1,)) + sync.address[1:], sync.sid)
            == (peer, command.advertising_sid)
            for sync in syncs.active.values()
        )
        if syncs.wanted is not None:
            self.send_status(DISALLOWED, command.op_code)
        elif known and not command.options & USE_LIST:
            self.send_status(ALREADY, command.op_code)
        elif len(syncs.active) >= MAX_SYNCS:
            self.send_status(CAPACITY, command.op_code)
        elif (
            not 0x000A <= command.sync_timeout <= 0x4000
            or command.skip > 0x01F3
            or command.advertising_sid > 0x0F
        ):
            self.send_status(INVALID, command.op_code)
        else:
            syncs.wanted = command
            self.send_status(SUCCESS, command.op_code)

    def on_hci_le_periodic_advertising_create_sync_cancel_command(self, command: Any) -> bytes:
        """7.8.68; the event with status 0x44 follows the Command Complete."""
        if self.syncs.wanted is None:
            return bytes((DISALLOWED,))
        self.syncs.give_up()
        self.loop.after_us(0, self.syncs.report_cancelled)
        return bytes((SUCCESS,))

    def on_hci_le_periodic_advertising_terminate_sync_command(self, command: Any) -> bytes:
        """7.8.69."""
        sync = self.syncs.active.pop(command.sync_handle, None)
        if sync is None:
            return bytes((UNKNOWN_SET,))
        sync.stop()
        return bytes((SUCCESS,))

    def on_hci_le_set_periodic_advertising_receive_enable_command(self, command: Any) -> bytes:
        """7.8.88."""
        sync = self.syncs.active.get(command.sync_handle)
        if sync is None:
            return bytes((UNKNOWN_SET,))
        sync.reporting = bool(int(command.enable) & 1)
        return bytes((SUCCESS,))

    # Periodic advertiser list: bumble has no classes for these

    def on_hci_le_read_periodic_advertiser_list_size_command(self, command: Any) -> bytes:
        """7.8.73."""
        return bytes((SUCCESS, LIST_SIZE))

    def on_hci_le_clear_periodic_advertiser_list_command(self, command: Any) -> bytes:
        """7.8.72."""
        if self.syncs.wanted is not None:
            return bytes((DISALLOWED,))
        self.syncs.listed.clear()
        return bytes((SUCCESS,))

    def on_hci_le_add_device_to_periodic_advertiser_list_command(
        self, command: hci.HCI_Command
    ) -> bytes:
        """7.8.70."""
        entry = _listed(command.parameters)
        if self.syncs.wanted is not None:
            return bytes((DISALLOWED,))
        if entry is None or entry in self.syncs.listed:
            return bytes((INVALID,))
        if len(self.syncs.listed) >= LIST_SIZE:
            return bytes((CAPACITY,))
        self.syncs.listed[entry] = None
        return bytes((SUCCESS,))

    def on_hci_le_remove_device_from_periodic_advertiser_list_command(
        self, command: hci.HCI_Command
    ) -> bytes:
        """7.8.71."""
        entry = _listed(command.parameters)
        if self.syncs.wanted is not None:
            return bytes((DISALLOWED,))
        if entry is None:
            return bytes((INVALID,))
        if entry not in self.syncs.listed:
            return bytes((UNKNOWN_SET,))
        del self.syncs.listed[entry]
        return bytes((SUCCESS,))


def _listed(parameters: bytes) -> tuple[Addr, int] | None:
    if len(parameters) != 8:  # type, address, SID
        return None
    return bytes((parameters[0] & 1,)) + parameters[1:7], parameters[7]
