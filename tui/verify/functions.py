"""Checks of a file of single functions: one per entry and output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from protocols.errors import UsageError
from tui.verify.check import Check, check
from tui.verify.formulas.functions import FUNCTIONS, outputs_of

if TYPE_CHECKING:
    from collections.abc import Iterator


__all__ = ["function_report", "is_functions"]

_ABOUT = ("format", "name", "origin", "description")


def is_functions(plain: dict[str, Any]) -> bool:
    """Whether a JSON object holds known answers of single functions."""
    return any(isinstance(plain.get(name), list) for name in FUNCTIONS)


def function_report(plain: dict[str, Any]) -> tuple[list[Check], tuple[str, ...]]:
    """The checks, and in words what else the file holds."""
    checks: list[Check] = []
    unchecked: dict[str, None] = {}
    for kind, entries in plain.items():
        if kind in _ABOUT:
            continue
        if kind not in FUNCTIONS:
            unchecked[f"{kind}: no function is known by that name"] = None
        elif not isinstance(entries, list | tuple):
            checks.append(check(kind, "a list of entries", entries, ok=False))
        else:
            for number, entry in enumerate(cast("list[Any]", entries)):
                checks.extend(_entry_checks(kind, number, entry, unchecked))
    return checks, tuple(unchecked)


def _entry_checks(
    kind: str, number: int, entry: Any, unchecked: dict[str, None]
) -> Iterator[Check]:
    name = f"{kind}[{number}]"
    try:
        outputs, more = outputs_of(kind, entry)
    except UsageError as exc:
        yield check(name, "an entry that can be computed", str(exc), ok=False)
        return
    for member in more:
        unchecked[f"{kind}: {member} is neither input nor output"] = None
    for output, got in outputs.items():
        if output in entry:
            expected = entry[output]
            yield check(f"{name}: {output}", expected, got, ok=_lower(expected) == _lower(got))


def _lower(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_lower(item) for item in cast("list[Any]", value)]
    return value.lower() if isinstance(value, str) else value
