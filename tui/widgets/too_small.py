"""What stands in a terminal that is too small for anything else: a sentence that says the size, and what works here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.text import wrap
from tui.widgets.lined import Lined

if TYPE_CHECKING:
    from tui.models.lanes import Piece

__all__ = ["LEAST_HEIGHT", "LEAST_WIDTH", "TooSmall"]

LEAST_WIDTH, LEAST_HEIGHT = 60, 16
_OF_TEXTUAL = "textual-"
"""Ids of widgets that Textual adds to every screen, and shows and hides itself."""


class TooSmall(Lined):
    """Hidden wherever there is room."""

    DEFAULT_CSS = "TooSmall { display: none; height: 1fr; width: 1fr; }"

    def line(self, y: int, width: int) -> list[Piece]:
        """What to do about a small terminal, in as many lines as it takes."""
        size = self.screen.size
        text = (
            f"The screen needs {LEAST_WIDTH} x {LEAST_HEIGHT}; this one has {size.width} x {size.height}. "
            "`nearbench run SCENARIO` tells the same as text."
        )
        lines = wrap(text, width)
        return [(lines[y], "")] if y < len(lines) else []

    def take_over(self) -> bool:
        """Stand alone on the screen where it is too small for its other parts; whether it is."""
        size = self.screen.size
        is_tiny = size.width < LEAST_WIDTH or size.height < LEAST_HEIGHT
        for child in self.screen.children:
            if not (child.id or "").startswith(_OF_TEXTUAL):
                child.display = (child is self) is is_tiny
        return is_tiny
