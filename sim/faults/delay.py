"""A host that is slow: what it says over ATT and SMP leaves late.

Bluetooth Core 5.4 Vol 3 Part F 3.3.3 and Part H 3.4: who waits gives up after 30 s. The link layer below is as quick
as ever, so the connection stays up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sim.defects import put
from sim.device import Settings
from sim.faults import Fault, counted
from sim.units import Duration  # msgspec reads the annotations

if TYPE_CHECKING:
    from sim.faults import FaultPlace


class DelaySettings(Settings, frozen=True, kw_only=True):
    """Settings of the delay."""

    delay: Duration = Duration(500_000)
    """how late each PDU leaves; a duration."""
    jitter: Duration = Duration(0)
    """up to how much later still, drawn for each PDU; a duration."""


class Delay(Fault):
    """A node's host takes its time; the order of what it says stays."""

    Settings: ClassVar[type[Settings]] = DelaySettings
    about = "Core 5.4 Vol 3 Part F 3.3.3 (transaction timeout). confidence: made up (the number)"
    settings: DelaySettings

    def apply(self, world: FaultPlace) -> None:
        """Stand between host and controller."""
        self.on_clear(put(world.defects(self.node).outgoing, self._late))

    def _late(self, channel: int, pdu: bytes) -> tuple[bytes, int]:
        jitter_us = int(self.settings.jitter)
        extra_us = self.stream(self.node).randrange(jitter_us + 1) if jitter_us else 0
        self.count += 1
        return pdu, int(self.settings.delay) + extra_us

    def deeds(self) -> str:
        """How many PDUs left late."""
        return f"delayed {counted(self.count, 'PDU')}"


FAULT = Delay
