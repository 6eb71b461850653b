"""One line of parameters: typed as `key=value,key=value`, with what can be given, its defaults and units below.

Says while it is typed what it means, or what is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from protocols.errors import UsageError
from tui.bindings import bindings
from tui.modals._base import wrapped
from tui.modals._typed import TypedModal
from tui.text import cut, fit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui.models.faults import Parameter
    from tui.models.lanes import Piece

__all__ = ["ParameterInput"]

_AROUND = 8
"""Lines that are not the card's: the foot, the input, the frame, the head of the table and what is hidden of it."""
_CHOSEN = 3
"""Lines for the parameter that is being typed, in full."""
_NAME, _DEFAULT = 20, 10


class ParameterInput(TypedModal[str]):
    """The text, once it is right; nothing when it was left as it was.

    `check` raises UsageError for a text that cannot be, and says in words what one that can means.
    """

    SCOPE = "modal:parameters"
    BINDINGS: ClassVar[list[Any]] = bindings(SCOPE)
    WIDTH = 72
    DEFAULT_CSS = "ParameterInput Field { width: 72; }"

    def __init__(
        self,
        title: str,
        text: str,
        check: Callable[[str], str],
        *,
        about: str = "",
        known: Sequence[Parameter] = (),
    ) -> None:
        super().__init__(text)
        self._title = title
        self._check = check
        self._about = about
        self._known = known

    def on_input_submitted(self) -> None:
        """Take it."""
        self.action_take()

    def action_take(self) -> None:
        """Take the text when it is right."""
        text = self.field.value
        try:
            self._check(text)
        except UsageError:
            return
        self.dismiss(text)

    def draw(self) -> None:
        """Right or wrong, and what can be given."""
        field = self.field
        text = field.value
        try:
            head: list[list[Piece] | str] = [[(f"{self.signs['ok']} {self._check(text)}", "good")]]
        except UsageError as exc:
            wrong = self._lines(f"{self.signs['failed']} {exc}")
            head = [[(line, "bad")] for line in wrong[:4]]
        lines = [*head, ""]
        if self._about:
            lines += [*self._lines(self._about), ""]
        key = text[: field.cursor_position].rpartition(",")[2].partition("=")[0].strip()
        room = min(20, self.size.height) - _AROUND - _CHOSEN - len(lines)
        self.card.fill(self._title, [*lines, *self._table(key, max(2, room))])

    def _lines(self, text: str) -> list[str]:
        return wrapped(text, indent=0, width=min(self.WIDTH, self.size.width - 2) - 4)

    def _table(self, key: str, most: int) -> list[list[Piece] | str]:
        """What can be given, around the key that is being typed."""
        if not self._known:
            return []
        names = [one.name for one in self._known]
        fitting = [at for at, name in enumerate(names) if key and name.startswith(key)]
        at = fitting[0] if fitting else -1
        first = max(0, min(at - most // 2, len(names) - most))
        rows: list[list[Piece] | str] = [
            [(f"  {fit('parameter', _NAME)} {fit('default', _DEFAULT)} what it is", "head")]
        ]
        for place, one in enumerate(self._known[first : first + most], first):
            sign = self.signs["cursor"] if place == at else " "
            default = fit(one.default or "-", _DEFAULT)
            about = one.about or one.type
            rows.append(f"{sign} {fit(one.name, _NAME)} {default} {cut(about, 34)}")
        hidden = len(names) - most
        if at >= 0:
            chosen = self._known[at]
            rows += ["", *self._lines(f"{chosen.name} ({chosen.type}): {chosen.about}")[:2]]
        if hidden > 0:
            rows.append([(f"  {hidden} more; type a key to see it", "dim")])
        return rows
