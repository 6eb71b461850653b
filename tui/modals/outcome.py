"""How a pairing failed: what was shown and typed, which side ended it at which step, the rule, and what to do.

The rule comes with the trace's event, else from the same judgement that `nearbench explain` gives, which is looked for
on a thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tui.bindings import bindings
from tui.diagnosis import Reason, reason_of
from tui.modals._base import BenchModal
from tui.text import pin_groups

if TYPE_CHECKING:
    from tui.models.lanes import Piece
    from tui.models.outcomes import Outcome

__all__ = ["OutcomeCard"]

_HEADLINES = {
    "timeout": ("timeout", "No answer in time."),
    "wrong PIN": ("failed", "The PINs differ."),
    "cancelled": ("failed", "Somebody refused."),
    "numbers differ": ("failed", "Somebody said that the numbers differ."),
    "not paired": ("failed", "The two are not paired."),
}
_MOST_LINES = 17
_MOST_LOOKS = 10
_LOOK_EVERY_US = 200_000
"""Simulated time after which the rule is looked for again: the other side may have heard of the end by then."""


class OutcomeCard(BenchModal[None]):
    """The card of one failed pairing."""

    SCOPE = "modal:outcome"
    BINDINGS: ClassVar[list[Any]] = bindings(SCOPE)

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome
        self.reason: Reason | None = None
        self._looks = 0
        self._next_look_us = 0

    @property
    def nodes(self) -> set[str]:
        """None: it stays until it is closed."""
        return set()

    def tick(self) -> None:
        """Draw; look for the rule until it is found, now and then."""
        super().tick()
        now_us = self.session.now_us
        if self.reason is None and self._looks < _MOST_LOOKS and now_us >= self._next_look_us:
            self._looks += 1
            self._next_look_us = now_us + _LOOK_EVERY_US
            self._look()

    def _look(self) -> None:
        control = self.session.control
        if control is not None:
            trace, outcome = control.world.trace, self._latest()
            self.run_worker(
                lambda: reason_of(list(trace), outcome),
                thread=True,
                name="diagnosis",
                exit_on_error=False,
                exclusive=True,
            )

    def on_worker_state_changed(self, event: Any) -> None:
        """The rule is found."""
        if event.worker.is_finished and event.worker.error is None and event.worker.result:
            self.reason = event.worker.result
            self.draw()

    def sentence(self) -> str:
        """Who ended it."""
        return f"{self.outcome.t_us / 1e6:.3f} {self.outcome.words}"

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
        lines += self.wrapped(f"{outcome.words}.")
        lines += self._rule(outcome)
        keys = "   [ r: retry ]  [ o: message ]  [ Esc: close ]"
        lines = [*lines[: _MOST_LINES - 2], "", keys]
        self.card.fill(f"Pairing failed {self.signs['dot']} {outcome.kind}", lines)

    def _pins(self, outcome: Outcome) -> list[list[Piece] | str]:
        people = self.bench.people
        if outcome.kind != "wrong PIN":
            return []
        pairs = ((outcome.node, outcome.peer), (outcome.peer, outcome.node))
        for typist, display in pairs:
            typed, shown = people.typed.get(typist), people.shown.get(display)
            if typed and shown:
                width = max(len(display), len(typist))
                first = f"     shown by {display:<{width}}   {pin_groups(shown, ' ')}"
                second = f"     typed on {typist:<{width}}   {pin_groups(typed, ' ')}"
                marks = ["^" if a != b else " " for a, b in zip(shown, typed, strict=False)]
                pad = " " * (len(second) - len(pin_groups(typed, " ")))
                return [first, second, pad + pin_groups("".join(marks), " "), ""]
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
