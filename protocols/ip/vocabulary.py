"""Words that the headers of this package share: value types, addresses, and the Internet checksum.

RFC 1071 (checksum), RFC 8200 8.1 (pseudo-header), RFC 4291 (addresses). A checksum in fields is "computed" when it is
(or shall be) right, otherwise its octets, so that damaged packets are built again as they were. No clock, no
randomness, no IO.
"""

from __future__ import annotations

import ipaddress
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from protocols.format import Fields
from protocols.layout import REST, Hex, Mapped, Octets

__all__ = [
    "ADDRESS",
    "COMPUTED",
    "REST_OCTETS",
    "UNSET",
    "AddressText",
    "Body",
    "ChecksumText",
    "HexText",
    "Int4",
    "Int8",
    "Int16",
    "Int20",
    "Int29",
    "Int32",
    "UnsetType",
    "checksum",
    "checksum_text",
    "octets_of",
    "sum_of",
    "text_of",
]

COMPUTED = "computed"
Int4 = Annotated[int, Meta(ge=0, le=0xF)]
Int8 = Annotated[int, Meta(ge=0, le=0xFF)]
Int16 = Annotated[int, Meta(ge=0, le=0xFFFF)]
Int20 = Annotated[int, Meta(ge=0, le=0xFFFFF)]
Int29 = Annotated[int, Meta(ge=0, le=0x1FFFFFFF)]
Int32 = Annotated[int, Meta(ge=0, le=0xFFFFFFFF)]
AddressText = Annotated[str, Meta(pattern=r"^[0-9a-f:.]{2,45}$")]
"""IPv6 address as RFC 5952 writes it: fe80::1."""
ChecksumText = Annotated[str, Meta(pattern=r"^(computed|[0-9a-f]{4})$")]
HexText = Annotated[str, Meta(pattern=r"^([0-9a-f]{2})*$")]
"""Any number of octets as lower-case hex."""


class Body(Fields, frozen=True, kw_only=True, omit_defaults=True):
    """Base of headers: a field that has its default is not in the plain form."""


def text_of(octets: bytes) -> str:
    """16 octets as an address in the form of RFC 5952."""
    return str(ipaddress.IPv6Address(octets))


def octets_of(address: str) -> bytes:
    """16 octets of an address, whose zone (`%nan0`) is left out. Raises ValueError."""
    return ipaddress.IPv6Address(address.partition("%")[0]).packed


def _scope(text: str) -> str | None:
    address = ipaddress.IPv6Address(text)
    if address.is_multicast:
        return "multicast"
    return "link-local" if address.is_link_local else None


ADDRESS = Mapped(Octets(16), text_of, octets_of, _scope)
REST_OCTETS = Hex(REST)


def sum_of(data: bytes) -> int:
    """Ones' complement sum of 16-bit words, an odd octet padded with zero (RFC 1071)."""
    padded = data if len(data) % 2 == 0 else data + b"\0"
    number = int.from_bytes(padded, "big")
    return number % 0xFFFF or (0xFFFF if number else 0)


def checksum(source: bytes, destination: bytes, next_header: int, data: bytes) -> int:
    """Checksum of an upper-layer packet whose own checksum field is zero, with its IPv6 pseudo-header."""
    pseudo = source + destination + len(data).to_bytes(4, "big") + bytes((0, 0, 0, next_header))
    return 0xFFFF - sum_of(pseudo + data)


def checksum_text(found: int, right: int) -> str:
    """A checksum as fields say it."""
    return COMPUTED if found == right else f"{found:04x}"
