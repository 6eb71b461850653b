"""A device whose GATT table changes with its firmware: an update over the air, then Service Changed for bonded clients.

Core 5.4 Vol 3 Part G 2.5.2 and 7.1 (attribute caching, Service Changed); rule IB-37 (iPhones keep the old table
otherwise). The update protocol is made up. Rules of the file: an image is taken over an encrypted link and counts
when its CRC-32 is right; the new firmware starts with a reboot.
"""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING, ClassVar, Literal

from protocols.ble.advertising import ad_run, flags, name
from sim.accessories._battery import BatteryAccessory, BatterySettings
from sim.device import command
from sim.gatt import Advert, AttError, Characteristic, Peer, Service

if TYPE_CHECKING:
    from sim.device import Settings

SENSOR_SERVICE = "6b0a0051-53c1-4a0d-9d0e-6f1a3c5b7d90"
READING = "6b0a0052-53c1-4a0d-9d0e-6f1a3c5b7d90"
CALIBRATION = "6b0a0053-53c1-4a0d-9d0e-6f1a3c5b7d90"
UPDATE_SERVICE = "6b0a0061-53c1-4a0d-9d0e-6f1a3c5b7d90"
UPDATE_CONTROL = "6b0a0062-53c1-4a0d-9d0e-6f1a3c5b7d90"
UPDATE_DATA = "6b0a0063-53c1-4a0d-9d0e-6f1a3c5b7d90"
BEGIN, ACTIVATE = 0x01, 0x02
INVALID_LENGTH, NOT_NOW, BAD_IMAGE = 0x0D, 0x80, 0x81
_RESTART_S = 0.5
Version = Literal["1.0.0", "2.0.0"]


class DfuSettings(BatterySettings, frozen=True, kw_only=True):
    """Settings of the updatable device."""

    local_name: str = "Sensor"
    """name in the advert and in GAP."""
    advertising_interval_ms: float = 100.0
    """advertising interval, ms."""
    firmware: Version = "1.0.0"
    """firmware it leaves the factory with; 2.0.0 has a characteristic more, before the others."""
    service_changed: bool = True
    """whether bonded clients are told that the table has changed."""


class DfuTarget(BatteryAccessory):
    """A sensor that can be updated."""

    Settings: ClassVar[type[Settings]] = DfuSettings
    about = (
        "Core 5.4 Vol 3 Part G 2.5.2, 7.1; phone profiles IB-37; the update protocol is made up. "
        "confidence: documented (Service Changed), made up (the update)"
    )
    settings: DfuSettings

    def firmware(self) -> str:
        """Firmware that runs."""
        return str(self.stored.get("firmware", self.settings.firmware))

    async def start(self) -> None:
        """Advertise."""
        self._image: bytearray | None = None
        self._size = 0
        self.log(f"firmware {self.firmware()}")
        data = ad_run([flags(), name(self.settings.local_name)])
        interval_ms = self.settings.advertising_interval_ms
        await self.ble.advertise(Advert(data=data, interval_ms=interval_ms))

    def local_name(self) -> str:
        """Device Name."""
        return self.settings.local_name

    def tells_service_changed(self) -> bool:
        """As the settings say."""
        return self.settings.service_changed

    def services(self) -> tuple[Service, ...]:
        """Sensor, update, firmware revision, battery."""
        reading = Characteristic(
            uuid=READING,
            name="Reading",
            properties=("read",),
            value=b"\x2a",
            read_security="encrypted",
        )
        calibration = Characteristic(
            uuid=CALIBRATION, name="Calibration", properties=("read",), value=b"\x07"
        )
        table = (reading,) if self.firmware() == "1.0.0" else (calibration, reading)
        control = Characteristic(
            uuid=UPDATE_CONTROL,
            name="Update Control",
            properties=("write",),
            write=self._on_control,
            write_security="encrypted",
        )
        data = Characteristic(
            uuid=UPDATE_DATA,
            name="Update Data",
            properties=("write", "write_without_response"),
            write=self._on_data,
            write_security="encrypted",
        )
        revision = Characteristic(
            uuid="2a26",
            properties=("read",),
            value=self.firmware().encode(),
            name="Firmware Revision",
        )
        return (
            Service(uuid=SENSOR_SERVICE, name="Sensor", characteristics=table),
            Service(uuid=UPDATE_SERVICE, name="Update", characteristics=(control, data)),
            Service(uuid="180a", name="Device Information", characteristics=(revision,)),
            self.battery_service(),
        )

    def _on_control(self, peer: Peer, value: bytes) -> None:
        """01 and the size of the image (4 octets LE), or 02 and its CRC-32 (4 octets LE)."""
        if len(value) != 5:
            raise AttError(INVALID_LENGTH)
        number = int.from_bytes(value[1:], "little")
        if value[0] == BEGIN:
            self._image, self._size = bytearray(), number
            self.log(f"{peer.name} begins an update of {number} octets")
        elif value[0] == ACTIVATE and self._image is not None:
            if len(self._image) != self._size or zlib.crc32(self._image) != number:
                raise AttError(BAD_IMAGE)
            self.background(self._restart())
        else:
            raise AttError(NOT_NOW)

    def _on_data(self, _peer: Peer, value: bytes) -> None:
        if self._image is None:
            raise AttError(NOT_NOW)
        self._image += value

    async def _restart(self) -> None:
        await asyncio.sleep(_RESTART_S)  # the answer to the write has to get out
        self.place.spawn(self.name, self.update())

    @command
    async def update(self, firmware: Version = "2.0.0") -> None:
        """Start with another firmware at once, as after an update."""
        self.store("firmware", firmware)
        self.emit("firmware", note=f"starts with {firmware}", version=firmware)
        await self.reboot()


ACCESSORY = DfuTarget
