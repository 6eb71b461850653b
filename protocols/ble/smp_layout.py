"""Security Manager commands: the layouts of their parameters.

Core Specification 5.4 Vol 3 Part H clauses 3.3 (format), 3.5 (pairing), 3.6 (key distribution). Numbers are
little-endian; keys, confirm and random values stay hex in the order sent, least significant octet first. No clock,
no randomness, no IO.
"""

from __future__ import annotations

from protocols.data.smp_names import IO_CAPABILITIES, reason_words
from protocols.layout import U8, U16LE, Codec, Flags, Hex, MacLE, Named, Record

__all__ = ["SMP_BODIES"]

_OOB = {0: "no OOB data", 1: "has OOB data"}
_BONDING = {0: "no bonding", 1: "bonding"}
_ADDRESS_TYPES = {0: "public", 1: "random"}
_KEYPRESSES = {
    0: "passkey entry started",
    1: "digit entered",
    2: "digit erased",
    3: "passkey cleared",
    4: "passkey entry completed",
}


def _io_words(code: int) -> str | None:
    words = IO_CAPABILITIES.get(code)
    return None if words is None else words.replace("_", " ")


AUTH_REQ: Codec = Record(
    Flags(
        U8,
        bonding=(0, 2, Named(U8, _BONDING)),
        mitm=2,
        secure_connections=3,
        keypress=4,
        ct2=5,
        reserved=(6, 2),
    )
)
KEY_SET: Codec = Record(Flags(U8, encryption=0, identity=1, signing=2, link=3, reserved=(4, 4)))
FEATURES: Codec = Record(
    "io" / Named(U8, _io_words),
    "oob" / Named(U8, _OOB),
    "auth_req" / AUTH_REQ,
    "max_key_octets" / U8,
    "initiator_keys" / KEY_SET,
    "responder_keys" / KEY_SET,
)

SMP_BODIES: dict[int, Codec] = {
    0x01: FEATURES,
    0x02: FEATURES,
    0x03: Record("confirm" / Hex(16)),
    0x04: Record("random" / Hex(16)),
    0x05: Record("reason" / Named(U8, reason_words)),
    0x06: Record("ltk" / Hex(16)),
    0x07: Record("ediv" / U16LE, "rand" / Hex(8)),
    0x08: Record("irk" / Hex(16)),
    0x09: Record("address_type" / Named(U8, _ADDRESS_TYPES), "address" / MacLE),
    0x0A: Record("csrk" / Hex(16)),
    0x0B: Record("auth_req" / AUTH_REQ),
    0x0C: Record("public_key_x" / Hex(32), "public_key_y" / Hex(32)),
    0x0D: Record("dhkey_check" / Hex(16)),
    0x0E: Record("keypress" / Named(U8, _KEYPRESSES)),
}
"""SMP code -> layout of its parameters; the others stay hex."""
