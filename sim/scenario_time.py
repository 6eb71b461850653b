"""The time that a scenario's own times are written in: it stands still while somebody at the screen takes longer than planned.

A scenario says "at 20 s" for people who answer after `person_delay`. Its steps, faults, switching on and the windows of its
expectations follow this time; protocols, radios, walks and what is done by hand follow the simulated one. Without somebody
at the screen the two are the same. Only on the world's thread.
"""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.clock import VirtualLoop

__all__ = ["ScenarioTime"]


class ScenarioTime:
    """Scenario time of one run; all times in microseconds."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._holds: list[tuple[int, int]] = []  # scenario time, how long it stood there
        self._since_us: int | None = None
        self._held_us = 0
        self._due: list[Callable[[], None]] = []

    @property
    def now_us(self) -> int:
        """Scenario time."""
        return self._loop.now_us - self.put_off_us

    @property
    def put_off_us(self) -> int:
        """How far it is behind simulated time."""
        open_us = 0 if self._since_us is None else self._loop.now_us - self._since_us
        return self._held_us + open_us

    def hold(self) -> None:
        """Let it stand still from now on; harmless when it does."""
        if self._since_us is None:
            self._since_us = self._loop.now_us

    def go_on(self) -> None:
        """Let it go on; harmless when it does."""
        if self._since_us is None:
            return
        stood_us = self._loop.now_us - self._since_us
        if stood_us:
            self._holds.append((self.now_us, stood_us))
        self._since_us = None
        self._held_us += stood_us
        due, self._due = self._due, []
        for call in due:
            call()

    def simulated_us(self, t_us: int, *, last: bool = False) -> int:
        """Simulated time at which a scenario time begins (`last`: is over), as far as it is known by now."""
        holds = list(self._holds)
        if self._since_us is not None:
            holds.append((self.now_us, self._loop.now_us - self._since_us))
        return t_us + sum(
            stood_us for at_us, stood_us in holds if at_us < t_us or (last and at_us == t_us)
        )

    async def reach(self, t_us: int) -> None:
        """Wait for a scenario time."""
        while (left_us := t_us - self.now_us) > 0:
            if self._since_us is None:
                await asyncio.sleep(left_us / 1e6)
            else:
                goes_on: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._due.append(functools.partial(_wake, goes_on))
                await goes_on

    def call_at(self, t_us: int, call: Callable[..., object], *arguments: object) -> None:
        """Call at a scenario time (not in the past), as a plain event of the loop."""

        def look() -> None:
            left_us = t_us - self.now_us
            if left_us <= 0:
                call(*arguments)
            elif self._since_us is None:
                self._loop.after_us(left_us, look)
            else:
                self._due.append(look)

        self._loop.after_us(max(0, t_us - self.now_us), look)


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
