"""What NDP, NDPE and NDL share: the steps of a setup, and the members that NDP and NDPE begin with.

Wi-Fi Aware 4.0, NDP, NDP Extension and NDL attributes; as in hostap src/nan/nan_ndp.c. Which members are there is
read from the control bits alone, whatever type and status say (Wireshark also asks for the type, and takes the
status from the type's bits). No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.layout import U8, Codec, Flagged, Flags, Mac
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

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Setup", "doubts", "members", "step"]

STATUSES = {0: "continued", 1: "accepted", 2: "rejected"}
"""Of NDP, NDPE and NDL; Ranging Setup and NPBA begin with accepted."""
TERMINATE = 4
_TYPES = {
    0: "request",
    1: "response",
    2: "confirm",
    3: "security install",
    TERMINATE: "terminate",
}


class Setup(Body, frozen=True, kw_only=True):
    """One step of a data path; what is UNSET is not in the octets."""

    dialog_token: Int8
    """the same in all frames of one setup, not 0; a termination may carry any, 0 too."""
    type: Int4
    status: Int4
    reason: Int8
    """counts in a rejection and in a termination."""
    initiator_ndi: MacText
    ndp_id: Int8
    """1 to 255, unique for the initiator's NDI."""
    confirm_required: bool
    reserved_1: Int1 = 0
    security: bool
    """security attributes are in the frame."""
    reserved_6: Int2 = 0
    publish_id: Int8 | UnsetType = UNSET
    """in a request."""
    responder_ndi: MacText | UnsetType = UNSET
    """in a response that does not reject."""


def step(types: dict[int, str]) -> Codec:
    """The octet of type and status."""
    return Flags(U8, type=(0, 4, Words(U8, types)), status=(4, 4, Words(U8, STATUSES)))


def members(**bit_5: int | tuple[int, str]) -> tuple[Codec, ...]:
    """Members of a record for `Setup`; `bit_5` is what bit 5 of the control octet says."""
    bits: dict[str, Any] = {
        "confirm_required": 0,
        "reserved_1": (1, 1),
        "security": 2,
        "_publish_id_present": (3, "publish_id"),
        "_responder_ndi_present": (4, "responder_ndi"),
        **bit_5,
        "reserved_6": (6, 2),
    }
    return (
        "dialog_token" / U8,
        step(_TYPES),
        "reason" / Words(U8, REASONS),
        "initiator_ndi" / Mac,
        "ndp_id" / Words(U8, {0: "reserved"}, "of the initiator"),
        Flags(U8, **bits),
        "publish_id" / Flagged("_publish_id_present", U8),
        "responder_ndi" / Flagged("_responder_ndi_present", Mac),
    )


def doubts(setup: Setup) -> Iterator[tuple[str, str]]:
    """What a step should not say: token 0 in a setup (digest 2.15)."""
    if setup.dialog_token == 0 and setup.type != TERMINATE:
        yield "dialog_token", "0, a setup has 1 to 255"
