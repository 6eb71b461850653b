"""An accessory whose power fails in the middle of a pairing.

Bluetooth Core 5.4 Vol 6 Part B 4.5.2 (the other side notices by its supervision timeout), Vol 3 Part H 3.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from sim.device import Settings
from sim.faults import Fault

if TYPE_CHECKING:
    from sim.faults import Befalls, FaultPlace
    from sim.trace import TraceEvent

Step = Literal[
    "pairing_request", "pairing_response", "public_key", "pairing_confirm", "pairing_random", "dhkey_check",
    "encryption_key", "identity_key", "identity_address",
]  # fmt: skip


class RebootSettings(Settings, frozen=True, kw_only=True):
    """Settings of the reboot."""

    step: Step = "pairing_confirm"
    """message of the pairing, sent by either side, at which the power fails."""
    times: int = 1
    """how many pairings it spoils; 0 = all."""

    def __post_init__(self) -> None:
        if self.times < 0:
            raise ValueError("times: must not be negative")


class RebootMidPairing(Fault):
    """The accessory reboots when a pairing has come to a step."""

    Settings: ClassVar[type[Settings]] = RebootSettings
    befalls: ClassVar[Befalls] = "accessory"
    about = "a brown-out while the radio and the display draw their most. confidence: made up"
    settings: RebootSettings

    def apply(self, world: FaultPlace) -> None:
        """Watch the pairings."""
        self._left = self.settings.times or -1
        self._rebooting = False
        self.on_clear(world.trace.add_sink(self._see))

    def _see(self, event: TraceEvent) -> None:
        is_step = event.layer == "ble" and event.event == self.settings.step
        if is_step and self.node in (event.node, event.peer) and self._left and not self._rebooting:
            self._left -= 1
            self._rebooting = True
            self.world.spawn(self.node, self._reboot())

    async def _reboot(self) -> None:
        self.acted(f"the power fails at {self.settings.step.replace('_', ' ')}")
        device: Any = self.world.devices[self.node]
        try:
            await device.reboot()
        finally:
            self._rebooting = False


FAULT = RebootMidPairing
