"""The Wi-Fi Aware half of a device on a bench that has no radio for it: it is there, and cannot be switched on.

A Bluetooth controller carries Bluetooth alone, and operating systems lend their Wi-Fi Aware to no such program. Rules of
the file: nothing is pretended; whatever wants that radio is refused with the reason, and all the rest of the device
works.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from protocols.errors import UsageError
from sim.wifi_aware.half import AwareHalf

if TYPE_CHECKING:
    from sim.device import Device
    from sim.world import RadioPlace

__all__ = ["NoAware", "give_no_aware"]

_WHY: Final = "no Wi-Fi Aware on this bench: a Bluetooth controller carries none"


class NoAware(AwareHalf):
    """Wi-Fi Aware of a device that has no radio for it."""

    def power_on(self) -> None:
        """Not possible. Raises UsageError."""
        raise UsageError(
            f"{self.owner.name}: {_WHY}; `nearbench bridge attach monitor:INTERFACE` has such a radio"
        )


def give_no_aware(device: Device, place: RadioPlace) -> None:
    """Give a device with Wi-Fi Aware a half without a radio, and say so in the trace; others are left alone."""
    if "wifi_aware" not in device.radios:
        return
    owner: Any = device  # devices with that radio have what AwareOwner asks for
    owner.aware = NoAware(owner, place)
    place.trace.emit(
        device.name, "aware", "no_radio", note=f"{_WHY}; what it does over Bluetooth works"
    )
