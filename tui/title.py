"""Line 1 of every screen: what runs, its state by sign and word, speed, simulated time, seed, and what is being written.

The speed says when the machine cannot keep up for longer than a moment. Wall time is an argument.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.text import clean, clock, count

if TYPE_CHECKING:
    from sim.control import Control
    from tui.session import Session
    from tui.signs import Signs

__all__ = ["Title"]

_STATES = {
    "ready": ("run", "starting"), "running": ("run", "running"), "paused": ("pause", "paused"),
    "ended": ("stop", "ended"), "stopped": ("stop", "stopped"), "died": ("failed", "died"),
}  # fmt: skip
_KEEPS_UP = 0.8
"""Part of the chosen speed below which the true one is shown."""
_SLOW_S = 2
"""Seconds in a row that are slow before it is said: a beginning takes its time, and so does a step of the hand."""
_LEAST = 0.05
"""The slowest factor that is shown as a number."""


class Title:
    """What line 1 needs to remember: events per second, and the true speed."""

    def __init__(self) -> None:
        self._rate = 0
        self._factor: float | None = None
        self._before = (0.0, 0, 0)  # wall, events, simulated at the last look
        self._slow_s = 0
        self._ran: float | None = (
            None  # speed at which it ran since then; None when it did not all the time
        )

    def begin(self, now_s: float) -> None:
        """Count from now on."""
        self._before = (now_s, 0, 0)
        self._rate, self._factor, self._slow_s, self._ran = 0, None, 0, None

    def measure(self, session: Session, now_s: float) -> None:
        """Once a second: how many events, how fast. To be called more often: it sees whether time stood meanwhile."""
        speed = _runs_at(session.control)
        if speed != self._ran:
            self._ran = None
        before_s, events, sim_us = self._before
        passed_s = now_s - before_s
        if passed_s < 1.0:
            return
        now_us = session.now_us
        self._rate = round((session.events - events) / passed_s)
        self._factor = (now_us - sim_us) / 1e6 / passed_s
        slow = self._ran is not None and self._factor < _KEEPS_UP * self._ran
        self._slow_s = self._slow_s + 1 if slow else 0
        self._ran = speed
        self._before = (now_s, session.events, now_us)

    def parts(self, session: Session, signs: Signs, *, wide: bool) -> tuple[str, list[str]]:
        """Both ends of the line."""
        control = session.control
        left = f"nearbench {signs['dot']} {clean(session.title)}"
        now = f"t={clock(session.now_us)}"
        if control is None:
            state = "read" if session.source.done else "reading"
            return left, [f"{count(session.source.end)} packets", state, now]
        right = [self._state(control, signs), now]
        if wide:
            right.append(f"{len(control.world.devices)} nodes")
        right.append(f"seed {session.seed}")
        if wide:
            right.append(f"{count(self._rate)} ev/s")
        if session.source.skipped:
            right.append(f"skipped {count(session.source.skipped)}")
        if session.saved:
            right.append(f"REC {signs['failed']}" if session.trouble else f"{signs['rec']} REC")
        return left, right

    def _state(self, control: Control, signs: Signs) -> str:
        state = control.state
        sign, word = _STATES[state]
        if control.result is not None and state in ("ended", "stopped"):
            is_passed = control.result.passed  # of the scenario; that of a pairing is the ladder's
            return f"{signs['ok' if is_passed else 'failed']} scenario {'passed' if is_passed else 'failed'}"
        speed = control.speed
        text = "max" if speed is None else f"{speed:.1f}x"
        if self._slow_s >= _SLOW_S and self._factor is not None and _runs_at(control) is not None:
            true = f"{self._factor:.1f}" if self._factor >= _LEAST else "<0.1"
            text = f"{true}x (limit)"
        return f"{signs[sign]} {word} {text}"


def _runs_at(control: Control | None) -> float | None:
    """The speed that was chosen, while time runs on and has one."""
    if control is None or control.state != "running" or control.questions():
        return None
    return control.speed
