"""An iBeacon: one unchanging advert.

Apple, Proximity Beacon Specification R1. Real ones send it as ADV_NONCONN_IND or, when they can be configured, as
ADV_IND; Apple asks for 100 ms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from protocols.errors import EncodeError, UsageError
from sim.accessories import Accessory, AccessorySettings
from sim.adverts import advert_data, pieces_of_format
from sim.gatt import Advert, Sort

if TYPE_CHECKING:
    from sim.device import Place, Settings

LEGACY_LIMIT = 31


class IBeaconSettings(AccessorySettings, frozen=True, kw_only=True):
    """Settings of the iBeacon."""

    uuid: str = "fda50693-a4e2-4fb1-afcf-c6eb07647825"
    """proximity UUID."""
    major: int = 1
    """group, 0 to 65535."""
    minor: int = 1
    """member of the group, 0 to 65535."""
    measured_power_1m_dbm: int = -59
    """what a phone measures at 1 m, dBm."""
    advertising_interval_ms: float = 100.0
    """advertising interval, ms."""
    connectable: bool = False
    """whether a central may connect (there is nothing but GAP and GATT to find)."""


class IBeacon(Accessory):
    """A beacon that says the same for ever."""

    Settings: ClassVar[type[Settings]] = IBeaconSettings
    about = "Apple Proximity Beacon Specification R1. confidence: verified (format), documented (timing)"
    settings: IBeaconSettings

    def __init__(self, name: str, settings: IBeaconSettings, place: Place) -> None:
        super().__init__(name, settings, place)
        fields = {
            key: getattr(settings, key)
            for key in ("uuid", "major", "minor", "measured_power_1m_dbm")
        }
        try:
            pieces = pieces_of_format("ibeacon", fields, {})
        except EncodeError as exc:
            raise UsageError(str(exc)) from None
        self._data = advert_data(pieces, with_flags=True, limit=LEGACY_LIMIT)

    async def start(self) -> None:
        """Advertise."""
        sort: Sort = "connectable" if self.settings.connectable else "non_connectable"
        await self.ble.advertise(
            Advert(data=self._data, sort=sort, interval_ms=self.settings.advertising_interval_ms)
        )


ACCESSORY = IBeacon
