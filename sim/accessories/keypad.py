"""A keypad: types the PIN that the phone displays, and sends the keys that are pressed over an authenticated link.

Bluetooth Core 5.4 Vol 3 Part H 2.3.5.3 (passkey entry, the initiator displays); the service is made up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from protocols.ble.advertising import ad_run, flags, name
from protocols.data.smp_names import Io  # noqa: TC001  # msgspec reads the annotations
from protocols.errors import UsageError
from sim.accessories._battery import BatteryAccessory, BatterySettings
from sim.device import command
from sim.gatt import Advert, Characteristic, Service
from sim.pairing import Want  # noqa: TC001  # likewise

if TYPE_CHECKING:
    from sim.device import Settings

KEYPAD_SERVICE = "6b0a0011-53c1-4a0d-9d0e-6f1a3c5b7d90"
KEYS_PRESSED = "6b0a0012-53c1-4a0d-9d0e-6f1a3c5b7d90"
_LAYOUT = "0123456789*#"
_MOST_KEYS = 20


class KeypadSettings(BatterySettings, frozen=True, kw_only=True):
    """Settings of the keypad."""

    local_name: str = "Keypad"
    """name in the advert and in GAP."""
    advertising_interval_ms: float = 100.0
    """advertising interval, ms."""
    io: Io = "keyboard_only"
    """display and keys: display_only, display_yes_no, keyboard_only, keyboard_display or none."""
    mitm: Want = "required"
    """protection against a man in the middle: no, wanted, or required (Just Works is refused)."""


class Keypad(BatteryAccessory):
    """Twelve keys and no display."""

    Settings: ClassVar[type[Settings]] = KeypadSettings
    about = (
        "Core 5.4 Vol 3 Part H 2.3.5.3; its GATT service is made up. "
        "confidence: documented (pairing), made up (service)"
    )
    settings: KeypadSettings

    async def start(self) -> None:
        """Advertise."""
        data = ad_run([flags(), name(self.settings.local_name)])
        interval_ms = self.settings.advertising_interval_ms
        await self.ble.advertise(Advert(data=data, interval_ms=interval_ms))

    def local_name(self) -> str:
        """Device Name."""
        return self.settings.local_name

    def services(self) -> tuple[Service, ...]:
        """The keys and the battery."""
        keys = Characteristic(
            uuid=KEYS_PRESSED,
            name="Keys Pressed",
            properties=("read", "notify"),
            read=lambda _: str(self.stored.get("keys", "")).encode(),
            read_security="authenticated",
        )
        return (
            Service(uuid=KEYPAD_SERVICE, name="Keypad", characteristics=(keys,)),
            self.battery_service(),
        )

    @command
    async def press(self, keys: str) -> None:
        """Press keys (0 to 9, * and #); whoever is subscribed is told."""
        if not keys or set(keys) - set(_LAYOUT) or len(keys) > _MOST_KEYS:
            raise UsageError(f"{self.name}.press: keys {keys!r}: 1 to {_MOST_KEYS} of {_LAYOUT}")
        self.store("keys", keys)
        told = await self.ble.notify(KEYS_PRESSED, keys.encode())
        self.log(f"{len(keys)} keys pressed, {told} told")


ACCESSORY = Keypad
