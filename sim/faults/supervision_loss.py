"""A connection goes silent, though both sides still advertise and scan.

Bluetooth Core 5.4 Vol 6 Part B 4.5.2: the connection ends with 0x08 at both sides when their supervision timeout is
over, or with 0x3E when it was never established.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from protocols.ble.ll_radio import ADVERTISING_ACCESS_ADDRESS
from sim.faults._air import AirFault

if TYPE_CHECKING:
    from sim.faults import Befalls


class SupervisionLoss(AirFault):
    """Packets of connections do not arrive any more, until it is cleared."""

    befalls: ClassVar[Befalls] = "node"
    about = "Core 5.4 Vol 6 Part B 4.5.2. confidence: documented"

    def stops(self, receiver: str, data: bytes, meta: Any) -> str:
        """Everything but what has the advertising access address."""
        address = getattr(meta, "access_address", ADVERTISING_ACCESS_ADDRESS)
        return "" if address == ADVERTISING_ACCESS_ADDRESS else "silenced"


FAULT = SupervisionLoss
