"""Dongles as a list: name, health by sign and word, figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tui.models.bridges import figures, health_of
from tui.text import clean, cut, cut_middle, fit, right
from tui.widgets.event_list import EventList

if TYPE_CHECKING:
    from tui.models.bridges import BridgeView
    from tui.models.lanes import Piece

__all__ = ["BridgeRows"]

_WIDE: Final = 98
_WORD: Final = 16
_PRODUCT: Final = 24
_FIGURES: Final = (13, 9, 10)
"""Columns of round trip, queue and losses."""
_NARROW: Final = 72
_ONE_FIGURE: Final = 18
"""Columns of what stands there in narrow lists."""


class BridgeRows(EventList):
    """One row per dongle."""

    def __init__(self) -> None:
        super().__init__(id="bridges")
        self.rows: list[BridgeView] = []
        self.empty = ""

    def count(self) -> int:
        """Rows."""
        return len(self.rows)

    def key(self, index: int) -> Any:
        """The moniker: the cursor follows it."""
        return self.rows[index].moniker

    def find(self, key: Any) -> int | None:
        """Where the moniker is now."""
        return next((at for at, one in enumerate(self.rows) if one.moniker == key), None)

    def selected(self) -> BridgeView | None:
        """The dongle under the cursor."""
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    def empty_text(self) -> str:
        """Why there is none."""
        return self.empty

    def row(self, index: int, width: int) -> list[Piece]:
        """One dongle."""
        view = self.rows[index]
        health = health_of(view)
        figures_room = sum(_FIGURES) if width >= _NARROW else _ONE_FIGURE
        room = width - 2 - _WORD - figures_room - 1
        product = f"{fit(clean(view.product), _PRODUCT)}  " if width >= _WIDE else ""
        name = clean(view.moniker)
        name = fit(cut_middle(name, room - len(product)), room - len(product))
        word = fit(f"{self.signs[health.sign]} {health.word}", _WORD)
        behind = cut(clean(self._figures(view, width)), figures_room)
        return [(f"{name}  {product}", ""), (f"{word} ", health.style), (behind, "")]

    def _figures(self, view: BridgeView, width: int) -> str:
        first, queue, lost = figures(view)
        if queue and width >= _NARROW:
            parts = zip((first, queue), _FIGURES, strict=False)
            return "".join(fit(text, size) for text, size in parts) + right(lost, _FIGURES[2])
        return "" if width >= _WIDE and first == view.product else first
