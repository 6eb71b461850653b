"""An accessory that advertises so seldom that a phone misses it.

Bluetooth Core 5.4 Vol 6 Part B 4.4.2.2 (20 ms to 10.24 s on legacy sets); Accessory Design Guidelines, advertising
interval (rule IB-01).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import msgspec

from sim.device import Settings
from sim.faults._advert import AdvertFault

if TYPE_CHECKING:
    from sim.gatt import Advert


class SlowIntervalSettings(Settings, frozen=True, kw_only=True):
    """Settings of the interval."""

    interval_ms: float = 5000.0
    """advertising interval in place of the firmware's, ms."""

    def __post_init__(self) -> None:
        if not 20 <= self.interval_ms <= 10240:
            raise ValueError(f"interval_ms {self.interval_ms:g}: allowed are 20 to 10240 ms")


class SlowInterval(AdvertFault):
    """The advertising interval is another one, a long one by default."""

    Settings: ClassVar[type[Settings]] = SlowIntervalSettings
    about = "US-14, IB-01; 5 s is nobody's recommendation. confidence: made up (the number)"
    settings: SlowIntervalSettings

    def change(self, advert: Advert) -> Advert:
        """The same with the other interval."""
        return msgspec.structs.replace(advert, interval_ms=self.settings.interval_ms)


FAULT = SlowInterval
