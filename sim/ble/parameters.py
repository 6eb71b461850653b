"""Connection parameters that a peripheral asks for: its request, and the phone's answer instead of bumble's.

Bluetooth Core 5.4 Vol 3 Part A 4.20 and 4.21 (L2CAP request and response), Vol 6 Part B 5.1.7 and Vol 4 Part E
7.7.65.6 (LL request). bumble accepts everything; here the phone's `on_parameter_request` decides, and None accepts.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

from bumble import hci, l2cap

from sim.gatt import LinkParameters
from sim.strays import closing

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from sim.ble.stack import Stack
    from sim.phones import Phone

__all__ = ["ParameterRequests", "Wish", "ask", "in_force"]

_HCI: Any = hci  # its commands are partly typed
_OVERRIDE_AFTER_US = 100_000
_EVENTS_TO_INSTANT = 12
_UNACCEPTABLE = 0x3B
_INTERVAL_MS, _TIMEOUT_MS = 1.25, 10
Units = tuple[int, int, int, int]
"""interval (1.25 ms) at least and at most, latency (events), timeout (10 ms)."""


class Wish(NamedTuple):
    """What a peripheral asks for."""

    low_ms: float
    high_ms: float
    latency: int
    timeout_ms: int

    @property
    def units(self) -> Units:
        """As on the air."""
        low, high = (round(ms / _INTERVAL_MS) for ms in (self.low_ms, self.high_ms))
        return low, high, self.latency, self.timeout_ms // _TIMEOUT_MS

    def __str__(self) -> str:
        return f"{self.low_ms:g} to {self.high_ms:g} ms, latency {self.latency}, timeout {self.timeout_ms} ms"


def in_force(connection: Any) -> LinkParameters:
    """What a connection of bumble's runs with."""
    now = connection.parameters
    return LinkParameters(
        now.connection_interval, now.peripheral_latency, round(now.supervision_timeout)
    )


async def ask(stack: Stack, connection: Any, gone: asyncio.Future[None], wish: Wish) -> bool:
    """As peripheral, ask by L2CAP; whether the central accepted. False when the connection ends first (`gone`)."""
    peer, manager = stack.peer_name(connection), connection.device.l2cap_channel_manager
    stack.emit(
        "parameter_request", direction="tx", peer=peer, label="parameter request", note=str(wish)
    )
    asked = asyncio.ensure_future(manager.update_connection_parameters(connection, *wish.units))
    try:
        await asyncio.wait([asked, gone], return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not asked.done():
            asked.cancel()
            manager.connection_parameters_update_response = None
    return asked.done() and not asked.cancelled() and asked.result() == 0


class ParameterRequests:
    """Takes the place of bumble's two handlers on the device of a phone."""

    def __init__(self, stack: Stack, phone: Phone, device: Any) -> None:
        self._stack = stack
        self._phone = phone
        self._device = device
        manager = device.l2cap_channel_manager
        manager.on_l2cap_connection_parameter_update_request = self._on_l2cap
        device.host.on_hci_le_remote_connection_parameter_request_event = self._on_link_layer

    def _judge(self, connection: Any, units: Units) -> Any:
        low, high, latency, timeout = units
        wish = (low * _INTERVAL_MS, high * _INTERVAL_MS, latency, timeout * _TIMEOUT_MS)
        peer = self._stack.peer_name(connection)
        return self._stack.attempt(
            "its on_parameter_request()", lambda: self._phone.on_parameter_request(peer, *wish)
        )

    def _on_l2cap(self, connection: Any, cid: int, request: Any) -> None:
        units = (request.interval_min, request.interval_max, request.latency, request.timeout)
        is_central = connection.role == hci.Role.CENTRAL
        answer = self._judge(connection, units) if is_central else None
        accepted = is_central and (answer is None or answer.accepted)
        result = (
            l2cap.L2CAP_CONNECTION_PARAMETERS_ACCEPTED_RESULT
            if accepted
            else l2cap.L2CAP_CONNECTION_PARAMETERS_REJECTED_RESULT
        )
        response = l2cap.L2CAP_Connection_Parameter_Update_Response(
            identifier=request.identifier, result=result
        )
        self._device.l2cap_channel_manager.send_control_frame(connection, cid, response)
        if accepted:
            self._spawn(self._set(connection, _chosen(answer, units)))
            self._override(connection, answer)

    def _on_link_layer(self, event: Any) -> None:
        connection = self._device.lookup_connection(event.connection_handle)
        if connection is None:
            return
        units = (event.interval_min, event.interval_max, event.max_latency, event.timeout)
        answer = self._judge(connection, units)
        if answer is not None and not answer.accepted:
            command = _HCI.HCI_LE_Remote_Connection_Parameter_Request_Negative_Reply_Command(
                connection_handle=event.connection_handle, reason=_UNACCEPTABLE
            )
        else:
            low, high, latency, timeout = _chosen(answer, units)
            command = _HCI.HCI_LE_Remote_Connection_Parameter_Request_Reply_Command(
                connection_handle=event.connection_handle,
                interval_min=low,
                interval_max=high,
                max_latency=latency,
                timeout=timeout,
                min_ce_length=0,
                max_ce_length=0,
            )
        self._spawn(self._device.host.send_sync_command(command))
        self._override(connection, answer)

    def _override(self, connection: Any, answer: Any) -> None:
        """Back to the phone's own parameters soon after (IB-24)."""
        if answer is None or not answer.override:
            return
        settings = self._phone.settings
        interval_ms, timeout_ms = settings.connection_interval_ms, settings.supervision_timeout_ms
        own = Wish(interval_ms, interval_ms, 0, timeout_ms)
        # the first update has to be in force, as the specification allows one at a time
        until_instant_us = round(_EVENTS_TO_INSTANT * answer.interval_max_ms * 1000)

        def again() -> None:
            if self._device.lookup_connection(connection.handle) is connection:
                self._spawn(self._set(connection, own.units))

        self._stack.place.loop.after_us(_OVERRIDE_AFTER_US + until_instant_us, again)

    async def _set(self, connection: Any, units: Units) -> None:
        low, high, latency, timeout = units
        await self._device.host.send_async_command(
            hci.HCI_LE_Connection_Update_Command(
                connection_handle=connection.handle,
                connection_interval_min=low,
                connection_interval_max=high,
                max_latency=latency,
                supervision_timeout=timeout,
                min_ce_length=0,
                max_ce_length=0,
            )
        )

    def _spawn(self, command: Coroutine[Any, Any, Any]) -> None:
        closing(self._stack.place.spawn(self._stack.node, _unless_gone(command)), command)


async def _unless_gone(command: Coroutine[Any, Any, Any]) -> None:
    """A connection may end, or another update begin, before the command reaches the controller."""
    try:
        await command
    except hci.HCI_Error:
        return


def _chosen(answer: Any, units: Units) -> Units:
    if answer is None:
        return units
    return Wish(
        answer.interval_min_ms, answer.interval_max_ms, answer.latency, answer.timeout_ms
    ).units
