"""What modals with a field have in common: the field with the cursor in it, and a card below that says what it means."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

from tui.modals._base import CARD_WIDTH, BenchModal, Card
from tui.widgets.field import MOST, Field

if TYPE_CHECKING:
    from textual.app import ComposeResult

__all__ = ["TypedModal"]

T = TypeVar("T")


class TypedModal(BenchModal[T | None]):
    """What was typed, as the subclass understands it; None when it was left."""

    LONGEST: ClassVar[int] = MOST
    """Characters that the field takes."""
    WIDTH: ClassVar[int] = CARD_WIDTH
    DEFAULT_CSS = f"TypedModal Field {{ width: {CARD_WIDTH}; padding: 0 2; background: $panel; }}"

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self._given = text

    def cards(self) -> ComposeResult:
        """Field and what there is to say about it."""
        yield Field(self._given, most=self.LONGEST)
        card = Card()
        card.most_width = self.WIDTH
        yield card

    def on_mount(self) -> None:
        """The cursor is in the field."""
        self.field.focus()
        super().on_mount()

    @property
    def field(self) -> Field:
        """What is typed into."""
        return self.query_one(Field)

    def on_input_changed(self) -> None:
        """Say at once what it means."""
        self.draw()

    def action_cancel(self) -> None:
        """Leave it as it was."""
        self.dismiss(None)
