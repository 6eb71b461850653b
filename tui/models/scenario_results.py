"""How a scenario came out, from what `nearbench run --json` and `nearbench explain --json` wrote, or from a live run.

A failed run names its reason: the first step or expectation that did not hold, what was expected and what was, and the
rule that explains it, where one does. No screen, no clock.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from sim.world import RunResult
from tui.text import clean

__all__ = ["WORDS", "Result", "Verdict", "of_output", "of_run", "stopped", "with_rule"]

Verdict = Literal["passed", "failed", "refused", "died", "stopped"]
WORDS: dict[Verdict, str] = {
    "passed": "ok", "failed": "failed", "refused": "malformed", "died": "failed", "stopped": "stop",
}  # fmt: skip
"""Verdict -> the name of its sign."""
_EXCHANGE = "NB-"
"""Rules about what is visible of an exchange, whatever the phone."""
_RANKS = {"error": 0, "warning": 1}
_REFUSED = 2


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """The end of one run."""

    verdict: Verdict
    simulated_us: int = 0
    seed: int | None = None
    reason: str = ""
    """why it did not pass, in one sentence."""
    details: tuple[tuple[str, str], ...] = ()
    """(sign, text) of each expectation and failure."""
    rule: str = ""
    """the rule behind it, and what to do."""
    live: bool = False
    """whether it was the run on the screen."""


def of_run(run: RunResult, *, live: bool = False) -> Result:
    """The verdict of a run that came to its end."""
    missed = [one for one in run.expectations if not one.held]
    details = [("failed", f"step: {text}") for text in run.failures]
    details += [("ok" if one.held else "failed", _expected(one)) for one in run.expectations]
    reasons = [*run.failures[:1], *(f"expected {_expected(one)}" for one in missed[:1])]
    return Result(
        verdict="passed" if run.passed else "failed",
        simulated_us=run.simulated_us,
        seed=run.seed,
        reason=clean(reasons[0]) if reasons else "",
        details=tuple((sign, clean(text)) for sign, text in details),
        live=live,
    )


def _expected(outcome: Any) -> str:
    why = f": {outcome.why}" if outcome.why else ""
    return f"{outcome.expected}; seen {outcome.seen}{why}"


def of_output(status: int, out: bytes, err: str) -> Result:
    """The verdict of a process that has ended: its exit status and what it wrote."""
    try:
        return of_run(msgspec.json.decode(out, type=RunResult))
    except msgspec.DecodeError:
        pass
    said = (
        clean(" ".join(err.split()).removeprefix("nearbench: ")) or f"it ended with status {status}"
    )
    if status == _REFUSED:
        return Result(verdict="refused", reason=said)
    return Result(verdict="died", reason=said)


def stopped(why: str) -> Result:
    """A run that was ended from outside."""
    return Result(verdict="stopped", reason=why)


def with_rule(result: Result, explained: bytes) -> Result:
    """The result with the rule that explains it best, of what `explain --json` found."""
    try:
        found = msgspec.json.decode(explained)["findings"]
        best = min((one for one in found if one["severity"] in _RANKS), key=_order, default=None)
        if best is None:
            return result
        rule = clean(f"{best['rule']} {best['title']}. {best['remedy']}")
    except (msgspec.DecodeError, KeyError, TypeError):  # it says nothing that can be read
        return result
    return msgspec.structs.replace(result, rule=rule)


def _order(finding: dict[str, Any]) -> tuple[bool, int]:
    return not str(finding["rule"]).startswith(_EXCHANGE), _RANKS[finding["severity"]]
