"""Keys one after the other: none is given on before what the last one opened can take it.

A terminal may bring "/pasn" in one reading, and a slow line does. Textual gives each key to what is open at that moment,
so the letters would reach the screen that is just being covered, or a modal without a cursor in it yet.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, cast

from textual import events

__all__ = ["KeysInOrder"]

_PATIENCE_S = 3.0
"""Wall time after which the next key is given on whatever became of the last one."""
_GENERATIONS = 2
"""Messages that a key leads to, each from the one before it: the key, and what a field tells of it."""


class KeysInOrder:
    """For an app: keys and pastes wait until the one before has been dealt with, and what it opened is there."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._waiting: deque[events.Key | events.Paste] = deque()
        self._turn = 0
        """number of the key that was given on last."""
        self._busy = False
        """whether that key is still being dealt with."""
        self._limit: asyncio.TimerHandle | None = None

    @property
    def has_keys_to_come(self) -> bool:
        """Whether a key is being dealt with, or waits."""
        return self._busy or bool(self._waiting)

    async def on_event(self, event: events.Event) -> None:
        """A key or a paste from the terminal takes its turn, once the app ends it goes nowhere; the rest goes on."""
        if (
            isinstance(event, (events.Key, events.Paste))
            and cast(Any, self).return_code is not None
        ):
            return  # there may be no screen left to take it
        if isinstance(event, (events.Key, events.Paste)) and not event.is_forwarded:
            self._waiting.append(event)
            if not self._busy:
                await self._give_next()
        else:
            await cast(Any, super()).on_event(event)

    async def _give_next(self) -> None:
        """Give the next key on, and follow it through the queues that it goes through."""
        if not self._waiting:
            return
        self._turn, self._busy = self._turn + 1, True
        app = cast(Any, self)
        shown = app.screen
        taker = app.focused or shown
        self._limit = asyncio.get_running_loop().call_later(
            _PATIENCE_S, app.call_later, self._end, self._turn
        )
        await cast(Any, super()).on_event(self._waiting.popleft())
        self._follow(self._turn, [taker] * _GENERATIONS, shown)

    def _follow(self, turn: int, pumps: list[Any], shown: object) -> None:
        """Behind what waits in the queue of the last of `pumps`, then of what is around it, up to the app."""
        *rest, pump = pumps
        while pump is not None and pump is not self:
            around = pump._parent  # `parent` of a screen is no pump
            if pump.call_later(self._follow, turn, [*rest, around], shown):
                return
            pump = around
        cast(Any, self).call_later(self._settle, turn, rest, shown)

    async def _settle(self, turn: int, rest: list[Any], shown: object) -> None:
        """The key has been dealt with: what it opened begins with its queue, and its cursor with ours."""
        if turn != self._turn or not self._busy:
            return
        screen = cast(Any, self).screen
        if rest:
            self._follow(turn, rest, shown)
        elif screen is not shown:
            self._follow(turn, [screen], screen)
        else:
            await self._end(turn)

    async def _end(self, turn: int) -> None:
        """The turn of that key is over."""
        if turn != self._turn or not self._busy:
            return
        self._busy = False
        if self._limit is not None:
            self._limit.cancel()
        await self._give_next()
