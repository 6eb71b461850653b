"""What a Wi-Fi Aware device keeps of itself over a loss of power: its addresses and its own identity key.

Phone rules IA-54, IA-55. The pairings are kept by the half of the device. No clock, no chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from protocols.wifi_aware.station import Station
    from sim.wifi_aware.firmware import Firmware

__all__ = ["Flash"]


class Flash:
    """Empty until the device is switched on for the first time."""

    def __init__(self) -> None:
        self.nmi = ""
        self.ndi = ""
        self.nik = b""
        self._configured: tuple[str, str] | None = None

    def addresses(self, firmware: Firmware) -> tuple[str, str]:
        """NMI and NDI to start with, empty where one is to be drawn; an NDI "nmi" is the same as the NMI."""
        configured = (firmware.address, firmware.interface_address)
        if configured != self._configured:
            self._configured = configured
            return configured
        same = "nmi" if firmware.interface_address == "nmi" else ""
        return ("", same) if firmware.new_address_at_start else (self.nmi, same or self.ndi)

    def note(self, station: Station) -> None:
        """Keep what the device uses now."""
        self.nmi, self.ndi, self.nik = station.nmi, station.settings.ndi, station.nik

    def erase(self) -> None:
        """Forget the identity key, as a factory reset does; addresses stay."""
        self.nik = b""
