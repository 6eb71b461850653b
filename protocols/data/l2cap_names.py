"""Names of what L2CAP signalling on LE says: codes, reasons of a rejection, results, protocols.

Source: Bluetooth Core Specification 5.4 Vol 3 Part A clauses 4.1 (reasons), 4.21, 4.23, 4.26, 4.28 (results) and table
4.2 (codes on CID 0x0005); Assigned Numbers (SPSM), state of January 2026; compared with Wireshark 4.0 and bumble
0.0.236. Data only.
"""

from __future__ import annotations

from typing import Final

__all__ = ["OUTCOMES", "SIGNALLING_CODES", "SPSMS", "outcome_words", "signalling_name"]

SIGNALLING_CODES: Final[dict[int, str]] = {
    0x01: "Command Reject",
    0x06: "Disconnection Request",
    0x07: "Disconnection Response",
    0x12: "Connection Parameter Update Request",
    0x13: "Connection Parameter Update Response",
    0x14: "LE Credit Based Connection Request",
    0x15: "LE Credit Based Connection Response",
    0x16: "Flow Control Credit",
    0x17: "Credit Based Connection Request",
    0x18: "Credit Based Connection Response",
    0x19: "Credit Based Reconfigure Request",
    0x1A: "Credit Based Reconfigure Response",
}

OUTCOMES: Final[dict[int, dict[int, str]]] = {
    0x01: {
        0x0000: "command not understood",
        0x0001: "signalling MTU exceeded",
        0x0002: "invalid CID in request",
    },
    0x13: {0x0000: "accepted", 0x0001: "rejected"},
    0x15: {
        0x0000: "successful",
        0x0002: "refused, SPSM not supported",
        0x0004: "refused, no resources",
        0x0005: "refused, insufficient authentication",
        0x0006: "refused, insufficient authorisation",
        0x0007: "refused, encryption key too short",
        0x0008: "refused, insufficient encryption",
        0x0009: "refused, invalid source CID",
        0x000A: "refused, source CID already allocated",
        0x000B: "refused, unacceptable parameters",
    },
    0x18: {
        0x0000: "all successful",
        0x0002: "all refused, SPSM not supported",
        0x0004: "some refused, insufficient resources",
        0x0005: "all refused, insufficient authentication",
        0x0006: "all refused, insufficient authorisation",
        0x0007: "all refused, encryption key too short",
        0x0008: "all refused, insufficient encryption",
        0x0009: "some refused, invalid source CID",
        0x000A: "some refused, source CID already allocated",
        0x000B: "all refused, unacceptable parameters",
        0x000C: "all refused, invalid parameters",
        0x000D: "all pending",
        0x000E: "all pending, authentication",
        0x000F: "all pending, authorisation",
    },
    0x1A: {
        0x0000: "successful",
        0x0001: "failed, MTU may not shrink",
        0x0002: "failed, MPS may not shrink on more than one channel",
        0x0003: "failed, invalid destination CID",
        0x0004: "failed, unacceptable parameters",
    },
}
"""Signalling code -> its result (of Command Reject its reason) -> words."""

SPSMS: Final[dict[int, str]] = {0x0023: "IPSP", 0x0025: "OTS", 0x0027: "EATT"}
"""Simplified protocol/service multiplexer -> what is behind it; 0x0080 to 0x00FF are given out by the peer."""


def signalling_name(code: int) -> str:
    """Name of a signalling code."""
    return SIGNALLING_CODES.get(code, f"unknown {code:#04x}")


def outcome_words(code: int, number: int) -> str:
    """What a result, or the reason of a rejection, says in an answer of that code."""
    return OUTCOMES[code].get(number, f"unknown outcome {number:#06x}")
