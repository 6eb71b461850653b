"""Frames from octets and back: FORMAT and RADIOTAP ("frame", "frame_radiotap"), `read` and `build` beneath them.

IEEE 802.11-2020 9.2 and 9.3.3; Wi-Fi Aware 4.0, NAN frame formats; data frames are in `data_frame.py`. `read` gives
header and attribute table only; the formats decode every body and note the tree; the keys of their context are those
of `context.py`. Codes: `frame_length` (fewer octets than the kind of frame needs), `frame_type` (another radiotap
version), `mic` (no key given opens the frame), `element_length`, and those of the attributes and packets; a wrong FCS,
a reserved bit in use, a repeated or unknown attribute are doubts in the tree. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from protocols import layout
from protocols.errors import DecodeError, EncodeError
from protocols.format import Example, Format, Keys, Reader, to_plain
from protocols.layout import Node
from protocols.wifi_aware import data_frame, elements, frames, kinds, protection, radiotap, walker
from protocols.wifi_aware.context import CONTEXT
from protocols.wifi_aware.header import CIPHER, FIXED_HEADER, HEADER, MANAGEMENT, SUBTYPES, TYPES
from protocols.wifi_aware.kinds import (
    DATA_FRAME,
    MANAGEMENT_FRAME,
    NAF,
    PROTECTED,
    PROTECTED_DATA,
    Kind,
    kind_of,
)
from protocols.wifi_aware.reading import (
    MAC_HEADER,
    UNOPENED,
    noted,
    opened,
    packet_number,
    protection_of,
)

if TYPE_CHECKING:
    from protocols.wifi_aware.frames import Frame

__all__ = ["FORMAT", "RADIOTAP", "build", "clear_octets", "read"]

_CIPHER_SUITES = 0x22
_GROUP_SUITES = (5, 6)
_SEALED = (frames.Protected, frames.ProtectedData)
_MME, _MME_SIZES = 76, (18, 26)


def read(
    data: bytes,
    *,
    with_radiotap: bool = False,
    with_fcs: bool = False,
    keys: Keys | None = None,
) -> Frame:
    """A frame with its header and attribute table; bodies are decoded when looked at. Raises DecodeError."""
    given = Keys({"fcs": with_fcs}) if keys is None else keys.adding({"fcs": with_fcs})
    return _frame(Reader(data, given), tapped=with_radiotap, deep=False)


def decode(reader: Reader) -> Frame:
    """A frame of which every body was decoded. Raises DecodeError; lenient: malformed bodies stay octets."""
    try:
        return _frame(reader, tapped=False, deep=True)
    except DecodeError as exc:
        if reader.keys.flag("fcs") or not radiotap.ends_with_fcs(reader.data):
            raise
        hint = "the last 4 octets are the frame check sequence of the others: say so with fcs=true"
        raise DecodeError(exc.code, exc.offset, f"{exc.message}; {hint}", path=exc.path) from exc


def decode_tapped(reader: Reader) -> Frame:
    """As `decode`, with a radiotap header in front."""
    return _frame(reader, tapped=True, deep=True)


def _frame(reader: Reader, *, tapped: bool, deep: bool) -> Frame:
    around, start, end = _envelope(reader, tapped=tapped)
    data = reader.data
    if end - start < 2:
        reader.fatal("frame_length", start, f"{end - start} octets are no frame")
    control = data[start] | data[start + 1] << 8
    if data_frame.is_data(control, data[start:end]):
        found: Frame = data_frame.read(reader, control, start, end, around, deep=deep)
    elif control & 0x0F:
        found = frames.Other(octets=data[start:end].hex(), **around)
        _note_other(reader, control, start, end)
    else:
        found = _management(reader, control, start, end, around, deep=deep)
    if "fcs" in around:
        reader.walk.nodes.append(_fcs_node(data[start:end], data[end:], end))
    return found


def _fcs_node(frame: bytes, fcs: bytes, at: int) -> Node:
    right = radiotap.fcs_of(frame)
    meaning = "right" if fcs == right else f"wrong, {right.hex()} is right"
    doubts = () if fcs == right else ("wrong frame check sequence",)
    end = at + len(fcs)
    return Node("fcs", fcs.hex(), None, at, end, (), meaning, None, f"{MAC_HEADER}.8", doubts)


def _envelope(reader: Reader, *, tapped: bool) -> tuple[dict[str, Any], int, int]:
    """Fields of what is around the frame, and where the frame begins and ends."""
    keys, data = reader.keys, reader.data
    around: dict[str, Any] = {}
    start, end = 0, len(data)
    has_fcs = keys.flag("fcs")
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
    kind = kind_of(control, data[body:end])
    found = opened(reader, start, body, end) if kind is PROTECTED else None
    tail = end
    if found is not None:
        fixed = body + PROTECTED.size
        tail = end - found.tag
        data = data[:fixed] + found.plaintext + data[tail:]
        kind = kind_of(control & ~kinds.PROTECTED_BIT, found.plaintext)
    title = SUBTYPES.get(control >> 4 & 0xF) if kind is MANAGEMENT_FRAME else kind.title
    header = HEADER if deep or body - start > MANAGEMENT else FIXED_HEADER
    group = None if not deep else ("header", title)
    values = noted(reader, header, data, start, body, MAC_HEADER, group, deep=deep)
    if found is not None:
        values |= protection_of(reader, body, found)
        body += PROTECTED.size
    to_group = bool(data[start + 4] & 1)
    values |= _body(reader, kind, data, body, tail, to_group=to_group, deep=deep)
    if kind is PROTECTED:
        values["packet_number"] = packet_number(data, body)
        reader.note(
            "packet_number", values["packet_number"], body, body + kind.size, source=kind.source
        )
    if kind in (PROTECTED, MANAGEMENT_FRAME):
        values["management_subtype"] = control >> 4 & 0xF
    if found is not None:
        reader.note("tag", data[tail:end].hex(), tail, end, source=PROTECTED.source)
    return kind.fields(**around, **values)


def _body(
    reader: Reader, kind: Kind, data: bytes, body: int, end: int, *, to_group: bool, deep: bool
) -> dict[str, Any]:
    """Values of `data[body:end]`: the fixed part, and the lists (or octets) behind it."""
    fixed = body + kind.size
    if fixed > end:
        reader.fatal("frame_length", body, f"{end - body} octets, a {kind.title} needs {kind.size}")
    values = noted(reader, kind.fixed, data, body, fixed, kind.source, deep=deep)
    if kind.rest == "octets":
        values["octets"] = data[fixed:end].hex()
        sealed = kind is PROTECTED and protection.has_keys(reader.keys)
        doubts = (UNOPENED,) if sealed else ()
        reader.walk.nodes.append(
            Node("octets", values["octets"], None, fixed, end, (), None, None, kind.source, doubts)
        )
        return values
    stop = fixed
    if kind.rest == "attributes":
        stop = _tail(data, fixed, end) if to_group else end
        keys = _hinted(reader.keys, kind, data, fixed, stop) if deep else reader.keys
        values["attributes"] = _list(reader, walker, data, fixed, stop, keys, deep=deep)
    if kind.rest == "elements" or stop < end:
        values["elements"] = _list(reader, elements, data, stop, end, reader.keys, deep=deep)
    return values


def _list(
    reader: Reader, of: Any, data: bytes, start: int, end: int, keys: Keys, *, deep: bool
) -> Any:
    """The attributes or elements (`of`: the module that walks them) in `data[start:end]`."""
    if not deep:
        return of.table(data, start, end)
    found, nodes = of.trees(data, start, end, reader.walk, keys)
    reader.walk.nodes.extend(nodes)
    return found


def _tail(data: bytes, start: int, end: int) -> int:
    """Where the attributes of a group-addressed action frame end: before its Management MIC element, if any."""
    for size in _MME_SIZES:
        at = end - size
        is_mme = at >= start and data[at] == _MME and data[at + 1] == size - 2
        if is_mme and walker.scan(data, start, at)[2] is None:
            return at
    return end


def _hinted(keys: Keys, kind: Kind, data: bytes, start: int, end: int) -> Keys:
    """Keys that also say which suite the Cipher Suite Information of the same action frame names."""
    if kind is not NAF or "csid" in keys:
        return keys
    for attr in walker.scan(data, start, end)[0]:
        if attr.id == _CIPHER_SUITES:
            pairwise = [number for number in attr.octets[1::2] if number not in _GROUP_SUITES]
            return keys.adding({"csid": pairwise[0]}) if pairwise else keys
    return keys


def build(frame: Frame, keys: Keys | None = None) -> bytes:
    """Octets of a frame, with radiotap header and FCS when it has them. Raises EncodeError (path of the field).

    A frame with a packet number (other than the protected ones) is encrypted with key `tk_number` of the context's `tk`.
    """
    if isinstance(frame, frames.Other):
        octets = bytes.fromhex(frame.octets)
    else:
        octets = _built(frame, keys or Keys())
    if frame.fcs is not UNSET:
        right = frame.fcs == frames.COMPUTED
        octets += radiotap.fcs_of(octets) if right else bytes.fromhex(frame.fcs)
    return octets if frame.radiotap is UNSET else bytes.fromhex(frame.radiotap) + octets


def _built(frame: Frame, keys: Keys) -> bytes:
    kind = kinds.BY_FIELDS[type(frame)]
    values = msgspec.structs.asdict(frame)
    codec = data_frame.HEADER
    if kind not in (DATA_FRAME, PROTECTED_DATA):
        codec, subtype = HEADER, kinds.SUBTYPE_OF.get(kind.fields)
        values["_subtype"] = values["management_subtype"] if subtype is None else subtype
    number = values["packet_number"]
    if number is not UNSET:
        values |= {
            "_extended_iv": 1,
            "_packet_number_low": number & 0xFFFF,
            "_packet_number_high": number >> 16,
        }
    elif kind in (PROTECTED, PROTECTED_DATA):
        raise EncodeError("packet_number", "is missing")
    header, body = layout.build(codec, values), _built_body(frame, kind, values)
    if number is UNSET or kind in (PROTECTED, PROTECTED_DATA):
        return header + body
    key = protection.key_of(keys, values["tk_number"])
    sealed = protection.seal_body(str(values["cipher"]), key, header, number, body)
    return header + layout.build(CIPHER, values) + sealed


def _built_body(frame: Frame, kind: Kind, values: dict[str, Any]) -> bytes:
    """What stands behind the header."""
    if isinstance(frame, frames.Data):
        return data_frame.body_of(frame)
    items = [item for name in frame.LISTS for item in values[name]]
    octets = values.get("octets", UNSET)
    rest = bytes.fromhex("" if octets is UNSET else octets)
    return layout.build(kind.fixed, values) + b"".join(item.written() for item in items) + rest


def clear_octets(frame: Frame, data: bytes) -> bytes:
    """`data` with the body of a frame that a key opened in clear: the octets that its tree speaks of."""
    if not isinstance(frame, frames.Header) or frame.cipher is UNSET:
        return data
    start = 0 if frame.radiotap is UNSET else len(frame.radiotap) // 2
    start += MANAGEMENT + (0 if frame.ht_control is UNSET else 4) + PROTECTED.size
    start += 0 if getattr(frame, "qos", UNSET) is UNSET else 2
    kind = kinds.BY_FIELDS[type(frame)]
    body = _built_body(frame, kind, msgspec.structs.asdict(frame))
    return data[:start] + body + data[start + len(body) :]


def encode(frame: Frame, keys: Keys) -> bytes:
    """As `build`, and the octets say the same frame again; else EncodeError names the field that would be lost."""
    octets = build(frame, keys)
    tapped = frame.radiotap is not UNSET
    with_fcs = frame.fcs is not UNSET and not tapped
    try:
        given_keys = None if isinstance(frame, _SEALED) else keys  # those keep octets
        again = read(octets, with_radiotap=tapped, with_fcs=with_fcs, keys=given_keys)
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
    context=CONTEXT,
    examples=(
        Example(
            "80000000ffffffffffff025f5a1ae301506f9a017f01d023973e4c06000000006400200"
            "4dd22506f9a13000200"
            "01bc010d00025f5a1ae301bc010000000000280600" + "44774db10160",
            note="discovery beacon captured from the air (OpenNAN tests/test_crc32.cpp)",
        ),
        Example(
            "8800000002005e20b00102005e10a001506f9a014d2170000000" + "aaaa0300000086dd"
            "60000000000d1140fe8000000000000000005efffe10a001fe8000000000000000005efffe20b001"
            + "c0001b70000dd95b68656c6c6f",
            note="QoS data frame in clear: a UDP datagram of five octets from NDI to NDI",
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
