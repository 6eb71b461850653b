"""Numeric comparison and consent: what both displays show, and whether the person says yes.

Bluetooth Core 5.4 Vol 3 Part H 2.3.5.2 (Just Works) and 2.3.5.6.2 (numeric comparison). One modal answers for all
devices that are played and asked at the same time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tui.bindings import bindings
from tui.modals._base import BenchModal
from tui.text import pin_groups

if TYPE_CHECKING:
    from sim.control import Asking
    from tui.models.lanes import Piece

__all__ = ["Comparison"]


class Comparison(BenchModal[None]):
    """One question of yes or no."""

    SCOPE = "modal:comparison"
    BINDINGS: ClassVar[list[Any]] = bindings(SCOPE)

    def __init__(self, asking: Asking) -> None:
        super().__init__()
        self.asking = asking

    @property
    def nodes(self) -> set[str]:
        """The devices that it is about."""
        return {self.asking.node, self.asking.question.peer}

    def covers(self, asking: Asking) -> bool:
        """Whether it answers that question, too."""
        return asking.node in self.nodes and asking.question.kind != "pin"

    def sentence(self) -> str:
        """What is going on."""
        return "n is a refusal on the air: the pairing ends"

    def _open(self) -> list[Asking]:
        control = self.session.control
        return [] if control is None else [one for one in control.questions() if self.covers(one)]

    def action_say(self, yes: bool) -> None:  # the word of the key table
        """Yes or no, for every device that is asked."""
        for asking in self._open():
            self.bench.people.send(asking.node, yes)
        self.dismiss()

    def action_close(self) -> None:
        """Leave the question open."""
        self.dismiss()

    def draw(self) -> None:
        """The card; it goes when nobody is asked any more."""
        control = self.session.control
        if control is None or not self._open():
            self.dismiss()
            return
        node, question = self.asking.node, self.asking.question
        if question.kind == "consent":
            lines: list[list[Piece] | str] = ["", f"   {node}: pair with {question.peer}?", ""]
            lines.append("   Just Works: nobody compares or types anything, so nothing")
            lines += [
                "   protects against a man in the middle.",
                "",
                "   [ y: pair ]  [ n: refuse ]  [ Esc: later ]",
            ]
            self.card.fill(f"Pairing {self.signs['dot']} {node}", lines)
            return
        lines = ["", "   Do both displays show the same number?", ""]
        for name, number in self._numbers(control.face(question.peer)):
            shown = pin_groups(number, self.signs["dash"]) if number else "nothing yet"
            lines += [f"   {name}", [(self.centred(shown), "key")], ""]
        lines.append("   [ y: the same ]  [ n: different ]  [ Esc: later ]")
        self.card.fill("Numeric comparison", lines)

    def _numbers(self, face: Any) -> list[tuple[str, str]]:
        question = self.asking.question
        other = "" if face is None else str(face.number)
        return [(self.asking.node, question.number), (question.peer, other)]
