"""Modals about pairings: opened once for what they are about, and taken away with it. Called by the app alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from tui.modals.comparison import Comparison
from tui.modals.pin_display import PinDisplay
from tui.modals.pin_entry import PinEntry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.control import Asking
    from tui.app.base import BenchApp

__all__ = ["close_sheets", "covering", "show_display", "show_question"]

_Sheet = TypeVar("_Sheet", PinEntry, Comparison, PinDisplay)


def _open(app: BenchApp, kind: type[_Sheet]) -> Iterator[_Sheet]:
    """Those of a kind that are not done with."""
    return (one for one in app.screen_stack if isinstance(one, kind) and not one.is_over)


def covering(app: BenchApp, asking: Asking) -> bool:
    """Whether a question is asked already: by a sheet that is open, or by the screen itself."""
    screen = app.bench_screen_or_none
    if screen is not None and screen.takes(asking):
        return True
    if asking.question.kind == "pin":
        return any(one.covers(asking) for one in _open(app, PinEntry))
    return any(one.covers(asking) for one in _open(app, Comparison))


def show_question(app: BenchApp, asking: Asking) -> None:
    """Show a question, unless it is asked already."""
    if not covering(app, asking):
        app.push_screen(PinEntry(asking) if asking.question.kind == "pin" else Comparison(asking))


def show_display(app: BenchApp, node: str) -> None:
    """Show the display of a device, unless it is open already."""
    if not any(one.node == node for one in _open(app, PinDisplay)):
        app.push_screen(PinDisplay(node))


def close_sheets(app: BenchApp, nodes: set[str]) -> None:
    """Take away what was asked or shown for a pairing of these, wherever it lies."""
    for screen in reversed(app.screen_stack[1:]):
        if nodes & set(getattr(screen, "nodes", ())):
            screen.dismiss()
