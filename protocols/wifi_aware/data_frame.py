"""802.11 data frames between the data interfaces (NDIs) of two NAN devices: data, QoS data, and the null ones of both.

IEEE 802.11-2020 9.3.2.1 (data frames), 9.2.4.5 (QoS Control), 12.5.3.2 (protection); RFC 1042 (LLC/SNAP). Rule 1: only
frames that go straight from NDI to NDI (neither to nor from a distribution system) are read here; A3 is the Cluster ID.
Rule 2: behind LLC/SNAP the packet is kept as octets and decoded when looked at. Frames of these are not read and stay
octets as a whole: other subtypes, the order bit without QoS Control, protection without extended IV (WEP). A body that
is no LLC/SNAP (A-MSDU among them) is all payload. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec
from msgspec import UNSET

from protocols.errors import DecodeError, EncodeError
from protocols.format import as_fields, converted, to_plain
from protocols.layout import U8, U16BE, U16LE, Const, Flagged, Flags, Hex, Node, Record, When
from protocols.wifi_aware import frames, protection
from protocols.wifi_aware.header import (
    BEHIND_CONTROL,
    CIPHER,
    CIPHER_HEADER,
    CONTROL_BITS,
    MANAGEMENT,
    TYPES,
)
from protocols.wifi_aware.kinds import DATA_FRAME, PROTECTED_BIT, PROTECTED_DATA
from protocols.wifi_aware.reading import (
    MAC_HEADER,
    UNOPENED,
    noted,
    opened,
    packet_number,
    protection_of,
)
from protocols.wifi_aware.vocabulary import Words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from protocols.format import Reader

__all__ = [
    "DATA",
    "HEADER",
    "IPV6",
    "LLC_SNAP",
    "NULL",
    "QOS_DATA",
    "QOS_NULL",
    "body_of",
    "header_octets",
    "is_data",
    "of_plain",
    "plain_of",
    "read",
    "words",
]

DATA, NULL, QOS_DATA, QOS_NULL = 0, 4, 8, 12
"""Subtypes."""
SUBTYPES = {
    DATA: "data frame",
    NULL: "null data frame",
    QOS_DATA: "QoS data frame",
    QOS_NULL: "QoS null data frame",
}
IPV6 = 0x86DD
LLC_SNAP = bytes.fromhex("aaaa03000000")
"""In front of the EtherType (RFC 1042)."""
_LLC = 8
_ETHERTYPES = {0x0800: "IPv4", 0x0806: "ARP", IPV6: "IPv6", 0x888E: "EAPOL"}
_ACKNOWLEDGEMENTS = {0: "normal", 1: "none", 2: "no explicit one", 3: "block"}
_TYPE_AND_VERSION, _DATA_TYPE, _DISTRIBUTION = 0x000F, 0x0008, 0x0300
_HT_CONTROL, _QOS = 0x8000, 0x80
_EXTENDED_IV = 0x20

_QOS_CONTROL = Record(
    Flags(
        U16LE,
        tid=(0, 4),
        end_of_service_period=4,
        ack_policy=(5, 2, Words(U8, _ACKNOWLEDGEMENTS)),
        a_msdu=7,
        txop_or_queue=(8, 8),
    )
)
_FIXED = (
    Flags(
        U16LE,
        _version=(0, 2),
        _type=(2, 2, Words(U8, TYPES)),
        data_subtype=(4, 4, Words(U8, SUBTYPES)),
        fixed={2: 2},
        **CONTROL_BITS,
    ),
    *BEHIND_CONTROL,
)
HEADER = Record(
    *_FIXED,
    "qos" / When(lambda fields: bool(fields.data_subtype & QOS_DATA), _QOS_CONTROL),
    "ht_control" / Flagged("_ht_control_present", Hex(4)),
)
_PLAIN_HEADER = Record(*_FIXED)
"""Of a frame without QoS Control."""
_LLC_HEADER = Record(
    "_llc_snap" / Const(LLC_SNAP), "ethertype" / Words(U16BE, _ETHERTYPES, "other")
)


def header_octets(control: int) -> int:
    """Octets of the header of a data frame with that Frame Control."""
    qos = 2 if control & _QOS else 0
    return MANAGEMENT + qos + (4 if control & _HT_CONTROL else 0)


def is_data(control: int, octets: bytes) -> bool:
    """Whether these octets (all of a frame, Frame Control first) are a data frame that `read` knows."""
    if control & _TYPE_AND_VERSION != _DATA_TYPE or control & _DISTRIBUTION:
        return False
    subtype, at = control >> 4 & 0xF, header_octets(control) + 3
    if subtype not in SUBTYPES or (control & _HT_CONTROL and not control & _QOS):
        return False
    has_iv = len(octets) <= at or bool(octets[at] & _EXTENDED_IV)
    return has_iv or not control & PROTECTED_BIT


def read(
    reader: Reader, control: int, start: int, end: int, around: Mapping[str, Any], *, deep: bool
) -> frames.Data | frames.ProtectedData:
    """The frame in the octets from `start` to `end`, `around` being the fields around it. Raises DecodeError."""
    data, body = reader.data, start + header_octets(control)
    sealed = bool(control & PROTECTED_BIT)
    needed = body + (CIPHER_HEADER if sealed else 0)
    if needed > end:
        message = f"{end - start} octets, the headers of this data frame take {needed - start}"
        reader.fatal("frame_length", start, message)
    found = opened(reader, start, body, end) if sealed else None
    title = SUBTYPES[control >> 4 & 0xF]
    codec = HEADER if deep or control & (_QOS | _HT_CONTROL) else _PLAIN_HEADER
    group = ("header", title) if deep else None
    values = noted(reader, codec, data, start, body, MAC_HEADER, group, deep=deep)
    if "qos" in values:
        values["qos"] = frames.QosControl(**values["qos"])
    if found is not None:
        tail = end - found.tag
        values |= protection_of(reader, body, found)
        values |= _body(reader, control, found.plaintext, needed, deep=deep)
        reader.note("tag", data[tail:end].hex(), tail, end, source=PROTECTED_DATA.source)
    elif sealed:
        values |= _sealed(reader, data, body, end, deep=deep)
        return frames.ProtectedData(**around, **values)
    else:
        values |= _body(reader, control, data[body:end], body, deep=deep)
    return frames.Data(**around, **values)


def _sealed(reader: Reader, data: bytes, body: int, end: int, *, deep: bool) -> dict[str, Any]:
    """Values of a body that no key opened."""
    at, source = body + CIPHER_HEADER, PROTECTED_DATA.source
    values = noted(reader, CIPHER, data, body, at, source, deep=deep)
    values |= {"packet_number": packet_number(data, body), "octets": data[at:end].hex()}
    reader.note("packet_number", values["packet_number"], body, at, source=source)
    doubts = (UNOPENED,) if protection.has_keys(reader.keys) else ()
    node = Node("octets", values["octets"], None, at, end, (), None, None, source, doubts)
    reader.walk.nodes.append(node)
    return values


def _body(reader: Reader, control: int, data: bytes, base: int, *, deep: bool) -> dict[str, Any]:
    """Values of a body in clear, which stands at octet `base` of what the tree speaks of."""
    is_null = bool(control >> 4 & NULL)
    if is_null or len(data) < _LLC or not data.startswith(LLC_SNAP):
        _leaf(reader, data, base)
        return {"payload": data.hex()}
    ethertype = int.from_bytes(data[len(LLC_SNAP) : _LLC], "big")
    if deep:
        _note_packet(reader, data, ethertype, base)
    return {"ethertype": ethertype, "payload": data[_LLC:].hex()}


def _note_packet(reader: Reader, data: bytes, ethertype: int, base: int) -> None:
    """The tree of LLC/SNAP and what it announces; a malformed packet is a fault, and its octets stay."""
    from protocols.ip import packet  # only for the tree and for plain fields

    reader.walk.nodes.append(_llc_node(reader, data, base))
    rest, at = data[_LLC:], base + _LLC
    if ethertype != IPV6:
        _leaf(reader, rest, at)
        return
    first = len(reader.walk.nodes)
    try:
        packet.look(rest, reader.walk, base=at)
    except DecodeError as exc:
        del reader.walk.nodes[first:]
        reader.fault(exc.code, exc.offset, exc.message, f"ipv6.{exc.path}".rstrip("."))
        _leaf(reader, rest, at)


def _llc_node(reader: Reader, data: bytes, base: int) -> Node:
    nodes, reader.walk.nodes = reader.walk.nodes, []
    try:
        reader.read(_LLC_HEADER, data[:_LLC], base=base)
        kids = tuple(reader.walk.nodes)
    finally:
        reader.walk.nodes = nodes
    return Node("llc_snap", None, None, base, base + _LLC, kids, source="RFC 1042")


def _leaf(reader: Reader, data: bytes, at: int) -> None:
    if data:
        reader.note("payload", data.hex(), at, at + len(data), source=DATA_FRAME.source)


def body_of(frame: frames.Data) -> bytes:
    """Octets behind the header, in clear. Raises EncodeError."""
    payload = bytes.fromhex(frame.payload)
    if frame.ethertype is UNSET:
        return payload
    return LLC_SNAP + frame.ethertype.to_bytes(2, "big") + payload


def plain_of(frame: frames.Data) -> dict[str, Any]:
    """The frame as a JSON-like dict: a well-formed IPv6 packet stands in fields (`ipv6`) in the place of `payload`."""
    plain = cast("dict[str, Any]", msgspec.to_builtins(frame))
    if frame.ethertype == IPV6:
        from protocols.ip import packet  # as above

        try:
            plain["ipv6"] = to_plain(packet.read(bytes.fromhex(frame.payload)))
            plain.pop("payload", None)
        except DecodeError:
            pass  # its octets say all there is to say
    return plain


def of_plain(plain: Mapping[str, Any]) -> frames.Data:
    """The inverse of `plain_of`. Raises EncodeError with the path of the field."""
    if "ipv6" not in plain:
        return cast("frames.Data", converted(frames.Data, plain))
    rest = {name: value for name, value in plain.items() if name != "ipv6"}
    if "payload" in rest:
        raise EncodeError("payload", 'stands beside "ipv6": give one of the two')
    rest["payload"] = _built_packet(plain["ipv6"]).hex()
    return cast("frames.Data", converted(frames.Data, {"ethertype": IPV6, **rest}))


def _built_packet(plain: Any) -> bytes:
    from protocols.ip import packet  # as above

    try:
        fields = as_fields(packet.Packet, plain)
        octets = packet.build(fields)
        again = packet.read(octets)
    except EncodeError as exc:
        raise EncodeError(f"ipv6.{exc.path}".rstrip("."), exc.message) from exc
    except DecodeError as exc:
        raise EncodeError("ipv6", f"gives a malformed packet: {exc}") from exc
    if again != fields:
        raise EncodeError("ipv6", "says what a packet cannot: the octets would say otherwise")
    return octets


def words(frame: frames.Data) -> str:
    """What the frame carries in a few words."""
    if frame.data_subtype & NULL:
        return SUBTYPES[frame.data_subtype]
    if frame.ethertype == IPV6:
        from protocols.ip import packet  # as above

        try:
            return packet.summary(packet.read(bytes.fromhex(frame.payload)))
        except DecodeError:
            return "malformed IPv6 packet"
    if frame.ethertype is UNSET:
        return SUBTYPES[frame.data_subtype]
    return f"data frame, {_ETHERTYPES.get(frame.ethertype, f'EtherType {frame.ethertype:#06x}')}"
