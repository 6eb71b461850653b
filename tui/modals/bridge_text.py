"""Text about a dongle that may be longer than the screen: the log of its link, the report of a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from tui.bindings import bindings
from tui.modals._base import BenchModal
from tui.models.bridge_words import log_lines, report_lines
from tui.text import clean, cut

if TYPE_CHECKING:
    from collections.abc import Callable

    from hw_bridge.probe import ProbeReport
    from tui.app import NearbenchApp
    from tui.models.lanes import Piece

    Lines = list[list[Piece] | str]

__all__ = ["BridgeText", "log_of", "report_of"]

_LINES: Final = 16


class BridgeText(BenchModal[None]):
    """Lines that are asked for at each turn; the end of them is shown first when `from_end`."""

    SCOPE = "modal:bridge_text"
    BINDINGS: ClassVar[list[Any]] = bindings(SCOPE)

    def __init__(
        self, title: str, lines: Callable[[int], Lines], *, from_end: bool = False
    ) -> None:
        super().__init__()
        self._title = clean(title)
        self._make = lines
        self._first: int | None = None if from_end else 0

    def _most(self, lines: Lines) -> int:
        return max(0, len(lines) - _LINES)

    def action_scroll(self, delta: int) -> None:
        """Other lines; at the end, whatever comes."""
        most = self._most(self._make(self.inner))
        first = most if self._first is None else self._first
        first = max(0, min(most, first + delta))
        self._first = None if first == most and delta > 0 else first
        self.draw()

    def action_copy(self) -> None:
        """All of it."""
        lines = self._make(self.inner)
        text = "\n".join(
            one if isinstance(one, str) else "".join(piece for piece, _ in one) for one in lines
        )
        self.bench.copy_to_clipboard(text)
        self.bench.say(f"copied: {len(lines)} lines")

    def action_close(self) -> None:
        """Close."""
        self.dismiss(None)

    def sentence(self) -> str:
        """What was copied."""
        return self.bench.message[0]

    def draw(self) -> None:
        """The lines that fit."""
        lines = self._make(self.inner)
        most = self._most(lines)
        first = most if self._first is None else min(self._first, most)
        shown = lines[first : first + _LINES]
        note = f"{first + 1}-{first + len(shown)} of {len(lines)}" if most else ""
        self.card.fill(cut(self._title, self.inner - 16), shown, note)


def log_of(app: NearbenchApp, moniker: str) -> BridgeText:
    """The log of a link."""

    def lines(width: int) -> Lines:
        view = next((one for one in app.bridges.views() if one.moniker == moniker), None)
        return ["it is not there any more"] if view is None else log_lines(view, width)

    return BridgeText(f"Log of {moniker}", lines, from_end=True)


def report_of(moniker: str, report: ProbeReport) -> BridgeText:
    """What a test found."""
    from tui.commands._bridge_probe import lines as told

    return BridgeText(f"Test of {moniker}", lambda width: report_lines(told(report), width))
