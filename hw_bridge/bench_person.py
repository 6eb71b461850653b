"""The people in front of devices on the bench: they see displays on the screen, and type at the terminal.

Rules of the file: what a display shows is shown to the person, whatever the trace hides; a question that nobody can
answer is answered no, with the option that would have answered it. Reading a line never blocks the loop, and there is
one reader: a line answers the question that was asked first and is still open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hw_bridge.terminal_lines import is_attended, on_lines
from sim.pairing import PairingDevice
from sim.person import Asked, Policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.person import Question
    from sim.trace import TraceEvent
    from sim.world import World

__all__ = [
    "Answers",
    "BenchPerson",
    "ExposedPerson",
    "put_before_hosts",
    "put_on_bench",
    "tell_displays",
]

_YES = frozenset(("y", "yes", ""))


class Answers:
    """How questions are answered: by `pin` and `yes` where they are given, else by whoever sits at the terminal.

    `asks` says whether somebody sits there; found out with each question when it is None.
    """

    def __init__(
        self,
        tell: Callable[[str], object],
        *,
        pin: str = "",
        yes: bool = False,
        asks: bool | None = None,
    ) -> None:
        self.tell = tell
        self._pin = pin
        self._yes = yes
        self._asks = asks
        self._asked: list[tuple[Asked, Question]] = []
        self._reads = False

    def has_one(self, question: Question) -> bool:
        """Whether anything or anybody here answers it."""
        given = bool(self._pin) if question.kind == "pin" else self._yes
        return given or self._somebody_sits_there()

    def give(self, person: Asked, question: Question) -> None:
        """Answer `question` of `person` as given, or ask."""
        is_pin = question.kind == "pin"
        if is_pin and self._pin:
            person.answer(self._pin)
        elif not is_pin and (self._yes or _consents(person, question)):
            person.answer(True)  # noqa: FBT003  # the answer
        elif self._somebody_sits_there():
            self._ask(person, question)
        else:
            option = "--pin" if is_pin else "--yes"
            words = _words(person, question)
            self.tell(f"{words} There is no terminal to ask at; {option} answers.")
            person.answer(None if is_pin else False)

    def _somebody_sits_there(self) -> bool:
        return is_attended() if self._asks is None else self._asks

    def _ask(self, person: Asked, question: Question) -> None:
        self.tell(_words(person, question) + (" [Y/n]" if question.kind != "pin" else ""))
        self._asked.append((person, question))
        if not self._reads:
            self._reads = True
            on_lines(self._line, at_end=self._ended)

    def _open(self) -> tuple[Asked, Question] | None:
        """What was asked first and is not answered yet."""
        self._asked = [each for each in self._asked if each[0].question is each[1]]
        return self._asked[0] if self._asked else None

    def _line(self, line: bytes) -> None:
        found, text = self._open(), line.decode(errors="replace").strip()
        if found is None:
            return
        person, question = found
        if question.kind != "pin":
            self._answered(text.lower() in _YES)
        elif not text or (len(text) == 6 and text.isascii() and text.isdigit()):
            self._answered(text or None)
        else:
            asked = _words(person, question)
            self.tell(f"a PIN is six digits, an empty line refuses; {asked}")

    def _answered(self, value: str | bool | None) -> None:
        person, _ = self._asked.pop(0)
        person.answer(value)

    def _ended(self) -> None:
        """Nobody types any more (Ctrl-D): that is a no to all that is open."""
        self._reads = False
        while (found := self._open()) is not None:
            self._answered(None if found[1].kind == "pin" else False)


def _consents(person: Asked, question: Question) -> bool:
    """Just Works is agreed to as the device's settings say."""
    return question.kind == "consent" and person.settings.confirms


def _words(person: Asked, question: Question) -> str:
    name, peer = person.device.name, question.peer
    if question.kind == "pin":
        return f"{name}: which PIN does {peer} show?"
    if question.kind == "compare":
        return f"{name} shows {question.number}: does {peer} show the same?"
    return f"{name}: pair with {peer}?"


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
        self._answers = Answers(tell, pin=pin, yes=yes, asks=asks)

    def display_pin(self, peer: str, pin: str) -> None:
        """Show it to the person."""
        super().display_pin(peer, pin)
        self._answers.tell(f"the display of {self.device.name} shows the PIN {pin} for {peer}")

    def consider(self, question: Question) -> None:
        """Answer as given, or ask."""
        self._answers.give(self, question)


class ExposedPerson(Policy):
    """In front of a device of an air that foreign hosts are in: asked about one of those it answers as on a bench.

    About its neighbours it answers as the settings say. Where commands answer (`person = "asked"`) and there are neither
    options nor a terminal, they answer about hosts, too.
    """

    def __init__(
        self, device: PairingDevice, answers: Answers, is_foreign: Callable[[str], bool]
    ) -> None:
        super().__init__(device)
        self._answers = answers
        self._is_foreign = is_foreign

    def consider(self, question: Question) -> None:
        """Answer as given, ask, or begin to think."""
        by_commands = self.settings.person == "asked"
        if self._is_foreign(self.settings.looks_at or question.peer):
            if not by_commands or self._answers.has_one(question):
                self._answers.give(self, question)
        elif not by_commands:
            super().consider(question)


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


def put_before_hosts(world: World, answers: Answers) -> None:
    """Put an `ExposedPerson` before every device of `world` that pairs over Bluetooth."""
    for device in world.devices.values():
        if isinstance(device, PairingDevice) and "ble" in device.radios:
            person = ExposedPerson(device, answers, world.is_stranger)
            device._person = person  # pyright: ignore[reportPrivateUsage]  # as sim.human does
