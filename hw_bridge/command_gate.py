"""One command at a time: credits, time-outs, and which reply answers which command.

Core Specification 5.4 Vol 4 Part E clause 4.4; digest 8.3. Rules of the file:
* A reply must name the command that is outstanding; any other is reported as stray and answers nothing, so that a
  late one is never taken for the next command's.
* Every command ends: with its reply, or by its time. A controller that takes credits away and gives none back is
  given one after a while, because the report of it may have got lost; one that never gives any is waited for half as
  long each time.
No IO, no loop; `now` is in microseconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

from protocols.hci.replies import NO_REPLY, RESET, Reply, opcode_of

__all__ = ["CommandGate", "Owner", "Pending", "Timeouts"]

Owner = Callable[[Reply | None], None]
"""Gets the reply of a command that is the bridge's own; None when it failed."""

_VENDOR_GROUP: Final = 0x3F
_LEAST_WAIT_US: Final = 50_000


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """How long each kind of answer may take, in microseconds."""

    reset: tuple[int, ...] = (500_000, 1_000_000, 2_000_000)
    """A Reset is sent once per entry."""
    vendor: int = 5_000_000
    other: int = 2_000_000
    credits: int = 2_000_000
    """How long a controller may take all credits away."""
    queued: int = 8_000_000
    """How long a command may wait to be sent."""

    def of(self, opcode: int) -> tuple[int, ...]:
        """How long each attempt of a command may take."""
        if opcode == RESET:
            return self.reset
        return (self.vendor if opcode >> 10 == _VENDOR_GROUP else self.other,)


class Pending(msgspec.Struct, kw_only=True):
    """A command on its way."""

    packet: bytes
    opcode: int
    attempts: list[int]
    """Time-outs of the attempts that are left."""
    since_us: int
    owner: Owner | None = None


class CommandGate:
    """The commands of one opened controller."""

    def __init__(
        self, timeouts: Timeouts | None = None, no_reply: frozenset[int] = NO_REPLY
    ) -> None:
        self.timeouts = timeouts or Timeouts()
        self.no_reply = no_reply
        self.credits = 1
        self.outstanding: Pending | None = None
        self.queue: deque[Pending] = deque()
        self._deadline_us: int | None = None
        self._starved_us: int | None = None
        self._starved_before = 0
        self._to_repeat = False
        self._to_follow: int | None = None

    def submit(
        self, packet: bytes, now: int, owner: Owner | None = None, attempts: tuple[int, ...] = ()
    ) -> None:
        """Put a command at the end of the queue; `attempts` are its own time-outs."""
        opcode = opcode_of(packet)
        left = list(attempts or self.timeouts.of(opcode))
        self.queue.append(
            Pending(packet=packet, opcode=opcode, attempts=left, since_us=now, owner=owner)
        )

    def disown(self) -> int:
        """Forget what is queued for a client that left, and whose the outstanding command is; how many that were."""
        queued = len(self.queue)
        self.queue = deque(each for each in self.queue if each.owner is not None)
        if self.outstanding is not None and self.outstanding.owner is None:
            self.outstanding.owner = _nobody
        return queued - len(self.queue)

    def next_command(self, now: int) -> bytes | None:
        """The command to be sent now; None when there is none or none may go."""
        if self._to_repeat and self.outstanding is not None:
            self._to_repeat = False
            return self.outstanding.packet
        if not self.queue:
            return None
        if self.queue[0].opcode in self.no_reply:
            return self.queue.popleft().packet
        if self.outstanding is not None:
            return None
        if self.credits <= 0:
            return None
        self.credits -= 1
        self.outstanding = self.queue.popleft()
        self._deadline_us = now + self.outstanding.attempts.pop(0)
        return self.outstanding.packet

    def on_reply(self, reply: Reply, now: int) -> Pending | bool:
        """The command that a reply ends; False for a stray one; True for one that is to be passed on as it is."""
        self.credits = reply.credits
        if self.credits > 0:
            self._starved_us, self._starved_before = None, 0
        else:
            self._starved_us = now + self.longest_wait_us
        pending = self.outstanding
        if pending is not None and reply.opcode == pending.opcode:
            self._to_follow = None if reply.complete or reply.status else reply.opcode
            self._end()
            return pending
        if reply.opcode == 0:
            return True
        if reply.complete and reply.opcode == self._to_follow:
            self._to_follow = None  # Command Status said that it is pending, now it is complete
            return True
        return False

    @property
    def longest_wait_us(self) -> int:
        """How long it may keep all credits now."""
        return max(_LEAST_WAIT_US, self.timeouts.credits >> self._starved_before)

    @property
    def is_starved(self) -> bool:
        """Whether the controller took all credits away."""
        return self._starved_us is not None

    def deadline(self) -> int | None:
        """When `expire` has something to do."""
        found = self._deadline_us if self._starved_us is None else self._starved_us
        if self.queue:
            queued = self.queue[0].since_us + self.timeouts.queued
            return queued if found is None else min(found, queued)
        return found

    def expire(self, now: int) -> tuple[Pending | None, str]:
        """(the command that failed, what happened); the sentence is empty when nothing did."""
        if self._starved_us is not None and now >= self._starved_us:
            self._starved_us = None
            self._starved_before += 1
            self.credits = 1
            return None, "it took all command credits away and gave none back"
        pending = self.outstanding
        if pending is not None and self._deadline_us is not None and now >= self._deadline_us:
            if pending.attempts:
                self._deadline_us = now + pending.attempts.pop(0)
                self._to_repeat = True
                return None, ""
            self._end()
            self.credits = 1
            return pending, "no reply in time"
        if self.queue and now >= self.queue[0].since_us + self.timeouts.queued:
            return self.queue.popleft(), "it could not be sent in time"
        return None, ""

    def postpone(self, by_us: int) -> None:
        """Time in which nothing could be heard does not count."""
        if self._deadline_us is not None:
            self._deadline_us += by_us
        if self._starved_us is not None:
            self._starved_us += by_us

    def fail_all(self) -> list[Pending]:
        """Everything that will get no reply any more, in order; afterwards the gate is as new."""
        left = [*([self.outstanding] if self.outstanding else ()), *self.queue]
        self.queue.clear()
        self._end()
        self.credits = 1
        self._starved_us, self._starved_before = None, 0
        return [each for each in left if each.opcode not in self.no_reply]

    def _end(self) -> None:
        self.outstanding = None
        self._deadline_us = None
        self._to_repeat = False


def _nobody(reply: Reply | None) -> None:
    """Takes the reply to a command of a client that left."""
