"""A controller in trouble that nobody resets: its host is in this process and waits for nothing.

Digest 8.1 (DEGRADED is left by a Reset). Rules of the file: no connection is cut for this, and none that is being made; a
line that stays noisy is begun anew less and less often.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from hw_bridge.activity import CONNECTING
from hw_bridge.backoff import Backoff
from hw_bridge.states import State, Trigger

if TYPE_CHECKING:
    from hw_bridge.session import Session
    from hw_bridge.states import Transition

__all__ = ["Healer"]

_FIRST_MS, _MOST_MS = 1000, 60_000
_HEALTHY_US: Final = 60_000_000
"""So long without trouble, and the next one is taken for the first."""


class Healer:
    """Tap of a session that begins anew after trouble, once no connection is open."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._pause = Backoff(_FIRST_MS, _MOST_MS)
        self._before = session.state
        self._ready_us: int | None = None
        self._timer: asyncio.TimerHandle | None = None
        session.tap(self)
        if session.state is State.DEGRADED and session.life.port.needs_probe:
            self._wait()

    def on_packet(self, packet: bytes, *, sent: bool, t_us: int) -> None:
        """Of no interest."""

    def on_octets(self, octets: bytes, *, sent: bool, t_us: int) -> None:
        """Likewise."""

    def on_transition(self, transition: Transition) -> None:
        """Trouble begins, or something else is going on."""
        before, self._before = self._before, transition.state
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if transition.state is State.READY:
            self._ready_us = transition.t_us
        elif transition.state is State.DEGRADED and before is not State.FIRMWARE:
            if self._ready_us is not None and transition.t_us - self._ready_us > _HEALTHY_US:
                self._pause.reset()
            if self._session.life.port.needs_probe:
                self._wait()

    def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._pause.delay_s(), self._begin_anew)

    def _begin_anew(self) -> None:
        self._timer = None
        life = self._session.life
        activity = None if life.channel is None else life.channel.traffic.activity
        if activity is not None and not activity.handles and CONNECTING not in activity.on:
            words = "begun anew after trouble, while no connection is open"
            life.move(Trigger.RESTARTED, f"{life.name}: {words}")
        else:
            self._wait()
