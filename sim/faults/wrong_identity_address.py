"""An identity address that is none, or somebody else's, in the keys that a node distributes.

Bluetooth Core 5.4 Vol 3 Part H 3.6.5 (Identity Address Information). US-17; rule IB-33 is what an iPhone makes of
zeros.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sim.defects import put
from sim.device import Settings, check_address
from sim.faults import Fault

if TYPE_CHECKING:
    from sim.faults import FaultPlace

SMP, IDENTITY_ADDRESS = 0x0006, 0x09
TYPES = {"public": 0, "random": 1}


class WrongIdentitySettings(Settings, frozen=True, kw_only=True):
    """Settings of the identity."""

    address: str = "00:00:00:00:00:00"
    """identity address that it distributes, with ' public' or ' random' behind it where the first octet does not say so."""

    def __post_init__(self) -> None:
        check_address(self.address)


class WrongIdentity(Fault):
    """The node distributes another identity address than its own: zeros, or any."""

    Settings: ClassVar[type[Settings]] = WrongIdentitySettings
    about = "devzone.nordicsemi.com 9811 (US-17, IB-33). confidence: observed"
    settings: WrongIdentitySettings

    def apply(self, world: FaultPlace) -> None:
        """Stand between host and controller."""
        self.on_clear(put(world.defects(self.node).outgoing, self._replace))

    def _replace(self, channel: int, pdu: bytes) -> tuple[bytes, int]:
        if channel != SMP or pdu[0] != IDENTITY_ADDRESS:
            return pdu, 0
        address, kind = check_address(self.settings.address)
        self.acted(f"distributes the identity {address} {kind}", address=address)
        octets = bytes.fromhex(address.replace(":", ""))[::-1]
        return bytes((IDENTITY_ADDRESS, TYPES[kind])) + octets, 0


FAULT = WrongIdentity
