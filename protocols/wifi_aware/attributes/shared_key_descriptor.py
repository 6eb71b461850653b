"""Shared Key Descriptor, SKDA (0x24): a message of the data path handshake, or the identity key of a pairing.

Wi-Fi Aware 4.0, Shared Key Descriptor attribute; IEEE 802.11-2020 12.7.2 (key descriptor without EAPOL header);
as in hostap src/nan/nan_sec.c and nan_pairing.c. Its numbers are big-endian, the RSC is a little-endian packet
number. How long the MIC is (16, 24, or none) the octets do not say: that length is taken with which Key Data
fills the attribute; the suite (`csid` of the context, or of the same action frame) decides where several would.
Key Data in clear are KDEs; wrapped ones stay octets, whose KDEs the tree shows when a `kek` of the context opens
them. Codes: `attribute_length`, `kde_length`, `key_wrap` (no KEK given fits). No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from protocols.errors import DecodeError, UsageError
from protocols.format import Example, Keys, Reader
from protocols.layout import (
    REST,
    U8,
    U16BE,
    U64BE,
    U64LE,
    Flags,
    Hex,
    Mapped,
    Node,
    Record,
    build,
)
from protocols.wifi_aware import key_data, parts
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.key_data import Kde  # noqa: TC001  # msgspec reads it
from protocols.wifi_aware.protection import KEK_NAMES, UNOPENED
from protocols.wifi_aware.vocabulary import (
    UNSET,
    Body,
    Hex8,
    Hex16,
    Hex32,
    HexText,
    Int2,
    Int3,
    Int8,
    Int16,
    Int64,
    UnsetType,
    Words,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

ID = 0x24
HEAD = 78
"""Octets before the MIC."""
MIC_OCTETS = {1: 16, 2: 24, 3: 16, 4: 24, 7: 16, 8: 24}
"""Suite (CSID) -> octets of the MIC in data path frames."""
_MIC_BIT, _ENCRYPTED_BIT = 0x0100, 0x1000


class SharedKeyDescriptor(Body, frozen=True, kw_only=True):
    """A key descriptor; what is UNSET is not in the octets."""

    publish_id: Int8
    descriptor_type: Int8
    key_version: Int3
    key_pairwise: bool
    reserved_4: Int2 = 0
    key_install: bool
    key_ack: bool
    key_mic: bool
    key_secure: bool
    key_error: bool
    key_request: bool
    key_data_encrypted: bool
    reserved_13: Int3 = 0
    key_length: Int16
    replay_counter: Int64
    nonce: Hex32
    iv: Hex16
    key_rsc: Int64
    """packet number of the GTK in the Key Data, else 0."""
    key_id: Hex8
    mic: HexText
    """16 or 24 octets, none in the identity key follow-up."""
    key_data: HexText | UnsetType = UNSET
    """wrapped."""
    kdes: list[Kde] | UnsetType = UNSET
    padding: HexText | UnsetType = UNSET


def _same(value: Any) -> Any:
    return value


def _nonce_meaning(text: str) -> str | None:
    return None if text.strip("0") else "none"


_NONCE = Mapped(Hex(32), _same, _same, _nonce_meaning)
LAYOUT = Record(
    "publish_id" / U8,
    "descriptor_type" / Words(U8, {2: "RSN"}),
    Flags(
        U16BE,
        key_version=(0, 3),
        key_pairwise=3,
        reserved_4=(4, 2),
        key_install=6,
        key_ack=7,
        key_mic=8,
        key_secure=9,
        key_error=10,
        key_request=11,
        key_data_encrypted=12,
        reserved_13=(13, 3),
    ),
    "key_length" / U16BE,
    "replay_counter" / U64BE,
    "nonce" / _NONCE,
    "iv" / Hex(16),
    "key_rsc" / U64LE,
    "key_id" / Hex(8),
)
_UNOPENED = "no KEK of the context opens it"
_MIC = Record("mic" / Hex(REST))
_LENGTH = Record("key_data_length" / U16BE)
_KEY_DATA = Record("key_data" / Hex(REST))


def read(octets: bytes, csid: int | None = None, kek: bytes | None = None) -> SharedKeyDescriptor:
    """The descriptor in a body (without header) of a handshake with that suite. Raises DecodeError.

    With `kek` the KDEs are in `kdes` (and `padding`) beside the wrapped `key_data`; `key_wrap` when it does not fit.
    """
    keys = Keys() if csid is None else Keys({"csid": csid})
    fields: Any = parts.look(ATTRIBUTE, octets, keys)[0]
    found: SharedKeyDescriptor = fields
    if kek is None or found.key_data is UNSET:
        return found
    opened = key_data.unwrap(kek, bytes.fromhex(found.key_data))
    if opened is None:
        raise DecodeError("key_wrap", HEAD, "the KEK does not open this Key Data", path="key_data")
    inside = key_data.read(opened)
    return msgspec.structs.replace(found, kdes=list(inside.kdes), padding=inside.padding.hex())


def decode(reader: Reader) -> dict[str, Any]:
    """Values; raises DecodeError."""
    data = reader.data
    values = reader.read(LAYOUT, data[:HEAD])
    mic_end = HEAD + _mic_octets(reader, int.from_bytes(data[2:4], "big"))
    start = mic_end + 2
    values |= reader.read(_MIC, data[HEAD:mic_end], base=HEAD)
    reader.read(_LENGTH, data[mic_end:start], base=mic_end)
    if start == len(data):
        return values
    if not values["key_data_encrypted"]:
        return values | key_data.decode(reader, start, len(data))
    values |= reader.read(_KEY_DATA, data[start:], base=start)
    if any(name in reader.keys for name in KEK_NAMES):
        _show_inside(reader, data[start:], start)
    return values


def _mic_octets(reader: Reader, info: int) -> int:
    """Octets of the MIC: those with which the Key Data length behind it is right. A fault when none is."""
    data = reader.data
    size = len(data)

    def length_behind(mic: int) -> int:
        return int.from_bytes(data[HEAD + mic : HEAD + mic + 2], "big")

    # without wrapped Key Data a long MIC and nothing behind it is likelier than a short one and KDEs
    order = (24, 16, 0)
    if info & _ENCRYPTED_BIT:
        order = (16, 24, 0) if info & _MIC_BIT else (0, 16, 24)
    room = [mic for mic in order if HEAD + mic + 2 <= size]
    fitting = [mic for mic in room if length_behind(mic) == size - HEAD - mic - 2]
    if not info & _MIC_BIT:  # M1: a MIC that is not set is zero
        fitting = [mic for mic in fitting if not any(data[HEAD : HEAD + mic])] or fitting
    told = MIC_OCTETS.get(reader.keys.number("csid") or 0)
    if told in fitting:
        return told
    if not fitting:
        mic = told if told in room else room[0]
        message = f"Key Data length {length_behind(mic)}, {size - HEAD - mic - 2} octets remain"
        reader.fatal("frame_length", HEAD + mic, message, "key_data")
    return fitting[0]


def _show_inside(reader: Reader, wrapped: bytes, start: int) -> None:
    """Put the KDEs of wrapped Key Data under their node; their octets are those of the whole field."""
    keks = [kek for name in KEK_NAMES for kek in reader.keys.all_octets(name, REST)]
    if wrong := next((kek for kek in keks if len(kek) not in (16, 32)), None):
        raise UsageError(f"context kek: {len(wrong)} octets given, 16 or 32 needed")
    opened = next((found for kek in keks if (found := key_data.unwrap(kek, wrapped))), None)
    nodes = reader.walk.nodes
    if opened is None:
        if not reader.keys.flag(UNOPENED):
            reader.fault("key_wrap", start, _UNOPENED, "key_data")
        nodes[-1] = msgspec.structs.replace(nodes[-1], doubts=(_UNOPENED,))
        return
    inside = Reader(opened, Keys(), strict=reader.walk.strict)
    try:
        key_data.decode(inside, 0, len(opened))
    except DecodeError as exc:
        reader.fault(exc.code, start, f"after unwrapping, {exc.message}", "key_data")
        return
    children = tuple(_spread(node, start, len(reader.data)) for node in inside.walk.nodes)
    nodes[-1] = msgspec.structs.replace(nodes[-1], children=children, meaning="unwrapped")


def _spread(node: Node, start: int, end: int) -> Node:
    """The node with the span `start` to `end`, its children likewise."""
    children = tuple(_spread(child, start, end) for child in node.children)
    return msgspec.structs.replace(node, start=start, end=end, children=children)


def doubts(fields: SharedKeyDescriptor) -> Iterator[tuple[str, str]]:
    """Key Information that no message of NAN has (digest 2.25)."""
    if fields.key_version:
        yield "key_version", "0 in NAN"
    if not fields.key_pairwise:
        yield "key_pairwise", "set in all messages of NAN"
    if fields.key_request:
        yield "key_request", "hostap refuses requests"
    if fields.key_error:
        yield "key_error", "no message of NAN has it"
    if fields.iv.strip("0"):
        yield "iv", "zero in NAN"
    if fields.key_mic and not fields.mic:
        yield "key_mic", "and there is no MIC"


def encode(fields: SharedKeyDescriptor) -> bytes:
    """Octets; `key_data` when given, else the KDEs. Raises EncodeError."""
    if fields.key_data is not UNSET:
        data = bytes.fromhex(fields.key_data)
    else:
        data = b"" if fields.kdes is UNSET else key_data.encode(fields.kdes)
        data += b"" if fields.padding is UNSET else bytes.fromhex(fields.padding)
    return (
        build(LAYOUT, fields)
        + bytes.fromhex(fields.mic)
        + build(_LENGTH, {"key_data_length": len(data)})
        + data
    )


def strategy() -> Any:
    """Valid values: a MIC of each length, with nothing, wrapped octets or KDEs behind it."""
    from protocols.wifi_aware import strategies as draw  # tests only: hypothesis

    none, yes, no = draw.just(UNSET), draw.just(value=True), draw.just(value=False)
    kdes = draw.lists(
        draw.one_of(*(draw.fields_of(kind) for kind in (key_data.Gtk, key_data.Igtk, key_data.Nik))), min_size=1, max_size=3
    )  # fmt: skip
    bodies = (
        {"key_data": none, "kdes": none, "padding": none},
        {"key_data": draw.hexes(48, 48), "kdes": none, "padding": none, "key_data_encrypted": yes},
        {
            "key_data": none,
            "kdes": kdes,
            "padding": draw.one_of(none, draw.just("dd000000")),
            "key_data_encrypted": no,
        },
    )
    given = [
        draw.fields_of(SharedKeyDescriptor, mic=draw.just("5a" * mic), key_mic=draw.just(bool(mic)), **body)
        for mic in (16, 24)
        for body in bodies
    ]  # fmt: skip
    given += [
        draw.fields_of(SharedKeyDescriptor, mic=draw.just(""), key_mic=no, **body)
        for body in bodies[1:]
    ]
    return draw.one_of(*given)


ATTRIBUTE = Attribute(
    id=ID,
    name="shared_key_descriptor",
    title="Shared Key Descriptor (SKDA)",
    source="Wi-Fi Aware 4.0, Shared Key Descriptor attribute",
    fields=SharedKeyDescriptor,
    decode=decode,
    encode=encode,
    minimum=HEAD + 2,
    doubts=doubts,
    keyed=True,
    strategy=strategy,
    examples=(
        Example(
            "0102" + "0088" + "0000" + "0000000000000001" + "11" * 32 + "00" * 48 + "0000",
            note="M1 of a data path with a 128-bit suite",
        ),
        Example(
            "0102" + "1088" + "0010" + "00" * 72 + "0030" + "5a" * 48,
            note="identity key follow-up: no MIC, wrapped Key Data",
        ),
        Example(
            "0102" + "0088" + "0010" + "00" * 72 + "0028" + "dd15506f9a2400" + "01" * 16
            + "dd0a506f9a250800" + "0000a8c0" + "dd00000000",
            note="the same Key Data in clear, with its padding",
        ),
    ),
)  # fmt: skip
