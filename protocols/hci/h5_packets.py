"""Packets of the three-wire transport (H5): header, data integrity check, link control messages.

Core Specification 5.4 Vol 4 Part D clauses 4 (packet header, data integrity check), 8 (link establishment) and 8.7
(low power). No clock, no chance, no IO.
"""

from __future__ import annotations

import binascii
from enum import Enum
from typing import TYPE_CHECKING, Final

import msgspec

from protocols.hci import framing

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ACK",
    "LARGEST_PAYLOAD",
    "LINK",
    "RELIABLE",
    "Config",
    "Message",
    "WirePacket",
    "check",
    "message_of",
    "read",
    "write",
]

ACK, LINK = 0, 15
"""Packet types of the transport itself; the others are those of H4, and 14 is the vendor's."""
RELIABLE: Final = frozenset((framing.COMMAND, framing.ACL, framing.EVENT, 14))
LARGEST_PAYLOAD: Final = 4095
_HEADER, _CHECK = 4, 2
_REVERSED: Final = bytes(int(f"{octet:08b}"[::-1], 2) for octet in range(256))


class WirePacket(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One packet between two SLIP ends."""

    kind: int
    payload: bytes
    seq: int = 0
    """Number of a reliable packet, 0 to 7."""
    ack: int = 0
    """Number of the reliable packet that is expected next."""
    reliable: bool = False
    crc: bool = False
    """Whether the data integrity check follows the payload."""


def check(octets: bytes) -> bytes:
    """Data integrity check over header and payload: CRC-CCITT, first octet's lowest bit first, as sent."""
    return binascii.crc_hqx(octets.translate(_REVERSED), 0xFFFF).to_bytes(2, "big")


def write(packet: WirePacket) -> bytes:
    """Header, payload and check, without SLIP."""
    first = packet.seq | packet.ack << 3 | packet.crc << 6 | packet.reliable << 7
    length = len(packet.payload)
    head = bytes((first, packet.kind | (length & 0x0F) << 4, length >> 4))
    octets = head + bytes((0xFF - sum(head) & 0xFF,)) + packet.payload
    return octets + check(octets) if packet.crc else octets


def read(octets: bytes) -> WirePacket | str:
    """The packet in what stood between two SLIP ends, or why there is none."""
    if len(octets) < _HEADER or sum(octets[:_HEADER]) & 0xFF != 0xFF:
        return "H5 header checksum"
    first, crc = octets[0], bool(octets[0] & 0x40)
    length = octets[1] >> 4 | octets[2] << 4
    end = _HEADER + length
    if len(octets) != end + (_CHECK if crc else 0):
        return "H5 payload length"
    if crc and check(octets[:end]) != octets[end:]:
        return "H5 data integrity check"
    return WirePacket(
        kind=octets[1] & 0x0F,
        payload=octets[_HEADER:end],
        seq=first & 7,
        ack=first >> 3 & 7,
        reliable=bool(first & 0x80),
        crc=crc,
    )


class Message(Enum):
    """Link control messages; the value is how they begin."""

    SYNC = b"\x01\x7e"
    SYNC_RESPONSE = b"\x02\x7d"
    CONFIG = b"\x03\xfc"
    CONFIG_RESPONSE = b"\x04\x7b"
    WAKEUP = b"\x05\xfa"
    WOKEN = b"\x06\xf9"
    SLEEP = b"\x07\x78"


_MESSAGES: Final[Mapping[bytes, Message]] = {each.value: each for each in Message}


def message_of(payload: bytes) -> Message | None:
    """The message in the payload of a link control packet; None for any other."""
    return _MESSAGES.get(payload[:2])


class Config(msgspec.Struct, frozen=True, gc=False):
    """The octet behind CONFIG and CONFIG RESPONSE; out-of-frame flow control is never offered."""

    window: int = 4
    """Reliable packets on their way unacknowledged, 1 to 7."""
    crc: bool = False

    def octet(self) -> bytes:
        """As sent."""
        return bytes((self.window | self.crc << 4,))

    def agreed(self, payload: bytes) -> Config | None:
        """What both sides can: ours and what a message says; None when it says nothing."""
        theirs = payload[2:3]
        if not theirs:
            return None
        window = max(1, min(self.window, theirs[0] & 7))
        return Config(window, self.crc and bool(theirs[0] & 0x10))
