"""Every sign of the screens in one table: as it is, and in ASCII for terminals that have nothing else.

A sign never stands alone: the word for it is in the help and beside it. No screen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ASCII", "LEGEND", "UNICODE", "Signs"]

_TABLE: dict[str, tuple[str, str]] = {
    "cursor": ("▸", ">"), "star": ("★", "*"), "ok": ("✓", "v"), "failed": ("✗", "x"), "malformed": ("!", "!"),
    "timeout": ("⧗", "T"), "shows": ("◆", "#"), "enters": ("◇", "?"), "mark": ("m", "m"), "rec": ("●", "*"),
    "run": ("▶", ">"), "pause": ("⏸", "="), "stop": ("■", "#"), "differs": ("≠", "/"), "folded": ("▸", "+"),
    "open": ("▼", "-"), "dot": ("·", "."), "dash": ("–", "-"), "full": ("▮", "#"), "empty": ("▯", "."),
    "h": ("─", "-"), "v": ("│", "|"), "tl": ("┌", "+"), "tr": ("┐", "+"), "bl": ("└", "+"), "br": ("┘", "+"),
    "H": ("━", "="), "V": ("┃", "|"), "TL": ("┏", "+"), "TR": ("┓", "+"), "BL": ("┗", "+"), "BR": ("┛", "+"),
    "tee": ("┬", "+"), "foot": ("┴", "+"), "double": ("═", "="), "right": ("▶", ">"), "left": ("◀", "<"),
    "arrow": ("→", ">"), "both": ("↔", "-"), "axis": ("┤", "|"), "point": ("•", "*"), "times": ("×", "x"),
    "middle": ("·", "-"), "ellipsis": ("…", "~"), "delta": ("Δ", "d"), "degraded": ("◐", "!"),
}  # fmt: skip
_BARS = ("▁▂▃▄▅▆▇█", "_.:-=+*#")
_BLOCKS = {  # a digit in three rows of four columns
    "0": ("█▀▀█", "█  █", "█▄▄█"), "1": (" ▄█ ", "  █ ", " ▄█▄"), "2": ("▀▀▀█", "█▀▀▀", "█▄▄▄"),
    "3": ("▀▀▀█", " ▀▀█", "▄▄▄█"), "4": ("█  █", "▀▀▀█", "   █"), "5": ("█▀▀▀", "▀▀▀█", "▄▄▄█"),
    "6": ("█▀▀▀", "█▀▀█", "█▄▄█"), "7": ("▀▀▀█", "   █", "   █"), "8": ("█▀▀█", "█▀▀█", "█▄▄█"),
    "9": ("█▀▀█", "▀▀▀█", "▄▄▄█"), "-": ("    ", " ▀▀ ", "    "),
}  # fmt: skip
_LETTERS = {  # the same with ASCII
    "0": (" __ ", "|  |", "|__|"), "1": ("    ", "  | ", "  | "), "2": (" __ ", " __|", "|__ "),
    "3": (" __ ", " __|", " __|"), "4": ("    ", "|__|", "   |"), "5": (" __ ", "|__ ", " __|"),
    "6": (" __ ", "|__ ", "|__|"), "7": (" __ ", "   |", "   |"), "8": (" __ ", "|__|", "|__|"),
    "9": (" __ ", "|__|", " __|"), "-": ("    ", " -- ", "    "),
}  # fmt: skip
LEGEND = (
    ("ok", "ok"), ("failed", "failed"), ("malformed", "malformed"), ("timeout", "timeout"),
    ("shows", "shows"), ("enters", "enters"),
)  # fmt: skip
"""What help says about signs: (sign, word)."""


class Signs:
    """The signs of one terminal: `signs["ok"]`."""

    def __init__(self, *, ascii_only: bool) -> None:
        self.ascii_only = ascii_only
        self.bars = _BARS[ascii_only]
        """Eight heights of a bar, the lowest first."""
        self._table = {name: pair[ascii_only] for name, pair in _TABLE.items()}
        self._digits: Mapping[str, tuple[str, str, str]] = _LETTERS if ascii_only else _BLOCKS

    def __getitem__(self, name: str) -> str:
        return self._table[name]

    def big(self, pin: str) -> tuple[str, str, str]:
        """A PIN in three rows, grouped by threes."""
        parts = [self._digits.get(c, self._digits["-"]) for c in _grouped(pin)]
        first, second, third = ("  ".join(part[row] for part in parts).rstrip() for row in range(3))
        return first, second, third

    def bar(self, level: float, width: int) -> str:
        """A bar of `width` columns that is full at `level` 1."""
        full = round(max(0.0, min(1.0, level)) * width)
        return self["full"] * full + self["empty"] * (width - full)


def _grouped(pin: str) -> str:
    return "-".join(pin[at : at + 3] for at in range(0, len(pin), 3))


UNICODE = Signs(ascii_only=False)
ASCII = Signs(ascii_only=True)
