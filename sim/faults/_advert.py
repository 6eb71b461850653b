"""What faults of an accessory's adverts have in common: they change what its firmware wants to send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from sim.defects import put
from sim.faults import Fault

if TYPE_CHECKING:
    from sim.faults import Befalls, FaultPlace
    from sim.gatt import Advert

__all__ = ["LEGACY_LIMIT", "AdvertFault"]

LEGACY_LIMIT, EXTENDED_LIMIT = 31, 1650


class AdvertFault(Fault):
    """Changes every advert of an accessory."""

    befalls: ClassVar[Befalls] = "accessory"
    settings: Any

    def apply(self, world: FaultPlace) -> None:
        """Stand between firmware and radio."""
        defects = world.defects(self.node)
        self.on_clear(defects.changed)
        self.on_clear(put(defects.adverts, self.change))
        defects.changed()

    def change(self, advert: Advert) -> Advert:
        """What is sent in place of `advert`."""
        raise NotImplementedError

    @staticmethod
    def with_data(advert: Advert, data: bytes) -> Advert:
        """`advert` with other octets."""
        return msgspec.structs.replace(advert, data=data)

    @staticmethod
    def limit(advert: Advert) -> int:
        """Octets that fit."""
        return EXTENDED_LIMIT if advert.extended else LEGACY_LIMIT
