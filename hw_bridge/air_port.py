"""A simulated controller as a port, so that a session serves it as it serves a dongle.

Rules of the file: packets go to the controller and come from it at once, on the loop of its air; while nobody reads,
advertising reports beyond a bound are dropped and counted, everything else is kept.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from hw_bridge.activity import Activity
from hw_bridge.errors import BusyError
from hw_bridge.link import LinkInfo
from hw_bridge.links.direct import DirectLink
from hw_bridge.outbox import Outbox
from protocols.hci.framing import PacketFramer

if TYPE_CHECKING:
    from hw_bridge.link import Link, Receiver
    from protocols.hci.framing import Framer
    from sim.ble.controller import AirController

__all__ = ["AirPort"]


class AirPort:
    """The HCI of one controller on a simulated air."""

    needs_probe = True

    def __init__(self, controller: AirController) -> None:
        self.controller = controller
        self.counts: Counter[str] = Counter()
        """Of what was dropped, by reason; a session's own where it is to be told there."""

    def framer(self) -> Framer:
        """Packets keep their borders."""
        return PacketFramer()

    def present(self) -> bool:
        """Always."""
        return True

    async def open(self, receiver: Receiver) -> Link:
        """Become the controller's host. Raises BusyError."""
        if self.controller.host is not None:
            raise BusyError(f"the controller {self.controller.name} has a host")
        return _AirLink(self, receiver)

    async def close(self) -> None:
        """Nothing stays between two links."""


class _AirLink(DirectLink):
    """Host of the controller."""

    def __init__(self, port: AirPort, receiver: Receiver) -> None:
        info = LinkInfo(node=port.controller.name, product="a simulated controller")
        super().__init__(receiver, info)
        self._port = port
        self._controller: Any = port.controller
        self._activity = Activity()
        self._held = Outbox()
        self._controller.host = self

    def write(self, data: bytes) -> None:
        """Give the controller a packet."""
        self._taken += len(data)
        if self._controller.host is self:
            self._controller.on_packet(data)

    def on_packet(self, packet: bytes) -> None:
        """The controller says something."""
        if self._reading and not len(self._held):
            self._receiver.on_data(packet)
            return
        before = self._held.dropped_reports
        self._held.put(packet, droppable=self._activity.is_report(packet))
        self._port.counts["advertising reports of the air dropped"] += (
            self._held.dropped_reports - before
        )

    def resume_reading(self) -> None:
        """Read what was kept, and go on."""
        self._reading = True
        while self._reading and len(self._held):
            packet = self._held.first()
            self._held.pop()
            self._receiver.on_data(packet)

    async def close(self) -> None:
        """Be its host no longer."""
        if self._controller.host is self:
            self._controller.host = None
