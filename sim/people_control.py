"""The people before the devices of a running world: who is asked, who answers at the screen. One part of `sim.control.Control`.

Scenario time stands still while somebody at the screen is late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from protocols.errors import UnknownNameError
from sim.clock_control import ClockControl
from sim.human import Human, put_before
from sim.person import Question  # msgspec reads the annotations
from sim.units import Duration

if TYPE_CHECKING:
    from collections.abc import Iterable
    from concurrent.futures import Future

    from sim.person import Face
    from sim.world import World

__all__ = ["NOW", "Asking", "PeopleControl"]

NOW = "timeout"
"""Argument with which an answer does not wait for a question; of no interest to readers."""


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """A question that waits for somebody at the screen."""

    node: str
    question: Question
    asked_us: int
    """simulated time at which it was asked."""


class PeopleControl(ClockControl):
    """Questions, answers, and who gives them; `do` is another part's."""

    def __init__(self, world: World, played: Iterable[str]) -> None:
        super().__init__(world.loop.speed)
        self.world = world
        self._asking = 0
        self._humans: dict[str, Human] = {}
        wanted = set(played)
        for name in wanted - set(world.devices):
            raise UnknownNameError("node", name, world.devices)
        for name, device in world.devices.items():
            human = put_before(device, played=name in wanted)
            if human is not None:
                self._humans[name] = human
                human.on_change = self._on_people

    def do(self, node: str, command: str, **arguments: Any) -> Future[Any]:
        """Give a device a command."""
        raise NotImplementedError

    def questions(self) -> list[Asking]:
        """Questions that wait for the screen, in the order of the nodes."""
        found: list[Asking] = []
        for name, human in self._humans.items():
            question, asked_us = human.question, human.asked_us
            if question is not None and asked_us is not None and not human.auto:
                found.append(Asking(node=name, question=question, asked_us=asked_us))
        return found

    def face(self, node: str) -> Face | None:
        """What can be seen on a device; None when it shows nothing."""
        return self.world.faces.get(node)

    def is_played(self, node: str) -> bool:
        """Whether somebody at the screen answers for `node`."""
        human = self._humans.get(node)
        return human is not None and not human.auto

    def answer(self, node: str, value: str | bool | None) -> Future[Any]:
        """Answer the open question of a node: a PIN, yes or no; None = cancel. Harmless when there is none."""
        if isinstance(value, str):
            return self.do(node, "enter_pin", pin=value, **{NOW: Duration(0)})
        return self.do(node, "accept" if value else "reject", **{NOW: Duration(0)})

    def let(self, node: str, *, auto: bool) -> None:
        """Hand the person before `node` to itself, or to the screen."""

        def hand_over() -> None:
            human = self._humans.get(node)
            if human is None:
                return
            who = "answers by itself" if auto else "is played at the screen"
            self.world.emit(node, "control", "person", note=who, label="person", auto=auto)
            human.let(auto=auto)

        self._call(hand_over)

    def _on_people(self) -> None:
        """A question begins or ceases to wait."""
        asking = len(self.questions())
        if asking > self._asking:
            self._messages += 1
        self._asking = asking
        self._repace()
        self._look_at_the_late()

    def _look_at_the_late(self) -> None:
        """Scenario time stands still while somebody at the screen is late."""
        late = [at_us for human in self._humans.values() if (at_us := human.late_us) is not None]
        if late and min(late) <= self.world.now_us:
            self.world.times.hold()
            return
        self.world.times.go_on()
        if late:
            self.world.loop.at_us(min(late), self._look_at_the_late)

    def _is_asking(self) -> bool:
        return self._asking > 0
