"""A person that somebody at the screen plays: questions wait for a command, or are answered by itself while `auto`.

Rules of the file: switching between the two takes effect on the question that is open, too. Time is simulated; how
long questions have been open is counted, so that a run can wait for slow people.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.pairing import PairingDevice
from sim.person import Policy

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from sim.device import Device
    from sim.person import Question

__all__ = ["Human", "put_before"]


class Human(Policy):
    """The person in front of one device; `auto` = it answers by itself, as `Policy` does."""

    def __init__(self, device: PairingDevice, *, auto: bool = False) -> None:
        super().__init__(device)
        self.auto = auto
        self.asked_us: int | None = None
        """when the open question was asked; None without one."""
        self.on_change: Callable[[], None] = lambda: None
        """called when a question begins or ceases to wait for the screen."""
        self._waited_us = 0
        self._thinking: asyncio.Task[Any] | None = None

    @property
    def waited_us(self) -> int:
        """Simulated time that questions have waited for somebody at the screen."""
        return self._waited_us + self._open_us()

    @property
    def late_us(self) -> int | None:
        """When the open question has waited for as long as a person needs that answers by itself (the time that the
        scenario was written for); None without one, and where the scenario answers by steps."""
        if self.asked_us is None or self.auto or self.settings.person != "policy":
            return None
        return self.asked_us + int(self.settings.person_delay)

    def _open_us(self) -> int:
        is_open = self.asked_us is not None and not self.auto
        return self.device.now_us - (self.asked_us or 0) if is_open else 0

    async def _ask(self, question: Question) -> str | bool | None:
        if self.question is None:
            self.asked_us = self.device.now_us
        try:
            return await super()._ask(question)
        finally:
            if self.question is None:
                self._waited_us += self._open_us()
                self.asked_us = None
                self.on_change()

    def consider(self, question: Question) -> None:
        """Begin to think, or leave it to the screen."""
        if self.auto:
            self._thinking = self.device.place.spawn(self.device.name, self._think(question))
        self.on_change()

    def let(self, *, auto: bool) -> None:
        """Hand the person over: to itself, or to the screen."""
        if auto == self.auto:
            return
        if auto:
            self._waited_us += self._open_us()
        self.auto = auto
        if self._thinking is not None:
            self._thinking.cancel()
            self._thinking = None
        if self.question is not None:
            self.asked_us = self.device.now_us
            self.consider(self.question)


def put_before(device: Device, *, played: bool) -> Human | None:
    """Put a `Human` before a device that pairs; None where commands of the scenario answer, or nobody has to."""
    if not isinstance(device, PairingDevice):
        return None
    if not played and device.settings.person != "policy":
        return None
    human = Human(device, auto=not played)
    device._person = human  # pyright: ignore[reportPrivateUsage]  # the property that reads it has no setter
    return human
