"""The kinds of frames: which management frame given octets are, its fixed part, and what stands behind it.

IEEE 802.11-2020 9.3.3; Wi-Fi Aware 4.0, NAN frame formats. Tables and layouts; reading and building are in
`frame.py`. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from protocols.layout import U8, U16LE, U64LE, Codec, Const, Record
from protocols.wifi_aware import frames
from protocols.wifi_aware.header import CIPHER, CIPHER_HEADER
from protocols.wifi_aware.suites import ALGORITHMS, STATUS
from protocols.wifi_aware.vocabulary import Bitmap, Words

if TYPE_CHECKING:
    from protocols.wifi_aware.frames import Frame

__all__ = [
    "ACTION",
    "BEACON",
    "BY_FIELDS",
    "CATEGORIES",
    "DATA_FRAME",
    "IEEE",
    "MANAGEMENT_FRAME",
    "NAF",
    "PASN",
    "PROTECTED",
    "PROTECTED_BIT",
    "PROTECTED_DATA",
    "SDF",
    "SUBTYPES_NAF",
    "SUBTYPE_OF",
    "Kind",
    "kind_of",
]

WFA = bytes.fromhex("506f9a")
PASN = 7
PROTECTED_BIT = 0x4000
_ACTION, _BEACON, _AUTHENTICATION = 13, 8, 11
_ENCRYPTED = (10, 12, 13, 14)
_EXTENDED_IV = 0x20

CAPABILITY = {
    0: "ESS", 1: "IBSS", 4: "privacy", 5: "short preamble", 8: "spectrum management", 9: "QoS",
    10: "short slot time", 11: "APSD", 12: "radio measurement",
}  # fmt: skip
CATEGORIES = {4: "public action", 9: "protected dual of public action"}
SUBTYPES_NAF = {
    1: "ranging request", 2: "ranging response", 3: "ranging termination", 4: "ranging report",
    5: "data path request", 6: "data path response", 7: "data path confirm", 8: "data path key installment",
    9: "data path termination", 10: "schedule request", 11: "schedule response", 12: "schedule confirm",
    13: "schedule update notification",
}  # fmt: skip
_VENDOR_ACTION = (
    "category" / Words(U8, CATEGORIES),
    "_action" / Const(b"\x09"),
    "_oui" / Const(WFA),
)


class Kind(NamedTuple):
    """How the body of one kind of frame is read: octets of its fixed part, and what follows it."""

    fields: type[Frame]
    title: str
    source: str
    size: int
    fixed: Codec
    rest: Literal["attributes", "elements", "octets"]


IEEE = "IEEE 802.11-2020 9.3.3"
_NAN = "Wi-Fi Aware 4.0, NAN frame formats"
BEACON = Kind(
    frames.Beacon, "beacon", f"{IEEE}.2", 12,
    Record(
        "timestamp_us" / U64LE,
        "beacon_interval_tu" / Words(U16LE, {100: "discovery beacon", 512: "synchronisation beacon"}, "no NAN beacon"),
        "capability" / Bitmap(U16LE, CAPABILITY),
    ),
    "elements",
)  # fmt: skip
SDF = Kind(
    frames.Sdf, "NAN service discovery frame", _NAN, 6,
    Record(*_VENDOR_ACTION, "_oui_type" / Const(b"\x13")), "attributes",
)  # fmt: skip
NAF = Kind(
    frames.Naf, "NAN action frame", _NAN, 7,
    Record(*_VENDOR_ACTION, "_oui_type" / Const(b"\x18"), "subtype" / Words(U8, SUBTYPES_NAF)), "attributes",
)  # fmt: skip
_AUTHENTICATION_HEAD = Record(
    "algorithm" / Words(U16LE, ALGORITHMS, "unknown"),
    "transaction" / Words(U16LE, {1: "first", 2: "second", 3: "third"}, "unexpected"),
    "status" / STATUS,
)
PASN_FRAME = Kind(
    frames.Authentication, "authentication frame (PASN)", f"{IEEE}.11", 6, _AUTHENTICATION_HEAD, "elements",
)  # fmt: skip
OTHER_AUTHENTICATION = Kind(
    frames.Authentication, "authentication frame", f"{IEEE}.11", 6, _AUTHENTICATION_HEAD, "octets",
)  # fmt: skip
PROTECTED = Kind(
    frames.Protected, "encrypted management frame", "IEEE 802.11-2020 12.5.3.2", CIPHER_HEADER, CIPHER, "octets",
)  # fmt: skip
ACTION = Kind(frames.Action, "action frame", f"{IEEE}.13", 0, Record(), "octets")
MANAGEMENT_FRAME = Kind(frames.Management, "management frame", IEEE, 0, Record(), "octets")
DATA_FRAME = Kind(frames.Data, "data frame", "IEEE 802.11-2020 9.3.2.1", 0, Record(), "octets")
PROTECTED_DATA = Kind(
    frames.ProtectedData, "encrypted data frame", PROTECTED.source, CIPHER_HEADER, CIPHER, "octets",
)  # fmt: skip
"""Of these two only what is behind the header; they are read in `data_frame.py`."""

BY_FIELDS: dict[type[Frame], Kind] = {
    kind.fields: kind
    for kind in (
        BEACON,
        SDF,
        NAF,
        PASN_FRAME,
        PROTECTED,
        ACTION,
        MANAGEMENT_FRAME,
        DATA_FRAME,
        PROTECTED_DATA,
    )
}
SUBTYPE_OF: dict[type[Frame], int] = {
    frames.Beacon: _BEACON,
    frames.Authentication: _AUTHENTICATION,
    frames.Sdf: _ACTION,
    frames.Naf: _ACTION,
    frames.Action: _ACTION,
}
"""Subtype of the Frame Control of those kinds that do not keep it in `management_subtype`."""


def kind_of(control: int, body: bytes) -> Kind:
    """The kind of a management frame with that Frame Control and body."""
    subtype, protected = control >> 4 & 0xF, bool(control & PROTECTED_BIT)
    if protected and subtype in _ENCRYPTED:
        extended = len(body) >= CIPHER_HEADER and body[3] & _EXTENDED_IV
        return PROTECTED if extended else MANAGEMENT_FRAME
    if subtype == _BEACON:
        return BEACON
    if subtype == _AUTHENTICATION and not protected:
        return PASN_FRAME if body[:2] == PASN.to_bytes(2, "little") else OTHER_AUTHENTICATION
    if subtype == _ACTION:
        if body[:1] in (b"\x04", b"\x09") and body[1:5] == b"\x09" + WFA:
            return {b"\x13": SDF, b"\x18": NAF}.get(body[5:6], ACTION)
        return ACTION
    return MANAGEMENT_FRAME
