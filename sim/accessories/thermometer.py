"""A Health Thermometer: temperature by indication, battery, device information.

Health Thermometer Service 1.0, Battery Service 1.0, Device Information Service 1.1 (Bluetooth SIG). The profile's
rules it keeps: Temperature Measurement only by indication, only to who asked for it; values as IEEE-11073 FLOAT.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, Literal

from protocols.ble.advertising import ad_run, flags, name, uuids16
from protocols.ble.gatt_values import temperature_measurement
from sim.accessories import Accessory, AccessorySettings
from sim.gatt import Advert, Characteristic, Peer, Service
from sim.units import Duration  # msgspec reads the annotations

if TYPE_CHECKING:
    from sim.device import Settings

TEMPERATURE, BATTERY = "2a1c", "2a19"
Site = Literal["armpit", "body", "ear", "finger", "mouth", "rectum", "toe", "tympanum"]


class ThermometerSettings(AccessorySettings, frozen=True, kw_only=True):
    """Settings of the thermometer."""

    local_name: str = "Thermometer"
    """name in the advert and in GAP."""
    advertising_interval_ms: float = 100.0
    """advertising interval, ms."""
    measurement_interval: Duration = Duration(1_000_000)
    """time between two indications; a duration."""
    temperature_c: float = 36.6
    """middle of the measured curve, degrees Celsius."""
    swing_c: float = 0.4
    """how far it goes up and down from there, degrees Celsius."""
    swing_period: Duration = Duration(60_000_000)
    """time for once up, down and back; a duration."""
    site: Site = "body"
    """where on the body it measures."""
    battery_pct: int = 80
    """charge at the start, percent."""
    battery_life: Duration = Duration(30 * 86_400_000_000)
    """time from full to empty; a duration."""
    manufacturer: str = "nearbench"
    """Manufacturer Name."""
    model: str = "HT-1"
    """Model Number."""
    firmware: str = "1.0.0"
    """Firmware Revision."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.battery_pct <= 100:
            raise ValueError(f"battery_pct {self.battery_pct}: allowed are 0 to 100 percent")
        for key in ("measurement_interval", "swing_period", "battery_life"):
            if getattr(self, key) <= 0:
                raise ValueError(f"{key}: must be longer than nothing")


class Thermometer(Accessory):
    """A thermometer whose reading goes up and down in a straight line, so that every value can be told beforehand."""

    Settings: ClassVar[type[Settings]] = ThermometerSettings
    about = (
        "Bluetooth SIG: Health Thermometer Service 1.0, Battery Service 1.0, Device Information Service 1.1. "
        "confidence: documented; the temperature curve is made up"
    )
    settings: ThermometerSettings

    def celsius(self) -> float:
        """Reading now, degrees Celsius: a triangle around `temperature_c`."""
        period = self.settings.swing_period
        phase = self.now_us % period / period
        height = 4 * phase if phase < 0.25 else 2 - 4 * phase if phase < 0.75 else 4 * phase - 4
        return round(self.settings.temperature_c + self.settings.swing_c * height, 1)

    def battery_pct(self) -> int:
        """Charge now, percent."""
        return max(0, self.settings.battery_pct - self.now_us * 100 // self.settings.battery_life)

    def local_name(self) -> str:
        """Device Name."""
        return self.settings.local_name

    def services(self) -> tuple[Service, ...]:
        """Health Thermometer, Battery, Device Information."""
        texts = (
            ("2a29", self.settings.manufacturer),
            ("2a24", self.settings.model),
            ("2a26", self.settings.firmware),
        )
        return (
            Service(
                uuid="1809",
                name="Health Thermometer",
                characteristics=(
                    Characteristic(
                        uuid=TEMPERATURE, properties=("indicate",), name="Temperature Measurement"
                    ),
                    Characteristic(
                        uuid="2a1d",
                        properties=("read",),
                        value=self._site(),
                        name="Temperature Type",
                    ),
                ),
            ),
            Service(
                uuid="180f",
                name="Battery",
                characteristics=(
                    Characteristic(
                        uuid=BATTERY,
                        properties=("read",),
                        read=lambda _: bytes((self.battery_pct(),)),
                        name="Battery Level",
                    ),
                ),
            ),
            Service(
                uuid="180a",
                name="Device Information",
                characteristics=tuple(
                    Characteristic(uuid=uuid, properties=("read",), value=text.encode())
                    for uuid, text in texts
                ),
            ),
        )

    def _site(self) -> bytes:
        return temperature_measurement(0.0, site=self.settings.site)[-1:]

    async def start(self) -> None:
        """Advertise as a Health Thermometer."""
        self._indicating = False
        data = ad_run([flags(), uuids16(["1809"]), name(self.settings.local_name)])
        await self.ble.advertise(
            Advert(data=data, interval_ms=self.settings.advertising_interval_ms)
        )

    def on_subscribe(self, peer: Peer, characteristic: str, mode: str) -> None:
        """Begin to indicate at the first subscription."""
        if characteristic == TEMPERATURE and mode == "indicate" and not self._indicating:
            self._indicating = True
            self.background(self._measure())

    async def _measure(self) -> None:
        """Indicate every interval until nobody is left who confirms; a late confirmation skips a turn."""
        interval_us = self.settings.measurement_interval
        due_us = self.now_us
        while True:
            due_us += ((self.now_us - due_us) // interval_us + 1) * interval_us
            await asyncio.sleep((due_us - self.now_us) / 1e6)
            value = temperature_measurement(self.celsius(), site=self.settings.site)
            if not await self.ble.indicate(TEMPERATURE, value):
                break
        self._indicating = False


ACCESSORY = Thermometer
