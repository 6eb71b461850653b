"""Service info: what a device says about its service, behind the OUI that explains it.

Wi-Fi Aware 4.0, Service Descriptor Extension attribute (service info) and its Generic service protocol; digest 2.5
and 12. Rule 1: `specific` keeps the octets; sub-attributes and strings are views of them, shown in the tree only
when they fit to the last octet, because applications also put other things there. Rule 2: sub-attribute IDs 0x02
and 0x04 to 0x06 are unverified, 0x04 as the place of the pairing strings is provisional. Strings are those of
DNS-SD TXT records (RFC 6763 section 6). No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

from protocols.errors import DecodeError
from protocols.layout import (
    REST,
    U8,
    U16LE,
    Choice,
    Codec,
    Hex,
    Mapped,
    Node,
    Optional,
    Record,
    Records,
    Walk,
    When,
    build,
    parse,
)
from protocols.layout import Body as Prefixed
from protocols.wifi_aware.vocabulary import UNSET, Body, HexText, Int8, UnsetType, Words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "BONJOUR",
    "GENERIC",
    "INSTANCE_NAME",
    "MATTER",
    "OUI",
    "PORT",
    "SERVICE_INFO",
    "TEXT_INFO",
    "TRANSPORT",
    "WFA",
    "Hex3",
    "ServiceInfo",
    "SubAttribute",
    "explained",
    "generic",
    "strategy",
    "strings",
    "sub_attributes",
    "txt_data",
]

Hex3 = Annotated[str, Meta(pattern=r"^[0-9a-f]{6}$")]
WFA = "506f9a"
BONJOUR, GENERIC, MATTER = 1, 2, 3
PROTOCOLS = {BONJOUR: "Bonjour", GENERIC: "Generic", MATTER: "CSA Matter"}
PORT, TRANSPORT, INSTANCE_NAME, TEXT_INFO = 0x00, 0x01, 0x03, 0x04
SUB_ATTRIBUTES = {
    PORT: "transport port",
    TRANSPORT: "transport protocol",
    0x02: "service name (unverified)",
    INSTANCE_NAME: "instance name",
    TEXT_INFO: "text strings (provisional)",
    0x05: "UUID (unverified)",
    0x06: "blob (unverified)",
    0xDD: "service specific info",
}
TRANSPORTS = {1: "ICMP", 6: "TCP", 17: "UDP", 58: "ICMPv6"}
LONGEST_VALUE = 63
"""Octets of one pairing string's value."""


class ServiceInfo(Body, frozen=True, kw_only=True):
    """Octets for the application, and who says what they mean."""

    oui: Hex3 | UnsetType = UNSET
    """not there in an empty service info."""
    protocol: Int8 | UnsetType = UNSET
    """service protocol type, only with the OUI of Wi-Fi Alliance."""
    specific: HexText


class SubAttribute(NamedTuple):
    """One item of a Generic service info."""

    id: int
    value: bytes


def _hex(text: str) -> str:
    return text


def _said(meaning: Any) -> Codec:
    return Mapped(Hex(REST), _hex, _hex, meaning)


def _port(text: str) -> str | None:
    data = bytes.fromhex(text)
    return f"port {int.from_bytes(data, 'little')}" if len(data) == 2 else None


def _transport(text: str) -> str | None:
    return TRANSPORTS.get(int(text, 16)) if len(text) == 2 else None


def _name(text: str) -> str | None:
    try:
        name = bytes.fromhex(text).decode()
    except UnicodeDecodeError:
        return None
    return name if name.isprintable() else None


def _strings_said(text: str) -> str | None:
    found = strings(bytes.fromhex(text))
    told = ", ".join(f"{key}={value}" for key, value in found.items()) if found else ""
    return told if told.isprintable() and told else None


