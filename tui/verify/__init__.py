"""Checks of known-answer files against this implementation (contract, "verify"): one check per named thing.

Adverts: `adverts`. Wi-Fi Aware exchanges: their frames (`exchange`), what they come to (`expect`), values (`values`,
whose formulas are in `formulas/`), and our engines in the place of either device (`replay`). Single functions:
`functions`. `unchecked` names what a file lacks, or also holds, and this version does not check.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from protocols.errors import UsageError
from tui.output import json_object
from tui.verify.adverts import advert_checks
from tui.verify.check import Check
from tui.verify.exchange import exchange_checks, is_exchange
from tui.verify.expect import expect_checks
from tui.verify.functions import function_report, is_functions
from tui.verify.replay import NOT_REPLAYED, can_be_replayed, replay_checks
from tui.verify.values import value_report

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FileReport", "verify_file"]


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
            str(path), tuple(check for v in plain["vectors"] for check in advert_checks(v))
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
