"""16-bit service UUIDs whose service data or presence this project gives a meaning to.

Source: Bluetooth Assigned Numbers 3.4 "Services" and 3.10 "Member Services", state of January 2026; the words
behind member UUIDs say what the owner uses them for. Data only.
"""

from __future__ import annotations

from typing import Final

__all__ = ["SERVICES", "service_name"]

SERVICES: Final[dict[str, str]] = {
    "1800": "Generic Access",
    "1801": "Generic Attribute",
    "180a": "Device Information",
    "180d": "Heart Rate",
    "180f": "Battery",
    "1812": "Human Interface Device",
    "181a": "Environmental Sensing",
    "1827": "Mesh Provisioning",
    "1828": "Mesh Proxy",
    "fcb2": "unwanted tracker detection (DULT)",
    "fcd2": "BTHome",
    "fd6f": "Exposure Notification",
    "fe2c": "Google Fast Pair",
    "fe95": "Xiaomi MiBeacon",
    "feaa": "Eddystone",
    "fff6": "Matter",
    "fffa": "Open Drone ID",
}


def service_name(uuid: str) -> str | None:
    """What a service UUID (4 hex digits) stands for, None when it is not in the table."""
    return SERVICES.get(uuid)
