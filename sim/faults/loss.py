"""Packets that would be received get lost.

Bluetooth Core 5.4 Vol 6 Part B 4.5.9 (what a connection does about it: it repeats).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from sim.faults._air import AirFault, DirectedSettings

if TYPE_CHECKING:
    from sim.device import Settings


class LossSettings(DirectedSettings, frozen=True, kw_only=True):
    """Settings of the loss."""

    probability: float = 0.3
    """of a packet to get lost at a receiver, 0 to 1."""

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ValueError(f"probability {self.probability:g}: allowed are 0 to 1")


class Loss(AirFault):
    """Packets get lost on the way, each by chance."""

    Settings: ClassVar[type[Settings]] = LossSettings
    about = "no model of a place or a disturber: a plain probability. confidence: made up"
    settings: LossSettings

    def stops(self, receiver: str, data: bytes, meta: Any) -> str:
        """One draw per packet and receiver."""
        return "loss" if self.stream(receiver).random() < self.settings.probability else ""


FAULT = Loss
