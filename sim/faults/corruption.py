"""Bit errors: a packet with a wrong bit fails its CRC, and the longer it is the more likely that becomes.

Bluetooth Core 5.4 Vol 6 Part A 4.1 (sensitivity is the level with a bit error rate of 0.1 %), Part B 2.1 and 3.1.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from sim.faults._air import AirFault, DirectedSettings

if TYPE_CHECKING:
    from sim.device import Settings

ACCESS_ADDRESS_OCTETS, CRC_OCTETS = 4, 3


class CorruptionSettings(DirectedSettings, frozen=True, kw_only=True):
    """Settings of the corruption."""

    bit_error_rate: float = 0.001
    """probability of each bit to arrive wrong, 0 to 0.5."""

    def __post_init__(self) -> None:
        if not 0 <= self.bit_error_rate <= 0.5:
            raise ValueError(f"bit_error_rate {self.bit_error_rate:g}: allowed are 0 to 0.5")


class Corruption(AirFault):
    """Bits arrive wrong, and the receiver drops the packet for its CRC."""

    Settings: ClassVar[type[Settings]] = CorruptionSettings
    about = (
        "Core 5.4 Vol 6 Part B 3.1.1; errors are independent of each other. confidence: documented"
    )
    settings: CorruptionSettings

    def stops(self, receiver: str, data: bytes, meta: Any) -> str:
        """One draw per packet and receiver; an error that the CRC misses (one in 2^24) is not simulated."""
        bits = 8 * (ACCESS_ADDRESS_OCTETS + len(data) + CRC_OCTETS)
        arrives = (1.0 - self.settings.bit_error_rate) ** bits
        return "" if self.stream(receiver).random() < arrives else "crc"


FAULT = Corruption
