"""Checks of vectors of advertised payloads: every one decoded with and without its format's name, its error compared
with code and offset, its lenient result compared, and its octets rebuilt where the file asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from protocols.dissect import Block, Dissection, dissect, encode
from protocols.errors import NearbenchError
from tui.verify.check import Check
from tui.verify.words import words_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["advert_checks", "same"]


def same(expected: Any, got: Any) -> bool:
    """Whether `got` holds all that is expected; numbers agree to 1e-6 of the value (vectors, Conventions)."""
    wanted, found = expected, got  # which no check below narrows
    if isinstance(expected, dict):
        members = cast("dict[str, Any]", expected)
        return isinstance(got, dict) and all(
            key in got and same(value, got[key]) for key, value in members.items()
        )
    if isinstance(expected, list):
        fits = isinstance(got, list) and len(found) == len(wanted)
        return fits and all(map(same, wanted, found))
    if isinstance(expected, float | int) and not isinstance(expected, bool):
        numeric = isinstance(got, float | int) and not isinstance(got, bool)
        return numeric and abs(expected - got) <= 1e-6 * abs(expected)
    return type(expected) is type(got) and bool(expected == got)


def advert_checks(given: Any) -> Iterator[Check]:
    """Checks of one vector, whatever it is."""
    vector = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
    name = vector.get("name")
    if not isinstance(name, str):
        yield Check("vector", ok=False, expected="an object with a name", got=given)
        return
    try:
        block = _block(vector)
        for how, form in (("by name", vector.get("format")), ("by key", None)):
            found = dissect(block, vector.get("context"), form=form)
            yield from _decode_checks(f"{name}: decode {how}", vector, found)
        if vector.get("encode"):
            data = encode(vector["format"], vector["expected"], vector.get("context")).hex()
            yield Check(f"{name}: encode", data == vector["hex"], vector["hex"], data)
    except (NearbenchError, LookupError, ValueError, TypeError, AttributeError) as exc:
        yield Check(
            name,
            ok=False,
            expected="a vector that can be checked",
            got=words_of(exc),
        )


def _block(vector: dict[str, Any]) -> Block:
    return Block(
        kind=vector["kind"],
        data=bytes.fromhex(vector.get("hex", "")),
        ad_type=vector.get("ad_type"),
        service_uuid=vector.get("service_uuid"),
        company_id=vector.get("company_id"),
        pdu=vector.get("pdu"),
        also=vector.get("also"),
    )


def _decode_checks(name: str, vector: dict[str, Any], found: Dissection) -> Iterator[Check]:
    error = (
        None if found.error is None else {"code": found.error.code, "offset": found.error.offset}
    )
    if "error" in vector:
        wanted = {"code": vector["error"]["code"], "offset": vector["error"].get("offset")}
        yield Check(f"{name}: error", error == wanted, wanted, error)
        lenient = vector["error"].get("lenient_result", {})
        agrees = same(lenient, found.plain) if lenient else not found.plain
        yield Check(f"{name}: lenient", agrees, lenient, found.plain)
        return
    yield Check(f"{name}: format", found.format == vector["format"], vector["format"], found.format)
    got = found.plain if error is None else error
    yield Check(
        f"{name}: fields",
        error is None and same(vector["expected"], found.plain),
        vector["expected"],
        got,
    )
