"""HCI commands of scanning and initiating.

Bluetooth Core specification 5.4, Vol 4 Part E, 7.8.10 to 7.8.13 and 7.8.64 to 7.8.66. Parameters are checked here;
scanner and initiator are only given what they can do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.ble.initiator import InitiateParams, LinkWish
from sim.ble.pdus import addr_from_hci
from sim.ble.scanner import ScanParams

if TYPE_CHECKING:
    from sim.ble.initiator import Initiator
    from sim.ble.lists import Addresses
    from sim.ble.scanner import Scanner

__all__ = ["ScanCommands"]

SUCCESS, DISALLOWED, INVALID, PENDING, UNSUPPORTED = 0x00, 0x0C, 0x12, 0x00, 0x11
PRIMARY_PHYS = 0b101  # 1M and coded: no advertising event begins on 2M
PHY_BITS = {0: 1, 1: 2, 2: 3}  # bit of a PHY mask -> PHY
DURATION_US, PERIOD_US = 10_000, 1_280_000
OWN_PUBLIC, OWN_RPA_OR_PUBLIC = 0, 2


def _phys(mask: int) -> tuple[int, ...]:
    return tuple(phy for bit, phy in PHY_BITS.items() if mask >> bit & 1)


def _valid_window(interval: int, window: int, highest: int) -> bool:
    return 0x0004 <= window <= interval <= highest


class ScanCommands:
    """Mixin: needs `scanner`, `initiator`, `addresses`, `send_status`."""

    scanner: Scanner
    initiator: Initiator
    addresses: Addresses

    def send_status(self, status: int, opcode: int) -> None:
        """Command Status of `opcode`."""
        raise NotImplementedError

    def _has_address(self, own_type: int) -> bool:
        return own_type in (OWN_PUBLIC, OWN_RPA_OR_PUBLIC) or self.addresses.random is not None

    # Scanning

    def on_hci_le_set_scan_parameters_command(self, command: Any) -> bytes:
        """7.8.10."""
        if self.scanner.enabled:
            return bytes((DISALLOWED,))
        valid = _valid_window(command.le_scan_interval, command.le_scan_window, 0x4000)
        if (
            not valid or command.scanning_filter_policy > 3 or command.le_scan_type > 1
        ):  # HCI values
            return bytes((INVALID,))
        self.scanner.params = ScanParams(
            active=bool(command.le_scan_type),
            interval=command.le_scan_interval,
            window=command.le_scan_window,
            own_type=int(command.own_address_type),
            filter_policy=command.scanning_filter_policy,
        )
        return bytes((SUCCESS,))

    def on_hci_le_set_scan_enable_command(self, command: Any) -> bytes:
        """7.8.11; enabling while enabled only changes the duplicate filter."""
        if not command.le_scan_enable:
            self.scanner.stop()
            return bytes((SUCCESS,))
        if self.scanner.params.active and not self._has_address(self.scanner.params.own_type):
            return bytes((INVALID,))
        self.scanner.start(duplicates=command.filter_duplicates & 1)
        return bytes((SUCCESS,))

    def on_hci_le_set_extended_scan_parameters_command(self, command: Any) -> bytes:
        """7.8.64; interval and window of the first PHY serve all."""
        if self.scanner.enabled:
            return bytes((DISALLOWED,))
        if command.scanning_phys & ~PRIMARY_PHYS:
            return bytes((UNSUPPORTED,))
        phys = _phys(command.scanning_phys)
        rows = zip(command.scan_intervals, command.scan_windows, strict=True)
        valid = all(_valid_window(interval, window, 0xFFFF) for interval, window in rows)
        if not phys or not valid or command.scanning_filter_policy > 3:  # the highest policy
            return bytes((INVALID,))
        self.scanner.params = ScanParams(
            active=any(command.scan_types),
            interval=command.scan_intervals[0],
            window=command.scan_windows[0],
            own_type=int(command.own_address_type),
            filter_policy=command.scanning_filter_policy,
            extended=True,
            phys=phys,
        )
        return bytes((SUCCESS,))

    def on_hci_le_set_extended_scan_enable_command(self, command: Any) -> bytes:
        """7.8.65."""
        if not command.enable:
            self.scanner.stop()
            return bytes((SUCCESS,))
        duration_us, period_us = command.duration * DURATION_US, command.period * PERIOD_US
        if period_us and (not duration_us or duration_us >= period_us):
            return bytes((INVALID,))
        if command.filter_duplicates > 2 or (
            command.filter_duplicates == 2 and not period_us
        ):  # 2 = per period
            return bytes((INVALID,))
        if self.scanner.params.active and not self._has_address(self.scanner.params.own_type):
            return bytes((INVALID,))
        self.scanner.start(command.filter_duplicates, duration_us, period_us)
        return bytes((SUCCESS,))

    # Initiating

    def on_hci_le_create_connection_command(self, command: Any) -> None:
        """7.8.12."""
        wish = LinkWish(
            command.connection_interval_max, command.max_latency, command.supervision_timeout
        )
        valid = _valid_window(command.le_scan_interval, command.le_scan_window, 0x4000)
        self._create(
            command,
            InitiateParams(
                scan_interval=command.le_scan_interval,
                scan_window=command.le_scan_window,
                peer=None
                if command.initiator_filter_policy
                else addr_from_hci(command.peer_address),
                own_type=int(command.own_address_type),
                wishes={1: wish},
            ),
            valid=valid and command.connection_interval_min <= command.connection_interval_max,
        )

    def on_hci_le_extended_create_connection_command(self, command: Any) -> None:
        """7.8.66; scan interval and window of the first PHY serve all."""
        phys = _phys(command.initiating_phys)
        rows = zip(
            command.connection_interval_maxs,
            command.max_latencies,
            command.supervision_timeouts,
            strict=True,
        )
        wishes = {phy: LinkWish(*row) for phy, row in zip(phys, rows, strict=True)}
        low_high = zip(
            command.connection_interval_mins, command.connection_interval_maxs, strict=True
        )
        valid = bool(wishes) and _valid_window(
            command.scan_intervals[0], command.scan_windows[0], 0xFFFF
        )
        params = InitiateParams(
            scan_interval=command.scan_intervals[0] if wishes else 0,
            scan_window=command.scan_windows[0] if wishes else 0,
            peer=None if command.initiator_filter_policy else addr_from_hci(command.peer_address),
            own_type=int(command.own_address_type),
            wishes=wishes,
        )
        self._create(command, params, valid=valid and all(low <= high for low, high in low_high))

    def _create(self, command: Any, params: InitiateParams, *, valid: bool) -> None:
        if self.initiator.enabled:
            self.send_status(DISALLOWED, command.op_code)
        elif (
            not valid
            or not self._has_address(params.own_type)
            or not all(map(_sound, params.wishes.values()))
        ):
            self.send_status(INVALID, command.op_code)
        else:
            self.send_status(PENDING, command.op_code)
            self.initiator.start(params)

    def on_hci_le_create_connection_cancel_command(self, command: Any) -> bytes:
        """7.8.13; the Connection Complete with status 0x02 follows the Command Complete."""
        if not self.initiator.enabled or self.initiator.committed:
            return bytes((DISALLOWED,))
        self.initiator.cancel_soon()
        return bytes((SUCCESS,))


def _sound(wish: LinkWish) -> bool:
    """Ranges of 7.8.12: 7.5 ms .. 4 s, latency <= 499, timeout 100 ms .. 32 s and longer than the interval allows."""
    if not (
        0x0006 <= wish.interval <= 0x0C80
        and wish.latency <= 0x01F3
        and 0x000A <= wish.timeout <= 0x0C80
    ):
        return False
    return (
        wish.timeout * 4 > (1 + wish.latency) * wish.interval
    )  # 10 ms and 1.25 ms units, twice the interval
