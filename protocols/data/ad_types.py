"""AD types: their names, and which of them hold UUIDs.

Source: Bluetooth Assigned Numbers 2.3 "Common Data Types", state of January 2026. 0x00, 0x0B, 0x0C, 0x13 and
0x33 are unassigned. Data only.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "AD_TYPES",
    "SERVICE_DATA",
    "SERVICE_UUIDS",
    "SOLICITATION_UUIDS",
    "type_name",
]

AD_TYPES: Final[dict[int, str]] = {
    0x01: "Flags",
    0x02: "16-bit service UUIDs, incomplete",
    0x03: "16-bit service UUIDs, complete",
    0x04: "32-bit service UUIDs, incomplete",
    0x05: "32-bit service UUIDs, complete",
    0x06: "128-bit service UUIDs, incomplete",
    0x07: "128-bit service UUIDs, complete",
    0x08: "Shortened local name",
    0x09: "Complete local name",
    0x0A: "TX power level",
    0x0D: "Class of device",
    0x0E: "Simple pairing hash C-192",
    0x0F: "Simple pairing randomizer R-192",
    0x10: "Device ID or security manager TK",
    0x11: "Security manager OOB flags",
    0x12: "Peripheral connection interval range",
    0x14: "16-bit service solicitation UUIDs",
    0x15: "128-bit service solicitation UUIDs",
    0x16: "Service data, 16-bit UUID",
    0x17: "Public target address",
    0x18: "Random target address",
    0x19: "Appearance",
    0x1A: "Advertising interval",
    0x1B: "LE Bluetooth device address",
    0x1C: "LE role",
    0x1D: "Simple pairing hash C-256",
    0x1E: "Simple pairing randomizer R-256",
    0x1F: "32-bit service solicitation UUIDs",
    0x20: "Service data, 32-bit UUID",
    0x21: "Service data, 128-bit UUID",
    0x22: "LE Secure Connections confirmation value",
    0x23: "LE Secure Connections random value",
    0x24: "URI",
    0x25: "Indoor positioning",
    0x26: "Transport discovery data",
    0x27: "LE supported features",
    0x28: "Channel map update indication",
    0x29: "PB-ADV",
    0x2A: "Mesh message",
    0x2B: "Mesh beacon",
    0x2C: "BIGInfo",
    0x2D: "Broadcast code",
    0x2E: "Resolvable set identifier",
    0x2F: "Advertising interval, long",
    0x30: "Broadcast name",
    0x31: "Encrypted advertising data",
    0x32: "Periodic advertising response timing",
    0x34: "Electronic shelf label",
    0x3D: "3D information",
    0xFF: "Manufacturer specific data",
}

# octets of one UUID -> AD type
SERVICE_UUIDS: Final[dict[int, int]] = {2: 0x03, 4: 0x05, 16: 0x07}
"""The complete lists; the incomplete list of a size has the type before."""
SOLICITATION_UUIDS: Final[dict[int, int]] = {2: 0x14, 4: 0x1F, 16: 0x15}
SERVICE_DATA: Final[dict[int, int]] = {2: 0x16, 4: 0x20, 16: 0x21}


def type_name(ad_type: int) -> str:
    """Name of an AD type; unassigned ones as "unassigned 0x0b"."""
    return AD_TYPES.get(ad_type, f"unassigned {ad_type:#04x}")
