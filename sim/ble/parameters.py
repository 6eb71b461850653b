"""Connection parameters that a peripheral asks for, answered by the phone on top instead of by bumble.

Bluetooth Core 5.4 Vol 3 Part A 4.20 and 4.21 (L2CAP request and response), Vol 6 Part B 5.1.7 and Vol 4 Part E 7.7.65.6
(LL request). bumble accepts everything; here the phone's `on_parameter_request` decides, and None accepts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bumble import hci, l2cap, utils

if TYPE_CHECKING:
    from sim.ble.stack import Stack
    from sim.phones import Phone

__all__ = ["ParameterRequests"]

_OVERRIDE_AFTER_US = 100_000
_UNACCEPTABLE = 0x3B


class ParameterRequests:
    """Takes the place of bumble's two handlers on one device."""

    def __init__(self, stack: Stack, phone: Phone, device: Any) -> None:
        self._stack = stack
        self._phone = phone
        self._device = device
        manager = device.l2cap_channel_manager
        manager.on_l2cap_connection_parameter_update_request = self._on_l2cap
        device.host.on_hci_le_remote_connection_parameter_request_event = self._on_link_layer

    def _judge(self, connection: Any, low: int, high: int, latency: int, timeout: int) -> Any:
        peer = self._stack.peer_name(connection)
        return self._stack.attempt(
            "its on_parameter_request()",
            lambda: self._phone.on_parameter_request(
                peer, low * 1.25, high * 1.25, latency, timeout * 10
            ),
        )

    def _on_l2cap(self, connection: Any, cid: int, request: Any) -> None:
        wish = (request.interval_min, request.interval_max, request.latency, request.timeout)
        is_central = connection.role == hci.Role.CENTRAL
        answer = self._judge(connection, *wish) if is_central else None
        accepted = is_central and (answer is None or answer.accepted)
        result = (
            l2cap.L2CAP_CONNECTION_PARAMETERS_ACCEPTED_RESULT
            if accepted
            else l2cap.L2CAP_CONNECTION_PARAMETERS_REJECTED_RESULT
        )
        self._device.l2cap_channel_manager.send_control_frame(
            connection,
            cid,
            l2cap.L2CAP_Connection_Parameter_Update_Response(
                identifier=request.identifier, result=result
            ),
        )
        if accepted:
            self._update(connection, answer, wish)

    def _on_link_layer(self, event: Any) -> None:
        connection = self._device.lookup_connection(event.connection_handle)
        if connection is None:
            return
        wish = (event.interval_min, event.interval_max, event.max_latency, event.timeout)
        answer = self._judge(connection, *wish)
        handle = event.connection_handle
        command: hci.HCI_Command
        if answer is not None and not answer.accepted:
            command = hci.HCI_LE_Remote_Connection_Parameter_Request_Negative_Reply_Command(
                connection_handle=handle, reason=_UNACCEPTABLE
            )
        else:
            low, high, latency, timeout = _units(answer, wish)
            command = hci.HCI_LE_Remote_Connection_Parameter_Request_Reply_Command(
                connection_handle=handle,
                interval_min=low,
                interval_max=high,
                max_latency=latency,
                timeout=timeout,
                min_ce_length=0,
                max_ce_length=0,
            )
        utils.AsyncRunner.spawn(self._device.host.send_sync_command(command))
        self._override(connection, answer)

    def _update(self, connection: Any, answer: Any, wish: tuple[int, int, int, int]) -> None:
        low, high, latency, timeout = _units(answer, wish)
        utils.AsyncRunner.spawn(self._set(connection, low, high, latency, timeout))
        self._override(connection, answer)

    def _override(self, connection: Any, answer: Any) -> None:
        """Back to the phone's own parameters soon after (IB-24)."""
        if answer is None or not answer.override:
            return
        settings = self._phone.settings
        interval, timeout = (
            round(settings.connection_interval_ms / 1.25),
            settings.supervision_timeout_ms // 10,
        )
        # long enough after the first update that its instant has passed
        later_us = _OVERRIDE_AFTER_US + round(12 * answer.interval_max_ms * 1000)

        def again() -> None:
            if self._device.lookup_connection(connection.handle) is connection:
                utils.AsyncRunner.spawn(self._set(connection, interval, interval, 0, timeout))

        self._stack.place.loop.after_us(later_us, again)

    async def _set(self, connection: Any, low: int, high: int, latency: int, timeout: int) -> None:
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


def _units(answer: Any, wish: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    if answer is None:
        return wish
    low, high = (round(ms / 1.25) for ms in (answer.interval_min_ms, answer.interval_max_ms))
    return low, high, answer.latency, answer.timeout_ms // 10
