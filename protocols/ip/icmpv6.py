"""ICMPv6: echo, and the solicitation and advertisement of neighbour discovery.

RFC 4443 2.1 and 4 (header, echo), RFC 4861 4.3, 4.4 and 4.6 (neighbour discovery, its options). Messages of other types
keep their body. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.ip.vocabulary import (
    ADDRESS,
    COMPUTED,
    REST_OCTETS,
    UNSET,
    AddressText,
    Body,
    ChecksumText,
    HexText,
    Int8,
    Int16,
    Int29,
    UnsetType,
)
from protocols.layout import U8, U16BE, U32BE, Flags, Mapped, Named, Record, Records
from protocols.layout import Body as Prefixed

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ADVERTISEMENT",
    "BODIES",
    "ECHO_REPLY",
    "ECHO_REQUEST",
    "HEADER",
    "LAYOUT",
    "ND_HOP_LIMIT",
    "SOLICITATION",
    "SOURCE_ADDRESS",
    "TARGET_ADDRESS",
    "TYPES",
    "Echo",
    "Icmpv6",
    "Neighbour",
    "Option",
    "address_option",
    "body_of",
    "mac_in",
]

HEADER = 4
"""octets: type, code, checksum."""
ECHO_REQUEST, ECHO_REPLY, SOLICITATION, ADVERTISEMENT = 128, 129, 135, 136
ND_HOP_LIMIT = 255
"""A message of neighbour discovery with any other comes from off the link, and is not taken (RFC 4861 7.1)."""
SOURCE_ADDRESS, TARGET_ADDRESS = 1, 2
TYPES = {
    1: "destination unreachable", 2: "packet too big", 3: "time exceeded", 4: "parameter problem",
    ECHO_REQUEST: "echo request", ECHO_REPLY: "echo reply", 133: "router solicitation", 134: "router advertisement",
    SOLICITATION: "neighbour solicitation", ADVERTISEMENT: "neighbour advertisement", 137: "redirect",
}  # fmt: skip
_OPTION_TYPES = {
    SOURCE_ADDRESS: "source link-layer address",
    TARGET_ADDRESS: "target link-layer address",
    3: "prefix information",
    5: "MTU",
    14: "nonce",
}
_UNIT = 8


class Option(Body, frozen=True, kw_only=True):
    """One option of neighbour discovery; type, length and value fill whole units of 8 octets."""

    type: Int8
    value: HexText


class Echo(Body, frozen=True, kw_only=True):
    """Body of an echo request or reply."""

    identifier: Int16
    sequence_number: Int16
    data: HexText = ""


class Neighbour(Body, frozen=True, kw_only=True):
    """Body of a neighbour solicitation or advertisement; the flags belong to the advertisement."""

    router: bool = False
    solicited: bool = False
    override: bool = False
    reserved: Int29 = 0
    target: AddressText
    options: tuple[Option, ...] = ()


class Icmpv6(Body, frozen=True, kw_only=True):
    """A message; which body it has goes with the type."""

    type: Int8
    code: Int8 = 0
    checksum: ChecksumText = COMPUTED
    echo: Echo | UnsetType = UNSET
    neighbour: Neighbour | UnsetType = UNSET
    body: HexText | UnsetType = UNSET
    """of other types."""


def _value_octets(units: int) -> int:
    return units * _UNIT - 2


def _units(octets: int) -> int:
    if (octets + 2) % _UNIT:
        raise ValueError(f"{octets} octets of value: with type and length no multiple of {_UNIT}")
    return (octets + 2) // _UNIT


LAYOUT = Record("type" / Named(U8, TYPES), "code" / U8, "checksum" / U16BE)
_OPTION = Record(
    "type" / Named(U8, _OPTION_TYPES),
    "value" / Prefixed(Mapped(U8, _value_octets, _units), REST_OCTETS),
)
_ECHO = Record("identifier" / U16BE, "sequence_number" / U16BE, "data" / REST_OCTETS)
_NEIGHBOUR = Record(
    Flags(U32BE, router=31, solicited=30, override=29, reserved=(0, 29)),
    "target" / ADDRESS,
    "options" / Records(_OPTION, pin=False),
)
BODIES = {
    ECHO_REQUEST: ("echo", _ECHO),
    ECHO_REPLY: ("echo", _ECHO),
    SOLICITATION: ("neighbour", _NEIGHBOUR),
    ADVERTISEMENT: ("neighbour", _NEIGHBOUR),
}
"""Type -> member of the message, and its layout."""


def body_of(kind: int) -> Any:
    """Layout of the body of that type as a member of the message."""
    name, layout = BODIES[kind]
    return Record(name / layout)


def address_option(kind: int, mac: str) -> Option:
    """The option that says a MAC address."""
    return Option(type=kind, value=mac.replace(":", ""))


def mac_in(options: Iterable[Option], kind: int) -> str | None:
    """The MAC address that the first option of that type says, None without one (of 6 octets)."""
    values = (one.value for one in options if one.type == kind and len(one.value) == 12)
    found = next(values, None)
    return None if found is None else bytes.fromhex(found).hex(":")
