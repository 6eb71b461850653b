"""A headset: no display, no keys, one button, one LED; pairs by Just Works and keeps bonds with two phones.

Bluetooth Core 5.4 Vol 3 Part H 2.3.5.2 (Just Works); service, button and LED are made up. Rules of the file: a third bond
pushes out the oldest; while one phone is connected it advertises for the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sim.accessories._battery import BatteryAccessory, BatterySettings
from sim.adverts import service_and_name
from sim.device import command
from sim.gatt import Advert, AttError, Characteristic, Peer, Service
from sim.units import Duration

if TYPE_CHECKING:
    from sim.device import Settings

HEADSET_SERVICE = "6b0a0031-53c1-4a0d-9d0e-6f1a3c5b7d90"
VOLUME = "6b0a0032-53c1-4a0d-9d0e-6f1a3c5b7d90"
NOT_SUPPORTED, VALUE_NOT_ALLOWED = 0x05, 0x13
_FULL = 100


class HeadsetSettings(BatterySettings, frozen=True, kw_only=True):
    """Settings of the headset."""

    local_name: str = "Headset"
    """name in the advert and in GAP."""
    advertising_interval_ms: float = 100.0
    """advertising interval, ms."""
    phones: int = 2
    """how many phones it bonds with and talks to at once, 1 to 4."""
    needs_button: bool = False
    """whether the button has to be pressed before it pairs."""
    pairing_time: Duration = Duration(60_000_000)
    """how long it pairs after the button was pressed; a duration."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.phones <= 4:
            raise ValueError(f"phones {self.phones}: allowed are 1 to 4")


class Headset(BatteryAccessory):
    """Volume for bonded phones."""

    Settings: ClassVar[type[Settings]] = HeadsetSettings
    about = (
        "Core 5.4 Vol 3 Part H 2.3.5.2; its GATT service, its button and its LED are made up. "
        "confidence: documented (pairing), made up (service)"
    )
    settings: HeadsetSettings

    async def start(self) -> None:
        """Advertise."""
        self._links: dict[int, int] = {}
        self._pairing_until_us = 0
        self._light()
        await self._advertise(0)

    async def _advertise(self, slot: int) -> None:
        data, response = service_and_name(HEADSET_SERVICE, self.settings.local_name)
        advert = Advert(
            data=data, scan_response=response, interval_ms=self.settings.advertising_interval_ms
        )
        await self.ble.advertise(advert, slot)

    def local_name(self) -> str:
        """Device Name."""
        return self.settings.local_name

    def services(self) -> tuple[Service, ...]:
        """The volume and the battery."""
        volume = Characteristic(
            uuid=VOLUME,
            name="Volume",
            properties=("read", "write", "notify"),
            read=lambda _: bytes((self.stored.get("volume", _FULL // 2),)),
            write=self._on_volume,
            read_security="encrypted",
            write_security="encrypted",
        )
        headset = Service(uuid=HEADSET_SERVICE, name="Headset", characteristics=(volume,))
        return (headset, self.battery_service())

    def _on_volume(self, peer: Peer, value: bytes) -> None:
        if len(value) != 1 or value[0] > _FULL:
            raise AttError(VALUE_NOT_ALLOWED)
        self.store("volume", value[0])
        self.log(f"volume {value[0]} by {peer.name}")
        self.background(self.ble.notify(VOLUME, value))

    def on_connect(self, peer: Peer) -> None:
        """Make room for the next phone."""
        slot = next(n for n in range(len(self._links) + 1) if n not in self._links.values())
        self._links[peer.handle] = slot
        self._light()
        free = [n for n in range(self.settings.phones) if n not in self._links.values()]
        if free:
            self.background(self._advertise(free[0]))

    def on_disconnect(self, peer: Peer, reason: int) -> None:
        """Its advertising set goes on by itself; no more than one is needed."""
        self._links.pop(peer.handle, None)
        self._light()

    def may_pair(self, peer: str) -> int:
        """Only after the button, when that is needed."""
        open_ = not self.settings.needs_button or self.now_us < self._pairing_until_us
        return 0 if open_ else NOT_SUPPORTED

    def on_paired(self, peer: str, *, bonded: bool, authenticated: bool) -> None:
        """Keep no more bonds than phones."""
        bonds = self.ble.bonded_with()
        if len(bonds) > self.settings.phones:
            self.log(f"forgets {bonds[0]}, the oldest of {len(bonds)} phones")
            self.background(self.ble.forget(bonds[0]))

    @command
    async def press_button(self) -> None:
        """Press the button: it pairs for a while."""
        self._pairing_until_us = self.now_us + self.settings.pairing_time
        self.emit("pairing_mode", note=f"for {self.settings.pairing_time / 1e6:g} s")
        self._light()
        self.place.after_us(self.settings.pairing_time, self._light)

    def _light(self) -> None:
        """The LED: blinks while it pairs after the button, is on while a phone is connected."""
        if self.is_off:
            return
        pairs = self.now_us < self._pairing_until_us
        state = "blinks blue" if pairs else "blue" if self._links else "off"
        self.show_led("status", state)


ACCESSORY = Headset
