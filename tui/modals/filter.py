"""The filter of a list: says while it is typed whether it is right, and where and why it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tui.bindings import bindings
from tui.filters import FilterError
from tui.modals._base import BenchModal, Card
from tui.text import cells
from tui.widgets.field import Field

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from tui.models.lanes import Piece

__all__ = ["FilterInput"]


class FilterInput(BenchModal[str | None]):
    """The text of the filter, once it is right; nothing when it was left as it was.

    The old text is selected: typing begins a new one, a cursor key goes on with the old one.
    `check` raises FilterError for a text that cannot be understood, and says in words what one that can does.
    """

    SCOPE = "modal:filter"
    BINDINGS: ClassVar[list[Any]] = bindings(SCOPE)
    DEFAULT_CSS = """
    FilterInput Field { width: 66; padding: 0 2; background: $panel; }
    """

    def __init__(
        self, text: str, check: Callable[[str], str], examples: str, title: str = "Filter"
    ) -> None:
        super().__init__()
        self._text = text
        self._check = check
        self._examples = examples
        self._title = title

    def cards(self) -> ComposeResult:
        """Input and what there is to say about it."""
        yield Field(self._text)
        yield Card()

    def on_mount(self) -> None:
        """The cursor is in the input, and what is there selected."""
        field = self.query_one(Field)
        field.focus()
        field.select_all()
        super().on_mount()

    def on_input_changed(self) -> None:
        """Say at once what it means."""
        self.draw()

    def on_input_submitted(self) -> None:
        """Apply."""
        self.action_apply()

    def action_apply(self) -> None:
        """Apply the filter when it is right."""
        text = self.query_one(Field).value
        try:
            self._check(text)
        except FilterError:
            return
        self.dismiss(text)

    def action_cancel(self) -> None:
        """Leave the filter as it was."""
        self.dismiss(None)

    def draw(self) -> None:
        """Right or wrong, and examples."""
        text = self.query_one(Field).value
        lines: list[list[Piece] | str] = []
        try:
            lines.append([(f"{self.signs['ok']} {self._check(text)}", "good")])
        except FilterError as exc:
            lines.append(self._arrow(exc.column))
            lines += [
                [(line, "bad")] for line in self.wrapped(f"{self.signs['failed']} {exc}", indent=0)
            ]
        lines += ["", *self.wrapped(self._examples, indent=0)]
        self.card.fill(self._title, lines)

    def _arrow(self, column: int) -> str:
        """An arrow below that column of the field; nothing where the field shows other columns."""
        field = self.query_one(Field)
        at = cells(field.value[: column - 1]) - int(field.scroll_offset.x)
        return f"{' ' * at}^" if 0 <= at < self.inner else ""
