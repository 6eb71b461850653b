"""Quantities as users write them: "30s", "100 ms", "5min", "2.5 m". A bare number is refused: units are meant.

No clock, no IO.
"""

from __future__ import annotations

import re
from typing import Any

__all__ = ["Duration", "duration_text", "parse_duration_us"]

_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-zµ]+)\s*")
_TO_US = {
    "us": 1, "µs": 1, "ms": 1000, "s": 1_000_000, "sec": 1_000_000,
    "min": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000,
}  # fmt: skip


class Duration(int):
    """Microseconds; in files and on the command line written with a unit."""

    __slots__ = ()

    @property
    def us(self) -> int:
        """As a plain int of microseconds."""
        return int(self)


def parse_duration_us(value: Any) -> Duration:
    """ "30s" -> 30_000_000. Raises ValueError that says how to write it."""
    if isinstance(value, Duration):
        return value
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None or found.group(2) not in _TO_US:
        raise ValueError(
            f"{value!r} is no duration; write a number with a unit, for example '30s', '100ms' or '5min'"
        )
    return Duration(round(float(found.group(1)) * _TO_US[found.group(2)]))


def duration_text(duration_us: int) -> str:
    """As users write it, in the largest unit that leaves a whole number: 30_000_000 -> "30s"."""
    for unit, factor in (
        ("d", 86_400_000_000),
        ("h", 3_600_000_000),
        ("min", 60_000_000),
        ("s", 1_000_000),
        ("ms", 1000),
    ):
        if duration_us and duration_us % factor == 0:
            return f"{duration_us // factor}{unit}"
    return f"{duration_us}us"
