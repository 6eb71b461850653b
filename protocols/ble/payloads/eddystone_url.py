"""Eddystone-URL frame (service data FEAA, first octet 0x10).

Eddystone-URL specification: scheme prefixes, expansion codes, at most 17 octets after the prefix. The
specification gives no algorithm for encoding: here the longest prefix is taken, then at each position the
longest expansion, else one literal octet. Strict single-frame variant of `eddystone`, which composes it.
No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

from protocols.ble.payloads._eddystone import gather, need_frame, need_zero_nibble
from protocols.errors import EncodeError
from protocols.format import (
    UNSET,
    Example,
    Fields,
    Format,
    Keys,
    Reader,
    UnsetType,
    as_fields,
)
from protocols.layout import REST, S8, U8, Coded, Const, Octets, Record, build

__all__ = [
    "EXPANSIONS",
    "FORMAT",
    "KEYS",
    "SCHEMES",
    "URL",
    "Url",
    "compress",
    "decode",
    "encode",
    "need_url_length",
    "raw_url_frame",
    "read_url",
    "url_frame",
]

KEYS = ()


class Url(Fields, frozen=True, tag_field="frame", tag="url"):
    """URL with prefix and codes expanded; UNSET only where a lenient decoder could not read it."""

    tx_power_0m_dbm: int
    url: str | UnsetType = UNSET


SCHEMES = {0x00: "http://www.", 0x01: "https://www.", 0x02: "http://", 0x03: "https://"}
EXPANSIONS = {
    0x00: ".com/", 0x01: ".org/", 0x02: ".edu/", 0x03: ".net/", 0x04: ".info/", 0x05: ".biz/", 0x06: ".gov/",
    0x07: ".com", 0x08: ".org", 0x09: ".edu", 0x0A: ".net", 0x0B: ".info", 0x0C: ".biz", 0x0D: ".gov",
}  # fmt: skip
MAX_ENCODED = 17
"""Octets after the prefix."""
_LITERALS = range(0x21, 0x7F)
_PREFIX_CODES = {text: code for code, text in SCHEMES.items()}

URL = ("scheme" / Coded(U8, SCHEMES, code="url_scheme"), "encoded" / Octets(REST))
LAYOUT = Record("_frame_type" / Const(b"\x10"), "tx_power_0m_dbm" / S8, *URL)
_PREFIX_AT = 2


def need_url_length(reader: Reader, prefix_at: int) -> None:
    """Codes, offset null: `frame_length` without a prefix, `url_empty`, `url_too_long`."""
    reader.length(at_least=prefix_at + 1)
    octets = len(reader.data) - prefix_at - 1
    if octets == 0:
        reader.fault("url_empty", None, "no octet follows the scheme prefix")
    if octets > MAX_ENCODED:
        reader.fault("url_too_long", None, f"{octets} octets after the prefix, at most 17")


def read_url(reader: Reader, raw: dict[str, Any], prefix_at: int) -> None:
    """Replace `scheme` and `encoded` by `url` (left out when it has no scheme or no octets).

    Code: `url_code` at each reserved octet; a lenient walk puts U+FFFD in its place.
    """
    scheme, encoded = raw.pop("scheme", None), raw.pop("encoded")
    for place, octet in enumerate(encoded, prefix_at + 1):
        if octet not in EXPANSIONS and octet not in _LITERALS:
            reader.fault("url_code", place, f"octet {octet:#04x} is reserved")
    if scheme is not None and encoded:
        raw["url"] = scheme + "".join(map(_expand, encoded))
        gather(reader, "url", raw["url"], 2)


def _expand(octet: int) -> str:
    return EXPANSIONS.get(octet) or (chr(octet) if octet in _LITERALS else "\ufffd")


def compress(url: str) -> tuple[str, bytes]:
    """(scheme prefix text, 1 to 17 encoded octets) of `url`. Raises EncodeError."""
    scheme = max((text for text in _PREFIX_CODES if url.startswith(text)), key=len, default=None)
    if scheme is None:
        raise EncodeError("url", f"{url!r} does not begin with http:// or https://")
    out = bytearray()
    at = len(scheme)
    while at < len(url):
        octet, size = _longest(url, at)
        out.append(octet)
        at += size
    if not out:
        raise EncodeError("url", f"nothing follows {scheme}")
    if len(out) > MAX_ENCODED:
        over = len(out) - MAX_ENCODED
        plural = "s" if over > 1 else ""
        raise EncodeError(
            "url", f"is {over} octet{plural} too long: {len(out)} after the prefix, at most 17"
        )
    return scheme, bytes(out)


def _longest(url: str, at: int) -> tuple[int, int]:
    """(octet, characters it stands for) at position `at`."""
    fits = [(len(text), code) for code, text in EXPANSIONS.items() if url.startswith(text, at)]
    if fits:
        size, code = max(fits)
        return code, size
    if ord(url[at]) not in _LITERALS:
        raise EncodeError(
            "url",
            f"character {url[at]!r} at position {at} cannot be sent; percent-encode it",
        )
    return ord(url[at]), 1


def decode(reader: Reader) -> Fields:
    """Codes: `frame_type`, `url_empty`, `url_too_long`, `reserved_nonzero`, `url_scheme` at 2, `url_code`."""
    need_frame(reader, 0x1)
    need_url_length(reader, _PREFIX_AT)
    need_zero_nibble(reader)
    raw = reader.read(LAYOUT)
    read_url(reader, raw, _PREFIX_AT)
    kept: Url = as_fields(Url, {"frame": "url", **raw})
    return kept


def encode(fields: Any, keys: Keys) -> bytes:
    """Shortest encoding by the rule of the file header; what another encoder chose is not in the fields."""
    if fields.url is UNSET:
        raise EncodeError("url", "is missing")
    scheme, encoded = compress(fields.url)
    raw = {"tx_power_0m_dbm": fields.tx_power_0m_dbm, "scheme": scheme, "encoded": encoded}
    return build(LAYOUT, raw)


def url_frame(url: str, tx_power_0m_dbm: int) -> bytes:
    """The frame of `url`. Raises EncodeError, which says by how many octets it is too long."""
    return encode(Url(tx_power_0m_dbm=tx_power_0m_dbm, url=url), Keys())


def raw_url_frame(octets: bytes, tx_power_0m_dbm: int) -> bytes:
    """The frame of a prefix octet and an encoded URL as they are. Raises EncodeError."""
    if not octets or octets[0] not in SCHEMES:
        raise EncodeError("scheme", "the first octet is no scheme prefix")
    raw = {"tx_power_0m_dbm": tx_power_0m_dbm, "scheme": SCHEMES[octets[0]], "encoded": octets[1:]}
    return build(LAYOUT, raw)


FORMAT = Format(
    name="eddystone-url",
    title="Eddystone-URL: compressed URL",
    source="Eddystone-URL specification, frame specification",
    fields=Url,
    decode=decode,
    encode=encode,
    keys=KEYS,
    examples=(
        Example("10f8036769746875620063697472757a", note="https://github.com/citruz"),
        Example("10ec007261646975736e6574776f726b7307", note="http://www.radiusnetworks.com"),
        Example("10ec013107", note="shortest with an expansion: https://www.1.com"),
    ),
)
