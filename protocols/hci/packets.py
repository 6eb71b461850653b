"""HCI packets as captures hold them: the H4 type octet, then a command, event, ACL, SCO or ISO packet.

Core Specification 5.4 Vol 4 Part A clause 2 (types), Part E clause 5.4 (packets) and clause 7 (commands, events).
Codes, in the order they are looked for: `frame_length` (no offset) fewer octets than the header, or not as many as
it says · `packet_type` at 0 · `parameter_length` at the first parameter: the parameters of a known command or event
do not fit its layout; a lenient reader then has them as hex. Faults inside advertising data are doubts of its node in
the tree, not of the packet. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec

from protocols.ble.advertising import LEGACY_LIMIT, ad_node
from protocols.ble.l2cap import l2cap_nodes
from protocols.data.hci_names import command_name, event_name
from protocols.errors import DecodeError, EncodeError
from protocols.format import (
    UNSET,
    Example,
    Fields,
    Format,
    Keys,
    Outcome,
    Reader,
    UnsetType,
    agree,
    as_fields,
    examine,
    to_plain,
)
from protocols.hci.command_bodies import COMMAND_BODIES
from protocols.hci.event_bodies import EVENT_BODIES, LE_BODIES
from protocols.layout import (
    REST,
    U8,
    U16LE,
    Codec,
    Flags,
    Hex,
    Named,
    Node,
    Record,
    Walk,
    build,
    parse,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from protocols.hci.vocabulary import Kind

__all__ = [
    "HCI",
    "Acl",
    "Command",
    "Event",
    "Iso",
    "Sco",
    "decode_packet",
]

LE_META = 0x3E


class _Packet(Fields, frozen=True, kw_only=True, tag_field="packet"):
    pass


class Command(_Packet, frozen=True, kw_only=True, tag="command"):
    """Host to controller. `body` is a type of COMMAND_BODIES, or `parameters` has the octets."""

    opcode: int
    name: str | UnsetType = UNSET
    body: Any = UNSET
    parameters: str | UnsetType = UNSET


class Event(_Packet, frozen=True, kw_only=True, tag="event"):
    """Controller to host. `body` is a type of EVENT_BODIES or LE_BODIES, or `parameters` has the octets."""

    code: int
    subevent: int | UnsetType = UNSET
    """of the LE Meta event (code 0x3E)."""
    name: str | UnsetType = UNSET
    body: Any = UNSET
    parameters: str | UnsetType = UNSET


class Acl(_Packet, frozen=True, kw_only=True, tag="acl"):
    """Data of a connection, an L2CAP packet or a part of one."""

    handle: int
    boundary: Literal[0, 1, 2, 3]
    """0 first (not flushable), 1 continued, 2 first (flushable), 3 whole."""
    broadcast: Literal[0, 1, 2, 3] = 0
    data: str


class Sco(_Packet, frozen=True, kw_only=True, tag="sco"):
    """Synchronous data."""

    handle: int
    status: Literal[0, 1, 2, 3] = 0
    data: str


class Iso(_Packet, frozen=True, kw_only=True, tag="iso"):
    """Isochronous data; the SDU header inside is not looked into."""

    handle: int
    boundary: Literal[0, 1, 2, 3]
    has_time_stamp: bool = False
    data: str


_TYPES = {1: "command", 2: "ACL data", 3: "SCO data", 4: "event", 5: "ISO data"}
_TYPE = Record("type" / Named(U8, _TYPES))
_COMMAND: Codec = Record("opcode" / Named(U16LE, command_name), "length" / U8)
_EVENT: Codec = Record("code" / Named(U8, event_name), "length" / U8)
_SUBEVENT: Codec = Record("subevent" / Named(U8, lambda n: event_name(LE_META, n)))
_ACL: Codec = Record(
    Flags(U16LE, handle=(0, 12), boundary=(12, 2), broadcast=(14, 2)), "length" / U16LE
)
_SCO: Codec = Record(Flags(U16LE, handle=(0, 12), status=(12, 2), reserved=(14, 2)), "length" / U8)
_ISO: Codec = Record(
    Flags(U16LE, handle=(0, 12), boundary=(12, 2), has_time_stamp=14, reserved=15),
    Flags(U16LE, length=(0, 14), reserved_length=(14, 2)),
)
# H4 type -> (header layout, octets of the header)
_HEADERS = {1: (_COMMAND, 3), 2: (_ACL, 4), 3: (_SCO, 3), 4: (_EVENT, 2), 5: (_ISO, 4)}


# --- reading --------------------------------------------------------------------------------------


def decode_packet(data: bytes, *, keys: Mapping[str, Any] | None = None) -> Outcome:
    """(fields, tree, error, doubts) of one H4 packet; with an error, fields are what a lenient reader has."""
    return examine(HCI, data, Keys(keys))


def _decode(reader: Reader) -> Fields:
    kind = reader.select(1)[0]
    if kind not in _HEADERS:
        reader.fatal("packet_type", 0, f"H4 type {kind:#04x} is none of 1 to 5")
    layout, size = _HEADERS[kind]
    reader.length(at_least=1 + size)
    reader.read(_TYPE, reader.data[:1])
    head = reader.read(layout, reader.data[1 : 1 + size], base=1)
    body = reader.data[1 + size :]
    length = head.pop("length")
    if length != len(body):
        reader.fatal("frame_length", None, f"the header says {length} octets, {len(body)} follow")
    if kind == 1:
        name = command_name(head["opcode"])
        opened = _open(reader, COMMAND_BODIES.get(head["opcode"]), body, 1 + size)
        return Command(opcode=head["opcode"], name=name, **opened)
    if kind == 4:
        return _event(reader, head["code"], body, 1 + size)
    for reserved in ("reserved", "reserved_length"):
        head.pop(reserved, None)
    fields = {2: Acl, 3: Sco, 5: Iso}[kind]
    _data_node(reader, body, 1 + size, is_start=kind == 2 and head["boundary"] != 1)
    return cast("Fields", fields(data=body.hex(), **head))


def _data_node(reader: Reader, data: bytes, at: int, *, is_start: bool) -> None:
    kids, _ = l2cap_nodes(data, at) if is_start else ((), "")
    if data:
        shown = None if kids else data.hex()
        reader.walk.nodes.append(Node("data", shown, None, at, at + len(data), kids))


def _event(reader: Reader, code: int, body: bytes, at: int) -> Event:
    if code != LE_META or not body:
        return Event(
            code=code, name=event_name(code), **_open(reader, EVENT_BODIES.get(code), body, at)
        )
    subevent = reader.read(_SUBEVENT, body[:1], base=at)["subevent"]
    opened = _open(reader, LE_BODIES.get(subevent), body[1:], at + 1)
    return Event(code=code, subevent=subevent, name=event_name(code, subevent), **opened)


def _open(reader: Reader, kind: Kind | None, data: bytes, at: int) -> dict[str, Any]:
    """`body`, or `parameters` where there is no layout or it does not fit."""
    walk = Walk()
    try:
        body = None if kind is None else _body(kind, data, walk, at)
    except DecodeError as exc:
        reader.fault("parameter_length", at, exc.message)
        body, walk = None, Walk()
    if data:
        kids = tuple(_with_runs(walk.nodes))
        shown = None if kids else data.hex()
        reader.walk.nodes.append(Node("parameters", shown, None, at, at + len(data), kids))
    return {"parameters": data.hex()} if body is None else {"body": body}


def _body(kind: Kind, data: bytes, walk: Walk, at: int) -> Fields:
    raw = cast("dict[str, Any]", parse(kind.layout, data, walk, base=at))
    count = raw.pop("count", None)
    if kind.counted and kind.counted != "data":
        announced = raw["phys"].bit_count() if count is None else count
        if announced != len(raw[kind.counted]):
            message = f"{announced} {kind.counted} announced, {len(raw[kind.counted])} found"
            raise DecodeError("parameter_length", at, message)
    fields: Fields = as_fields(kind.fields, raw)
    return fields


def _with_runs(nodes: Sequence[Node]) -> list[Node]:
    """The nodes with advertising data opened."""
    out: list[Node] = []
    for node in nodes:
        if node.name != "data":
            kids = tuple(_with_runs(node.children))
            out.append(msgspec.structs.replace(node, children=kids))
            continue
        out.append(ad_node(bytes.fromhex(node.value), node.start)[0])
    return out


# --- writing --------------------------------------------------------------------------------------


def _encode(fields: Any, keys: Keys) -> bytes:
    """The packet; reserved bits and the filling behind advertising data are zero."""
    if isinstance(fields, Command):
        agree("name", fields.name, command_name(fields.opcode))
        body = _parameters(fields, COMMAND_BODIES.get(fields.opcode))
        return b"\x01" + build(_COMMAND, {"opcode": fields.opcode, "length": len(body)}) + body
    if isinstance(fields, Event):
        return b"\x04" + _event_octets(fields)
    raw = to_plain(fields)
    body = build(Record("data" / Hex(REST)), raw)
    kind = {"acl": 2, "sco": 3, "iso": 5}[raw["packet"]]
    head = build(
        _HEADERS[kind][0], {**raw, "reserved": 0, "reserved_length": 0, "length": len(body)}
    )
    return bytes((kind,)) + head + body


def _event_octets(event: Event) -> bytes:
    subevent = None if event.subevent is UNSET else event.subevent
    agree("name", event.name, event_name(event.code, subevent))
    if subevent is None:
        body = _parameters(event, EVENT_BODIES.get(event.code))
    else:
        if event.code != LE_META:
            raise EncodeError("subevent", f"only event {LE_META:#04x} has one")
        body = build(_SUBEVENT, {"subevent": subevent})
        body += _parameters(event, LE_BODIES.get(subevent))
    return build(_EVENT, {"code": event.code, "length": len(body)}) + body


def _parameters(packet: Command | Event, kind: Kind | None) -> bytes:
    if packet.parameters is not UNSET:
        if packet.body is not UNSET:
            raise EncodeError("parameters", "is given beside `body`: leave one of them out")
        return build(Record("parameters" / Hex(REST)), {"parameters": packet.parameters})
    if kind is None or packet.body is UNSET:
        wanted = "parameters" if kind is None else "body"
        raise EncodeError(wanted, "is missing")
    given: Any = packet.body
    try:
        plain = to_plain(given if isinstance(given, Fields) else as_fields(kind.fields, given))
        return build(kind.layout, _counted(plain, kind))
    except EncodeError as exc:
        raise EncodeError(f"body.{exc.path}".rstrip("."), exc.message) from None


def _counted(plain: dict[str, Any], kind: Kind) -> dict[str, Any]:
    """The raw members: the count of the list, the filling behind advertising data."""
    if kind.counted == "data":
        size = len(plain["data"]) // 2
        is_extended = "advertising_handle" in plain
        limit = _EXTENDED_LIMIT if is_extended else LEGACY_LIMIT
        if size > limit:
            raise EncodeError("data", f"{size} octets, {limit} fit")
        filling = {} if is_extended else {"_filling": "00" * (limit - size)}
        return {**plain, "count": size, **filling}
    if not kind.counted:
        return plain
    count = len(plain[kind.counted])
    if "phys" in plain and plain["phys"].bit_count() != count:
        raise EncodeError(
            kind.counted, f"has {count}, the bits of `phys` are {plain['phys'].bit_count()}"
        )
    return {**plain, "count": count}


_EXTENDED_LIMIT = 251


HCI = Format(
    name="hci",
    title="HCI packet (H4)",
    source="Core Specification Vol 4 Part A 2, Part E 5.4 and 7",
    fields=Command | Event | Acl | Sco | Iso,
    decode=_decode,
    encode=_encode,
    keys=("hci/",),
    examples=(
        Example("01030c00", note="Reset"),
        Example("01052006665544332211", note="LE Set Random Address"),
        Example("01082020" "0b" "02010607094b6574746c65" + "00" * 20, note="LE Set Advertising Data"),
        Example("01392006010101000000", note="LE Set Extended Advertising Enable"),
        Example("040e0401030c00", note="Command Complete"),
        Example(
            "043e17" "0201" "0001665544332211" "0b" "02010607094b6574746c65" "c4", note="LE Advertising Report"
        ),
        Example(
            "043e25" "0d01" "130001665544332211" "0100ff7fc40000" "00000000000000" "0b" "02010607094b6574746c65",
            note="LE Extended Advertising Report",
        ),
        Example("04050400400013", note="Disconnection Complete"),
        Example("0240200900" "0500040012030001ff", note="ATT write request"),
        Example("0241100400" "aabbccdd", note="more of an L2CAP packet"),
        Example("0240201200" "0e000500" "14030a00" "800040000002f7000a00", note="L2CAP credit based connection request"),
        Example("04ff03010203", note="vendor event"),
    ),
)  # fmt: skip
