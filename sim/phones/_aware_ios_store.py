"""The paired devices of an iPhone: a store of the system, and the part of it that an app sees.

Rules IA-08, IA-50, IA-50a, IA-51, IA-54, AK-16. Rules of the file: keys are in the half's identities, here is what
people and apps are told of them. The store outlives apps and restarts; only the user removes something.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PairedDevice", "PairedStore"]


class PairedDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A WAPairedDevice."""

    place: int
    """of its keys."""
    id: str
    """UUID that the app knows it by."""
    name: str
    """what the user calls it; at first its pairing name."""
    vendor: str = ""
    model: str = ""
    node: str = ""
    """for the trace."""
    by_accessory_setup: bool = False
    """set up by AccessorySetupKit: it is under Accessories too (IA-51)."""


class PairedStore:
    """All of them; `draw` makes ids."""

    def __init__(self, draw: Callable[[str, int], bytes]) -> None:
        self._draw = draw
        self._devices: dict[int, PairedDevice] = {}
        self._granted: set[int] = set()
        """places that the app may use."""
        self._addresses: dict[int, str] = {}
        """place -> NMI at which it was met last; empty when another device is there now."""

    def add(self, device: PairedDevice, nmi: str, *, granted: bool) -> None:
        """Keep a device; one with the same keys is replaced."""
        self._devices[device.place] = device
        self.moved(device.place, nmi)
        if granted:
            self._granted.add(device.place)

    def moved(self, place: int, nmi: str) -> None:
        """It is at this address now; empty: nobody knows where."""
        self._addresses[place] = nmi

    def at(self, nmi: str) -> PairedDevice | None:
        """The device that was met last at that address."""
        place = next((place for place, one in self._addresses.items() if one == nmi), None)
        return self.get(place)

    def address_of(self, device: PairedDevice) -> str:
        """NMI at which it was met last; empty where unknown."""
        return self._addresses.get(device.place, "")

    @property
    def addresses_of_app(self) -> tuple[str, ...]:
        """NMIs of the devices that the app sees, empty where unknown."""
        return tuple(nmi for place, nmi in self._addresses.items() if place in self._granted)

    def new_id(self) -> str:
        """A UUID."""
        octets = bytearray(self._draw("aware_identifier", 16))
        octets[6], octets[8] = octets[6] & 0x0F | 0x40, octets[8] & 0x3F | 0x80
        text = octets.hex().upper()
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))

    def get(self, place: int | None) -> PairedDevice | None:
        """The device with those keys."""
        return None if place is None else self._devices.get(place)

    def find(self, name: str) -> PairedDevice | None:
        """The device of that node, name or id."""
        return next(
            (one for one in self._devices.values() if name in (one.node, one.name, one.id)), None
        )

    def is_granted(self, place: int | None) -> bool:
        """Whether the app sees it."""
        return place in self._granted

    def remove(self, place: int) -> str:
        """The user removes it in Settings; the NMI at which it was met last."""
        self._devices.pop(place, None)
        self._granted.discard(place)
        return self._addresses.pop(place, "")

    def reinstalled(self, *, same_ids: bool, access: bool) -> None:
        """The app was removed and installed again: the store stays, what the app knows of it may not."""
        if not access:
            self._granted.clear()
        if not same_ids:
            self._devices = {
                place: msgspec.structs.replace(one, id=self.new_id())
                for place, one in self._devices.items()
            }

    @property
    def all(self) -> tuple[PairedDevice, ...]:
        """What Settings list."""
        return tuple(self._devices.values())

    @property
    def of_app(self) -> tuple[PairedDevice, ...]:
        """What the app is given."""
        return tuple(one for one in self._devices.values() if one.place in self._granted)
