"""Frames from octets and back: FORMAT and RADIOTAP ("frame", "frame_radiotap"), `read` and `build` beneath them.

IEEE 802.11-2020 9.2 and 9.3.3; Wi-Fi Aware 4.0, NAN frame formats. `read` gives header and attribute table only;
the formats decode every body and note the tree. Context: `fcs` true says that a frame check sequence is behind
(a radiotap header says it itself). Codes: `frame_length` (fewer octets than the
kind of frame needs), `frame_type` (another radiotap version), `element_length`, and those of the attributes; a
wrong FCS, a reserved bit in use, a repeated or unknown attribute are doubts in the tree. No clock, no
randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import UNSET

from protocols import layout
from protocols.errors import DecodeError, EncodeError
from protocols.format import Example, Format, Keys, Reader, to_plain
from protocols.layout import U8, U16LE, U64LE, Codec, Const, Node, Record
from protocols.wifi_aware import elements, frames, parts, radiotap, walker
from protocols.wifi_aware.header import CIPHER, CIPHER_HEADER, HEADER, MANAGEMENT, SUBTYPES, TYPES
from protocols.wifi_aware.vocabulary import Bitmap, Words

if TYPE_CHECKING:
    from protocols.wifi_aware.frames import Frame

__all__ = ["FORMAT", "PASN", "RADIOTAP", "build", "read"]

WFA = bytes.fromhex("506f9a")
PASN = 7
_ACTION, _BEACON, _AUTHENTICATION = 13, 8, 11
_ENCRYPTED = (10, 12, 13, 14)
_EXTENDED_IV = 0x20

CAPABILITY = {
    0: "ESS", 1: "IBSS", 4: "privacy", 5: "short preamble", 8: "spectrum management", 9: "QoS",
    10: "short slot time", 11: "APSD", 12: "radio measurement",
}  # fmt: skip
CATEGORIES = {4: "public action", 9: "protected dual of public action"}
SUBTYPES_NAF = {
    1: "ranging request", 2: "ranging response", 3: "ranging termination", 4: "ranging report",
    5: "data path request", 6: "data path response", 7: "data path confirm", 8: "data path key installment",
    9: "data path termination", 10: "schedule request", 11: "schedule response", 12: "schedule confirm",
    13: "schedule update notification",
}  # fmt: skip
ALGORITHMS = {
    0: "open",
    1: "shared key",
    2: "FT",
    3: "SAE",
    4: "FILS",
    5: "FILS with PFS",
    6: "FILS public key",
    7: "PASN",
}
STATUSES = {
    0: "success", 1: "unspecified failure", 30: "come back later", 38: "invalid parameters", 53: "invalid PMKID",
    72: "invalid RSNE", 77: "unsupported finite cyclic group", 123: "unknown password identifier",
    126: "SAE hash-to-element", 136: "invalid public key", 137: "PASN base AKM failed",
}  # fmt: skip

_VENDOR_ACTION = (
    "category" / Words(U8, CATEGORIES),
    "_action" / Const(b"\x09"),
    "_oui" / Const(WFA),
)


class Kind(NamedTuple):
    """How the body of one kind of frame is read: octets of its fixed part, and what follows it."""

    fields: type[Frame]
    title: str
    source: str
    size: int
    fixed: Codec
    rest: str


_IEEE = "IEEE 802.11-2020 9.3.3"
_NAN = "Wi-Fi Aware 4.0, NAN frame formats"
BEACON = Kind(
    frames.Beacon, "beacon", f"{_IEEE}.2", 12,
    Record(
        "timestamp_us" / U64LE,
        "beacon_interval_tu" / Words(U16LE, {100: "discovery beacon", 512: "synchronisation beacon"}, "no NAN beacon"),
        "capability" / Bitmap(U16LE, CAPABILITY),
    ),
    "elements",
)  # fmt: skip
SDF = Kind(
    frames.Sdf, "NAN service discovery frame", _NAN, 6,
    Record(*_VENDOR_ACTION, "_oui_type" / Const(b"\x13")), "attributes",
)  # fmt: skip
NAF = Kind(
    frames.Naf, "NAN action frame", _NAN, 7,
    Record(*_VENDOR_ACTION, "_oui_type" / Const(b"\x18"), "subtype" / Words(U8, SUBTYPES_NAF)), "attributes",
)  # fmt: skip
_AUTHENTICATION_HEAD = Record(
    "algorithm" / Words(U16LE, ALGORITHMS, "unknown"),
    "transaction" / U16LE,
    "status" / Words(U16LE, STATUSES, "another status"),
)
PASN_FRAME = Kind(
    frames.Authentication,
    "authentication frame (PASN)",
    f"{_IEEE}.11",
    6,
    _AUTHENTICATION_HEAD,
    "elements",
)
OTHER_AUTHENTICATION = Kind(
    frames.Authentication, "authentication frame", f"{_IEEE}.11", 6, _AUTHENTICATION_HEAD, "octets"
)
PROTECTED = Kind(
    frames.Protected,
    "protected management frame",
    "IEEE 802.11-2020 12.5.3.2",
    CIPHER_HEADER,
    CIPHER,
    "octets",
)
ACTION = Kind(frames.Action, "action frame", f"{_IEEE}.13", 0, Record(), "octets")
MANAGEMENT_FRAME = Kind(frames.Management, "management frame", _IEEE, 0, Record(), "octets")


def _kind_of(control: int, body: bytes) -> Kind:
    """The kind of a management frame."""
    subtype, protected = control >> 4 & 0xF, bool(control & 0x4000)
    if protected and subtype in _ENCRYPTED:
        extended = len(body) >= CIPHER_HEADER and body[3] & _EXTENDED_IV
        return PROTECTED if extended else MANAGEMENT_FRAME
    if subtype == _BEACON:
        return BEACON
    if subtype == _AUTHENTICATION and not protected:
        return PASN_FRAME if body[:2] == PASN.to_bytes(2, "little") else OTHER_AUTHENTICATION
    if subtype == _ACTION:
        if body[:1] in (b"\x04", b"\x09") and body[1:5] == b"\x09" + WFA:
            return {b"\x13": SDF, b"\x18": NAF}.get(body[5:6], ACTION)
        return ACTION
    return MANAGEMENT_FRAME


def read(data: bytes, *, with_radiotap: bool = False, with_fcs: bool = False) -> Frame:
    """A frame with its header and attribute table; bodies are decoded when looked at. Raises DecodeError."""
    return _frame(Reader(data, Keys({"fcs": with_fcs})), tapped=with_radiotap, deep=False)


def decode(reader: Reader) -> Frame:
    """A frame of which every body was decoded. Raises DecodeError; lenient: malformed bodies stay octets."""
    return _frame(reader, tapped=False, deep=True)


def decode_tapped(reader: Reader) -> Frame:
    """As `decode`, with a radiotap header in front."""
    return _frame(reader, tapped=True, deep=True)


def _frame(reader: Reader, *, tapped: bool, deep: bool) -> Frame:
    around, start, end = _envelope(reader, tapped=tapped)
    data = reader.data
    if end - start < 2:
        reader.fatal("frame_length", start, f"{end - start} octets are no frame")
    control = data[start] | data[start + 1] << 8
    if control & 0x0F:
        found: Frame = frames.Other(octets=data[start:end].hex(), **around)
        _note_other(reader, control, start, end)
    else:
        found = _management(reader, control, start, end, around, deep=deep)
    if "fcs" in around:
        doubts = () if around["fcs"] == frames.COMPUTED else ("wrong frame check sequence",)
        fcs = data[end:].hex()
        place = (end, len(data), ())
        reader.walk.nodes.append(
            Node("fcs", fcs, None, *place, around["fcs"], None, "IEEE 802.11-2020 9.2.4.8", doubts)
        )
    return found


def _envelope(reader: Reader, *, tapped: bool) -> tuple[dict[str, Any], int, int]:
    """Fields of what is around the frame, and where the frame begins and ends."""
    keys, data = reader.keys, reader.data
    around: dict[str, Any] = {}
    start, end = 0, len(data)
    has_fcs = bool(keys.get("fcs"))
    if tapped:
        tap = radiotap.read(data)
        start, has_fcs = tap.length, has_fcs or tap.has_fcs
        around["radiotap"] = data[:start].hex()
        reader.walk.nodes.append(Node("radiotap", None, None, 0, start, tap.nodes))
    if has_fcs:
        end -= radiotap.FCS
        if end < start:
            reader.fatal("frame_length", start, f"{len(data) - start} octets, an FCS takes 4")
        found, right = data[end:], radiotap.fcs_of(data[start:end])
        around["fcs"] = frames.COMPUTED if found == right else found.hex()
    return around, start, end


def _note_other(reader: Reader, control: int, start: int, end: int) -> None:
    kind = TYPES.get(control >> 2 & 3)
    node = Node("octets", reader.data[start:end].hex(), None, start, end, (), f"{kind} frame")
    reader.walk.nodes.append(node)


def _management(
    reader: Reader, control: int, start: int, end: int, around: dict[str, Any], *, deep: bool
) -> Frame:
    data = reader.data
    body = start + MANAGEMENT + (4 if control & 0x8000 else 0)
    if body > end:
        reader.fatal(
            "frame_length", start, f"{end - start} octets, a management header takes {body - start}"
        )
    kind = _kind_of(control, data[body:end])
    fixed = body + kind.size
    if fixed > end:
        reader.fatal("frame_length", body, f"{end - body} octets, a {kind.title} needs {kind.size}")
    title = SUBTYPES.get(control >> 4 & 0xF) if kind is MANAGEMENT_FRAME else kind.title
    values = _noted(reader, HEADER, start, body, _IEEE, group=("header", title))
    values |= _noted(reader, kind.fixed, body, fixed, kind.source)
    if kind.rest == "octets":
        values["octets"] = data[fixed:end].hex()
        reader.walk.nodes.append(Node("octets", values["octets"], None, fixed, end, ()))
    elif deep:
        trees = walker.trees if kind.rest == "attributes" else elements.trees
        values[kind.rest], nodes = trees(data, fixed, end, reader.walk, reader.keys)
        reader.walk.nodes.extend(nodes)
    else:
        table = walker.table if kind.rest == "attributes" else elements.table
        values[kind.rest] = table(data, fixed, end)
    if kind is PROTECTED:
        low, high = data[body : body + 2], data[body + 4 : body + 8]
        values["packet_number"] = int.from_bytes(low + high, "little")
    if kind in (PROTECTED, MANAGEMENT_FRAME):
        values["management_subtype"] = control >> 4 & 0xF
    return kind.fields(**around, **values)


def _noted(
    reader: Reader,
    codec: Codec,
    start: int,
    end: int,
    source: str,
    group: tuple[str, str | None] | None = None,
) -> dict[str, Any]:
    """Values of the octets from `start` to `end`; their nodes go to the tree, in one node when `group` names it."""
    nodes = reader.walk.nodes
    first = len(nodes)
    values = reader.read(codec, reader.data[start:end], base=start)
    told = parts.told(tuple(nodes[first:]), source)
    del nodes[first:]
    if group is None:
        nodes.extend(told)
    else:
        nodes.append(Node(group[0], None, None, start, end, told, group[1], None, source))
    return values


_KIND_BY_FIELDS = {
    kind.fields: kind
    for kind in (BEACON, SDF, NAF, PASN_FRAME, PROTECTED, ACTION, MANAGEMENT_FRAME)
}
_SUBTYPE_OF: dict[type[Frame], int] = {
    frames.Beacon: _BEACON,
    frames.Authentication: _AUTHENTICATION,
}


def build(frame: Frame) -> bytes:
    """Octets of a frame, with radiotap header and FCS when it has them. Raises EncodeError (path of the field)."""
    octets = bytes.fromhex(frame.octets) if isinstance(frame, frames.Other) else _built(frame)
    if frame.fcs is not UNSET:
        right = frame.fcs == frames.COMPUTED
        octets += radiotap.fcs_of(octets) if right else bytes.fromhex(frame.fcs)
    return octets if frame.radiotap is UNSET else bytes.fromhex(frame.radiotap) + octets


def _built(frame: Frame) -> bytes:
    kind = _KIND_BY_FIELDS[type(frame)]
    values = msgspec.structs.asdict(frame)
    values["_subtype"] = values.get("management_subtype", _SUBTYPE_OF.get(kind.fields, _ACTION))
    if isinstance(frame, frames.Protected):
        number = frame.packet_number
        values |= {
            "_extended_iv": 1,
            "_packet_number_low": number & 0xFFFF,
            "_packet_number_high": number >> 16,
        }
    head = layout.build(HEADER, values) + layout.build(kind.fixed, values)
    items = [item for name in frame.LISTS for item in values[name]]
    octets = values.get("octets", UNSET)
    return (
        head
        + b"".join(item.written() for item in items)
        + bytes.fromhex("" if octets is UNSET else octets)
    )


def encode(frame: Frame, keys: Keys) -> bytes:
    """As `build`, and the octets say the same frame again; else EncodeError names the field that would be lost."""
    octets = build(frame)
    tapped = frame.radiotap is not UNSET
    try:
        again = read(octets, with_radiotap=tapped, with_fcs=frame.fcs is not UNSET and not tapped)
    except DecodeError as exc:
        raise EncodeError(exc.path, f"gives a malformed frame: {exc}") from exc
    if again != frame:
        given, told = to_plain(frame), to_plain(again)
        lost = next((name for name in (*given, *told) if given.get(name) != told.get(name)), "")
        raise EncodeError(
            lost, f"does not go with the other fields: the octets say {told.get(lost)!r}"
        )
    return octets


FORMAT = Format(
    name="frame",
    title="802.11 frame of Wi-Fi Aware",
    source="IEEE 802.11-2020 9.3.3; Wi-Fi Aware 4.0",
    fields=frames.AnyFrame,
    decode=decode,
    encode=encode,
    examples=(
        Example(
            "80000000ffffffffffff025f5a1ae301506f9a017f01d023973e4c06000000006400200"
            "4dd22506f9a13000200"
            "01bc010d00025f5a1ae301bc010000000000280600" + "44774db10160",
            note="discovery beacon captured from the air (OpenNAN tests/test_crc32.cpp)",
        ),
    ),
)

RADIOTAP = msgspec.structs.replace(
    FORMAT,
    name="frame_radiotap",
    title="802.11 frame of Wi-Fi Aware behind a radiotap header",
    source=f"radiotap.org; {FORMAT.source}",
    decode=decode_tapped,
    examples=(
        Example(
            "0000090002000000" + "10" + FORMAT.examples[0].hex + "57e148ff",
            note="the same beacon with its frame check sequence, as the header says",
        ),
    ),
)
