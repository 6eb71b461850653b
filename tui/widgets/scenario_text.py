"""The texts beside the list of scenarios: the file as it runs, and how the last run came out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.modals._base import wrapped
from tui.models.scenario_results import WORDS
from tui.text import ago, clean

if TYPE_CHECKING:
    from tui.models.faults import FaultChoice
    from tui.models.lanes import Piece
    from tui.models.scenarios import Entry
    from tui.signs import Signs

__all__ = ["file_lines", "result_lines", "when_words"]

Lines = list["list[Piece] | str"]


def file_lines(one: Entry, fault: FaultChoice | None, signs: Signs) -> Lines:
    """The TOML, with the lines of `fault` marked."""
    if one.parameters is None:
        return [clean(one.wrong)]
    lines: Lines = []
    for text, about in one.parameters.as_toml():
        here = about is not None and about is fault
        lines.append(
            [(f"{signs['cursor'] if here else ' '} {clean(text)}", "match" if here else "")]
        )
    return lines


def result_lines(one: Entry, width: int, signs: Signs) -> Lines:
    """Verdict, rule, then what did not hold, then what did."""
    result = one.result
    if result is None:
        text = "It has not been run yet: enter runs it here, o at full speed beside."
        return list(wrapped(text, indent=0, width=width))
    head = f"{signs[WORDS[result.verdict]]} {result.verdict}"
    if not result.details:
        head = f"{head}: {result.reason}"
    style = "good" if result.verdict == "passed" else "bad"
    lines: Lines = [[(line, style)] for line in wrapped(head, indent=0, width=width)]
    if result.rule:
        rule = wrapped(f"rule {result.rule}", indent=0, width=width)
        lines += [[(line, "warn")] for line in rule]
    for sign, text in sorted(result.details, key=lambda detail: detail[0] == "ok"):
        first, *rest = wrapped(f"{signs[sign]} {text}", indent=0, width=width - 2) or [""]
        lines += [[(first, "bad" if sign != "ok" else "")], *(f"  {line}" for line in rest)]
    return lines


def when_words(one: Entry, now_s: float) -> str:
    """With which seed it ran, where, and how long ago; nothing when it did not."""
    if one.result is None:
        return ""
    where = "here" if one.result.live else "at full speed"
    seed = "" if one.result.seed is None else f"seed {one.result.seed}, "
    return f"{seed}{where}, {ago(int((now_s - one.ended_s) * 1e6))} ago"
