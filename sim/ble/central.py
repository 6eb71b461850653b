"""The BLE radio of a phone: scanner and initiator, on bumble's Device; a connection is in `sim.ble.central_link`.

Bluetooth Core 5.4, Vol 4 Part E 7.8.64 to 7.8.66. Rules of the file: a connection that dies before the peer has
answered on it is tried again while time remains, as phones do; callbacks of the device run through `Stack.attempt`.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from bumble import core, hci
from bumble.device import ConnectionParametersPreferences

from protocols.errors import UsageError
from sim.ble.central_link import AirLink
from sim.ble.parameters import ParameterRequests
from sim.gatt import LinkError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from sim.ble.host import AirDevice
    from sim.ble.stack import Stack
    from sim.phones import Phone, Report

__all__ = ["AirCentral"]

_ADDRESS_TYPES = {
    "public": hci.AddressType.PUBLIC_DEVICE,
    "random": hci.AddressType.RANDOM_DEVICE,
    "public_identity": hci.AddressType.PUBLIC_IDENTITY,
    "random_identity": hci.AddressType.RANDOM_IDENTITY,
}


class AirCentral:
    """`sim.phones.Central` on the simulated air."""

    def __init__(self, phone: Phone, stack: Stack) -> None:
        self._phone = phone
        self._stack = stack
        self._scanning = False
        self._scan_again: Callable[[], Coroutine[Any, Any, None]] | None = None

    @property
    def _device(self) -> AirDevice:
        device = self._stack.device
        if device is None:
            raise UsageError(f"{self._stack.node} is switched off")
        return device

    async def power_on(self) -> None:
        """Start controller and host."""
        device = await self._stack.power_on(self._stack.node)
        ParameterRequests(self._stack, self._phone, device)

    async def scan(
        self,
        on_report: Callable[[Report], None],
        *,
        active: bool,
        interval_ms: float,
        window_ms: float,
        filter_duplicates: bool,
    ) -> None:
        """Scan until `stop_scan`; a scan that runs is replaced. Raises UsageError (interval, window)."""
        node = self._stack.node
        if not 2.5 <= window_ms <= interval_ms <= 10240:
            raise UsageError(
                f"{node}: scan window {window_ms:g} ms in an interval of {interval_ms:g} ms; "
                "allowed are 2.5 to 10240 ms, the window not longer than the interval"
            )
        await self.stop_scan()
        device, attempt = self._device, self._stack.attempt

        def guarded(report: Report) -> None:
            attempt("its scan callback", lambda: on_report(report))

        device.on_reports(guarded)
        start = device.start_scanning(
            active=active,
            scan_interval=interval_ms + 1e-6,  # bumble cuts, so that 20.625 would be 20
            scan_window=window_ms + 1e-6,
            own_address_type=hci.OwnAddressType(self._stack.own_address_type),
            filter_duplicates=filter_duplicates,
            scanning_phys=(hci.HCI_LE_1M_PHY,),
        )
        await self._stack.command("scan", start)
        self._scanning = True
        self._scan_again = functools.partial(
            self.scan,
            on_report,
            active=active,
            interval_ms=interval_ms,
            window_ms=window_ms,
            filter_duplicates=filter_duplicates,
        )

    async def resume(self) -> bool:
        """Scan as before the radio was switched off and on; False where it did not."""
        again, self._scanning = self._scan_again, False
        if again is not None:
            await again()
        return again is not None

    async def stop_scan(self) -> None:
        """Stop scanning; harmless when not scanning."""
        was_scanning, self._scanning, self._scan_again = self._scanning, False, None
        if was_scanning and self._stack.device is not None:
            await self._stack.command("stopping the scan", self._device.stop_scanning())
            self._device.on_reports(None)

    async def connect(
        self, address: str, address_type: str, timeout_us: int, on_disconnect: Callable[[int], None]
    ) -> AirLink:
        """Connect. Raises TimeoutError when nobody connectable answered in time, LinkError."""
        loop = self._stack.place.loop
        end_us = loop.now_us + timeout_us
        peer = hci.Address(address, _ADDRESS_TYPES.get(address_type, hci.AddressType.RANDOM_DEVICE))
        while True:
            left_us = end_us - loop.now_us
            if left_us <= 0:
                raise TimeoutError
            connection = await self._connection(peer, left_us)
            link = AirLink(self._stack, connection, on_disconnect)
            if await link.establish():
                return link

    async def forget(self, peer: str = "") -> int:
        """Remove bonds with `peer` (a node or address; empty = all); how many."""
        return await self._stack.pairing.forget(peer)

    def bonded_with(self) -> list[str]:
        """Names (or addresses) of the bonded peers, oldest first."""
        return self._stack.pairing.bonded_with()

    def connected_with(self) -> list[str]:
        """Names (or addresses) of the connected peers, oldest first."""
        return self._stack.connected_with()

    def cancel_pairing(self) -> bool:
        """End running pairings; False when there is none."""
        return self._stack.pairing.cancel()

    def tap(self, node: str) -> bool:
        """Read the out-of-band data on the tag of `node`; False when it has none."""
        return self._stack.pairing.tap(node)

    async def _connection(self, peer: hci.Address, timeout_us: int) -> Any:
        if self._device.is_le_connecting:
            raise LinkError(
                f"{self._stack.node}: connecting to a device already, and one at a time: wait until it is "
                "connected or has given up"
            )
        settings = self._phone.settings
        wanted = ConnectionParametersPreferences(
            connection_interval_min=settings.connection_interval_ms,
            connection_interval_max=settings.connection_interval_ms,
            max_latency=0,
            supervision_timeout=settings.supervision_timeout_ms,
        )
        try:
            return await self._device.connect_le(
                peer,
                {hci.Phy.LE_1M: wanted},
                own_address_type=hci.OwnAddressType(self._stack.own_address_type),
                timeout=timeout_us / 1e6,
            )
        except core.TimeoutError:
            raise TimeoutError from None
        except (core.BaseBumbleError, hci.HCI_Error) as exc:
            raise LinkError(f"{self._stack.node}: connecting: {exc}") from None
