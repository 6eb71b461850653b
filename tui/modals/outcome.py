"""How a pairing failed: what was shown and typed, which side ended it at which step, what to do, and the rule.

What a person needs comes first: what to do stands above the rule and its source, the card grows with the screen, and
what still does not fit is scrolled to, with a sign that there is more. The rule comes with the trace's event, else from the same judgement that `nearbench explain` gives, which is looked for
on a thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tui.bindings import bindings
from tui.keys import shown
from tui.modals._base import AROUND, BenchModal
from tui.text import cells, fit, pin_groups

if TYPE_CHECKING:
    from tui.diagnosis import Reason
    from tui.keys import Key
    from tui.models.lanes import Piece
    from tui.models.outcomes import Outcome

__all__ = ["OutcomeCard"]

_HEADLINES = {
    "timeout": ("timeout", "No answer in time."),
    "wrong PIN": ("failed", "The PINs differ."),
    "cancelled": ("failed", "Somebody refused."),
    "numbers differ": ("failed", "Somebody said that the numbers differ."),
    "controller lost": ("failed", "The controller went away."),
    "not paired": ("failed", "The two are not paired."),
}
_FRAME, _FOOT = 2, 2
"""Lines of the card around what it says: its frame; an empty line and the keys."""
_EMPTY_BEFORE = (3, 4, 2, 1, 0)
"""Parts of the card (headline, PINs, how it ended, what to do, rule) in the order in which they get an empty line."""
_Lines = list["list[Piece] | str"]


class OutcomeCard(BenchModal[None]):
    """The card of one failed pairing."""

    SCOPE = "modal:outcome"
    IS_CARD = True
    CLOSES_UP = True
    BINDINGS: ClassVar[list[Any]] = bindings(SCOPE)

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome
        self._first = 0
        """the first line that is shown, of those above the keys."""

    @property
    def nodes(self) -> set[str]:
        """None: it stays until it is closed."""
        return set()

    @property
    def reason(self) -> Reason | None:
        """The rule behind it, as far as it is known."""
        return self.session.inquiries.reason(self.outcome)

    def tick(self) -> None:
        """Draw; look for the rule until it is found, now and then."""
        self.bench.inquire(self.outcome)
        super().tick()

    def sentence(self) -> str:
        """When it was; the card says the rest in full."""
        return (
            f"{self.outcome.node} told of it at {self.outcome.t_us / 1e6:.3f} s of simulated time"
        )

    def keys_here(self) -> list[Key]:
        """Those of the modal; another try only where it is ours to begin."""
        may = self.bench.people.may_retry(self.outcome)
        return [key for key in super().keys_here() if may or key.id != "outcome.retry"]

    # Actions

    def action_close(self) -> None:
        """Close."""
        self.dismiss()

    def action_retry(self) -> None:
        """Pair once more."""
        self.dismiss()
        self.bench.people.retry()

    def action_open_message(self) -> None:
        """The message that ended it, on Packets."""
        self.dismiss()
        self.bench.open_packet(self.outcome.message or self.outcome.seq)

    def action_scroll(self, delta: int) -> None:
        """Other lines of what does not fit."""
        self._first = max(0, min(self._most(), self._first + delta))
        self.draw()

    # Drawing

    def _latest(self) -> Outcome:
        """What both sides have told of it by now."""
        return self.session.outcomes.told_of(self.outcome)

    def draw(self) -> None:
        """The card: as much of it as the screen has room for."""
        lines, room = self._lines(), self._room()
        self._first = min(self._first, max(0, len(lines) - room))
        end = self._first + room
        retry = "[ r: retry ]  " if self.bench.people.may_retry(self.outcome) else ""
        keys = f"   {retry}[ o: message ]  [ Esc: close ]"
        self.card.fill(
            f"Pairing failed {self.signs['dot']} {self._latest().kind}",
            [*lines[self._first : end], "", keys],
            self._more(above=self._first, below=len(lines) - end),
        )

    def _more(self, *, above: int, below: int) -> str:
        """The sign that lines are not on the screen, and the key that shows them."""
        ways = [("up", above, "above"), ("down", below, "below")]
        return ", ".join(
            f"{shown(key, ascii_only=self.signs.ascii_only)} {count} more {where}"
            for key, count, where in ways
            if count > 0
        )

    def _room(self) -> int:
        """Lines above the keys of the card."""
        return max(1, self.size.height - AROUND - _FRAME - _FOOT)

    def _most(self) -> int:
        return max(0, len(self._lines()) - self._room())

    def _lines(self) -> _Lines:
        """What there is to say, with empty lines between its parts as far as there is room for them."""
        parts = self._parts(self._latest())
        wanted = [at for at in _EMPTY_BEFORE if parts[at]]
        left = self._room() - sum(map(len, parts))
        apart = wanted[: max(min(left, 1), left - _FRAME, 0)]  # the screens' names stay seen
        return [line for at, part in enumerate(parts) for line in (*[""] * (at in apart), *part)]

    def _parts(self, outcome: Outcome) -> list[_Lines]:
        """Headline, PINs, how it ended, what to do, rule with its source: what does not fit is the last."""
        reason = self.reason
        sign, headline = _HEADLINES[outcome.kind]
        remedy = outcome.remedy or ("" if reason is None else reason.remedy)
        todo = f"What to do: {remedy.rstrip('.')}." if remedy else ""
        fault = self.session.outcomes.fault_behind(outcome)
        told = [*self.wrapped(f"Fault {fault}.")] if fault else []
        return [
            [[(f"   {self.signs[sign]} {headline}", "bad")]],
            self._pins(outcome),
            [*told, *self.wrapped(f"{outcome.words}.")],
            [[(line, "head")] for line in self.wrapped(todo)],
            self._rule(outcome, reason),
        ]

    def _pins(self, outcome: Outcome) -> _Lines:
        people = self.bench.people
        if outcome.kind != "wrong PIN":
            return []
        for typist, other in ((outcome.node, outcome.peer), (outcome.peer, outcome.node)):
            typed = people.typed.get(typist)
            if not typed:
                continue
            sent = self.session.outcomes.sent_pin(typist)
            rows = [("typed on", typist, typed), *([("sent by", typist, sent)] if sent else [])]
            if other in people.shown:
                return _compared(("shown by", other, people.shown[other]), *rows)
            if other in people.typed:
                return _compared(("typed on", other, people.typed[other]), *rows)
        return []

    def _rule(self, outcome: Outcome, reason: Reason | None) -> _Lines:
        name = outcome.rule or ("" if reason is None else reason.rule)
        title = "" if reason is None or not reason.title else f": {reason.title}"
        source = "" if reason is None or not reason.source else f"[{reason.source}]"
        lines = self.wrapped(f"Rule {name}{title}") if name else []
        return [*lines, *self.wrapped(source)]


def _compared(first: tuple[str, str, str], *rows: tuple[str, str, str]) -> _Lines:
    """PINs (what was done, where, digits), one above the other, with marks below where the last differs from the first."""
    told = [(f"{did} {where}", pin) for did, where, pin in (first, *rows)]
    width = max(cells(words) for words, _ in told)
    marks = "".join("^" if a != b else " " for a, b in zip(told[0][1], told[-1][1], strict=False))
    lines: _Lines = [f"     {fit(words, width)}   {pin_groups(pin, ' ')}" for words, pin in told]
    if marks.strip():
        lines.append(" " * (width + 8) + pin_groups(marks, " "))
    return lines
