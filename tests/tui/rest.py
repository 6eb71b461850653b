"""When an app under test has come to rest, and the world behind it.

Textual's own test of that is "this process used little CPU for 20 ms", which ends too early on a busy machine and takes
20 ms on an idle one. Here it is: nothing waits in any queue, nothing is left to lay out or to draw.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from typing import Any

import textual.app
import textual.pilot
from textual.app import active_app

__all__ = ["exact_rest", "let_instant_end"]

_LIMIT_S = 30.0
_BEHIND = 2
"""Passes that draw the screens behind a modal too: they ask the one in front to show it, and then never come to rest."""
_PASSES = 2
"""Looks in a row that have to find nothing: a message that is being dealt with stands in no queue."""


def exact_rest() -> None:
    """Let `Pilot` wait by this from now on."""
    textual.app.wait_for_idle = textual.pilot.wait_for_idle = _at_rest


async def _at_rest(min_sleep: float = 0, max_sleep: float = 0) -> None:
    del min_sleep, max_sleep
    app: Any = active_app.get()
    end_s = time.monotonic() + _LIMIT_S
    quiet = passes = 0
    while quiet < _PASSES and app.is_running and time.monotonic() < end_s:
        await asyncio.sleep(0.0005)
        behind = passes < _BEHIND and len(app.screen_stack) > 1
        await _pass(app, behind=behind)
        passes += 1
        quiet = 0 if behind or _is_busy(app) else quiet + 1


def _pumps(app: Any) -> list[Any]:
    screens = app.screen_stack if app.is_running else []
    return [app, *(node for screen in screens for node in screen.walk_children(with_self=True))]


async def _pass(app: Any, *, behind: bool) -> None:
    """Let every pump get through what waits in its queue, and the screen be drawn, with those `behind` it or without."""
    gone = asyncio.Event()
    left = 0

    def through() -> None:
        nonlocal left
        left -= 1
        if not left:
            gone.set()

    for pump in _pumps(app):
        left += bool(pump.call_later(through))
    while left and app.is_running:
        try:
            await asyncio.wait_for(gone.wait(), 0.2)
        except TimeoutError:
            break  # a pump that ends, or waits for a modal: its queue is looked at by `_is_busy`
    if app.is_running:
        for screen in app.screen_stack if behind else app.screen_stack[-1:]:
            screen._on_timer_update()


def _is_busy(app: Any) -> bool:
    if not app.is_running or not app.screen_stack:
        return False
    screen = app.screen
    return (
        any(pump._message_queue.qsize() or pump._next_callbacks for pump in _pumps(app))
        or screen._layout_required
        or bool(screen._dirty_widgets)
        or bool(screen._callbacks)
        or app._resize_event is not None  # given on by a timer of 8 ms
    )


def let_instant_end(loop: Any) -> None:
    """Block until a paused world has done all that is due at the instant at which it is held."""
    over = threading.Event()

    def look() -> None:
        due_us = loop._next_us()
        if loop._ready or (due_us is not None and due_us <= loop.now_us):
            loop.call_soon(look)
        else:
            over.set()

    with contextlib.suppress(RuntimeError):  # closed in the meantime
        loop.call_soon_threadsafe(look)
        assert over.wait(_LIMIT_S), "the instant does not end"
