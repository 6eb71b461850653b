"""What NDP, NDPE and NDL share: the steps of a setup, and the members that NDP and NDPE begin with.

Wi-Fi Aware 4.0, NDP, NDP Extension and NDL attributes; as in hostap src/nan/nan_ndp.c. Which members are there is
read from the control bits alone, whatever type and status say (Wireshark also asks for the type, and takes the
status from the type's bits). No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.layout import U8, Codec, Flagged, Flags, Mac, Record
from protocols.wifi_aware.vocabulary import (
    REASONS,
    UNSET,
    Body,
    Int1,
    Int2,
    Int4,
    Int8,
    MacText,
    UnsetType,
    Words,
)

__all__ = ["BEGINNING", "CONTROL", "STATUSES", "STEP", "Setup", "step_of"]

STATUSES = {0: "continued", 1: "accepted", 2: "rejected"}
"""Status of NDP, NDPE and NDL; Ranging Setup and NPBA count from accepted instead."""
_TYPES = {0: "request", 1: "response", 2: "confirm", 3: "security install", 4: "terminate"}


def step_of(types: dict[int, str]) -> Codec:
    """The octet with type and status."""
    return Flags(U8, type=(0, 4, Words(U8, types)), status=(4, 4, Words(U8, STATUSES)))


class Setup(Body, frozen=True, kw_only=True):
    """One step of a data path; what is UNSET is not in the octets."""

    dialog_token: Int8
    """the same in all frames of one setup, not 0; a termination may carry any."""
    type: Int4
    status: Int4
    reason: Int8
    """counts in a rejection and a termination."""
    initiator_ndi: MacText
    ndp_id: Int8
    """1 to 255, unique for the initiator's NDI."""
    confirm_required: bool
    reserved_1: Int1 = 0
    security: bool
    """security attributes are in the frame."""
    publish_id: Int8 | UnsetType = UNSET
    """in a request."""
    responder_ndi: MacText | UnsetType = UNSET
    """in a response that does not reject."""
    reserved_6: Int2 = 0


STEP = ("dialog_token" / Words(U8, {0: "reserved"}, "of this setup"), step_of(_TYPES))
CONTROL = {
    "confirm_required": 0,
    "reserved_1": (1, 1),
    "security": 2,
    "_publish_id_present": (3, "publish_id"),
    "_responder_ndi_present": (4, "responder_ndi"),
    "reserved_6": (6, 2),
}
"""Bits of the control octet but bit 5."""
