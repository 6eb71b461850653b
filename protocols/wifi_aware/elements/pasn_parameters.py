"""PASN Parameters (255, extension 100): group and ephemeral public key of a PASN exchange.

IEEE 802.11az-2022, PASN Parameters element; as in hostap src/pasn. Comeback After stands only in the responder's frame,
which the element does not say: it is read when what follows then fills the element exactly. A public key with a
prefix that is not allowed is status 136 to a responder, and a doubt here. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

from protocols.format import Example, Reader
from protocols.layout import REST, U8, U16LE, Flags, Hex, Mapped, Optional, Record, build
from protocols.layout import Body as Prefixed
from protocols.wifi_aware.elements import ElementPart
from protocols.wifi_aware.suites import COORDINATE, GROUP
from protocols.wifi_aware.vocabulary import (
    UNSET,
    Body,
    HexText,
    Int6,
    Int8,
    Int16,
    UnsetType,
    Words,
)

KEY = "ff64"
_COMEBACK, _KEY = 1, 2
FORMATS = {0: "none", 1: "FT", 2: "FILS", 3: "SAE"}
PREFIXES = {
    "02": "compressed, only x counts",
    "03": "compressed, only x counts",
    "04": "uncompressed, x and y",
}


class PasnParameters(Body, frozen=True, kw_only=True):
    """PASN Parameters; what is UNSET is not in the octets."""

    wrapped_data_format: Int8
    """0 none, 1 FT, 2 FILS, 3 SAE."""
    reserved_2: Int6 = 0
    comeback_after_tu: Int16 | UnsetType = UNSET
    cookie: HexText | UnsetType = UNSET
    """present with the comeback information, empty or not."""
    group: Int16 | UnsetType = UNSET
    public_key: HexText | UnsetType = UNSET
    """one octet of form (2, 3: x; 4: x and y), then big-endian coordinates."""


def _key_meaning(text: str) -> str:
    what = PREFIXES.get(text[:2], "reserved form, refused with status 136")
    return f"{what}, {len(text) // 2} octets"


def _same(value: Any) -> Any:
    return value


_HEAD = Record(
    Flags(
        U8,
        _comeback_present=(0, "cookie"),
        _key_present=(1, "public_key"),
        reserved_2=(2, 6),
    ),
    "wrapped_data_format" / Words(U8, FORMATS),
)
_AFTER = Record("comeback_after_tu" / U16LE)
_COOKIE = Record("cookie" / Prefixed(U8, Hex(REST)))
_POINT = Record(
    "group" / GROUP, "public_key" / Prefixed(U8, Mapped(Hex(REST), _same, _same, _key_meaning))
)
_BUILT = Record(
    _HEAD,
    "comeback_after_tu" / Optional(U16LE),
    "cookie" / Optional(Prefixed(U8, Hex(REST))),
    "group" / Optional(U16LE),
    "public_key" / Optional(Prefixed(U8, Hex(REST))),
)


def _end_of(data: bytes, at: int, *, comeback: bool, key: bool) -> int:
    """Where cookie and key that start at `at` end; beyond the data when they do not fit."""
    for present, skip in ((comeback, 0), (key, 2)):
        if present:
            at += skip
            at += 1 + data[at] if at < len(data) else len(data)
    return at


def decode(reader: Reader) -> dict[str, Any]:
    """Values; raises DecodeError: `frame_length`."""
    data = reader.data
    values = reader.read(_HEAD, data[:2])
    comeback, key = bool(data[0] & _COMEBACK), bool(data[0] & _KEY)
    at = 2
    if comeback:
        if _end_of(data, at + 2, comeback=True, key=key) == len(data):
            values |= reader.read(_AFTER, data[at : at + 2], base=at)
            at += 2
        end = _end_of(data, at, comeback=True, key=False)
        values |= reader.read(_COOKIE, data[at:end], base=at)
        at = end
    if key:
        values |= reader.read(_POINT, data[at:], base=at)
    elif at < len(data):
        reader.fault("frame_length", at, f"{len(data) - at} octets left over")
    return values


def encode(fields: PasnParameters) -> bytes:
    """Octets. Raises EncodeError."""
    return build(_BUILT, fields)


def strategy() -> Any:
    """Valid values: group and key, and comeback information, go together."""
    from protocols.wifi_aware import strategies as draw  # tests only: hypothesis

    none: Any = draw.just(UNSET)

    def one(comeback: Any, cookie: Any, group: int) -> Any:
        point = {"group": none, "public_key": none}
        if group:
            size = COORDINATE[group]
            key = draw.hexes(size, size).map(lambda x: f"02{x}")
            point = {"group": draw.just(group), "public_key": key}
        return draw.fields_of(PasnParameters, comeback_after_tu=comeback, cookie=cookie, **point)

    cookie = draw.hexes(1, 8)
    return draw.one_of(
        *(one(none, none, group) for group in (0, 19, 20)),
        *(one(draw.integers(16), cookie, group) for group in (0, 19, 20)),
    )


ELEMENT = ElementPart(
    id=255,
    prefix=b"\x64",
    name="pasn_parameters",
    title="PASN Parameters",
    source="IEEE 802.11az-2022, PASN Parameters element",
    fields=PasnParameters,
    decode=decode,
    encode=encode,
    minimum=2,
    strategy=strategy,
    examples=(
        Example("0003", note="Auth3 of a pairing with SAE"),
        Example("02001300" + "21" + "02" + "11" * 32, note="group 19, opportunistic"),
        Example("0100640004" + "7f632408", note="come back in 100 TU, with a cookie"),
    ),
)
