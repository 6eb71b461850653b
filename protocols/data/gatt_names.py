"""GATT services, characteristics, descriptors, ATT error codes and disconnection reasons, in words.

Source: Bluetooth Assigned Numbers 3.4, 3.5, 3.7 and 3.8, state of January 2026; ATT error codes: Core 5.4 Vol 3 Part F
3.4.1.1; reasons: Core 5.4 Vol 1 Part F 2. Only what this project
speaks about; anything else is shown as its number. Data only.
"""

from __future__ import annotations

from typing import Final

from protocols.data.eddystone_gatt import CONFIG_CHARACTERISTICS, CONFIG_SERVICE
from protocols.data.service_uuids import SERVICES

__all__ = [
    "ATT_ERRORS",
    "DECLARATIONS",
    "DISCONNECT_REASONS",
    "UUIDS",
    "att_error_name",
    "reason_name",
    "uuid_name",
]

DECLARATIONS: Final[dict[str, str]] = {
    "2800": "Primary Service",
    "2801": "Secondary Service",
    "2802": "Include",
    "2803": "Characteristic",
}
UUIDS: Final[dict[str, str]] = {
    **SERVICES,
    "1809": "Health Thermometer",
    "2900": "Characteristic Extended Properties",
    "2901": "Characteristic User Description",
    "2902": "Client Characteristic Configuration",
    "2904": "Characteristic Presentation Format",
    "2a00": "Device Name",
    "2a01": "Appearance",
    "2a04": "Peripheral Preferred Connection Parameters",
    "2a05": "Service Changed",
    "2a19": "Battery Level",
    "2a1c": "Temperature Measurement",
    "2a1d": "Temperature Type",
    "2a1e": "Intermediate Temperature",
    "2a21": "Measurement Interval",
    "2a23": "System ID",
    "2a24": "Model Number",
    "2a25": "Serial Number",
    "2a26": "Firmware Revision",
    "2a27": "Hardware Revision",
    "2a28": "Software Revision",
    "2a29": "Manufacturer Name",
    "2aa6": "Central Address Resolution",
    "2b29": "Client Supported Features",
    "2b2a": "Database Hash",
    "2b3a": "Server Supported Features",
    CONFIG_SERVICE: "Eddystone Configuration",
    **{row.uuid: row.name.replace("_", " ").capitalize() for row in CONFIG_CHARACTERISTICS},
}

ATT_ERRORS: Final[dict[int, str]] = {
    0x01: "invalid handle",
    0x02: "read not permitted",
    0x03: "write not permitted",
    0x04: "invalid PDU",
    0x05: "insufficient authentication",
    0x06: "request not supported",
    0x07: "invalid offset",
    0x08: "insufficient authorization",
    0x09: "prepare queue full",
    0x0A: "attribute not found",
    0x0B: "attribute not long",
    0x0C: "encryption key size too short",
    0x0D: "invalid attribute value length",
    0x0E: "unlikely error",
    0x0F: "insufficient encryption",
    0x10: "unsupported group type",
    0x11: "insufficient resources",
    0x12: "database out of sync",
    0x13: "value not allowed",
    0xFC: "write request rejected",
    0xFD: "client characteristic configuration improperly configured",
    0xFE: "procedure already in progress",
    0xFF: "out of range",
}

DISCONNECT_REASONS: Final[dict[int, str]] = {
    0x05: "authentication failure",
    0x06: "PIN or key missing",
    0x08: "connection timeout: nothing heard for the supervision timeout",
    0x13: "the other side ended it",
    0x14: "the other side is low on resources",
    0x15: "the other side is powering off",
    0x16: "ended here",
    0x1A: "unsupported remote feature",
    0x22: "the other side's link layer did not answer",
    0x28: "an instant had passed",
    0x3B: "unacceptable connection parameters",
    0x3D: "a packet failed its integrity check",
    0x3E: "never established: the other side did not answer the first packets",
}


def uuid_name(uuid: str) -> str:
    """What a UUID (4, 8 or 32 hex digits) stands for, else the UUID itself."""
    return UUIDS.get(uuid.lower(), uuid)


def att_error_name(code: int) -> str:
    """An ATT error code in words."""
    if 0x80 <= code <= 0x9F:
        return f"application error {code:#04x}"
    return ATT_ERRORS.get(code, f"error {code:#04x}")


def reason_name(code: int) -> str:
    """A disconnection reason in words."""
    return DISCONNECT_REASONS.get(code, f"reason {code:#04x}")
