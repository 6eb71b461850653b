"""Where a key stands in the text of a scenario, for the messages about it. No IO."""

from __future__ import annotations

import re

__all__ = ["line_of", "stands"]

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"\s*([A-Za-z0-9_.\-\"' ]+?)\s*=")


def line_of(text: str, path: tuple[str | int, ...]) -> int | None:
    """Line (1-based) of the key at `path`: the deepest part of it that stands in the text."""
    best = _deepest(text, path)
    return best[1] if best else None


def stands(text: str, path: tuple[str | int, ...]) -> bool:
    """Whether the whole of `path` stands there."""
    best = _deepest(text, path)
    return best is not None and best[0] == len(path)


def _deepest(text: str, path: tuple[str | int, ...]) -> tuple[int, int] | None:
    """(length, line) of the longest beginning of `path` that stands in the text."""
    best: tuple[int, int] | None = None
    counts: dict[str, int] = {}
    prefix: tuple[str | int, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.fullmatch(line):
            prefix = _header_path(header.group(1) == "[[", header.group(2), counts)
            here = prefix
        elif key := _KEY.match(line):
            here = prefix + tuple(part.strip(" \"'") for part in key.group(1).split("."))
        else:
            continue
        depth = len(here)
        if path[:depth] == here and (best is None or depth > best[0]):
            best = (depth, number)
    return best


def _header_path(
    array: bool, dotted: str, counts: dict[str, int]
) -> tuple[str | int, ...]:  # a fact
    parts = [part.strip(" \"'") for part in dotted.split(".")]
    out: list[str | int] = []
    for index, part in enumerate(parts):
        name = ".".join(parts[: index + 1])
        out.append(part)
        if array and index == len(parts) - 1:
            counts[name] = counts.get(name, -1) + 1
        if name in counts:
            out.append(counts[name])
    return tuple(out)
