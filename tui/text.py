"""Text for cells of a terminal: measured in columns, cut, padded, and free of what a terminal would obey.

Names come from the air and from files: control characters, escape sequences and text direction marks of theirs never
reach the screen. No screen, no clock.
"""

from __future__ import annotations

import re
import unicodedata

from rich.cells import cell_len, set_cell_size

__all__ = [
    "ago",
    "cells",
    "clean",
    "clock",
    "count",
    "cut",
    "cut_middle",
    "fit",
    "pin_groups",
    "right",
    "wrap",
]

_PARTS = re.compile(r"^\s+|\S+\s*")
_ELLIPSIS = "…"
_SECOND_US = 1_000_000
_ASCII = {
    "…": "~", "•": "*", "·": ".", "–": "-", "—": "-", "→": ">", "←": "<", "↔": "-", "×": "x", "µ": "u", "°": "d",
    "≠": "/", "≥": ">", "≤": "<", "“": '"', "”": '"', "‘": "'", "’": "'", "\u00a0": " ",
}  # fmt: skip


def cells(text: str) -> int:
    """Columns that `text` takes."""
    return len(text) if text.isascii() else cell_len(text)


def clean(text: str) -> str:
    """`text` with what is no character (control, format, surrogate, unassigned) or ends a line as "·"."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        "·" if unicodedata.category(c)[0] == "C" or c in "\u2028\u2029" else c for c in text
    )


def ascii_of(text: str) -> str:
    """`text` with ASCII alone, as wide as before: known signs as their likes, what is left as "?"."""
    if text.isascii():
        return text
    return "".join(c if c.isascii() else _ASCII.get(c) or "?" * cells(c) for c in text)


def cut(text: str, width: int) -> str:
    """At most `width` columns, an ellipsis where something is missing."""
    if cells(text) <= width:
        return text
    return f"{set_cell_size(text, width - 1).rstrip()}{_ELLIPSIS}" if width > 0 else ""


def cut_middle(text: str, width: int) -> str:
    """At most `width` columns, cut in the middle: both ends say something."""
    if cells(text) <= width:
        return text
    if width < 3:
        return cut(text, width)
    head = (width - 1) // 2
    tail = width - 1 - head
    end = text[-tail:]
    while cells(end) > tail:
        end = end[1:]
    return f"{set_cell_size(text, head)}{_ELLIPSIS}{end}"


def fit(text: str, width: int) -> str:
    """Exactly `width` columns, left-aligned."""
    if text.isascii():
        return text.ljust(width) if len(text) <= width else cut(text, width).ljust(width)
    return set_cell_size(cut(text, width), width) if width > 0 else ""


def right(text: str, width: int) -> str:
    """Exactly `width` columns, right-aligned."""
    short = cut(text, width)
    return " " * (width - cells(short)) + short


def wrap(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` columns, broken between words; longer words are broken where they must."""
    lines: list[str] = []
    line = ""
    for part in _PARTS.findall(text):
        if cells(line + part.rstrip()) <= width:
            line += part
            continue
        if line.strip():
            lines.append(line.rstrip())
        line = part
        while cells(line.rstrip()) > width:
            head = set_cell_size(line, max(width, 2)).rstrip()
            lines.append(head)
            line = line[len(head) :]
    return [*lines, line.rstrip()] if line.strip() else lines


def clock(t_us: int) -> str:
    """Simulated time as hh:mm:ss.mmm."""
    seconds, rest = divmod(max(0, t_us), _SECOND_US)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest // 1000:03}"


def ago(age_us: int) -> str:
    """An age in at most five columns: 0.4s, 14s, 3min, 2h."""
    seconds = max(0, age_us) / 1e6
    for limit, text in (
        (9.95, f"{seconds:.1f}s"),
        (100, f"{seconds:.0f}s"),
        (6000, f"{seconds / 60:.0f}min"),
    ):
        if seconds < limit:
            return text
    return f"{seconds / 3600:.0f}h"


def count(number: int) -> str:
    """A number with thin groups of three: 31 877."""
    return f"{number:,}".replace(",", " ")


def pin_groups(pin: str, dash: str = "–") -> str:
    """A PIN as people read it: 0 1 9 – 6 5 5; leading zeros stay, whatever is no six digits is spaced out."""
    spaced = [" ".join(pin[at : at + 3]) for at in range(0, len(pin), 3)]
    return f" {dash} ".join(spaced)
