"""A question of yes or no before something is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tui.bindings import bindings
from tui.modals._base import BenchModal

if TYPE_CHECKING:
    from tui.models.lanes import Piece

__all__ = ["Confirm"]


class Confirm(BenchModal[bool]):
    """True is yes."""

    SCOPE = "modal:confirm"
    CLOSES_UP = True
    BINDINGS: ClassVar[list[Any]] = bindings(SCOPE)

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def action_say(self, yes: bool) -> None:  # the word of the key table
        """Answer."""
        self.dismiss(yes)

    def draw(self) -> None:
        """The card."""
        lines: list[list[Piece] | str] = [
            "",
            *self.wrapped(self._question),
            "",
            "   [ y: yes ]  [ n: no ]",
        ]
        self.card.fill("Sure?", lines)
