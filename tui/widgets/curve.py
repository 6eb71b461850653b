"""Signal strength over time in block characters: a bar of seconds in a row, and a small curve with its scale. Pure text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.signs import Signs

__all__ = ["curve_lines", "trend_text"]

LOW_DBM, HIGH_DBM = -95, -35


def trend_text(levels: Sequence[int | None], signs: Signs) -> str:
    """One cell per second, blank where nothing was heard."""
    bars, span = signs.bars, HIGH_DBM - LOW_DBM
    out = ""
    for level in levels:
        if level is None:
            out += " "
        else:
            place = (min(HIGH_DBM, max(LOW_DBM, level)) - LOW_DBM) * (len(bars) - 1) / span
            out += bars[round(place)]
    return out


def curve_lines(levels: Sequence[int | None], height: int, width: int, signs: Signs) -> list[str]:
    """Levels (dBm) as points over a scale of `height` lines, the newest at the right."""
    known = [level for level in levels if level is not None]
    if not known or height < 2:
        return ["nothing was heard here"]
    step = max(1, -(-(max(known) - min(known) + 1) // height))
    top = -(-max(known) // step) * step
    columns = max(1, min(3, (width - 7) // max(1, len(levels))))
    lines: list[str] = []
    for line in range(height):
        upper = top - line * step
        row = "".join(
            (signs["point"] if level is not None and upper - step < level <= upper else " ").ljust(
                columns
            )
            for level in levels
        )
        lines.append(f"{upper:4} {signs['axis']} {row}".rstrip())
    return lines
