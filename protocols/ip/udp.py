"""UDP: the header.

RFC 768; RFC 8200 8.1: over IPv6 the checksum is no option, and one that comes out as zero is sent as 0xFFFF. The length
field is what the octets say, so it is no field. No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.ip.vocabulary import COMPUTED, Body, ChecksumText, HexText, Int16, checksum
from protocols.layout import U16BE, Record

__all__ = ["HEADER", "LAYOUT", "Udp", "checksum_of"]

HEADER = 8
"""octets."""
_NUMBER = 17


class Udp(Body, frozen=True, kw_only=True):
    """A datagram."""

    source_port: Int16
    destination_port: Int16
    checksum: ChecksumText = COMPUTED
    data: HexText = ""


LAYOUT = Record(
    "source_port" / U16BE, "destination_port" / U16BE, "length" / U16BE, "checksum" / U16BE
)


def checksum_of(source: bytes, destination: bytes, datagram: bytes) -> int:
    """The right checksum of a datagram whose checksum field is zero; never 0."""
    return checksum(source, destination, _NUMBER, datagram) or 0xFFFF
