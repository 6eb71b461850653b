"""Checks of known-answer files against this implementation (contract, "verify"): one check per named thing.

Adverts: every vector is decoded with and without its format's name, its error compared with code and offset, its
lenient result compared, and its bytes rebuilt where the file asks for it. Wi-Fi Aware exchanges: their frames
(`tui.verify_exchange`), what they come to (`tui.verify_expect`), values (`tui.verify_values`), and our engines in the
place of either device (`tui.verify_replay`). Single functions: `tui.verify_functions`. `unchecked` names what a file
lacks, or also holds, and this version does not check.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from protocols.dissect import Block, Dissection, dissect, encode
from protocols.errors import NearbenchError, UsageError
from tui.output import json_object
from tui.verify_exchange import exchange_checks, is_exchange
from tui.verify_expect import expect_checks
from tui.verify_functions import function_report, is_functions
from tui.verify_replay import NOT_REPLAYED, can_be_replayed, replay_checks
from tui.verify_values import value_report

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
        text = path.read_text(encoding="utf-8")
    except OSError as exc:
        raise UsageError(f"{path}: {exc.strerror}") from None
    except UnicodeDecodeError as exc:
        raise UsageError(f"{path}: no JSON: {exc}") from None
    plain = json_object(text, str(path))
    if isinstance(plain.get("vectors"), list):
        return FileReport(
            str(path), tuple(check for v in plain["vectors"] for check in _advert_checks(v))
        )
    if is_exchange(plain):
        values = value_report(plain)
        replayed = tuple(replay_checks(plain)) if can_be_replayed(plain) else ()
        left = () if replayed else NOT_REPLAYED
        checks = (*exchange_checks(plain), *expect_checks(plain), *values.checks, *replayed)
        alone = () if plain.get("outcome") else ("expect: outcome is missing or empty",)
        return FileReport(str(path), checks, unchecked=(*alone, *values.unchecked, *left))
    if is_functions(plain):
        found, unchecked = function_report(plain)
        return FileReport(str(path), tuple(found), unchecked=unchecked)
    raise UsageError(
        f"{path}: no known-answer file of a kind this version checks (adverts: an object with `vectors`; "
        "Wi-Fi Aware exchanges: one with `frames`; single functions: one with `sae_pt`, `key_wrap` and so on)"
    )


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


def _advert_checks(given: Any) -> Iterator[Check]:
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
