"""A host that has stopped talking while its radio goes on: nothing of SMP (or ATT) comes any more.

Bluetooth Core 5.4 Vol 3 Part H 3.4 (the pairing fails after 30 s, and the connection is good for none any more) and
Part F 3.3.3 (likewise for ATT).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from sim.defects import put
from sim.device import Settings
from sim.faults import Fault

if TYPE_CHECKING:
    from sim.faults import FaultPlace

CHANNELS = {"att": (0x0004,), "smp": (0x0006,), "both": (0x0004, 0x0006)}


class SilentPeerSettings(Settings, frozen=True, kw_only=True):
    """Settings of the silence."""

    protocol: Literal["smp", "att", "both"] = "smp"
    """what it is silent about."""
    after: int = 0
    """PDUs that it still says."""

    def __post_init__(self) -> None:
        if self.after < 0:
            raise ValueError("after: must not be negative")


class SilentPeer(Fault):
    """A node's host says nothing, at once or after some PDUs."""

    Settings: ClassVar[type[Settings]] = SilentPeerSettings
    about = "Core 5.4 Vol 3 Part H 3.4. confidence: documented"
    settings: SilentPeerSettings

    def apply(self, world: FaultPlace) -> None:
        """Stand between host and controller."""
        self._left = self.settings.after
        self.on_clear(put(world.defects(self.node).outgoing, self._silent))

    def _silent(self, channel: int, pdu: bytes) -> tuple[bytes, int] | None:
        if channel not in CHANNELS[self.settings.protocol]:
            return pdu, 0
        if self._left:
            self._left -= 1
            return pdu, 0
        self.acted(f"says nothing in place of PDU {pdu[0]:#04x}", channel=channel)
        return None


FAULT = SilentPeer
