"""Titles of 802.11 elements, those without a file included.

IEEE 802.11-2020 tables 9-92 (element IDs) and 9-94 (ID extensions), 802.11ax-2021, 802.11az-2022 and
802.11be-2024, as of 2025. Tables only; no clock, no randomness, no IO.
"""

from __future__ import annotations

__all__ = ["EXTENSION_NAMES", "NAMES"]

NAMES = {
    0: "SSID", 1: "Supported Rates", 3: "DSSS Parameter Set", 5: "TIM", 6: "IBSS Parameter Set", 7: "Country",
    10: "Request", 11: "BSS Load", 12: "EDCA Parameter Set", 32: "Power Constraint", 33: "Power Capability",
    36: "Supported Channels", 37: "Channel Switch Announcement", 42: "ERP", 45: "HT Capabilities",
    46: "QoS Capability", 48: "RSNE", 50: "Extended Supported Rates", 54: "Mobility Domain (MDE)",
    55: "Fast BSS Transition (FTE)", 56: "Timeout Interval", 57: "RIC Data", 59: "Supported Operating Classes",
    60: "Extended Channel Switch Announcement", 61: "HT Operation", 62: "Secondary Channel Offset",
    70: "RM Enabled Capabilities", 71: "Multiple BSSID", 74: "Overlapping BSS Scan Parameters",
    76: "Management MIC (MME)", 101: "Link Identifier", 107: "Interworking", 108: "Advertisement Protocol",
    113: "Mesh Configuration", 114: "Mesh ID", 127: "Extended Capabilities", 140: "MIC", 191: "VHT Capabilities",
    192: "VHT Operation", 193: "Extended BSS Load", 194: "Wide Bandwidth Channel Switch",
    195: "Transmit Power Envelope", 199: "Operating Mode Notification", 201: "Reduced Neighbor Report",
    216: "TWT", 221: "Vendor Specific", 240: "FILS Indication", 242: "Fragment", 244: "RSN Extension (RSNXE)",
    255: "ID extension",
}  # fmt: skip
EXTENSION_NAMES = {
    1: "Association Delay Info", 2: "FILS Request Parameters", 3: "FILS Key Confirmation", 4: "FILS Session",
    5: "FILS HLP Container", 7: "Key Delivery", 8: "Wrapped Data", 12: "FILS Public Key", 13: "FILS Nonce",
    32: "OWE Diffie-Hellman Parameter", 33: "Password Identifier", 35: "HE Capabilities", 36: "HE Operation",
    37: "UORA Parameter Set", 38: "MU EDCA Parameter Set", 39: "Spatial Reuse Parameter Set",
    59: "HE 6 GHz Band Capabilities", 92: "Rejected Groups", 93: "Anti-Clogging Token Container",
    100: "PASN Parameters", 106: "EHT Operation", 107: "Multi-Link", 108: "EHT Capabilities",
    161: "Supported Groups",
}  # fmt: skip
