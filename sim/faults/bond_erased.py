"""A bond is gone at one side: a new battery, a restored backup, "Forget This Device".

Bluetooth Core 5.4 Vol 3 Part H 2.4.4, Vol 1 Part F 0x06 (PIN or Key Missing). US-18; rule IB-34 is what an iPhone
makes of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from sim.device import Settings
from sim.faults import Fault

if TYPE_CHECKING:
    from sim.faults import FaultPlace


class BondErasedSettings(Settings, frozen=True, kw_only=True):
    """Settings of the loss."""

    peer: str = ""
    """node (or address) that the bond is with; all bonds when empty."""
    other_side_too: bool = False
    """whether the bond is forgotten at the other side as well, as somebody should have done."""


class BondErased(Fault):
    """A node forgets its bonds at one instant, and tells nobody."""

    Settings: ClassVar[type[Settings]] = BondErasedSettings
    momentary: ClassVar[bool] = True
    about = "flutter_reactive_ble #809 and others (US-18, IB-34). confidence: observed"
    settings: BondErasedSettings

    def apply(self, world: FaultPlace) -> None:
        """Erase them."""
        world.spawn(self.node, self._erase(world))

    async def _erase(self, world: FaultPlace) -> None:
        peer = self.settings.peer
        await self._forget(world, self.node, peer)
        if self.settings.other_side_too:
            for name in world.devices:
                if name != self.node and peer in ("", name):
                    await self._forget(world, name, self.node)

    async def _forget(self, world: FaultPlace, node: str, peer: str) -> None:
        ble: Any = getattr(world.devices[node], "ble", None)
        if ble is not None:  # it has never been switched on: it has no bonds to lose
            await ble.forget(peer)


FAULT = BondErased
