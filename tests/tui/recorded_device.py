"""A device of a recorded exchange as an accessory: its addresses, settings and random values; commands drive it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sim.accessories._aware import AwareAccessory, AwareSettings
from sim.wifi_aware.firmware import Firmware
from tui.verify.replay import settings_of

if TYPE_CHECKING:
    from protocols.wifi_aware.device import DeviceSettings


class RecordedFirmware(Firmware, frozen=True, kw_only=True):
    exchange: Any = None
    """the recording."""
    side: str = "A"
    """which of the two."""

    def refine(self, settings: DeviceSettings) -> DeviceSettings:
        return settings_of(self.exchange, self.side)


class RecordedSettings(AwareSettings, frozen=True, kw_only=True):
    file: str = ""
    """the recording."""
    side: str = "A"
    """which of the two."""


class RecordedDevice(AwareAccessory):
    Settings: ClassVar[type] = RecordedSettings
    about = "a test device. confidence: recorded"

    def __init__(self, name: str, settings: Any, place: Any) -> None:
        super().__init__(name, settings, place)
        self.exchange = json.loads(Path(settings.file).read_text(encoding="utf-8"))
        self.draws = list(self.exchange["draws"][settings.side])

    def draw(self, purpose: str, length: int) -> bytes:
        if not self.draws or self.draws[0]["purpose"] != purpose:
            return super().draw(purpose, length)
        value = bytes.fromhex(self.draws.pop(0)["hex"])
        assert len(value) == length
        return value

    def firmware(self) -> Firmware:
        device = self.exchange["devices"][self.settings.side]
        return RecordedFirmware(
            exchange=self.exchange,
            side=self.settings.side,
            address=device["nmi"],
            interface_address=device["ndi"],
        )

    async def start(self) -> None:
        self._instances, self._wanted = {}, {}
        self.aware.power_on()
        self.aware.ceremony.automatic = False


ACCESSORY = RecordedDevice
