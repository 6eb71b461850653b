"""Numeric comparison and consent: what both displays show, and whether the person says yes.

Bluetooth Core 5.4 Vol 3 Part H 2.3.5.2 (Just Works) and 2.3.5.6.2 (numeric comparison). Where both sides are
played, one modal asks for one of them after the other, so that they may disagree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tui.bindings import bindings
from tui.modals._base import BenchModal
from tui.modals.pin_entry import time_line
from tui.text import pin_groups

if TYPE_CHECKING:
    from sim.control import Asking, Control
    from tui.models.lanes import Piece

__all__ = ["Comparison"]


class Comparison(BenchModal[None]):
    """One question of yes or no."""

    SCOPE = "modal:comparison"
    CLOSES_UP = True
    BINDINGS: ClassVar[list[Any]] = bindings(SCOPE)

    def __init__(self, asking: Asking) -> None:
        super().__init__()
        self.asking = asking
        self._said: dict[tuple[str, int], bool] = {}  # (node, when it was asked) -> what was said

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
        """Who still has to answer: who was asked first, first."""
        control = self.session.control
        asked = [] if control is None else control.questions()
        return sorted(
            (one for one in asked if self.covers(one) and (one.node, one.asked_us) not in self._said),
            key=lambda one: one.asked_us,
        )  # fmt: skip

    def action_say(self, yes: bool) -> None:  # the word of the key table
        """Yes or no, for the device whose turn it is."""
        asked = self._open()
        if asked:
            now = asked[0]
            self._said[now.node, now.asked_us] = yes
            self.bench.people.send(now.node, yes)
            self.bench.say(f"{now.node} says {_word(now, yes=yes)}")
        if len(asked) < 2:
            self.dismiss()
        else:
            self.draw()

    def action_close(self) -> None:
        """Leave the question open."""
        self.dismiss()

    def draw(self) -> None:
        """The card; it goes when nobody is asked any more."""
        control, asked = self.session.control, self._open()
        if control is None or not asked:
            self.dismiss()
            return
        now = self.asking = asked[0]
        if now.question.kind == "consent":
            self._draw_consent(control, now)
            return
        lines: list[list[Piece] | str] = ["", f"   You are the person before {now.node}.", ""]
        lines += ["   Do both displays show the same number?", ""]
        for name, number in self._numbers(control.face(now.question.peer)):
            shown = pin_groups(number, self.signs["dash"]) if number else "nothing yet"
            lines += [f"   {name}{self._said_by(name)}", [(self.centred(shown), "key")], ""]
        lines += [f"   {time_line(self, control, now)}", ""]
        lines.append("   [ y: the same ]  [ n: different ]  [ Esc: later ]")
        self.card.fill(f"Numeric comparison {self.signs['dot']} {now.node}", lines)

    def _draw_consent(self, control: Control, now: Asking) -> None:
        lines: list[list[Piece] | str] = ["", f"   {now.node}: pair with {now.question.peer}?", ""]
        lines.append("   Just Works: nobody compares or types anything, so nothing")
        lines += [
            "   protects against a man in the middle.",
            "",
            f"   {time_line(self, control, now)}",
            "",
            "   [ y: pair ]  [ n: refuse ]  [ Esc: later ]",
        ]
        self.card.fill(f"Pairing {self.signs['dot']} {now.node}", lines)

    def _numbers(self, face: Any) -> list[tuple[str, str]]:
        question = self.asking.question
        other = "" if face is None else str(face.number)
        return [(self.asking.node, question.number), (question.peer, other)]

    def _said_by(self, node: str) -> str:
        """What was said there already."""
        said = [yes for (name, _), yes in self._said.items() if name == node]
        return f" said {'the same' if said[-1] else 'different'}" if said else ""


def _word(asking: Asking, *, yes: bool) -> str:
    if asking.question.kind == "consent":
        return "yes" if yes else "no"
    return "the same" if yes else "different"