OUI = Mapped(Hex(3), _hex, _hex, {WFA: "Wi-Fi Alliance"}.get)
SERVICE_INFO = Record(
    "oui" / Optional(OUI),
    "protocol" / When(lambda fields: getattr(fields, "oui", None) == WFA, Words(U8, PROTOCOLS)),
    "specific" / Hex(REST),
)
_SUB_ATTRIBUTE = Record(
    "id" / Words(U8, SUB_ATTRIBUTES, "unknown"),
    "value"
    / Prefixed(
        U16LE,
        Choice(
            lambda fields: fields.id,
            {
                PORT: _said(_port),
                TRANSPORT: _said(_transport),
                INSTANCE_NAME: _said(_name),
                TEXT_INFO: _said(_strings_said),
            },
            Hex(REST),
        ),
    ),
)
_LIST = Record("items" / Records(_SUB_ATTRIBUTE))


def _listed(data: bytes, base: int) -> tuple[list[dict[str, Any]], tuple[Node, ...]] | None:
    walk = Walk()
    try:
        items: list[dict[str, Any]] = parse(_LIST, data, walk, base=base)["items"]
    except DecodeError:
        return None
    return items, walk.nodes[0].children


def sub_attributes(specific: bytes) -> tuple[SubAttribute, ...] | None:
    """Items of a Generic service info; None when the octets are no such list."""
    found = _listed(specific, 0)
    if found is None:
        return None
    return tuple(SubAttribute(item["id"], bytes.fromhex(item["value"])) for item in found[0])


def generic(items: Iterable[SubAttribute]) -> bytes:
    """The inverse of `sub_attributes`. Raises EncodeError."""
    plain = [{"id": item.id, "value": item.value.hex()} for item in items]
    return build(_LIST, {"items": plain})


def strings(data: bytes) -> dict[str, str] | None:
    """key -> value of a TXT record (the first of a repeated key counts, case aside); None when it is none.

    A string without "=" has the value ""; one that begins with "=" is ignored.
    """
    out: dict[str, str] = {}
    seen: set[str] = set()
    at = 0
    while at < len(data):
        end = at + 1 + data[at]
        if end > len(data):
            return None
        try:
            key, _, value = data[at + 1 : end].decode().partition("=")
        except UnicodeDecodeError:
            return None
        if key and key.lower() not in seen:
            seen.add(key.lower())
            out[key] = value
        at = end
    return out


def txt_data(values: Mapping[str, str]) -> bytes:
    """A TXT record of `values`, each cut to 63 octets between characters; b"\\0" for none."""
    out = bytearray()
    for key, value in values.items():
        cut = value.encode()[:LONGEST_VALUE].decode(errors="ignore")
        text = f"{key}={cut}".encode()
        out += bytes((len(text),)) + text
    return bytes(out) or b"\0"


def explained(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """`nodes` with the views of `specific` in every service info among them."""
    return tuple(_explained(node) if node.name == "service_info" else node for node in nodes)


def _explained(info: Node) -> Node:
    protocol = next((kid.value for kid in info.children if kid.name == "protocol"), None)
    kids: list[Node] = []
    for kid in info.children:
        if kid.name == "specific" and protocol == GENERIC:
            found = _listed(bytes.fromhex(kid.value), kid.start)
            kids.append(kid if found is None else msgspec.structs.replace(kid, children=found[1]))
        elif kid.name == "specific" and protocol == BONJOUR:
            kids.append(msgspec.structs.replace(kid, meaning=_strings_said(kid.value)))
        else:
            kids.append(kid)
    return msgspec.structs.replace(info, children=tuple(kids))


def strategy() -> Any:
    """Hypothesis strategy of service info: none of it, of Wi-Fi Alliance, of another OUI."""
    from protocols.wifi_aware import strategies as draw  # tests only: hypothesis

    unset = draw.just(UNSET)
    empty = draw.fields_of(ServiceInfo, oui=unset, protocol=unset, specific=draw.just(""))
    wfa = draw.fields_of(ServiceInfo, oui=draw.just(WFA), protocol=draw.integers(8))
    others = draw.hexes(3, 3).filter(lambda oui: oui != WFA)
    return draw.one_of(empty, wfa, draw.fields_of(ServiceInfo, oui=others, protocol=unset))
