"""One sheet at a time: what opens by itself (a question, a display, the card of a failure) waits while another one is open.

A key that was meant for the sheet that a person looks at never answers, or refuses, what came up in the meantime; the
sheet says who is asked, and what to press to get there. A display takes no answer: whatever comes stands above it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.screen import Screen

__all__ = ["Sheet", "Waiting"]


class Sheet(NamedTuple):
    """What wants to be opened."""

    words: str
    """who is asked for what, with a sign in front."""
    opens: Callable[[], None]
    is_due: Callable[[], bool]
    """whether it still means something."""
    is_card: bool = False
    """whether it may stand above cards of failures: it is one itself."""


class Waiting:
    """The sheets that wait."""

    def __init__(self) -> None:
        self._sheets: list[Sheet] = []

    def put(self, sheet: Sheet) -> None:
        """Have one opened as soon as that can be."""
        self._sheets.append(sheet)

    def clear(self) -> None:
        """Another run has begun."""
        self._sheets.clear()

    @property
    def words(self) -> str:
        """What opens next; empty when nothing waits."""
        return next((one.words for one in self._in_order() if one.is_due()), "")

    def _in_order(self) -> list[Sheet]:
        """Questions first: their time runs."""
        return sorted(self._sheets, key=lambda one: one.is_card)

    def open(self, stack: Callable[[], Sequence[Screen[Any]]]) -> None:
        """Open what nothing is in the way of; `stack` has the screens, the lowest first."""
        self._sheets = [one for one in self._sheets if one.is_due()]
        for one in self._in_order():
            if not any(_is_in_the_way(screen, one) for screen in stack()[1:]):
                self._sheets.remove(one)
                one.opens()


def _is_in_the_way(screen: Screen[Any], sheet: Sheet) -> bool:
    if getattr(screen, "is_over", False) or getattr(screen, "TAKES_NO_ANSWER", False):
        return False
    return not (sheet.is_card and getattr(screen, "IS_CARD", False))
