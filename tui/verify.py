"""Checks of known-answer files against this implementation (contract, "verify"): one check per named thing.

Adverts: every vector is decoded with and without its format's name, its error compared with code and offset, its
lenient result compared, and its bytes rebuilt where the file asks for it. Wi-Fi Aware exchanges: their frames
(`tui.verify_exchange`). `unchecked` names what a file also holds and this version does not check.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from protocols.dissect import Block, Dissection, dissect, encode
from protocols.errors import NearbenchError, UsageError
from tui.verify_exchange import NOT_CHECKED, exchange_checks, is_exchange

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Check", "FileReport", "same", "verify_file"]


class Check(msgspec.Struct, frozen=True):
    """One comparison."""

    name: str
    ok: bool
    expected: Any
    got: Any


class FileReport(msgspec.Struct, frozen=True):
    """All comparisons of one file."""

    file: str
    checks: tuple[Check, ...]
    deliberate: tuple[dict[str, str], ...] = ()
    unchecked: tuple[str, ...] = ()
    """in words; no part of the JSON form, which lists what was checked."""

    def as_plain(self) -> dict[str, Any]:
        """The JSON form of the contract."""
        checks = [msgspec.to_builtins(check) for check in self.checks]
        return {"file": self.file, "checks": checks, "deliberate": list(self.deliberate)}

    @property
    def ok(self) -> bool:
        """Whether something was checked and all of it agreed."""
        return bool(self.checks) and all(check.ok for check in self.checks)


def verify_file(path: Path) -> FileReport:
    """Check one file. Raises UsageError when it cannot be read or is of no known kind."""
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise UsageError(f"{path}: {exc.strerror}") from None
    except ValueError as exc:
        raise UsageError(f"{path}: no JSON: {exc}") from None
    if isinstance(plain, dict) and isinstance(plain.get("vectors"), list):
        return FileReport(
            str(path), tuple(check for v in plain["vectors"] for check in _advert_checks(v))
        )
    if is_exchange(plain):
        return FileReport(str(path), tuple(exchange_checks(plain)), unchecked=NOT_CHECKED)
    if isinstance(plain, dict) and plain.get("name") == "crypto":
        return FileReport(str(path), (), unchecked=("the single functions",))
    raise UsageError(
        f"{path}: no known-answer file of a kind this version checks "
        "(adverts: an object with `vectors`; Wi-Fi Aware exchanges: one with `frames`)"
    )


def same(expected: Any, got: Any) -> bool:
    """Whether `got` holds all that is expected; numbers agree to 1e-6 of the value (vectors, Conventions)."""
    if isinstance(expected, dict):
        return isinstance(got, dict) and all(
            k in got and same(v, got[k]) for k, v in expected.items()
        )
    if isinstance(expected, list):
        return isinstance(got, list) and len(got) == len(expected) and all(map(same, expected, got))
    if isinstance(expected, float | int) and not isinstance(expected, bool):
        numeric = isinstance(got, float | int) and not isinstance(got, bool)
        return numeric and abs(expected - got) <= 1e-6 * abs(expected)
    return type(expected) is type(got) and bool(expected == got)


def _advert_checks(vector: Any) -> Iterator[Check]:
    if not isinstance(vector, dict) or not isinstance(vector.get("name"), str):
        yield Check("vector", ok=False, expected="an object with a name", got=vector)
        return
    name = vector["name"]
    try:
        block = _block(vector)
        for how, form in (("by name", vector.get("format")), ("by key", None)):
            found = dissect(block, vector.get("context"), form=form)
            yield from _decode_checks(f"{name}: decode {how}", vector, found)
        if vector.get("encode"):
            data = encode(vector["format"], vector["expected"], vector.get("context")).hex()
            yield Check(f"{name}: encode", data == vector["hex"], vector["hex"], data)
    except (NearbenchError, KeyError, ValueError, TypeError) as exc:
        yield Check(
            name,
            ok=False,
            expected="a vector that can be checked",
            got=f"{type(exc).__name__}: {exc}",
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
