"""A Wi-Fi Aware accessory without pairing: open data paths, or a passphrase that everybody knows.

What Android demo apps do (AA-52, AA-55): publishes carry neither DCEA nor bootstrapping methods, and no iPhone will ever
show them (IA-04, IA-30).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sim.accessories._aware import AwareAccessory, AwareSettings
from sim.wifi_aware.firmware import Method, PairingInfoForm  # noqa: TC001  # msgspec reads them

if TYPE_CHECKING:
    from sim.device import Settings


class AwareOpenSettings(AwareSettings, frozen=True, kw_only=True):
    """Settings of the accessory without pairing."""

    pairing_mode: bool = False
    """whether it offers pairing: pairing info, bootstrapping methods and the setup bit are shown."""
    pairing_info: PairingInfoForm = "none"
    """where the pairing info is: generic, bonjour, sda-raw, or none."""
    dcea_in_publish: bool = False
    """whether publish frames carry the DCEA."""
    methods: tuple[Method, ...] = ()
    """bootstrapping methods it advertises."""
    open_methods: tuple[Method, ...] = ()
    """methods it agrees to without asking anybody."""
    cipher_suites: tuple[int, ...] = ()
    """cipher suites in its CSIA; with a `passphrase` give 1 or 2."""
    open_data_path: bool = True
    """whether it accepts a data path without encryption."""


class AwareOpen(AwareAccessory):
    """Publishes `service_name` and accepts data paths of everybody."""

    Settings: ClassVar[type[Settings]] = AwareOpenSettings
    about = (
        "Wi-Fi Aware 4.0 without pairing, as Android sample apps use it (AA-52, AA-55). "
        "confidence: documented (AOSP), observed (apps)"
    )
    settings: AwareOpenSettings


ACCESSORY = AwareOpen
