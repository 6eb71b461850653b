"""The Feasycom FSC-BP105N beacon, as one was recorded.

The recorded device sends Eddystone telemetry under FEAA, its own general frame under FFF0, and its name. Together
with the flags these take 52 octets and one legacy PDU carries 31. Feasycom's beacons interleave up to ten frames
on one advertiser (their general frame documentation); so does this one, with two:

    telemetry frame   flags, list of FEAA, service data FEAA            25 octets
    general frame     flags, service data FFF0, complete local name     30 octets

With nothing in a scan response the name is heard by a passive scan too, and of the device that is not connectable
(ADV_NONCONN_IND has no scan response). The order and the time of each frame were not recorded.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from protocols.ble.advertising import ad_run, flags, name, service_data, uuids16
from protocols.ble.payloads.eddystone_tlm import tlm_frame
from sim.accessories import Accessory, AccessorySettings
from sim.gatt import Advert, Characteristic, Service, Sort
from sim.units import Duration  # msgspec reads the annotations

if TYPE_CHECKING:
    from sim.device import Settings

TELEMETRY = bytes.fromhex("20000be680000339ffa229bbce8a")
GENERAL = bytes.fromhex("36021892dc0d3015aeb164")
_BATTERY_MV, _ADV_COUNT, _UPTIME_S = 3046, 0x0339FFA2, 0x29BBCE8A / 10
_MEAN_DELAY_US = 5_000


class FscSettings(AccessorySettings, frozen=True, kw_only=True):
    """Settings of the FSC-BP105N."""

    address: str = "dc:0d:30:15:ae:b1 public"
    """radio address; the default is the one inside the recorded general frame."""
    connectable: bool = True
    """whether a central may connect, as the two firmware settings of the real one."""
    local_name: str = "FSC-BP105N"
    """name in the advert and in GAP; at most 11 octets fit."""
    advertising_interval_ms: float = 100.0
    """advertising interval, ms."""
    frame_time: Duration = Duration(500_000)
    """how long each of the two frames is sent before the other; a duration."""
    running: bool = False
    """whether the counters of the telemetry go on from the recorded values; else the recorded octets are repeated."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.frame_time <= 0:
            raise ValueError("frame_time: must be longer than nothing")
        if len(self.local_name.encode()) > 11:
            raise ValueError(
                f"local_name: {len(self.local_name.encode())} octets; 11 fit beside the general frame"
            )


class FscBp105n(Accessory):
    """The recorded beacon: telemetry and general frame in turn, and Device Information when connectable."""

    Settings: ClassVar[type[Settings]] = FscSettings
    about = (
        "Feasycom FSC-BP105N: recorded payloads (telemetry with temperature 0x8000, model 0x36, firmware 2.24, 100 %). "
        "confidence: verified (payloads), unverified (frame timing, GATT table of the real one not recorded)"
    )
    settings: FscSettings

    def local_name(self) -> str:
        """Device Name."""
        return self.settings.local_name

    def services(self) -> tuple[Service, ...]:
        """Device Information; nothing when not connectable."""
        if not self.settings.connectable:
            return ()
        texts = (("2a29", "Feasycom"), ("2a24", "FSC-BP105N"), ("2a26", "2.24"))
        table = tuple(
            Characteristic(uuid=u, properties=("read",), value=text.encode()) for u, text in texts
        )
        return (Service(uuid="180a", characteristics=table, name="Device Information"),)

    def frames(self) -> tuple[bytes, bytes]:
        """Advertising data of the telemetry and of the general frame, now."""
        return (
            ad_run([flags(), uuids16(["feaa"]), service_data("feaa", self._telemetry())]),
            ad_run([flags(), service_data("fff0", GENERAL), name(self.settings.local_name)]),
        )

    def _telemetry(self) -> bytes:
        if not self.settings.running:
            return TELEMETRY
        events = self.now_us // (
            round(self.settings.advertising_interval_ms * 1000) + _MEAN_DELAY_US
        )
        return tlm_frame(_BATTERY_MV, None, _ADV_COUNT + events, _UPTIME_S + self.now_us / 1e6)

    async def start(self) -> None:
        """Advertise and begin to change the frames."""
        sort: Sort = "connectable" if self.settings.connectable else "non_connectable"
        advert = Advert(
            data=self.frames()[0], sort=sort, interval_ms=self.settings.advertising_interval_ms
        )
        await self.ble.advertise(advert)
        self.background(self._interleave())

    async def _interleave(self) -> None:
        index = 0
        while True:
            await asyncio.sleep(self.settings.frame_time / 1e6)
            index = 1 - index
            await self.ble.set_data(self.frames()[index])


ACCESSORY = FscBp105n
