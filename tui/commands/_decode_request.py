"""What `nearbench decode` is asked: octets and what chooses their format, from options or from a line of JSON.

Keys are those of the vector files (`contract.md`, decode). Every fault names the key, what it holds, and what it takes.
"""

from __future__ import annotations

import string
from typing import Any, cast

from protocols.dissect import KINDS, PACKETS, Block
from protocols.errors import UsageError

__all__ = ["REQUEST_KEYS", "SELECTED_BY", "octets_of", "request_of"]

SELECTED_BY = {
    "ad_value": "ad_type",
    "service_data": "service_uuid",
    "manufacturer_data": "company_id",
}

REQUEST_KEYS = ("kind", "format", "ad_type", "service_uuid", "company_id", "pdu")


def request_of(plain: dict[str, Any]) -> tuple[Block, dict[str, Any], str | None]:
    """A request of the vector files' keys. Raises UsageError."""
    if plain.get("hex") is None and plain.get("kind") != "advertisement":
        raise UsageError("the request has no hex")
    data = octets_of(plain.get("hex"))
    form = plain.get("format")
    ad_type = plain.get("ad_type")
    also: Any = plain.get("also")
    context: Any = plain.get("context") or {}
    if not isinstance(context, dict) or not (also is None or isinstance(also, dict)):
        raise UsageError("context and also are JSON objects")
    given = cast("dict[str, Any]", context)
    _need_selector(plain)
    block = Block(
        kind=str(plain.get("kind") or _kind_of(form)),
        data=data,
        ad_type=None if ad_type is None else _ad_type(ad_type),
        service_uuid=_selector(plain, "service_uuid", (4, 8, 32)),
        company_id=_selector(plain, "company_id", (4,)),
        pdu=_word(plain, "pdu"),
        also=cast("dict[str, Any] | None", also),
    )
    return block, given, None if form is None else str(form)


_SEPARATORS = " \t\r\n:"


def octets_of(given: Any) -> bytes:
    """Octets in hex, colons and spaces between them at will. Raises UsageError that names the digit at fault."""
    if given is not None and not isinstance(given, str):
        raise UsageError(f"hex {str(given)[:40]!r} is not text: write the octets as hex digits")
    text = given or ""
    try:
        return bytes.fromhex(text.replace(":", ""))
    except ValueError:
        digits = [(at, c) for at, c in enumerate(text, 1) if c not in _SEPARATORS]
    shown = f"hex {text[:40]!r}"
    for at, character in digits:
        if character not in string.hexdigits:
            raise UsageError(
                f"{shown} is neither hexadecimal nor a file: character {at} is {character!r}"
            ) from None
    odd = (
        f"{len(digits)} digits, and an octet takes two"
        if len(digits) % 2
        else "a gap inside an octet"
    )
    raise UsageError(f"{shown} is not whole octets: {odd}") from None


_BASE_UUID = "00001000800000805f9b34fb"


def _need_selector(plain: dict[str, Any]) -> None:
    """A kind whose format is found by a key needs that key, unless the format is named."""
    needed = SELECTED_BY.get(str(plain.get("kind")))
    if needed and plain.get("format") is None and plain.get(needed) is None:
        raise UsageError(f"kind {plain['kind']} needs {needed} (or a format)")


def _selector(plain: dict[str, Any], name: str, sizes: tuple[int, ...]) -> str | None:
    """A UUID or company as the vector files write it: lower-case hex, 16-bit UUIDs as 4 digits. Raises UsageError."""
    given = plain.get(name)
    if given is None:
        return None
    text = str(given).lower().removeprefix("0x").replace("-", "")
    if len(text) == 32 and text.endswith(_BASE_UUID):
        text = text[4:8] if text.startswith("0000") else text[:8]
    if name == "company_id":
        text = text.zfill(4)
    if len(text) not in sizes or any(c not in "0123456789abcdef" for c in text):
        raise UsageError(
            f"{name} {given!r}: give {' or '.join(map(str, sizes))} hex digits, most significant first"
        )
    if len(text) == 32:
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
    return text


def _ad_type(value: Any) -> int:
    try:
        number = int(value, 0) if isinstance(value, str) else int(value)
    except (TypeError, ValueError, OverflowError):
        raise UsageError(f"ad_type {value!r} is not a number from 0 to 255") from None
    if not 0 <= number <= 0xFF:
        raise UsageError(f"ad_type {value!r} is not a number from 0 to 255")
    return number


def _word(plain: dict[str, Any], name: str) -> str | None:
    value = plain.get(name)
    if value is not None and not isinstance(value, str):
        raise UsageError(f"{name} {value!r} is not text")
    return value


def _kind_of(form: Any) -> str:
    """The kind a named format is read from, when the request gives none."""
    from protocols.ble.payloads import FORMATS, kind_of

    if form is None:
        raise UsageError(f"the request has neither kind nor format; kinds: {', '.join(KINDS)}")
    if form in PACKETS:
        return str(form)
    return kind_of(FORMATS.get(str(form)))
