"""The battery that accessories have in common: it runs down in a straight line, and the Battery Service tells how far.

Battery Service 1.0 (Bluetooth SIG).
"""

from __future__ import annotations

from typing import Any

from sim.accessories import Accessory, AccessorySettings
from sim.gatt import Characteristic, Service
from sim.units import Duration  # msgspec reads the annotations

__all__ = ["BATTERY", "BatteryAccessory", "BatterySettings"]

BATTERY = "2a19"


class BatterySettings(AccessorySettings, frozen=True, kw_only=True):
    """Settings of an accessory with a battery."""

    battery_pct: int = 100
    """charge at the start, percent."""
    battery_life: Duration = Duration(365 * 86_400_000_000)
    """time from full to empty; a duration."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.battery_pct <= 100:
            raise ValueError(f"battery_pct {self.battery_pct}: allowed are 0 to 100 percent")
        if self.battery_life <= 0:
            raise ValueError("battery_life: must be longer than nothing")


class BatteryAccessory(Accessory):
    """An accessory with a battery."""

    settings: Any

    def battery_pct(self) -> int:
        """Charge now, percent."""
        used = self.now_us * 100 // int(self.settings.battery_life)
        return max(0, int(self.settings.battery_pct) - used)

    def battery_service(self) -> Service:
        """The Battery Service."""
        level = Characteristic(
            uuid=BATTERY,
            name="Battery Level",
            properties=("read",),
            read=lambda _: bytes((self.battery_pct(),)),
        )
        return Service(uuid="180f", name="Battery", characteristics=(level,))
