"""Whole IPv6 packets from octets and back: the header and the UDP, TCP or ICMPv6 behind it.

RFC 8200; the headers are in their own files. `read` gives typed fields, `look` the tree too, `build` is the inverse:
every octet is in a field. Codes: `frame_length` (octets are missing, or a length field says otherwise than the octets),
`frame_type` (not version 6). Extension headers and other protocols keep their octets. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec
from msgspec import UNSET, UnsetType

from protocols import layout
from protocols.errors import DecodeError, EncodeError
from protocols.ip import icmpv6, ipv6, tcp, udp
from protocols.ip.icmpv6 import Icmpv6
from protocols.ip.tcp import Tcp
from protocols.ip.udp import Udp
from protocols.ip.vocabulary import (
    COMPUTED,
    AddressText,
    Body,
    HexText,
    Int8,
    Int20,
    checksum,
    checksum_text,
    octets_of,
)
from protocols.layout import Node, Walk

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Packet", "build", "look", "read", "summary"]

_LENGTH, _TYPE = "frame_length", "frame_type"


class Packet(Body, frozen=True, kw_only=True):
    """One packet; which upper layer is there goes with the next header."""

    traffic_class: Int8 = 0
    flow_label: Int20 = 0
    next_header: Int8
    hop_limit: Int8 = ipv6.HOP_LIMIT
    source: AddressText
    destination: AddressText
    udp: Udp | UnsetType = UNSET
    tcp: Tcp | UnsetType = UNSET
    icmpv6: Icmpv6 | UnsetType = UNSET
    payload: HexText | UnsetType = UNSET
    """of other next headers, and of those when they are malformed."""
    trailing: HexText | UnsetType = UNSET
    """octets behind the payload length."""


def read(octets: bytes) -> Packet:
    """The packet. Raises DecodeError with the first fault."""
    return look(octets, Walk())


def look(octets: bytes, walk: Walk, *, base: int = 0) -> Packet:
    """The packet, its nodes on the walk, counted from `base`. Lenient: a malformed upper layer keeps its octets."""
    if len(octets) < ipv6.HEADER:
        walk.fatal(_LENGTH, base, f"{len(octets)} octets, an IPv6 header takes {ipv6.HEADER}")
    if octets[0] >> 4 != ipv6.VERSION:
        walk.fatal(_TYPE, base, f"version {octets[0] >> 4} is not {ipv6.VERSION}")
    head = _group(walk, "ipv6", "RFC 8200 3", ipv6.LAYOUT, octets[: ipv6.HEADER], base)
    end = ipv6.HEADER + head.pop("payload_length")
    if end > len(octets):
        message = f"payload length {end - ipv6.HEADER}, {len(octets) - ipv6.HEADER} octets remain"
        walk.fatal(_LENGTH, base + 4, message, "payload_length")
    upper = _upper(octets, end, walk, base, head)
    if end < len(octets):
        upper["trailing"] = octets[end:].hex()
        _leaf(walk, "trailing", octets[end:], base + end)
    return Packet(**head, **upper)


def _upper(octets: bytes, end: int, walk: Walk, base: int, head: dict[str, Any]) -> dict[str, Any]:
    """What stands behind the header, by its member of the packet."""
    data, start = octets[ipv6.HEADER : end], base + ipv6.HEADER
    found = _READERS.get(head["next_header"])
    if found is None:
        _leaf(walk, "payload", data, start)
        return {"payload": data.hex()}
    name, reader = found
    noted = len(walk.nodes)
    try:
        return {name: reader(data, walk, start, octets[8:24], octets[24:40])}
    except DecodeError as exc:
        del walk.nodes[noted:]
        walk.fault(exc.code, start if exc.offset is None else exc.offset, exc.message, name)
        _leaf(walk, "payload", data, start)
        return {"payload": data.hex()}


def _group(  # noqa: PLR0913, RUF100  # what a node of the tree is made of
    walk: Walk, name: str, source: str, codec: layout.Codec, data: bytes, base: int
) -> dict[str, Any]:
    """Values of `data`; their nodes go to one node called `name`."""
    outer, walk.nodes = walk.nodes, []
    try:
        values = cast("dict[str, Any]", layout.parse(codec, data, walk, base=base))
        kids = tuple(msgspec.structs.replace(node, source=source) for node in walk.nodes)
    finally:
        walk.nodes = outer
    outer.append(Node(name, None, None, base, base + len(data), kids, source=source))
    return values


def _leaf(walk: Walk, name: str, data: bytes, base: int) -> None:
    if data:
        walk.nodes.append(Node(name, data.hex(), None, base, base + len(data), ()))


def _judged(walk: Walk, found: int, right: int) -> str:
    """The checksum as fields say it; its node in the last group says whether it is right."""
    group = walk.nodes[-1]
    meaning = "right" if found == right else f"wrong, {right:04x} is right"
    doubts = () if found == right else ("wrong checksum",)
    kids = tuple(
        msgspec.structs.replace(kid, value=f"{found:04x}", meaning=meaning, doubts=doubts)
        if kid.name == "checksum"
        else kid
        for kid in group.children
    )
    walk.nodes[-1] = msgspec.structs.replace(group, children=kids)
    return checksum_text(found, right)


def _without(data: bytes, at: int) -> bytes:
    """`data` with zero as the checksum at octet `at`."""
    return data[:at] + b"\0\0" + data[at + 2 :]


def _read_udp(data: bytes, walk: Walk, base: int, source: bytes, destination: bytes) -> Udp:
    _at_least(data, udp.HEADER, "UDP", base)
    values = _group(walk, "udp", "RFC 768", udp.LAYOUT, data[: udp.HEADER], base)
    length = values.pop("length")
    if length != len(data):
        message = f"length {length}, the packet has {len(data)} octets for it"
        raise DecodeError(_LENGTH, base + 4, message)
    right = udp.checksum_of(source, destination, _without(data, 6))
    values["checksum"] = _judged(walk, values["checksum"], right)
    _leaf(walk, "data", data[udp.HEADER :], base + udp.HEADER)
    return Udp(**values, data=data[udp.HEADER :].hex())


def _read_tcp(data: bytes, walk: Walk, base: int, source: bytes, destination: bytes) -> Tcp:
    _at_least(data, tcp.HEADER, "TCP", base)
    end = 4 * (data[12] >> 4)
    if not tcp.HEADER <= end <= len(data):
        raise DecodeError(_LENGTH, base + 12, f"data offset {end // 4} of {len(data)} octets")
    values = _group(walk, "tcp", "RFC 9293 3.1", tcp.LAYOUT, data[: tcp.HEADER], base)
    right = checksum(source, destination, ipv6.TCP, _without(data, 16))
    values["checksum"] = _judged(walk, values["checksum"], right)
    values.pop("_data_offset", None)
    options: list[Any] = []
    if end > tcp.HEADER:
        at = tcp.HEADER
        found = _group(walk, "options", "RFC 9293 3.2", tcp.OPTIONS, data[at:end], base + at)
        options = found["options"]
    _leaf(walk, "data", data[end:], base + end)
    typed = tuple(tcp.Option(**one) for one in options)
    return Tcp(**values, options=typed, data=data[end:].hex())


def _read_icmpv6(data: bytes, walk: Walk, base: int, source: bytes, destination: bytes) -> Icmpv6:
    _at_least(data, icmpv6.HEADER, "ICMPv6", base)
    head = data[: icmpv6.HEADER]
    values = _group(walk, "icmpv6", "RFC 4443 2.1", icmpv6.LAYOUT, head, base)
    right = checksum(source, destination, ipv6.ICMPV6, _without(data, 2))
    values["checksum"] = _judged(walk, values["checksum"], right)
    body, at = data[icmpv6.HEADER :], base + icmpv6.HEADER
    known = icmpv6.BODIES.get(values["type"])
    if known is None:
        _leaf(walk, "body", body, at)
        return Icmpv6(**values, body=body.hex())
    name, codec = known
    clause = "RFC 4443 4" if name == "echo" else "RFC 4861 4"
    found = _group(walk, name, clause, codec, body, at)
    if name == "echo":
        return Icmpv6(**values, echo=icmpv6.Echo(**found))
    found["options"] = tuple(icmpv6.Option(**one) for one in found["options"])
    return Icmpv6(**values, neighbour=icmpv6.Neighbour(**found))


def _at_least(data: bytes, size: int, name: str, base: int) -> None:
    if len(data) < size:
        raise DecodeError(_LENGTH, base, f"{len(data)} octets, a {name} header takes {size}")


_READERS: dict[int, tuple[str, Callable[[bytes, Walk, int, bytes, bytes], Any]]] = {
    ipv6.UDP: ("udp", _read_udp),
    ipv6.TCP: ("tcp", _read_tcp),
    ipv6.ICMPV6: ("icmpv6", _read_icmpv6),
}
"""Next header -> member of the packet, and what reads it."""


def build(packet: Packet) -> bytes:
    """Octets of the packet. Raises EncodeError with the path of the field."""
    try:
        source, destination = octets_of(packet.source), octets_of(packet.destination)
    except ValueError as exc:
        raise EncodeError("source, destination", f"is no IPv6 address: {exc}") from exc
    payload = _built_upper(packet, source, destination)
    fields = msgspec.structs.asdict(packet) | {"payload_length": len(payload)}
    trailing = "" if packet.trailing is UNSET else packet.trailing
    return layout.build(ipv6.LAYOUT, fields) + payload + bytes.fromhex(trailing)


def _built_upper(packet: Packet, source: bytes, destination: bytes) -> bytes:
    given = [name for name in _BUILDERS if getattr(packet, name) is not UNSET]
    if len(given) != 1:
        names = ", ".join(given) or "none"
        raise EncodeError("", f"{names} given: one of {', '.join(_BUILDERS)} is needed")
    number, builder = _BUILDERS[given[0]]
    if number not in (None, packet.next_header):
        raise EncodeError("next_header", f"{packet.next_header} is not {number} for {given[0]}")
    try:
        return builder(getattr(packet, given[0]), source, destination)
    except EncodeError as exc:
        raise EncodeError(f"{given[0]}.{exc.path}", exc.message) from exc


def _octets(text: str) -> bytes:
    return bytes.fromhex(text)


def _finished(octets: bytes, at: int, text: str, right: Callable[[bytes], int]) -> bytes:
    """`octets` with the checksum that the field says at `at`."""
    number = right(octets) if text == COMPUTED else int(text, 16)
    return octets[:at] + number.to_bytes(2, "big") + octets[at + 2 :]


def _build_udp(fields: Udp, source: bytes, destination: bytes) -> bytes:
    data = _octets(fields.data)
    values = msgspec.structs.asdict(fields) | {"length": udp.HEADER + len(data), "checksum": 0}
    octets = layout.build(udp.LAYOUT, values) + data
    return _finished(
        octets, 6, fields.checksum, lambda whole: udp.checksum_of(source, destination, whole)
    )


def _build_tcp(fields: Tcp, source: bytes, destination: bytes) -> bytes:
    options = layout.build(tcp.OPTIONS, fields)
    if len(options) % 4:
        message = f"{len(options)} octets: fill up to a multiple of 4 with options of kind 0 or 1"
        raise EncodeError("options", message)
    offset = (tcp.HEADER + len(options)) // 4
    values = msgspec.structs.asdict(fields) | {"_data_offset": offset, "checksum": 0}
    octets = layout.build(tcp.LAYOUT, values) + options + _octets(fields.data)
    return _finished(
        octets, 16, fields.checksum, lambda whole: checksum(source, destination, ipv6.TCP, whole)
    )


def _build_icmpv6(fields: Icmpv6, source: bytes, destination: bytes) -> bytes:
    values = msgspec.structs.asdict(fields) | {"checksum": 0}
    known = icmpv6.BODIES.get(fields.type)
    body: Any = UNSET if known is None else getattr(fields, known[0])
    if known is not None and body is not UNSET:
        rest = layout.build(known[1], body)
    elif fields.body is not UNSET:
        rest = _octets(fields.body)
    else:
        raise EncodeError("body" if known is None else known[0], "is missing")
    octets = layout.build(icmpv6.LAYOUT, values) + rest
    return _finished(
        octets, 2, fields.checksum, lambda whole: checksum(source, destination, ipv6.ICMPV6, whole)
    )


def _build_payload(payload: str, _source: bytes, _destination: bytes) -> bytes:
    return _octets(payload)


_BUILDERS: dict[str, tuple[int | None, Callable[[Any, bytes, bytes], bytes]]] = {
    "udp": (ipv6.UDP, _build_udp),
    "tcp": (ipv6.TCP, _build_tcp),
    "icmpv6": (ipv6.ICMPV6, _build_icmpv6),
    "payload": (None, _build_payload),
}
"""Member of the packet -> its next header (None: any), and what builds it."""


def summary(packet: Packet) -> str:
    """What the packet says in a few words: `UDP 49152 > 7024, 12 octets`."""
    if packet.udp is not UNSET:
        one = packet.udp
        size = len(one.data) // 2
        return f"UDP {one.source_port} > {one.destination_port}, {size} octets"
    if packet.tcp is not UNSET:
        return _tcp_summary(packet.tcp)
    if packet.icmpv6 is not UNSET:
        return f"ICMPv6 {icmpv6.TYPES.get(packet.icmpv6.type, f'type {packet.icmpv6.type}')}"
    name = ipv6.NEXT_HEADERS.get(packet.next_header, f"next header {packet.next_header}")
    return f"IPv6 {name}"


def _tcp_summary(segment: Tcp) -> str:
    flags = [name.upper() for name in ("syn", "fin", "rst", "ack") if getattr(segment, name)]
    size = len(segment.data) // 2
    more = f", {size} octets" if size else ""
    return f"TCP {segment.source_port} > {segment.destination_port} {' '.join(flags)}{more}"
