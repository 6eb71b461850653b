"""A Wi-Fi Aware sensor that talks in follow-ups only: no data path, readings as service specific info.

Wi-Fi Aware 4.0, follow-up; no iPhone app can talk to it (IA-09). A reading is text: its number and the temperature, as in
"17 21.5". Whoever asks with "?" gets one at once and further ones every `reading_time`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, Literal

from protocols.wifi_aware import events as ev
from protocols.wifi_aware.station import RefusedError
from sim.accessories._aware import AwareAccessory, AwareSettings
from sim.device import command
from sim.units import Duration

if TYPE_CHECKING:
    from sim.device import Settings

ASK = b"?"
_LISTENERS = 8
"""Peers that get readings; the one that asked first makes room."""


class AwareSensorSettings(AwareSettings, frozen=True, kw_only=True):
    """Settings of the sensor."""

    data_path: bool = False
    """whether it offers data paths."""
    port: int = 0
    """port that it serves over a data path (0: none)."""
    model_name: str = "Sensor"
    """model in the pairing info."""
    temperature_c: float = 21.5
    """what it measures, degrees Celsius."""
    reading_time: Duration = Duration(5_000_000)
    """time between readings; a duration."""
    listeners: Literal["anybody", "paired"] = "anybody"
    """who gets readings."""


class AwareSensor(AwareAccessory):
    """Publishes `service_name`; answers follow-ups."""

    Settings: ClassVar[type[Settings]] = AwareSensorSettings
    about = (
        "Wi-Fi Aware 4.0, follow-up messages; what it says in them is made up. "
        "confidence: documented (follow-ups), made up (readings)"
    )
    settings: AwareSensorSettings

    async def start(self) -> None:
        """Publish, and tell those who ask."""
        self._number = 0
        self._temperature_c = self.settings.temperature_c
        self._listeners: list[str] = []
        await super().start()
        self.background(self._tell_all())

    def publish(self) -> None:
        """Publish a service that is asked by follow-ups."""
        self.aware.publish(fsd_required=True)

    def on_follow_up(self, event: ev.FollowUp) -> None:
        """Somebody asks, perhaps."""
        peer = self.aware.name(event.peer)
        if bytes.fromhex(event.service_info) != ASK:
            self.log(f"not understood: {event.service_info} from {peer}")
            return
        known = self.aware.engine.station.peers.get(event.peer)
        if self.settings.listeners == "paired" and not (known is not None and known.paired):
            self.log(f"{peer} asks and is not paired")
            return
        if event.peer in self._listeners:
            self._listeners.remove(event.peer)
        self._listeners = [*self._listeners, event.peer][-_LISTENERS:]
        self._read(event.peer)

    def on_aware_event(self, event: ev.Event) -> None:
        """Who does not acknowledge is gone."""
        super().on_aware_event(event)
        if isinstance(event, ev.Transmitted) and not event.acked and event.peer in self._listeners:
            self._listeners.remove(event.peer)
            self.log(f"{self.aware.name(event.peer)} is gone")

    async def _tell_all(self) -> None:
        while True:
            await asyncio.sleep(self.settings.reading_time / 1e6)
            for peer in list(self._listeners):
                self._read(peer)

    def _read(self, nmi: str) -> None:
        self._number += 1
        try:
            self.tell(nmi, f"{self._number} {self._temperature_c:.1f}".encode())
        except RefusedError as exc:
            self.log(f"{self.aware.name(nmi)} is not told: {exc}")

    @command
    async def warm(self, temperature_c: float) -> None:
        """Measure another temperature from now on, degrees Celsius."""
        self._temperature_c = temperature_c


ACCESSORY = AwareSensor
