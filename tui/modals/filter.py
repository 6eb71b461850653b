"""The filter of a list: says while it is typed whether it is right, and where and why it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tui.bindings import bindings
from tui.filters import FilterError
from tui.modals._typed import TypedModal
from tui.text import cells

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.models.lanes import Piece

__all__ = ["FilterInput"]


class FilterInput(TypedModal[str]):
    """The text of the filter, once it is right; nothing when it was left as it was.

    The old text is selected: typing begins a new one, a cursor key goes on with the old one.
    `check` raises FilterError for a text that cannot be understood, and says in words what one that can does.
    """

    SCOPE = "modal:filter"
    BINDINGS: ClassVar[list[Any]] = bindings(SCOPE)

    def __init__(
        self, text: str, check: Callable[[str], str], examples: str, title: str = "Filter"
    ) -> None:
        super().__init__(text)
        self._check = check
        self._examples = examples
        self._title = title

    def on_mount(self) -> None:
        """What is there is selected."""
        super().on_mount()
        self.field.select_all()

    def on_input_submitted(self) -> None:
        """Apply."""
        self.action_apply()

    def action_apply(self) -> None:
        """Apply the filter when it is right."""
        text = self.field.value
        try:
            self._check(text)
        except FilterError:
            return
        self.dismiss(text)

    def draw(self) -> None:
        """Right or wrong, and examples."""
        text = self.field.value
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
        field = self.field
        at = cells(field.value[: column - 1]) - int(field.scroll_offset.x)
        return f"{' ' * at}^" if 0 <= at < self.inner else ""
