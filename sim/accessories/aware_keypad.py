"""A Wi-Fi Aware accessory with keys and no display: the phone shows the PIN, the person types it on the accessory.

Wi-Fi Aware 4.0, pairing bootstrapping, PIN keypad. An iPhone that subscribes types PINs and shows none (IA-32), so this
one is for Android.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sim.accessories._aware import AwareAccessory, AwareSettings
from sim.wifi_aware.firmware import Method  # noqa: TC001  # msgspec reads the annotations

if TYPE_CHECKING:
    from sim.device import Settings


class AwareKeypadSettings(AwareSettings, frozen=True, kw_only=True):
    """Settings of the accessory with keys."""

    methods: tuple[Method, ...] = ("pin_keypad",)
    """bootstrapping methods it advertises."""
    comeback_tu: int = 0
    """what it tells a requester to wait, TU; 0: it answers at once, because the PIN is typed afterwards (AOSP takes the
    number for seconds, AA-25, and gives up)."""
    open_methods: tuple[Method, ...] = ()
    """methods it agrees to without asking anybody."""
    model_name: str = "Keypad"
    """model in the pairing info."""


class AwareKeypad(AwareAccessory):
    """Publishes `service_name`; a person types the PIN of the phone."""

    Settings: ClassVar[type[Settings]] = AwareKeypadSettings
    about = (
        "Wi-Fi Aware 4.0, pairing bootstrapping by PIN keypad; hostap. "
        "confidence: documented (method), observed (phones, see the rules)"
    )
    settings: AwareKeypadSettings


ACCESSORY = AwareKeypad
