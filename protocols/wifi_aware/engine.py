"""The base of all engines: five verbs, timers, and the queues of the station that they share.

An engine takes octets and `now` (integer microseconds) and gives octets, timers and events. No clock, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from protocols.wifi_aware.events import Event
    from protocols.wifi_aware.heard import Heard, Outgoing
    from protocols.wifi_aware.station import Station

__all__ = ["Engine"]


class Engine:
    """Base of an engine that shares a station: its timers, and the queues that all of them share."""

    NAME = ""

    def __init__(self, station: Station) -> None:
        self.station = station
        self._timers: dict[Hashable, tuple[int, Callable[[int], None]]] = {}

    def receive(self, heard: Heard, now: int) -> None:
        """Take a frame (opened, addressed to this device)."""
        raise NotImplementedError

    def to_send(self, now: int) -> list[Outgoing]:  # one signature for all engines
        """Frames to be sent, in order; each is given once."""
        out = list(self.station.outgoing)
        self.station.outgoing.clear()
        return out

    def sent(self, number: int, acked: bool, now: int) -> None:
        """What became of frame `number`."""

    def next_timer(self) -> int | None:
        """When `handle_timer` wants to be called, None when nothing runs."""
        return min((due for due, _ in self._timers.values()), default=None)

    def handle_timer(self, now: int) -> None:
        """Run what is due, the earliest first."""
        while self._timers:
            name = min(self._timers, key=lambda one: self._timers[one][0])
            due, action = self._timers[name]
            if due > now:
                return
            del self._timers[name]
            action(now)

    def next_event(self) -> Event | None:
        """The next event, None when there is none."""
        return self.station.events.popleft() if self.station.events else None

    def start_timer(self, name: Hashable, due: int, action: Callable[[int], None]) -> None:
        """Call `action(now)` at `due`; a timer of that name is replaced."""
        self._timers[name] = (due, action)

    def stop_timer(self, name: Hashable) -> None:
        """Stop a timer; harmless when it does not run."""
        self._timers.pop(name, None)

    def timers(self) -> dict[str, int]:
        """Running timers, in words, and when they are due, for a ladder."""
        return {_words(name): due for name, (due, _) in self._timers.items()}


def _words(name: Hashable) -> str:
    """What a timer is for, and with whom."""
    parts = cast("tuple[object, ...]", name) if isinstance(name, tuple) else (name,)
    return " ".join(str(part).replace("_", " ") for part in parts)
