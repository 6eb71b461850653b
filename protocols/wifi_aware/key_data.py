"""Key Data of a key descriptor: KDEs with group keys, identity key and lifetime, padded, wrapped or in clear.

IEEE 802.11-2020 12.7.2 (KDEs, padding) and table 12-9; Wi-Fi Aware 4.0 for those of the Wi-Fi Alliance; RFC 3394 for
the wrapping. What has another size than its kind needs, or is no KDE at all, keeps its octets. Code: `kde_length`.
No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from protocols.conversion import as_typed
from protocols.errors import DecodeError
from protocols.format import Keys, Reader
from protocols.layout import REST, U8, U16LE, U32BE, Codec, Flags, Hex, Mapped, Node, Octets, Record
from protocols.layout import build as built
from protocols.wifi_aware.vocabulary import (
    Bitmap,
    Body,
    HexText,
    Int2,
    Int5,
    Int8,
    Int16,
    Int32,
    Int48,
    Words,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Bigtk",
    "Gtk",
    "Igtk",
    "Kde",
    "KeyData",
    "KeyLifetime",
    "Nik",
    "OtherElement",
    "OtherKde",
    "decode",
    "encode",
    "padded",
    "read",
    "unwrap",
    "wrap",
]

_VENDOR = 0xDD
_HEADER = 2
_SELECTOR = 4
_BLOCK = 8
LIFETIMES = {0: "GTK", 1: "IGTK", 2: "BIGTK", 3: "NIK", 4: "ND-TK", 5: "NM-TK"}


class Gtk(Body, frozen=True, kw_only=True, tag_field="kde", tag="gtk"):
    """Group key for data."""

    key_id: Int2
    transmit: bool = False
    reserved_3: Int5 = 0
    reserved_octet: Int8 = 0
    key: HexText


class Igtk(Body, frozen=True, kw_only=True, tag_field="kde", tag="igtk"):
    """Group key for management frames."""

    key_id: Int16
    packet_number: Int48
    key: HexText


class Bigtk(Body, frozen=True, kw_only=True, tag_field="kde", tag="bigtk"):
    """Group key for beacons."""

    key_id: Int16
    packet_number: Int48
    key: HexText


class Nik(Body, frozen=True, kw_only=True, tag_field="kde", tag="nik"):
    """Identity key of the sender."""

    cipher_version: Int8
    nik: HexText


class KeyLifetime(Body, frozen=True, kw_only=True, tag_field="kde", tag="key_lifetime"):
    """For how long the keys of the bitmap are good."""

    keys: Int16
    lifetime_s: Int32
    """big-endian on the air; some stacks write it in the order of their processor."""


class OtherKde(Body, frozen=True, kw_only=True, tag_field="kde", tag="other"):
    """A KDE of another kind, or of another size than its kind needs."""

    oui: HexText
    type: Int8
    octets: HexText


class OtherElement(Body, frozen=True, kw_only=True, tag_field="kde", tag="element"):
    """An element between the KDEs."""

    id: Int8
    octets: HexText


Kde = Gtk | Igtk | Bigtk | Nik | KeyLifetime | OtherKde | OtherElement


class KeyData(msgspec.Struct, frozen=True):
    """KDEs in order, and the octets of the padding behind them."""

    kdes: tuple[Kde, ...]
    padding: bytes = b""


def _number(data: bytes) -> int:
    return int.from_bytes(data, "little")


def _octets(number: Any) -> bytes:
    return int(number).to_bytes(6, "little")


def _for_how_long(seconds: int) -> str:
    hours = f"{seconds / 3600:g} h"
    return hours if seconds < 10**9 else f"{hours}: byte order of the sender's processor?"


_GROUP_KEY = Record(
    "key_id" / Words(U16LE, {4: "IGTK", 5: "IGTK", 6: "BIGTK", 7: "BIGTK"}),
    "packet_number" / Mapped(Octets(6), _number, _octets),
    "key" / Hex(REST),
)


class _Kind:
    """Selector, fewest and most octets, layout of one kind of KDE."""

    def __init__(self, fields: Any, selector: str, least: int, most: int, layout: Codec) -> None:
        self.fields = fields
        self.name = str(fields.__struct_config__.tag)
        self.selector = bytes.fromhex(selector)
        self.least = least
        self.most = most
        self.layout = layout


_KINDS = (
    _Kind(
        Gtk, "000fac01", 2, 255,
        Record(Flags(U8, key_id=(0, 2), transmit=2, reserved_3=(3, 5)), "reserved_octet" / U8, "key" / Hex(REST)),
    ),
    _Kind(Igtk, "000fac09", 8, 255, _GROUP_KEY),
    _Kind(Bigtk, "000fac0e", 8, 255, _GROUP_KEY),
    _Kind(
        Nik, "506f9a24", 1, 255,
        Record("cipher_version" / Words(U8, {0: "128-bit key, HMAC-SHA-256"}), "nik" / Hex(REST)),
    ),
    _Kind(
        KeyLifetime, "506f9a25", 6, 6,
        Record("keys" / Bitmap(U16LE, LIFETIMES), "lifetime_s" / Mapped(U32BE, int, int, _for_how_long)),
    ),
)  # fmt: skip
_LENGTH = Record("id" / U8, "length" / U8)
_SELECTORS = Record("oui" / Hex(3), "type" / U8)
_OTHER_KDE = Record("oui" / Hex(3), "type" / U8, "octets" / Hex(REST))
_OTHER_ELEMENT = Record("octets" / Hex(REST))
_BY_SELECTOR = {kind.selector: kind for kind in _KINDS}
_BY_FIELDS = {kind.fields: kind for kind in _KINDS}


def decode(reader: Reader, start: int, end: int) -> dict[str, Any]:
    """`kdes` and `padding` of the reader's octets from `start` to `end`. Raises DecodeError: `kde_length`."""
    data, at = reader.data, start
    kdes: list[dict[str, Any]] = []
    while at < end and not _is_padding(data, at, end):
        body = at + _HEADER
        stop = body + data[at + 1] if body <= end else end + 1
        if stop > end:
            reader.fatal("kde_length", at, f"a KDE reaches past the end: {end - at} octets remain")
        kdes.append(_one(reader, at, body, stop))
        at = stop
    if at == end:
        return {"kdes": kdes}
    padding = data[at:end].hex()
    reader.note("padding", padding, at, end)
    return {"kdes": kdes, "padding": padding}


