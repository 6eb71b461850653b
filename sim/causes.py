"""Which event led to which: packet on the air -> HCI packet -> what the device on top did, at one instant.

A packet that a node heard is the cause of the HCI packets its controller gives at that instant, those of what its
host and device do then, and of the answer it sends T_IFS or SIFS later. No clock, no chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.trace import TraceEvent

__all__ = ["Causes"]

_GAPS_US = (150, 10, 16)
"""After which a packet is the answer to another: T_IFS of LE, SIFS of Wi-Fi at 2.4 and 5 GHz."""


class Causes:
    """The last thing that reached each node, by layer."""

    def __init__(self) -> None:
        self._heard: dict[str, TraceEvent] = {}
        self._hci: dict[str, TraceEvent] = {}

    def heard(self, node: str, packet: TraceEvent) -> None:
        """`node` heard a packet of the air."""
        self._heard[node] = packet

    def told(self, node: str, packet: TraceEvent) -> None:
        """The host of `node` got an HCI packet."""
        self._hci[node] = packet

    def of(self, node: str, layer: str, t_us: int, start_us: int | None = None) -> int | None:
        """`seq` of what led to an event of `node` at `t_us` (a packet that began at `start_us`); None when nothing did."""
        if layer in ("control", "world"):
            return None
        if layer == "air":
            before = self._heard.get(node)
            answers = (
                before is not None and start_us is not None and start_us - before.t_us in _GAPS_US
            )
            return before.seq if before is not None and answers else None
        order = (self._heard,) if layer == "hci" else (self._hci, self._heard)
        for known in order:
            event = known.get(node)
            if event is not None and event.t_us == t_us:
                return event.seq
        return None
