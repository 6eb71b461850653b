"""What faults of the air have in common: whose packets they concern.

Rules of the file: with a node the packets that it sends and those that it could hear; without one all of them. A
crowd is addressed by its name, as sender.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from sim.device import Settings
from sim.faults import Fault, counted

if TYPE_CHECKING:
    from sim.faults import Befalls, FaultPlace
    from sim.radio import Radio

__all__ = ["AirFault", "DirectedSettings"]


class DirectedSettings(Settings, frozen=True, kw_only=True):
    """Settings of a fault that stops packets."""

    direction: Literal["both", "to", "from"] = "both"
    """of the node: packets to it, from it, or both."""


class AirFault(Fault):
    """Stops packets at their receivers."""

    Settings: ClassVar[type[Settings]] = DirectedSettings
    befalls: ClassVar[Befalls] = "air"
    settings: Any

    def apply(self, world: FaultPlace) -> None:
        """Stand between senders and receivers."""
        self.on_clear(world.air.filter(self._filter))

    def _filter(self, radio: Radio, sender: str, data: bytes, meta: Any) -> str:
        direction = self.settings.direction
        concerned = (
            not self.node
            or (direction != "from" and radio.name == self.node)
            or (direction != "to" and sender == self.node)
        )
        reason = self.stops(radio.name, data, meta) if concerned else ""
        self.count += bool(reason)
        return reason

    def deeds(self) -> str:
        """How many packets it has stopped, each counted at every receiver that misses it."""
        return f"stopped {counted(self.count, 'packet')}"

    def stops(self, receiver: str, data: bytes, meta: Any) -> str:
        """Why `receiver` does not get the packet, "" when it does; `data` from the PDU header on, `meta` the sender's own."""
        raise NotImplementedError
