"""A badge with a display and two buttons: pairs by numeric comparison and shows who wears it to authenticated readers.

Bluetooth Core 5.4 Vol 3 Part H 2.3.5.6.2 (numeric comparison); the service is made up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from protocols.data.smp_names import Io  # noqa: TC001  # msgspec reads the annotations
from sim.accessories._battery import BatteryAccessory, BatterySettings
from sim.adverts import service_and_name
from sim.device import command
from sim.gatt import Advert, Characteristic, Peer, Service
from sim.pairing import Want  # noqa: TC001  # likewise

if TYPE_CHECKING:
    from sim.device import Settings

BADGE_SERVICE = "6b0a0021-53c1-4a0d-9d0e-6f1a3c5b7d90"
WEARER = "6b0a0022-53c1-4a0d-9d0e-6f1a3c5b7d90"


class BadgeSettings(BatterySettings, frozen=True, kw_only=True):
    """Settings of the badge."""

    local_name: str = "Badge"
    """name in the advert and in GAP."""
    advertising_interval_ms: float = 100.0
    """advertising interval, ms."""
    wearer: str = "Ada"
    """who wears it."""
    io: Io = "display_yes_no"
    """display and keys: display_only, display_yes_no, keyboard_only, keyboard_display or none."""
    mitm: Want = "required"
    """protection against a man in the middle: no, wanted, or required (Just Works is refused)."""
    secure_connections: Want = "required"
    """LE Secure Connections: no, wanted, or required (there is no comparison in legacy pairing)."""


class Badge(BatteryAccessory):
    """Display, yes and no."""

    Settings: ClassVar[type[Settings]] = BadgeSettings
    about = (
        "Core 5.4 Vol 3 Part H 2.3.5.6.2; its GATT service is made up. "
        "confidence: documented (pairing), made up (service)"
    )
    settings: BadgeSettings

    async def start(self) -> None:
        """Advertise."""
        data, response = service_and_name(BADGE_SERVICE, self.settings.local_name)
        interval_ms = self.settings.advertising_interval_ms
        await self.ble.advertise(Advert(data=data, scan_response=response, interval_ms=interval_ms))

    def local_name(self) -> str:
        """Device Name."""
        return self.settings.local_name

    def _wearer(self, _peer: Peer) -> bytes:
        return str(self.stored.get("wearer", self.settings.wearer)).encode()

    def services(self) -> tuple[Service, ...]:
        """The wearer and the battery."""
        wearer = Characteristic(
            uuid=WEARER,
            name="Wearer",
            properties=("read", "write"),
            read=self._wearer,
            write=self._rename,
            read_security="authenticated",
            write_security="authenticated",
        )
        badge = Service(uuid=BADGE_SERVICE, name="Badge", characteristics=(wearer,))
        return (badge, self.battery_service())

    def _rename(self, peer: Peer, value: bytes) -> None:
        self.store("wearer", value.decode("utf-8", "replace"))
        self.log(f"{peer.name} gave it to {self.stored['wearer']}")

    @command
    async def press_button(self, yes: bool = True) -> None:
        """Press yes or no; waits until the display asks."""
        await (self.accept() if yes else self.reject())


ACCESSORY = Badge
