"""Any action by its name: type a part of what it does, choose, run. The actions are those of the key table that work here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tui.bindings import bindings
from tui.keys import shown
from tui.modals._base import CARD_WIDTH, BenchModal, Card
from tui.text import cut, fit
from tui.widgets.field import Field

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.screen import ModalScreen

    from tui.app import NearbenchApp
    from tui.keys import Key
    from tui.models.lanes import Piece

__all__ = ["MODAL", "Palette"]

_LINES = 12
_KEY = 10
_LEFT_OUT = ("move.", "palette", "back")


class Palette(BenchModal[str | None]):
    """The action that was chosen."""

    SCOPE = "modal:palette"
    BINDINGS: ClassVar[list[Any]] = bindings(SCOPE)
    DEFAULT_CSS = "Palette Field { width: 66; padding: 0 2; background: $panel; }"

    def __init__(self, keys: list[Key]) -> None:
        super().__init__()
        self._all = [key for key in keys if not key.id.startswith(_LEFT_OUT)]
        self._at = 0

    def cards(self) -> ComposeResult:
        """Input and matches."""
        yield Field()
        yield Card()

    def on_mount(self) -> None:
        """The cursor is in the input."""
        field = self.query_one(Field)
        field.focus()
        super().on_mount()

    def on_input_changed(self) -> None:
        """Other matches."""
        self._at = 0
        self.draw()

    def on_input_submitted(self) -> None:
        """Run the chosen one."""
        self.action_run()

    def matches(self) -> list[Key]:
        """Actions in which all typed parts occur."""
        parts = self.query_one(Field).value.casefold().split()
        return [
            key
            for key in self._all
            if all(part in f"{key.label} {key.tooltip}".casefold() for part in parts)
        ]

    def action_turn(self, step: int) -> None:
        """Another one."""
        self._at = max(0, min(len(self.matches()) - 1, self._at + step))
        self.draw()

    def action_run(self) -> None:
        """Run it."""
        found = self.matches()
        self.dismiss(found[self._at].does if found else None)

    def action_close(self) -> None:
        """Run nothing."""
        self.dismiss(None)

    def draw(self) -> None:
        """The matches around the chosen one."""
        found = self.matches()
        first = max(0, min(self._at - _LINES // 2, len(found) - _LINES))
        room = CARD_WIDTH - 6 - _KEY
        lines: list[list[Piece] | str] = []
        for at, key in enumerate(found[first : first + _LINES], first):
            text = f"{key.tooltip[:1].upper()}{key.tooltip[1:]}"
            sign = self.signs["cursor"] if at == self._at else " "
            name = shown(key.key, ascii_only=self.signs.ascii_only)
            lines.append(
                [
                    (
                        f"{sign} {fit(cut(text, room - 1), room)}{name}",
                        "cursor" if at == self._at else "",
                    )
                ]
            )
        lines += [""] * (_LINES - len(lines))
        self.card.fill("Palette", lines, f"{len(found)} of {len(self._all)}")


def MODAL(app: NearbenchApp) -> ModalScreen[Any] | str:  # noqa: N802  # the registry's constant
    """The palette of the open screen, when none is open."""
    return Palette(app.bench_screen.keys_here())
