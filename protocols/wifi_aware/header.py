"""The 802.11 MAC header of management frames, and the header of a protected one.

IEEE 802.11-2020 9.2.4 and 9.3.3.1 (management frames), 12.5.3.2 and 12.5.5.2 (CCMP and GCMP header). Layouts
only: which frame stands behind them is decided in `frames.py`. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

from protocols.layout import U8, U16LE, U32LE, Flagged, Flags, Hex, Mac, Mapped, Record
from protocols.wifi_aware.vocabulary import Words

__all__ = [
    "BEHIND_CONTROL",
    "CIPHER",
    "CIPHER_HEADER",
    "CONTROL",
    "CONTROL_BITS",
    "FIXED_HEADER",
    "HEADER",
    "MANAGEMENT",
    "SUBTYPES",
    "TYPES",
]

MANAGEMENT = 24
"""Octets of the header without HT Control."""
CIPHER_HEADER = 8
TYPES = {0: "management", 1: "control", 2: "data", 3: "extension"}
SUBTYPES = {
    0: "association request",
    1: "association response",
    2: "reassociation request",
    3: "reassociation response",
    4: "probe request",
    5: "probe response",
    6: "timing advertisement",
    8: "beacon",
    9: "ATIM",
    10: "disassociation",
    11: "authentication",
    12: "deauthentication",
    13: "action",
    14: "action no ack",
}
GROUPS = {
    "ff:ff:ff:ff:ff:ff": "broadcast",
    "51:6f:9a:01:00:00": "NAN Network ID",
    "51:6f:9a:02:00:00": "P2P Network ID",
}


def _address(text: str) -> str | None:
    """A well-known address in words."""
    if text.startswith("50:6f:9a:01:"):
        return "NAN Cluster ID"
    return GROUPS.get(text)


ADDRESS = Mapped(Mac, lambda text: text, lambda text: text, _address)

CONTROL_BITS: dict[str, Any] = {
    "to_ds": 8,
    "from_ds": 9,
    "more_fragments": 10,
    "retry": 11,
    "power_management": 12,
    "more_data": 13,
    "protected": 14,
    "_ht_control_present": (15, "ht_control"),
}
"""Upper octet of Frame Control, in management and data frames alike."""
CONTROL = Flags(
    U16LE,
    _version=(0, 2),
    _type=(2, 2, Words(U8, TYPES)),
    _subtype=(4, 4, Words(U8, SUBTYPES)),
    **CONTROL_BITS,
)
"""Frame Control of a management frame."""
BEHIND_CONTROL = (
    "duration_us" / U16LE,
    "destination" / ADDRESS,
    "source" / ADDRESS,
    "bssid" / ADDRESS,
    Flags(U16LE, fragment_number=(0, 4), sequence_number=(4, 12)),
)
"""Rest of the fixed header, in management frames and in data frames between NDIs alike."""
_FIXED = (CONTROL, *BEHIND_CONTROL)
FIXED_HEADER = Record(*_FIXED)
"""Of a frame without HT Control."""
HEADER = Record(*_FIXED, "ht_control" / Flagged("_ht_control_present", Hex(4)))
CIPHER = Record(
    "_packet_number_low" / U16LE,
    "reserved_octet" / U8,
    Flags(U8, reserved_bits=(0, 5), _extended_iv=5, key_id=(6, 2)),
    "_packet_number_high" / U32LE,
)
"""CCMP and GCMP: the packet number is split around the key ID."""
