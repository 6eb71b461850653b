"""Octets behind the last AD structure: the lengths of the structures do not add up to that of the data.

Bluetooth Core 5.4 Vol 3 Part C 11 (format of advertising data). US-16; rule IB-05 is what an iPhone makes of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sim.device import Settings
from sim.faults._advert import AdvertFault

if TYPE_CHECKING:
    from sim.gatt import Advert


class MalformedTailSettings(Settings, frozen=True, kw_only=True):
    """Settings of the tail."""

    tail_hex: str = "0a"
    """octets behind the data; where they do not fit, the last structure loses its last octet instead."""

    def __post_init__(self) -> None:
        try:
            octets = bytes.fromhex(self.tail_hex)
        except ValueError:
            raise ValueError(f"tail_hex: {self.tail_hex!r} is not hexadecimal") from None
        if not octets:
            raise ValueError("tail_hex: needs at least one octet")


class MalformedTail(AdvertFault):
    """An octet too many (or too few) at the end of the advertising data."""

    Settings: ClassVar[type[Settings]] = MalformedTailSettings
    about = "nordicsemi/IOS-nRF-Connect #192 (US-16). confidence: observed"
    settings: MalformedTailSettings

    def change(self, advert: Advert) -> Advert:
        """Longer by the tail, or shorter by an octet."""
        longer = advert.data + bytes.fromhex(self.settings.tail_hex)
        fits = len(longer) <= self.limit(advert)
        return self.with_data(advert, longer if fits else advert.data[:-1])


FAULT = MalformedTail
