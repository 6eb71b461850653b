"""The person in front of a device on the bench: sees its display on the screen, types at the terminal.

Rules of the file: what a display shows is shown to the person, whatever the trace hides; a question that nobody can
answer is answered no, with the option that would have answered it. Reading a line never blocks the loop.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from hw_bridge.terminal_lines import on_lines
from sim.person import Asked

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.pairing import PairingDevice
    from sim.person import Question
    from sim.trace import TraceEvent
    from sim.world import World

__all__ = ["BenchPerson", "put_on_bench", "tell_displays"]

_YES = frozenset(("y", "yes", ""))


class BenchPerson(Asked):
    """Answers by `pin` and `yes` where they are given, else as the terminal says."""

    def __init__(
        self,
        device: PairingDevice,
        tell: Callable[[str], object],
        *,
        pin: str = "",
        yes: bool = False,
        asks: bool | None = None,
    ) -> None:
        super().__init__(device)
        self._tell = tell
        self._pin = pin
        self._yes = yes
        self._asks = sys.stdin.isatty() if asks is None else asks

    def display_pin(self, peer: str, pin: str) -> None:
        """Show it to the person."""
        super().display_pin(peer, pin)
        self._tell(f"the display of {self.device.name} shows the PIN {pin} for {peer}")

    def consider(self, question: Question) -> None:
        """Answer as given, or ask."""
        if question.kind == "pin" and self._pin:
            self.answer(self._pin)
        elif question.kind != "pin" and (self._yes or self._consents(question)):
            self.answer(True)  # noqa: FBT003  # the answer
        elif self._asks:
            self._ask_at_terminal(question)
        else:
            option = "--pin" if question.kind == "pin" else "--yes"
            self._tell(f"{self._words(question)} There is no terminal to ask at; {option} answers.")
            self.answer(None if question.kind == "pin" else False)

    def _consents(self, question: Question) -> bool:
        """Just Works is agreed to as the device's settings say."""
        return question.kind == "consent" and self.settings.confirms

    def _words(self, question: Question) -> str:
        name, peer = self.device.name, question.peer
        if question.kind == "pin":
            return f"{name}: which PIN does {peer} show?"
        if question.kind == "compare":
            return f"{name} shows {question.number}: does {peer} show the same?"
        return f"{name}: pair with {peer}?"

    def _ask_at_terminal(self, question: Question) -> None:
        self._tell(self._words(question) + (" [Y/n]" if question.kind != "pin" else ""))
        on_lines(
            lambda line: self._typed(question, line.decode(errors="replace").strip()), once=True
        )

    def _typed(self, question: Question, line: str) -> None:
        if self.question is not question:
            return
        if question.kind == "pin":
            is_pin = len(line) == 6 and line.isascii() and line.isdigit()
            self.answer(line if is_pin else None)
        else:
            self.answer(line.lower() in _YES)


def tell_displays(world: World, tell: Callable[[str], object]) -> None:
    """Say what the displays of a world show to whoever pairs with its devices; who answers there stays as it is."""

    def sink(event: TraceEvent) -> None:
        face = world.faces.get(event.node)
        if face is not None and event.event == "pin_displayed":
            tell(f"the display of {event.node} shows the PIN {face.pin} for {event.peer}")
        elif face is not None and event.event == "compare_required":
            tell(f"the display of {event.node} shows the number {face.number} for {event.peer}")

    world.trace.add_sink(sink)


def put_on_bench(
    device: PairingDevice, tell: Callable[[str], object], *, pin: str = "", yes: bool = False
) -> BenchPerson:
    """Put a person at the terminal before `device`."""
    person = BenchPerson(device, tell, pin=pin, yes=yes)
    device._person = person  # pyright: ignore[reportPrivateUsage]  # as sim.human does
    return person
