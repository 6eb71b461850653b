"""The keys of the place, from the table: those of the screen beside those that work everywhere, and what the signs mean."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, ClassVar

from tui.bindings import bindings
from tui.keys import EVERYWHERE, keys_of, shown
from tui.modals._base import BenchModal, Card
from tui.signs import LEGEND
from tui.text import fit

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.screen import ModalScreen

    from tui.app import NearbenchApp
    from tui.keys import Key
    from tui.models.lanes import Piece

__all__ = ["MODAL", "Help"]

_HALF = 33
_KEY = 8
_LINES = 13
_MERGED = ("screen.", "move.")
_VERDICTS = "Line 1 judges the scenario, the edge of the ladder the last pairing."
_SIGNS = "Every sign has its word beside it. ASCII only: --ascii"


class Help(BenchModal[None]):
    """Help for one screen or sheet; up and down turn its pages."""

    SCOPE = "modal:help"
    BINDINGS: ClassVar[list[Any]] = [
        *bindings(SCOPE), ("down,j,pagedown,space", "turn(1)", ""), ("up,k,pageup", "turn(-1)", ""),
    ]  # fmt: skip

    def __init__(self, screen: str, without: frozenset[str] = frozenset()) -> None:
        super().__init__()
        self._screen = screen
        self._without = without
        self._page = 0

    def cards(self) -> ComposeResult:
        """A wider card."""
        card = Card()
        card.most_width = 72
        yield card

    def action_close(self) -> None:
        """Close."""
        self.dismiss()

    def action_turn(self, step: int) -> None:
        """Another page."""
        self._page = max(0, min(self._pages() - 1, self._page + step))
        self.draw()

    @property
    def _is_sheet(self) -> bool:
        return self._screen.startswith("modal:")

    def _pages(self) -> int:
        return -(-max(len(self._left()), len(self._right())) // _LINES)

    def _left(self) -> list[str]:
        return [
            line
            for key in keys_of(self._screen)
            if self.bench.is_there(key)
            for line in self._text(key)
        ]

    def _right(self) -> list[str]:
        if self._is_sheet:  # it takes its keys alone
            return []
        lines = [*_entry("1-6", "screens"), *_entry(self._shown("up,down,j,k"), "move")]
        for key in keys_of(EVERYWHERE):
            is_here = key.id not in self._without and self.bench.is_there(key)
            if is_here and not key.id.startswith(_MERGED):
                lines += self._text(key)
        return lines

    def _shown(self, key: str) -> str:
        return shown(key, ascii_only=self.signs.ascii_only)

    def _text(self, key: Key) -> list[str]:
        return _entry(self._shown(key.key), key.tooltip)

    def draw(self) -> None:
        """Two columns and the legend."""
        start = self._page * _LINES
        left, right = self._left()[start : start + _LINES], self._right()[start : start + _LINES]
        left += [""] * (_LINES - len(left))
        right += [""] * (_LINES - len(right))
        heads = ("This sheet", "") if self._is_sheet else ("This screen", "Everywhere")
        lines: list[list[Piece] | str] = [[(f"{fit(heads[0], _HALF)}  {heads[1]}", "head")]]
        lines += [f"{fit(a, _HALF)}  {b}" for a, b in zip(left, right, strict=True)]
        legend = "  ".join(f"{self.signs[sign]} {word}" for sign, word in LEGEND)
        lines += ["", f"Signs: {legend}", _VERDICTS, _SIGNS]
        pages = self._pages()
        note = f"page {self._page + 1} of {pages}: {self._shown('down')}" if pages > 1 else ""
        name = self._screen.removeprefix("modal:").replace("_", " ").title()
        self.card.fill(f"Help {self.signs['dot']} {name}", lines, note)


def _entry(key: str, text: str) -> list[str]:
    """A key and what it does, in as many lines as it takes."""
    first, *rest = textwrap.wrap(text, _HALF - _KEY, break_on_hyphens=False)
    head = [f"{key:<{_KEY}}{first}"] if len(key) < _KEY else [key, f"{'':{_KEY}}{first}"]
    return [*head, *(f"{'':{_KEY}}{line}" for line in rest)]


def MODAL(app: NearbenchApp) -> ModalScreen[Any]:  # noqa: N802  # the registry's constant
    """Help for the open screen, or for the sheet that stands above it."""
    if isinstance(app.screen, BenchModal):
        return Help(app.screen.SCOPE)
    return Help(app.bench_screen.NAME, app.bench_screen.WITHOUT)
