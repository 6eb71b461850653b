"""Whoever types at a node types the wrong PIN.

Bluetooth Core 5.4 Vol 3 Part H 2.3.5.6.3 (in Secure Connections the first differing bit ends the pairing, reason
0x04) and 2.3.5.5 (legacy). Wi-Fi Aware 4.0, pairing with a PIN: SAE, whose confirm in the second PASN frame shows it to
the initiator, who goes on in silence (digest of pairing 6.2). It shows at nodes that type; one that displays the PIN is
not affected. It acts when a PIN is typed, whenever that was asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sim.defects import put
from sim.device import Settings
from sim.faults import Fault

if TYPE_CHECKING:
    from sim.faults import FaultPlace

PINS = 1_000_000


class WrongPinSettings(Settings, frozen=True, kw_only=True):
    """Settings of the mistake."""

    off_by: int = 1
    """what is added to the right PIN, modulo 1000000."""
    times: int = 0
    """how many PINs are wrong; 0 = all."""

    def __post_init__(self) -> None:
        if not self.off_by % PINS:
            raise ValueError(f"off_by {self.off_by}: that is the right PIN")
        if self.times < 0:
            raise ValueError("times: must not be negative")


class WrongPin(Fault):
    """PINs that are typed at a node are wrong."""

    Settings: ClassVar[type[Settings]] = WrongPinSettings
    about = (
        "Core 5.4 Vol 3 Part H 2.3.5.6.3; Wi-Fi Aware 4.0 and hostap (SAE confirm in the second frame of PASN). "
        "confidence: documented"
    )
    settings: WrongPinSettings

    def apply(self, world: FaultPlace) -> None:
        """Stand between the node and its person; a question that is open already is answered wrong, too."""
        self._left = self.settings.times or -1
        self.on_clear(put(world.defects(self.node).typed, self.mistyped))

    def mistyped(self, pin: str) -> str:
        """What is typed in place of `pin`."""
        if self._left == 0:
            return pin
        self._left -= 1
        wrong = f"{(int(pin) + self.settings.off_by) % PINS:06}"
        self.acted("the PIN is mistyped", pin=self.world.secret(wrong))
        return wrong


FAULT = WrongPin
