"""LE Ping and the authenticated payload timeout of an encrypted link.

Bluetooth Core specification 5.4, Vol 6 Part B, 5.1.8 and 5.4; Vol 4 Part E, 7.3.93 and 7.7.75. Rule of the file: the
peer is pinged in time for its answer to arrive before the timeout; a timeout that passes all the same is reported,
and the link stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.ble.ll_opcodes import Opcode

if TYPE_CHECKING:
    from sim.ble.connection import LinkConnection
    from sim.clock import Event

__all__ = ["AuthenticatedPayload"]

DEFAULT_TIMEOUT = 0x0BB8  # 10 ms units: 30 s
UNIT_US = 10_000
EVENTS_FOR_PING = 6
EXPIRED_EVENT = 0x57


class AuthenticatedPayload:
    """The timer of one side of `link`; `timeout` in 10 ms units."""

    def __init__(self, link: LinkConnection) -> None:
        self._link = link
        self.timeout = DEFAULT_TIMEOUT
        self._heard_us = 0
        self._pinged = False
        self._event: Event | None = None

    def restart(self) -> None:
        """Begin, with encryption or with another timeout."""
        self.stop()
        if self._link.encryption.on:
            self.heard()
            self._wait()

    def stop(self) -> None:
        """No more timer."""
        if self._event is not None:
            self._event.cancel()
            self._event = None

    def heard(self) -> None:
        """A packet with a right MIC has come."""
        self._heard_us = self._link.loop.now_us
        self._pinged = False

    def _wait(self) -> None:
        """Sleep until the peer must be pinged, or until the timeout once it was."""
        events = self._link.events
        timeout_us = self.timeout * UNIT_US
        early_us = EVENTS_FOR_PING * events.interval_us * (events.latency + 1)
        wait_us = timeout_us if self._pinged else timeout_us - min(early_us, timeout_us // 2)
        loop = self._link.loop
        self._event = loop.at_us(max(self._heard_us + wait_us, loop.now_us), self._due)

    def _due(self) -> None:
        link = self._link
        if not link.encryption.on:
            return  # a refresh that ends begins anew
        silent_us = link.loop.now_us - self._heard_us
        if silent_us >= self.timeout * UNIT_US:
            link.controller.send_event(EXPIRED_EVENT, link.handle.to_bytes(2, "little"))
            self.heard()
        elif silent_us >= self.timeout * UNIT_US // 2 and not self._pinged:
            self._pinged = True
            link.control.run(Opcode.PING_REQ, self._ping)
        self._wait()

    def _ping(self) -> None:
        self._link.send_control(bytes((Opcode.PING_REQ,)))
