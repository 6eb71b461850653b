"""What is to be on a dongle: type a part of its name, choose; settings stand behind it as key=value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from protocols.errors import UsageError
from tui.bench.role import Role
from tui.bindings import bindings
from tui.modals._base import CARD_WIDTH
from tui.modals._typed import TypedModal
from tui.models.bridge_roles import chosen, matching
from tui.text import clean, cut, fit

if TYPE_CHECKING:
    from tui.models.bridge_roles import Choice
    from tui.models.lanes import Piece

__all__ = ["BridgeRole"]

_LINES: Final = 9
_NAME: Final = 28
_ABOUT: Final = 2
_NONE: Final = "nothing of that name; a path ends in .py"
_HINT: Final = "behind it: pin=047115   a phone: peer=Lamp pair=yes"


class BridgeRole(TypedModal[Role]):
    """The role that was chosen."""

    SCOPE = "modal:bridge_role"
    BINDINGS: ClassVar[list[Any]] = bindings(SCOPE)
    LONGEST = 300

    def __init__(self, moniker: str) -> None:
        super().__init__()
        self._moniker = moniker
        self._at = 0
        self._found: list[Choice] = []
        self._wrong = ""

    def on_mount(self) -> None:
        """All roles."""
        self._found = matching("")
        super().on_mount()

    def on_input_changed(self) -> None:
        """Other roles."""
        self._at, self._wrong = 0, ""
        self._found = matching(self._text())
        self.draw()

    def on_input_submitted(self) -> None:
        """Take the chosen one."""
        self.action_start()

    def _text(self) -> str:
        return self.field.value

    def action_turn(self, step: int) -> None:
        """Another one."""
        self._at = max(0, min(len(self._found) - 1, self._at + step))
        self.draw()

    def action_start(self) -> None:
        """Begin, when its arguments are right."""
        if not self._found:
            return
        try:
            self.dismiss(chosen(self._found[self._at], self._text()))
        except UsageError as exc:
            self._wrong = str(exc)
            self.draw()

    def draw(self) -> None:
        """The roles around the chosen one."""
        first = max(0, min(self._at - _LINES // 2, len(self._found) - _LINES))
        lines = [self._line(at) for at in range(first, min(len(self._found), first + _LINES))]
        lines += [[("", "")]] * (_LINES - len(lines))
        lines.append([("", "")])
        lines += self._told()
        lines.append([(_HINT if self._found else _NONE, "dim")])
        self.card.fill(cut(f"What is on {clean(self._moniker)}?", 50), lines, f"{len(self._found)}")

    def _told(self) -> list[list[Piece]]:
        """What is wrong, or the chosen role in full."""
        about = self._found[self._at].about if self._found else ""
        text = f"{self.signs['failed']} {self._wrong}" if self._wrong else about
        said = self.wrapped(clean(text), indent=0)[:_ABOUT]
        said += [""] * (_ABOUT - len(said))
        return [[(line, "bad" if self._wrong else "")] for line in said]

    def _line(self, at: int) -> list[Piece]:
        choice, is_chosen = self._found[at], at == self._at
        role = choice.role
        name = clean(f"{role.kind} {role.name}".rstrip())
        sign = self.signs["cursor"] if is_chosen else " "
        about = cut(clean(choice.about), CARD_WIDTH - 6 - _NAME)
        return [
            (f"{sign} {fit(cut(name, _NAME - 1), _NAME)}{about}", "cursor" if is_chosen else "")
        ]
