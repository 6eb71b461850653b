"""Anything by its name: type parts of it, choose, run. Actions that work here, faults to set, scenarios to run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tui import modals
from tui.bindings import bindings
from tui.modals._base import CARD_WIDTH, Card
from tui.modals._typed import TypedModal
from tui.models import palette as offered
from tui.models.faults import fault_kinds
from tui.models.palette import Offer, fitting
from tui.text import clean, cut, fit
from tui.widgets.field import Field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.screen import ModalScreen

    from tui.app import NearbenchApp
    from tui.models.lanes import Piece

__all__ = ["MODAL", "Palette", "carry_out"]

_LINES = 12
_KEY = 10
_PROMPT = "> "
_TYPED = 40
"""Characters of what was typed that are repeated."""
_WHAT = {
    "action": "enter does it",
    "fault": "enter opens the faults at this one",
    "scenario": "enter runs it here, as on Scenarios",
}


class Palette(TypedModal[Offer]):
    """What was chosen."""

    SCOPE = "modal:palette"
    BINDINGS: ClassVar[list[Any]] = bindings(SCOPE)
    DEFAULT_CSS = f"""
    Palette Field {{
        position: absolute; offset: {2 + len(_PROMPT)} 1; width: {CARD_WIDTH - 4 - len(_PROMPT)};
        padding: 0; background: $panel;
    }}
    """

    def __init__(self, offers: Sequence[Offer]) -> None:
        super().__init__()
        self._all = offers
        self._at = 0

    def cards(self) -> ComposeResult:
        """The card, and the field on its first line."""
        yield Card()
        yield Field()

    def on_input_changed(self) -> None:
        """Other matches."""
        self._at = 0
        self.tick()

    def on_input_submitted(self) -> None:
        """Run the chosen one."""
        self.action_run()

    def matches(self) -> list[Offer]:
        """What fits."""
        return fitting(self._all, self.field.value)

    def action_turn(self, step: int) -> None:
        """Another one."""
        self._at = max(0, min(len(self.matches()) - 1, self._at + step))
        self.tick()

    def action_run(self) -> None:
        """Run it; when nothing fits there is something to type anew."""
        found = self.matches()
        if found:
            self.dismiss(found[self._at])

    def action_close(self) -> None:
        """Run nothing."""
        self.dismiss(None)

    def sentence(self) -> str:
        """What enter would do."""
        found = self.matches()
        return _WHAT[found[self._at].kind] if found else "nothing fits; esc closes"

    def draw(self) -> None:
        """The matches around the chosen one, or that there is none."""
        found = self.matches()
        lines = self._rows(found) if found else self._nothing()
        lines += [""] * (_LINES - len(lines))
        self.card.fill("Palette", [_PROMPT, "", *lines], f"{len(found)} of {len(self._all)}")

    def _rows(self, found: list[Offer]) -> list[list[Piece] | str]:
        first = max(0, min(self._at - _LINES // 2, len(found) - _LINES))
        room = CARD_WIDTH - 6 - _KEY
        lines: list[list[Piece] | str] = []
        for at, offer in enumerate(found[first : first + _LINES], first):
            sign = self.signs["cursor"] if at == self._at else " "
            text = f"{sign} {fit(cut(clean(offer.text), room - 1), room)}{offer.key}"
            lines.append([(text, "cursor" if at == self._at else "")])
        return lines

    def _nothing(self) -> list[list[Piece] | str]:
        typed = cut(" ".join(self.field.value.split()), _TYPED)
        text = f'Nothing is called "{typed}": no action of this place, no fault, no scenario. Fewer letters find more.'
        return [*self.wrapped(text, indent=2)]


def MODAL(app: NearbenchApp) -> ModalScreen[Any] | str:  # noqa: N802  # the registry's constant
    """What can be done on the open screen, and in its run."""
    request, own = app.session.request, app.session.own_scenario
    offers = offered.actions(app.bench_screen.keys_here(), ascii_only=app.signs.ascii_only)
    if app.session.control is not None and not request.moniker:
        offers += offered.faults(fault_kinds())
    return Palette([*offers, *offered.runs(own)])


async def carry_out(app: NearbenchApp, chosen: Offer | None) -> None:
    """Do what was chosen."""
    if chosen is None:
        return
    if chosen.kind == "action":
        await app.run_action(chosen.name, app.bench_screen)
    elif chosen.kind == "fault":
        _open_fault(app, chosen.name)
    else:
        _open_scenario(app, chosen.name)


def _open_fault(app: NearbenchApp, name: str) -> None:
    from tui.modals.faults import Faults

    made = modals.FOLDER.get("faults")(app)
    if isinstance(made, Faults):
        made.start_at(name)
        app.push_screen(made)
    else:
        app.say(str(made))


def _open_scenario(app: NearbenchApp, what: str) -> None:
    from tui.screens._scenario_live import open_and_run
    from tui.screens.scenarios import ScenariosScreen

    app.action_show("scenarios")
    screen = app.bench_screen
    if isinstance(screen, ScenariosScreen):
        screen.call_after_refresh(open_and_run, screen, what)
