"""Faults on the running world: those in force with what they did so far, and all that can be set from now on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from protocols.errors import NearbenchError
from tui.bindings import bindings
from tui.modals._base import BenchModal, Card, wrapped
from tui.models.faults import FaultChoice, FaultKind, fault_kinds
from tui.models.faults_set import FaultsSet, FaultState
from tui.text import cut, fit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.screen import ModalScreen

    from sim.control import Control
    from tui.app import NearbenchApp
    from tui.models.lanes import Piece

__all__ = ["MODAL", "Faults"]

_WIDTH = 72
_LINES, _ABOUT = 11, 3
_NAME = 26


class Faults(BenchModal[None]):
    """The list; enter sets what the cursor is on, after its parameters."""

    SCOPE = "modal:faults"
    BINDINGS: ClassVar[list[Any]] = bindings(SCOPE)

    def __init__(self, control: Control) -> None:
        super().__init__()
        self._control = control
        self._kinds = fault_kinds()
        self._seen = FaultsSet()
        self._cursor = control.world.trace.cursor()
        self._at = 0
        self._wanted = ""

    def cards(self) -> ComposeResult:
        """A wider card."""
        card = Card()
        card.most_width = _WIDTH
        yield card

    def start_at(self, name: str) -> None:
        """Have the cursor on a fault of the list when it opens."""
        self._wanted = name

    @property
    def states(self) -> list[FaultState]:
        """The faults of the run."""
        return self._seen.states(self._control)

    def rows(self) -> Sequence[FaultState | FaultKind]:
        """Those of the run first."""
        return [*self.states, *self._kinds]

    def selected(self) -> FaultState | FaultKind:
        """What the cursor is on."""
        rows = self.rows()
        return rows[min(self._at, len(rows) - 1)]

    # Actions

    def action_turn(self, step: int) -> None:
        """Another one."""
        self._at = max(0, min(len(self.rows()) - 1, self._at + step))
        self.draw()

    def action_close(self) -> None:
        """Close."""
        self.dismiss()

    def action_choose(self) -> None:
        """Ask for the parameters; one of the run is taken back by another key."""
        one = self.selected()
        if isinstance(one, FaultState):
            self.bench.say("c takes this fault back" if one.in_force else "it is not in force")
        elif self.session.scenario is not None:
            self._ask(one, FaultChoice(one, self.session.scenario, now=not one.needs_device))

    def _ask(self, kind: FaultKind, choice: FaultChoice) -> None:
        from tui.modals.parameters import ParameterInput

        def take(text: str | None) -> None:
            if text is not None:
                self._set(kind, choice.option(text))

        about = f"{kind.title}; {kind.whom()}."
        if kind.needs_device:
            about += " It needs a device of its own: the scenario is restarted with it."
        self.bench.push_screen(
            ParameterInput(kind.name, choice.text, choice.check, about=about, known=choice.known()),
            take,
        )

    def _set(self, kind: FaultKind, option: str) -> None:
        if kind.needs_device:
            self._offer_restart(option)
            return
        behind = len(self.states)  # where it will stand
        try:
            self.bench.watch_command(self._control.set_fault(option), f"fault {kind.name}")
        except NearbenchError as exc:
            self.bench.say(str(exc), "bad")
            return
        self._at = behind
        over = "; the scenario is over: p pairs again" if self._control.state == "ended" else ""
        self.bench.say(f"fault: {option}{over}")

    def _offer_restart(self, option: str) -> None:
        request = self.session.request
        wanted = msgspec.structs.replace(
            request, faults=(*request.faults, option), seed=self.session.seed
        )
        lost = ": it is in no file, and is lost" if self.session.is_unsaved else ""
        self.bench.ask(
            f"{option} needs a device of its own. Restart the run with it{lost}?",
            lambda: self.bench.restart(wanted),
        )

    def action_clear(self) -> None:
        """Take it back."""
        one = self.selected()
        if not isinstance(one, FaultState) or not one.in_force:
            self.bench.say("go to a fault that is in force, at the top, to take it back")
            return
        try:
            self.bench.watch_command(
                self._control.clear_fault(one.fault), f"fault {one.fault.name}"
            )
        except NearbenchError as exc:
            self.bench.say(str(exc), "bad")

    # Drawing

    def sentence(self) -> str:
        """What has been said, else what to do."""
        said, _ = self.bench.message
        return said or "faults begin at once on the running world; the trace keeps them"

    def draw(self) -> None:
        """The rows around the cursor, and what the selected one is."""
        self._seen.feed(self._cursor.read())
        states = self.states
        rows: list[FaultState | FaultKind] = [*states, *self._kinds]
        if self._wanted:
            names = [kind.name for kind in self._kinds]
            self._at, self._wanted = len(states) + names.index(self._wanted), ""
        first = max(0, min(self._at - _LINES // 2, len(rows) - _LINES))
        width = min(_WIDTH, self.size.width - 2) - 4
        lines: list[list[Piece] | str] = []
        for at, one in enumerate(rows[first : first + _LINES], first):
            sign = self.signs["cursor"] if at == self._at else " "
            lines.append(
                [(fit(f"{sign} {_row(one, width - 2)}", width), "cursor" if at == self._at else "")]
            )
        about = wrapped(_about(rows[self._at]), indent=0, width=width)[:_ABOUT]
        lines += ["", *about, *[""] * (_ABOUT - len(about))]
        forced = sum(one.in_force for one in states)
        below = "" if first + _LINES >= len(rows) else f", {len(rows) - first - _LINES} below"
        self.card.fill("Faults", lines, f"{forced} in force{below}")


def _row(one: FaultState | FaultKind, width: int) -> str:
    if isinstance(one, FaultState):
        box = "[x]" if one.in_force else "[ ]"
        return cut(f"{box} {one.words}: {one.deeds}", width)
    return cut(f"    {fit(one.name, _NAME)}{one.title}", width)


def _about(one: FaultState | FaultKind) -> str:
    if isinstance(one, FaultState):
        return f"{one.words}: {one.deeds}"
    text = f"{one.title}; {one.whom()}."
    if one.needs_device:
        return f"{text} It needs a device of its own: choosing it restarts the scenario."
    return f"{text} It happens at one instant." if one.momentary else text


def MODAL(app: NearbenchApp) -> ModalScreen[Any] | str:  # noqa: N802  # the registry's constant
    """The faults of the run, when there is one that goes on."""
    control = app.session.control
    if control is None:
        return "this is a capture: there is no run in which something could go wrong"
    if app.session.request.moniker:
        return "faults are of the simulated air; this run is on a real radio"
    if control.state in ("stopped", "died"):
        return "the run is over: R restarts it, then set a fault"
    return Faults(control)
