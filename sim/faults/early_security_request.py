"""An accessory that asks for security before it has refused anything.

Bluetooth Core 5.4 Vol 3 Part H 2.4.6 (Security Request); Accessory Design Guidelines 40.10 (rule IB-31). US-17.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar

from sim.defects import put
from sim.device import Settings
from sim.faults import Fault
from sim.units import Duration  # msgspec reads the annotations

if TYPE_CHECKING:
    from sim.faults import Befalls, FaultPlace
    from sim.gatt import Peer


class EarlyRequestSettings(Settings, frozen=True, kw_only=True):
    """Settings of the request."""

    after: Duration = Duration(0)
    """how long after the connection it comes; a duration."""


class EarlySecurityRequest(Fault):
    """The accessory sends a Security Request to everybody who connects."""

    Settings: ClassVar[type[Settings]] = EarlyRequestSettings
    befalls: ClassVar[Befalls] = "accessory"
    about = "Accessory Design Guidelines 40.10 (US-17, IB-31). confidence: documented"
    settings: EarlyRequestSettings

    def apply(self, world: FaultPlace) -> None:
        """Be told of connections."""
        self.on_clear(put(world.defects(self.node).connected, self._connected))

    def _connected(self, peer: Peer) -> None:
        self.world.spawn(self.node, self._ask(peer))

    async def _ask(self, peer: Peer) -> None:
        await asyncio.sleep(self.settings.after / 1e6)
        device: Any = self.world.devices[self.node]
        await device.ble.request_security(peer)


FAULT = EarlySecurityRequest
