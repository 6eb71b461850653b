"""An advert without its Flags structure.

Core Specification Supplement 11 Part A 1.3 (a connectable advert of a discoverable device has Flags). US-16; rule
IB-04 is what an iPhone makes of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.faults._advert import AdvertFault

if TYPE_CHECKING:
    from sim.gatt import Advert

FLAGS = 0x01


class MissingFlags(AdvertFault):
    """The Flags are left out of the advertising data."""

    about = "nordicsemi/IOS-nRF-Connect #54 (US-16). confidence: observed (that it is hidden), inferred (that this is why)"

    def change(self, advert: Advert) -> Advert:
        """The same data without structures of type 0x01."""
        return self.with_data(advert, _without(advert.data, FLAGS))


def _without(data: bytes, kind: int) -> bytes:
    """`data` without the AD structures of type `kind`; from where the lengths make no sense it stays as it is."""
    kept = b""
    while data and data[0] and 1 + data[0] <= len(data):
        one, data = data[: 1 + data[0]], data[1 + data[0] :]
        if one[1] != kind:
            kept += one
    return kept + data


FAULT = MissingFlags
