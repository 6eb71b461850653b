"""Accessory firmware models, one file each; a file is registered by being here and defining ACCESSORY.

`Accessory` is the base of the built-in ones and of a user's own (named by the path of its file).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from protocols.registry import Folder
from sim.device import Device, Settings, check_address, command

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Coroutine

    from sim.device import Place
    from sim.gatt import Advert, Peer, Service

__all__ = ["ACCESSORIES", "Accessory", "AccessorySettings", "Peripheral"]


class Peripheral(Protocol):
    """The BLE radio of an accessory: a GATT server and advertising sets (served by sim/ble/peripheral.py)."""

    @property
    def address(self) -> str:
        """Address in use, `aa:bb:cc:dd:ee:ff`."""
        ...

    async def power_on(self, services: tuple[Service, ...]) -> None:
        """Start controller and host with this GATT table."""
        ...

    async def power_off(self) -> None:
        """Drop everything at once, as when the battery is pulled."""
        ...

    async def advertise(self, advert: Advert, handle: int = 0) -> None:
        """Start (or replace) advertising set `handle`; a connectable one rests while a central is connected by it."""
        ...

    async def set_data(
        self, data: bytes, scan_response: bytes | None = None, handle: int = 0
    ) -> None:
        """New octets for a running set, without a gap."""
        ...

    async def stop_advertising(self, handle: int = 0) -> None:
        """Stop one set; harmless when it is not running."""
        ...

    async def notify(self, characteristic: str, value: bytes, peer: Peer | None = None) -> int:
        """Notify subscribers (or one peer); the number of peers it was sent to."""
        ...

    async def indicate(self, characteristic: str, value: bytes, peer: Peer | None = None) -> int:
        """Indicate and wait for the confirmations; the number of peers that confirmed."""
        ...

    async def disconnect(self, peer: Peer) -> None:
        """Close a connection."""
        ...


class AccessorySettings(Settings, frozen=True, kw_only=True):
    """Settings every accessory has."""

    address: str = ""
    """radio address; drawn from the seed (a static random one) when empty."""
    tx_power_dbm: int = 0
    """transmit power, dBm."""

    def __post_init__(self) -> None:
        if self.address:
            check_address(self.address)


class Accessory(Device):
    """One simulated accessory: override `services`, `start` and the `on_...` methods you need."""

    Settings: ClassVar[type[Settings]] = AccessorySettings
    layer: ClassVar[str] = "accessory"
    ble: Peripheral

    def __init__(self, name: str, settings: Any, place: Place) -> None:
        super().__init__(name, settings, place)
        self._background: list[asyncio.Task[Any]] = []

    def background(self, task: Coroutine[Any, Any, Any]) -> None:
        """Run `task` beside everything else until it ends or the device is switched off."""
        self._background = [one for one in self._background if not one.done()]
        self._background.append(self.place.spawn(self.name, task))

    def services(self) -> tuple[Service, ...]:
        """The GATT table; asked for once at each power-on."""
        return ()

    def local_name(self) -> str:
        """Device Name of the Generic Access service."""
        return self.name

    def on_connect(self, peer: Peer) -> None:
        """A central connected."""

    def on_disconnect(self, peer: Peer, reason: int) -> None:
        """The connection ended; `reason` is the HCI error code."""

    def on_subscribe(self, peer: Peer, characteristic: str, mode: str) -> None:
        """The peer wrote the CCCD: `mode` is "notify", "indicate" or "off"."""

    @command
    async def reboot(self) -> None:
        """Switch off at once and on again: connections drop by supervision timeout."""
        await self.stop()
        for task in self._background:
            task.cancel()
        await self.ble.power_off()
        await self.ble.power_on(self.services())
        await self.start()


ACCESSORIES: Folder[type[Accessory]] = Folder("sim.accessories", "ACCESSORY", "accessory")
