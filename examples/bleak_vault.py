"""An accessory of one's own for bleak_room.toml: a secret for paired computers, a counter, and picky values."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from protocols.ble.advertising import ad_run, flags, name
from sim.accessories import Accessory, AccessorySettings
from sim.gatt import Advert, AttError, Characteristic, Descriptor, Peer, Service

SERVICE, SECRET, COUNTER, PICKY, MUTE = (
    f"7a0c000{n}-5a3e-4a7b-9c55-2f0f4c1d9e10" for n in range(5)
)
APPLICATION_ERROR, VALUE_NOT_ALLOWED = 0x80, 0x13


class Vault(Accessory):
    """Counts up four times a second for whoever subscribes, beginning at once."""

    Settings: ClassVar[type[AccessorySettings]] = AccessorySettings
    about = "an example"

    def services(self) -> tuple[Service, ...]:
        """One service."""
        return (
            Service(
                uuid=SERVICE,
                characteristics=(
                    Characteristic(
                        uuid=SECRET, properties=("read",), value=b"gold", read_security="encrypted"
                    ),
                    Characteristic(
                        uuid=COUNTER,
                        properties=("notify",),
                        descriptors=(Descriptor(uuid="2901", value=b"a counter"),),
                    ),
                    Characteristic(
                        uuid=PICKY,
                        properties=("read", "write", "write_without_response"),
                        read=self.pick,
                        write=self.take,
                    ),
                    Characteristic(uuid=MUTE, properties=("write",)),
                ),
            ),
        )

    def pick(self, peer: Peer) -> bytes:
        """Give what was written, and an error of its own before."""
        if not self.held:
            raise AttError(APPLICATION_ERROR)
        return self.held

    def take(self, peer: Peer, value: bytes) -> None:
        """Refuse odd lengths."""
        if len(value) % 2:
            raise AttError(VALUE_NOT_ALLOWED)
        self.held = value

    async def start(self) -> None:
        """Advertise."""
        self.held = b""
        self.counting = False
        await self.ble.advertise(Advert(data=ad_run([flags(), name("Vault")])))

    def on_subscribe(self, peer: Peer, characteristic: str, mode: str) -> None:
        """Start counting at the very moment of the subscription."""
        if mode == "notify" and not self.counting:
            self.counting = True
            self.background(self.count())

    async def count(self) -> None:
        """0, 1, 2, ... while somebody listens."""
        value = 0
        while await self.ble.notify(COUNTER, bytes((value & 0xFF,))):
            value += 1
            await asyncio.sleep(0.25)
        self.counting = False


ACCESSORY = Vault