def _is_padding(data: bytes, at: int, end: int) -> bool:
    """Whether nothing but padding follows: DD and zeros, or zeros."""
    if data[at] == _VENDOR:
        return at + 1 == end or data[at + 1] == 0
    return not any(data[at:end])


def _one(reader: Reader, at: int, body: int, stop: int) -> dict[str, Any]:
    """Values of one KDE with its header at `at`; its nodes go under one."""
    data = reader.data
    kind = _BY_SELECTOR.get(data[body : body + _SELECTOR]) if data[at] == _VENDOR else None
    size = stop - body - _SELECTOR
    outer, reader.walk.nodes = reader.walk.nodes, []
    values: dict[str, Any]
    try:
        reader.read(_LENGTH, data[at:body], base=at)
        if kind is not None and kind.least <= size <= kind.most:
            start = body + _SELECTOR
            reader.read(_SELECTORS, data[body:start], base=body)
            values = {"kde": kind.name, **reader.read(kind.layout, data[start:stop], base=start)}
        elif data[at] == _VENDOR and size >= 0:
            values = {"kde": "other", **reader.read(_OTHER_KDE, data[body:stop], base=body)}
        else:
            values = {"kde": "element", "id": data[at]}
            values |= reader.read(_OTHER_ELEMENT, data[body:stop], base=body)
    finally:
        inner, reader.walk.nodes = reader.walk.nodes, outer
    name = str(values["kde"])
    title = f"{name.upper().replace('_', ' ')} KDE"
    outer.append(Node(name, None, None, at, stop, tuple(inner), title))
    return values


def read(octets: bytes) -> KeyData:
    """KDEs and padding of Key Data in clear. Raises DecodeError: `kde_length`."""
    values = decode(Reader(octets, Keys()), 0, len(octets))
    try:
        kdes = tuple(as_typed(item, Kde) for item in values["kdes"])
    except msgspec.ValidationError as exc:
        raise DecodeError("kde_length", None, str(exc)) from exc
    return KeyData(kdes, bytes.fromhex(values.get("padding", "")))


def encode(kdes: Sequence[Kde]) -> bytes:
    """Octets of KDEs, without padding. Raises EncodeError."""
    return b"".join(_encoded(kde) for kde in kdes)


def _encoded(kde: Kde) -> bytes:
    if isinstance(kde, OtherElement):
        number, body = kde.id, bytes.fromhex(kde.octets)
    elif isinstance(kde, OtherKde):
        number, body = _VENDOR, built(_OTHER_KDE, kde)
    else:
        kind = _BY_FIELDS[type(kde)]
        number, body = _VENDOR, kind.selector + built(kind.layout, kde)
    return built(_LENGTH, {"id": number, "length": len(body)}) + body


def padded(octets: bytes) -> bytes:
    """Key Data ready to be wrapped: DD and zeros up to a multiple of 8 octets (16 at least)."""
    missing = max(-len(octets) % _BLOCK, 2 * _BLOCK - len(octets))
    return octets + (b"\xdd" + bytes(missing - 1) if missing else b"")


def wrap(kek: bytes, octets: bytes) -> bytes:
    """AES key wrap of padded Key Data with a KEK of 16 or 32 octets."""
    from cryptography.hazmat.primitives.keywrap import (
        aes_key_wrap,
    )  # only with a key: start-up counts

    return aes_key_wrap(kek, octets)


def unwrap(kek: bytes, octets: bytes) -> bytes | None:
    """The Key Data inside, None when the KEK does not fit it."""
    from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap  # as above

    try:
        return aes_key_unwrap(kek, octets)
    except InvalidUnwrap:
        return None
