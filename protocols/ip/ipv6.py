"""IPv6: the fixed header, and the link-local addresses that NAN interfaces have.

RFC 8200 section 3; RFC 4291 2.5.1 and appendix A (interface identifiers from EUI-64), 2.5.6 (link-local), 2.7.1
(solicited-node); RFC 2464 section 7 (multicast to MAC addresses). A device takes the identifier that the peer's NDPE
gave, otherwise the modified EUI-64 of its NDI (digest 2.16: assumed; Android rule AA-48: documented). No clock, no
randomness, no IO.
"""

from __future__ import annotations

from protocols.ip.vocabulary import (
    ADDRESS,
    AddressText,
    Body,
    Int8,
    Int16,
    Int20,
    octets_of,
    text_of,
)
from protocols.layout import U8, U16BE, U32BE, Flags, Named, Record

__all__ = [
    "ALL_NODES",
    "ETHERTYPE",
    "HEADER",
    "HOP_LIMIT",
    "ICMPV6",
    "LAYOUT",
    "NEXT_HEADERS",
    "TCP",
    "UDP",
    "Header",
    "eui64",
    "link_local",
    "solicited_node",
]

ETHERTYPE = 0x86DD
HEADER = 40
"""octets."""
VERSION = 6
HOP_LIMIT = 64
TCP, UDP, ICMPV6 = 6, 17, 58
NEXT_HEADERS = {
    0: "hop-by-hop options", TCP: "TCP", UDP: "UDP", 43: "routing", 44: "fragment", 50: "ESP", 51: "AH",
    ICMPV6: "ICMPv6", 59: "no next header", 60: "destination options",
}  # fmt: skip
ALL_NODES = "ff02::1"
_LINK_LOCAL = bytes.fromhex("fe80") + bytes(6)
_SOLICITED_NODE = bytes.fromhex("ff02" + "00" * 9 + "01ff")
_UNIVERSAL_LOCAL = 0x02


class Header(Body, frozen=True, kw_only=True):
    """The fixed header."""

    traffic_class: Int8 = 0
    flow_label: Int20 = 0
    payload_length: Int16
    """octets behind the header."""
    next_header: Int8
    hop_limit: Int8 = HOP_LIMIT
    source: AddressText
    destination: AddressText


LAYOUT = Record(
    Flags(
        U32BE,
        flow_label=(0, 20),
        traffic_class=(20, 8),
        _version=(28, 4),
        fixed={28: VERSION},
    ),
    "payload_length" / U16BE,
    "next_header" / Named(U8, NEXT_HEADERS),
    "hop_limit" / U8,
    "source" / ADDRESS,
    "destination" / ADDRESS,
)


def eui64(mac: str) -> bytes:
    """Interface identifier of a MAC address: modified EUI-64, 8 octets."""
    octets = bytes.fromhex(mac.replace(":", ""))
    return bytes((octets[0] ^ _UNIVERSAL_LOCAL,)) + octets[1:3] + b"\xff\xfe" + octets[3:]


def link_local(identifier: bytes) -> str:
    """The link-local address with that interface identifier (8 octets)."""
    return text_of(_LINK_LOCAL + identifier)


def solicited_node(address: str) -> str:
    """The multicast address that the holder of `address` listens to in neighbour discovery."""
    return text_of(_SOLICITED_NODE + octets_of(address)[-3:])
