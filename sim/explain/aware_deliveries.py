"""Which unicast frames were acknowledged, and which got lost on the way.

IEEE 802.11-2020 10.3 (acknowledgement, retransmission). Rules of the file: a frame counts as lost
when its sender gave it up, or when it went out at least `_SURE` times without an Ack; fewer repetitions count where other
frames of the same two were acknowledged, because then the Acks of that receiver can be heard. A frame that went out
once proves nothing. A lost Ack looks the same: whether the receiver acted on the frame is for the rules. No clock, no
IO.
"""

from __future__ import annotations

import msgspec

__all__ = ["Deliveries", "Loss"]

_SURE = 4
"""Times without an Ack that are believed; the usual limits are 4 and 7. A choice of this project."""
_MOST = 20_000
"""Frames without Ack that are remembered; the oldest makes room for one more."""


class Loss(msgspec.Struct):
    """A frame that nobody has acknowledged so far."""

    sender: str
    receiver: str
    interface: str = ""
    """on which the capture heard it first."""
    tries: int = 1
    given_up: bool = False
    """its sender said so."""


class Deliveries:
    """What became of the unicast frames of a scene, by the number of their first copy."""

    def __init__(self) -> None:
        self.acks = 0
        """Acks that belong to a frame known here."""
        self._open: dict[int, Loss] = {}
        self._last: dict[str, int] = {}
        """sender -> frame on which an Ack would follow."""
        self._heard: set[tuple[str, str]] = set()
        """(sender, receiver) between whom an Ack was seen."""

    def sent(self, frame: int, sender: str, receiver: str, interface: str) -> None:
        """A unicast frame went out for the first time."""
        if len(self._open) >= _MOST:
            del self._open[next(iter(self._open))]
        self._open[frame] = Loss(sender, receiver, interface)
        self._last[sender] = frame

    def again(self, frame: int, interface: str) -> None:
        """It was repeated."""
        found = self._open.get(frame)
        if found is not None and found.interface == interface:
            found.tries += 1
            self._last[found.sender] = frame

    def passed(self, sender: str) -> None:
        """A frame of `sender` that is not followed here: the next Ack is for that one."""
        self._last.pop(sender, None)

    def acked(self, sender: str) -> None:
        """An Ack for `sender`."""
        found = self._open.pop(self._last.pop(sender, 0), None)
        if found is not None:
            self.acks += 1
            self._heard.add((found.sender, found.receiver))

    def gave_up(self, frame: int) -> None:
        """Its sender knows that nobody acknowledged it."""
        found = self._open.get(frame)
        if found is not None:
            found.given_up = True

    def loss(self, frame: int) -> Loss | None:
        """How that frame was lost; None when it arrived, or when nobody can tell."""
        found = self._open.get(frame)
        if found is None or found.given_up or found.tries >= _SURE:
            return found
        known = (found.sender, found.receiver) in self._heard
        return found if known and found.tries > 1 else None
