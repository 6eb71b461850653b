"""How a pairing failed: what was shown and typed, which side ended it at which step, the rule, and what to do.

The rule comes with the trace's event, else from the same judgement that `nearbench explain` gives, which is looked for
on a thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tui.bindings import bindings
from tui.modals._base import BenchModal
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
_MOST_LINES = 17


class OutcomeCard(BenchModal[None]):
    """The card of one failed pairing."""

    SCOPE = "modal:outcome"
    CLOSES_UP = True
    BINDINGS: ClassVar[list[Any]] = bindings(SCOPE)

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome

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
        """Who ended it."""
        return f"{self.outcome.t_us / 1e6:.3f} {self.outcome.words}"

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

    # Drawing

    def _latest(self) -> Outcome:
        """What both sides have told of it by now."""
        return self.session.outcomes.told_of(self.outcome)

    def draw(self) -> None:
        """The card."""
        outcome = self._latest()
        sign, headline = _HEADLINES[outcome.kind]
        lines: list[list[Piece] | str] = ["", [(f"   {self.signs[sign]} {headline}", "bad")], ""]
        lines += self._pins(outcome)
        if fault := self.session.outcomes.fault_behind(outcome):
            lines += self.wrapped(f"Fault {fault}.")
        lines += self.wrapped(f"{outcome.words}.")
        lines += self._rule(outcome)
        retry = "[ r: retry ]  " if self.bench.people.may_retry(self.outcome) else ""
        keys = f"   {retry}[ o: message ]  [ Esc: close ]"
        lines = [*lines[: _MOST_LINES - 2], "", keys]
        self.card.fill(f"Pairing failed {self.signs['dot']} {outcome.kind}", lines)

    def _pins(self, outcome: Outcome) -> list[list[Piece] | str]:
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

    def _rule(self, outcome: Outcome) -> list[list[Piece] | str]:
        reason = self.reason
        remedy = outcome.remedy or ("" if reason is None else reason.remedy)
        name = outcome.rule or ("" if reason is None else reason.rule)
        lines: list[list[Piece] | str] = []
        if name:
            title = "" if reason is None else f": {reason.title}"
            lines += ["", *self.wrapped(f"Rule {name}{title}")]
        if remedy:
            lines += ["", *self.wrapped(f"{remedy[:1].upper()}{remedy[1:].rstrip('.')}.")]
        if reason is not None and reason.source:
            lines += self.wrapped(f"[{reason.source}]")
        return lines


def _compared(first: tuple[str, str, str], *rows: tuple[str, str, str]) -> list[list[Piece] | str]:
    """PINs (what was done, where, digits), one above the other, with marks below where the last differs from the first."""
    told = [(f"{did} {where}", pin) for did, where, pin in (first, *rows)]
    width = max(cells(words) for words, _ in told)
    marks = "".join("^" if a != b else " " for a, b in zip(told[0][1], told[-1][1], strict=False))
    lines: list[list[Piece] | str] = [
        f"     {fit(words, width)}   {pin_groups(pin, ' ')}" for words, pin in told
    ]
    if marks.strip():
        lines.append(" " * (width + 8) + pin_groups(marks, " "))
    return [*lines, ""]
