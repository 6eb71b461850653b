"""The Wi-Fi Aware half of phones: off until an app uses it, its settings in the table `aware`, one radio per phone.

What a maker's phone adds (pickers, stores, gates, errors) is in `_aware_ios.py` and `_aware_android.py`. Rules of the file: no
opinions here; no frame is made here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sim.phones import Phone
from sim.wifi_aware.firmware import Firmware, Method, PairingInfoForm

if TYPE_CHECKING:
    from protocols.wifi_aware import events as ev
    from sim.wifi_aware.half import AwareHalf

__all__ = ["AwarePhone", "PhoneFirmware"]


class PhoneFirmware(Firmware, frozen=True, kw_only=True):
    """Settings of a phone's Wi-Fi Aware: the table `aware`."""

    methods: tuple[Method, ...] = ("pin_keypad",)
    """bootstrapping methods it offers."""
    pairing_info: PairingInfoForm = "none"
    """where the pairing info is: generic, bonjour, sda-raw, or none."""


class AwarePhone(Phone):
    """A phone with Wi-Fi Aware beside Bluetooth."""

    radios: ClassVar[tuple[str, ...]] = ("ble", "wifi_aware")
    aware: AwareHalf

    def firmware(self) -> Firmware:
        """Settings of its Wi-Fi Aware."""
        found: Firmware = self.settings.aware
        return found

    def aware_on(self) -> AwareHalf:
        """The half, switched on."""
        if not self.aware.on:
            self.aware.power_on()
        return self.aware

    def on_aware_event(self, event: ev.Event) -> None:
        """Something happened on its Wi-Fi Aware."""

    def may_open_path(
        self, event: ev.DataPathRequested
    ) -> tuple[bool, int] | None:  # the default: nobody listens
        """Whether a data path is accepted, and the reason when not; None: it stays unanswered."""
        return False, 10
