"""A Wi-Fi Aware accessory with a display: it publishes, shows the PIN, and answers data paths.

The flow that an iPhone knows: the accessory publishes and displays, the phone subscribes and types (IA-32, IA-34).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sim.accessories._aware import AwareAccessory, AwareSettings

if TYPE_CHECKING:
    from sim.device import Settings


class AwareDisplaySettings(AwareSettings, frozen=True, kw_only=True):
    """Settings of the accessory with a display."""


class AwareDisplay(AwareAccessory):
    """Publishes `service_name`, shows a PIN for each pairing."""

    Settings: ClassVar[type[Settings]] = AwareDisplaySettings
    about = (
        "Wi-Fi Aware 4.0; firmware behaviour as in hostap and ESP-IDF; what iPhones want as developers observed. "
        "confidence: see each setting and `nearbench list rules`"
    )
    settings: AwareDisplaySettings


ACCESSORY = AwareDisplay
