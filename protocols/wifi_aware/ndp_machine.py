"""How paths move: inputs through the table, waiting times, frames that go out, and their transmit status.

Wi-Fi Aware 4.0, NDP; digest 5.3, 5.4 and 5.6. Base of the engine in `datapath.py`, whose methods are the actions that
the table names. Rule: a state is entered through `step` alone, which starts or stops the path's one timer. No clock, no
randomness, no IO.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from protocols.wifi_aware import ndl
from protocols.wifi_aware.engine import Engine
from protocols.wifi_aware.events import Stepped
from protocols.wifi_aware.ndp_frames import NotTakenError
from protocols.wifi_aware.ndp_path import TRANSITIONS, Link, Path, State

if TYPE_CHECKING:
    from protocols.wifi_aware.frames import Naf
    from protocols.wifi_aware.ndp_settings import DataPathSettings
    from protocols.wifi_aware.station import Station

__all__ = ["UNSPECIFIED", "WAITS", "PathMachine"]

UNSPECIFIED = 1
"""Reason code of an end that has no other (digest 2.28)."""
WAITS: dict[State, str] = {
    State.REQUESTED: "long",
    State.COUNTERED: "long",
    State.ASKED: "long",
    State.CONFIRMED: "short",
    State.ANSWERED: "short",
    State.FINISHING: "short",
    State.REFUSING: "short",
    State.ENDING: "short",
}
"""How long a path may stay in a state; a responder that countered waits long for the answer (digest 5.4)."""
_REPEATED = (State.REQUESTED, State.CONFIRMED, State.ANSWERED)


class PathMachine(Engine):
    """Paths of a device, by peer, and how they move."""

    NAME = "data_path"

    def __init__(self, station: Station, settings: DataPathSettings) -> None:
        super().__init__(station)
        self.settings = settings
        self.links: dict[str, Link] = {}
        self._awaited: dict[int, Path] = {}
        self._paths = 0

    # Transitions

    def step(self, path: Path, cause: str, now: int) -> None:
        """Run an input of a path. Raises NotTakenError when it has no place in the path's state."""
        row = TRANSITIONS.get((path.state, cause))
        if row is None:
            raise NotTakenError(f"{cause!r} has no place in state {path.state.value!r}")
        if path.state is State.IDLE:
            self._paths += 1
            path.number = self._paths
        before, path.state = path.state, row.after
        self.station.emit(
            Stepped(engine=self.NAME, peer=path.peer, before=before, after=row.after, cause=cause)
        )
        getattr(self, f"_{row.action}")(path, now)
        if path.state is row.after:
            self._await_next(path, now)

    def _await_next(self, path: Path, now: int) -> None:
        wait = WAITS.get(path.state)
        if wait is None:
            self.stop_timer(_timer(path))
            return
        countered = path.verdict is not None and path.verdict.status == ndl.CONTINUED
        if path.state is State.ANSWERED and countered:
            wait = "long"
        path.deadline = now + (self.settings.long_us if wait == "long" else self.settings.short_us)
        path.repeats = self.settings.retries if path.state in _REPEATED else 0
        self._wait(path, now)

    def _wait(self, path: Path, now: int) -> None:
        due = path.deadline
        if path.repeats:
            due = min(due, now + self.settings.retry_us)
        self.start_timer(_timer(path), due, partial(self._on_timer, path))

    def _on_timer(self, path: Path, now: int) -> None:
        if now < path.deadline and path.repeats:
            path.repeats -= 1
            self._send_again(path)
            self._wait(path, now)
            return
        if not path.doubted and path.state not in (State.REFUSING, State.ENDING):
            path.reason, path.local = UNSPECIFIED, True
            path.cause = f"nothing came in state {path.state.value!r}"
        self.step(path, "timeout", now)

    def _drop(self, path: Path, cause: str, now: int, *, local: bool = True) -> None:
        """End a path without a frame."""
        path.reason, path.local, path.cause = UNSPECIFIED, local, cause
        self.step(path, "dropped", now)

    def _terminate(self, path: Path, cause: str, now: int) -> None:
        """End a path with a termination. Raises NotTakenError where it cannot be ended so."""
        if (path.state, "terminate") not in TRANSITIONS:
            raise NotTakenError(f"it is in state {path.state.value!r}")
        path.reason, path.local, path.cause = UNSPECIFIED, True, cause
        self.step(path, "terminate", now)

    # Frames

    def _send(self, path: Path, frame: Naf, name: str, *, awaited: bool = False) -> None:
        """Queue a frame of a path; with `awaited` its transmit status is an input."""
        path.reply = (frame, name)
        number = self.station.send(frame, name, self.NAME)
        self._awaited.pop(path.awaited, None)
        path.awaited = number if awaited else 0
        if awaited:
            self._awaited[number] = path

    def _send_again(self, path: Path) -> None:
        if path.reply is not None:
            self.station.send(*path.reply, self.NAME)

    def sent(self, number: int, acked: bool, now: int) -> None:
        """What became of a frame; a lost one counts as sent, timers take care of it (hostap)."""
        path = self._awaited.pop(number, None)
        if path is not None and (path.state, "sent") in TRANSITIONS:
            self.step(path, "sent", now)


def _timer(path: Path) -> str:
    return f"data path {path.number}: {path.ndp_id} of {path.initiator_ndi} with {path.peer}"
