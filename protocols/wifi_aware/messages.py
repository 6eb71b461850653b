"""Follow-ups of an application on their way: tried again when nobody acknowledged them, told when that is settled.

Wi-Fi Aware 4.0, follow-up; digest 3.6. hostap tells the first transmit status; ESP-IDF tries again after a discovery
window interval; Android gives up after 10 s. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.wifi_aware.events import Transmitted
from protocols.wifi_aware.station import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.wifi_aware.discovery_settings import DiscoverySettings
    from protocols.wifi_aware.engine import Engine

__all__ = ["Messages"]


class _Message:
    __slots__ = ("number", "peer", "resend", "tries")

    def __init__(self, number: int, peer: str, resend: Callable[[], int], tries: int) -> None:
        self.number = number
        """of its first frame, by which the application knows it."""
        self.peer = peer
        self.resend = resend
        self.tries = tries
        """that are left."""


class Messages:
    """Follow-ups under way, by the number of the frame that is on its way for each."""

    def __init__(self, engine: Engine, settings: DiscoverySettings) -> None:
        self._engine = engine
        self._settings = settings
        self._open: dict[int, _Message] = {}

    def admit(self) -> None:
        """Raise RefusedError when no more may be under way."""
        limit = self._settings.follow_up_queue
        if limit is not None and len(self._open) >= limit:
            raise RefusedError(f"{limit} follow-ups are under way: wait until one is settled")

    def track(self, number: int, peer: str, resend: Callable[[], int], now: int) -> None:
        """Follow a frame that was just sent; `resend` sends it again and gives the new number."""
        self._open[number] = _Message(number, peer, resend, self._settings.follow_up_retries)
        timeout_us = self._settings.follow_up_timeout_us
        if timeout_us is not None:
            self._engine.start_timer(
                _timeout(number), now + timeout_us, lambda _now: self._give_up(number)
            )

    def sent(self, number: int, acked: bool, now: int) -> None:
        """What became of a frame; numbers of other frames are passed over."""
        message = self._open.get(number)
        if message is None:
            return
        if acked or not message.tries:
            del self._open[number]
            self._settle(message, acked=acked)
            return
        message.tries -= 1
        due = now + self._settings.follow_up_retry_us
        self._engine.start_timer(_retry(message.number), due, lambda _now: self._again(number))

    def _again(self, number: int) -> None:
        message = self._open.pop(number)
        try:
            self._open[message.resend()] = message
        except RefusedError:  # its instance has ended
            self._settle(message, acked=False)

    def _give_up(self, first: int) -> None:
        at = next((at for at, one in self._open.items() if one.number == first), None)
        if at is not None:
            self._settle(self._open.pop(at), acked=False)

    def _settle(self, message: _Message, *, acked: bool) -> None:
        self._engine.stop_timer(_timeout(message.number))
        self._engine.stop_timer(_retry(message.number))
        self._engine.station.emit(
            Transmitted(number=message.number, name="follow_up", peer=message.peer, acked=acked)
        )


def _timeout(number: int) -> str:
    return f"follow-up {number}: given up"


def _retry(number: int) -> str:
    return f"follow-up {number}: again"
