"""Frames of one radio on their way: when each may go, back-off, acknowledgement, retries, duplicates.

IEEE 802.11-2020 10.3 as far as discovery windows need it; Wi-Fi Aware 4.0, digest 4.8. Rules:
* A frame goes in an opening: a discovery window, a committed slot, or at once. Beacons go in theirs and are dropped
  after it; group frames wait for a window; unicast frames for a window or slot in which the other side is awake too.
* Frames go in order; one whose opening has not come lets those behind it pass.
* A unicast frame is acknowledged: by an Ack of its receiver, SIFS after it. Without one it is sent again with the
  retry bit, up to the limit, and further on in the next opening. Nothing acknowledges a group frame.
* A frame with the retry bit and the sequence control of the last one from its sender is acknowledged and dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from protocols.wifi_aware.airtime import (
    ACK_OCTETS,
    ack_timeout_us,
    airtime_us,
    difs_us,
    sifs_us,
)
from protocols.wifi_aware.beacon import stamped
from protocols.wifi_aware.openings import GUARD_US
from sim.wifi_aware.contention import Backoff, again

if TYPE_CHECKING:
    from sim.air import Radio
    from sim.clock import Event
    from sim.rng import Random
    from sim.wifi_aware.medium import Medium

__all__ = ["ACK_CONTROL", "FOREVER", "Frame", "Job", "Mac", "Opening", "Owner", "ack"]

ACK_CONTROL = 0xD4
FOREVER = 1 << 62
_BEACON = 0x80
_RETRY = 0x08
"""Bit of the second octet of Frame Control."""
_SEQUENCE = slice(22, 24)
_SENDERS = 1024
"""Senders whose last sequence control is remembered; the one that was heard first makes room for one more."""


class Frame(Protocol):
    """What an engine gives to be sent."""

    @property
    def number(self) -> int:
        """By which it learns what became of it."""
        ...

    @property
    def octets(self) -> bytes:
        """As they go on the air."""
        ...

    @property
    def destination(self) -> str:
        """Address 1."""
        ...

    @property
    def name(self) -> str:
        """What it is."""
        ...


class Opening(NamedTuple):
    """A span in which a radio may send on a channel."""

    channel: int
    since_us: int | None
    """when it began; None for a beacon, whose back-off is its own."""
    until_us: int
    slots: tuple[int, int] | None
    """from which the first frame in it draws its back-off; None: like any other."""


class Job:
    """A frame on its way: lost after a time, tried some times."""

    __slots__ = ("engine", "lost_after_us", "octets", "out", "tries", "unicast")

    def __init__(self, out: Frame, engine: Any, lost_after_us: int) -> None:
        self.out = out
        self.engine = engine
        """who learns what became of it."""
        self.octets = out.octets
        self.unicast = not self.octets[4] & 1
        self.lost_after_us = lost_after_us
        self.tries = 0


class Owner(Protocol):
    """The radio whose frames these are."""

    def tsf_us(self, now_us: int) -> int:
        """Its TSF."""
        ...

    def opening(self, job: Job) -> Opening | None:
        """The opening in which a frame may go now."""
        ...

    def leaving(self, job: Job) -> None:
        """A frame goes on the air for the first time."""
        ...

    def await_ack(self, channel: int | None) -> None:
        """Listen on a channel for an Ack from now on; None: no longer."""
        ...

    def gone(self, job: Job, *, acked: bool) -> None:
        """It is done with."""
        ...


def ack(receiver: bytes) -> bytes:
    """An Ack for the station with that address."""
    return bytes((ACK_CONTROL, 0, 0, 0)) + receiver


class Mac:
    """The frames of `radio`, asked about and told of at `owner`."""

    def __init__(
        self,
        radio: Radio,
        owner: Owner,
        medium: Medium,
        chance: Random,
        *,
        rate_mbit_s: int,
        retry_limit: int,
    ) -> None:
        self._radio = radio
        self._owner = owner
        self._medium = medium
        self._loop = medium.air.loop
        self._chance = chance
        self._rate_mbit_s = rate_mbit_s
        self._retry_limit = retry_limit
        self.unicast = self.retries = 0
        """unicast frames that went on the air, retransmissions too; and those alone."""
        self.jobs: list[Job] = []
        self._job: Job | None = None
        """in contention, on the air, or waiting for its Ack."""
        self._backoff: Backoff | None = None
        self._event: Event | None = None
        self._on_air = False
        self._used_us = -1
        self._full_us = -1
        self._last: dict[bytes, bytes] = {}

    # Sending

    def add(self, job: Job) -> None:
        """Take a frame; `pump` sends it when it may go."""
        self.jobs.append(job)

    def pump(self) -> None:
        """Look for a frame that may go now, when none is on its way."""
        self._drop_late()
        if self._job is not None:
            return
        for job in self.jobs:
            opening = self._opening(job)
            if opening is not None:
                self._contend(job, opening)
                return

    def stop(self) -> None:
        """Forget everything; what is on the air goes on."""
        if self._event is not None:
            self._event.cancel()
        self._job = self._event = None
        self._on_air = False
        self.jobs.clear()

    def _drop_late(self) -> None:
        now_us = self._loop.now_us
        late = [job for job in self.jobs if job.lost_after_us <= now_us and job is not self._job]
        for job in late:
            self.jobs.remove(job)
            self._owner.gone(job, acked=False)

    def _opening(self, job: Job) -> Opening | None:
        opening = self._owner.opening(job)
        full = opening is None or opening.until_us == self._full_us
        return None if full else opening

    def _contend(self, job: Job, opening: Opening) -> None:
        first = opening.since_us is None or opening.since_us != self._used_us
        slots = opening.slots if first and opening.slots else again(job.tries)
        drawn = self._chance.randrange(*slots)
        now_us = self._loop.now_us
        self._job = job
        self._backoff = Backoff(drawn, now_us, difs_us(opening.channel))
        self._event = self._loop.at_us(self._backoff.due_us(()), self._attempt)

    def _attempt(self) -> None:
        job, backoff = self._job, self._backoff
        assert job is not None  # noqa: S101  # an attempt has both
        assert backoff is not None  # noqa: S101
        now_us = self._loop.now_us
        opening = self._owner.opening(job)
        if opening is None or job.lost_after_us <= now_us:
            self._release()
            return
        sensed = self._medium.sensed(
            self._radio, opening.channel, backoff.base_us - backoff.difs_us
        )
        due_us = backoff.due_us(sensed)
        if due_us + self._span_us(job, opening.channel) > opening.until_us - GUARD_US:
            self._full_us = opening.until_us
            self._release()
        elif due_us > now_us:
            self._event = self._loop.at_us(due_us, self._attempt)
        else:
            if opening.since_us is not None:
                self._used_us = opening.since_us
            self._send(job, opening.channel)

    def _span_us(self, job: Job, channel: int) -> int:
        """How long a frame takes, its Ack included."""
        span_us = airtime_us(len(job.octets), channel, self._rate_mbit_s)
        if job.unicast:
            span_us += sifs_us(channel) + airtime_us(ACK_OCTETS, channel)
        return span_us

    def _send(self, job: Job, channel: int) -> None:
        now_us = self._loop.now_us
        if not job.tries:
            self._owner.leaving(job)
        octets = job.octets
        if octets[0] == _BEACON:
            octets = stamped(octets, self._owner.tsf_us(now_us))
        if job.tries:
            octets = octets[:1] + bytes((octets[1] | _RETRY,)) + octets[2:]
        if job.unicast:
            self.unicast += 1
            self.retries += job.tries > 0
        job.tries += 1
        end_us = self._transmit(channel, octets, job.out.name)
        wait_us = 0
        if job.unicast:
            wait_us = ack_timeout_us(channel)
            self._owner.await_ack(channel)
        self._on_air = True
        self._event = self._loop.at_us(end_us + wait_us, self._over)

    def _transmit(self, channel: int, octets: bytes, name: str) -> int:
        tsft_us = self._owner.tsf_us(self._loop.now_us)
        return self._medium.transmit(
            self._radio,
            channel,
            octets,
            rate_mbit_s=self._rate_mbit_s,
            tsft_us=tsft_us,
            name=name,
        )

    def _over(self) -> None:
        """A frame has been sent; a unicast one has not been acknowledged in time."""
        job = self._job
        assert job is not None  # noqa: S101  # it was sent
        self._owner.await_ack(None)
        if job.unicast and job.tries <= self._retry_limit:
            self._release()
        else:
            self._finish(job, acked=not job.unicast)

    def _finish(self, job: Job, *, acked: bool) -> None:
        self.jobs.remove(job)
        self._job = self._event = None
        self._on_air = False
        self._owner.gone(job, acked=acked)
        self.pump()

    def _release(self) -> None:
        """Let the frame wait, and look for another one."""
        self._job = self._event = None
        self._on_air = False
        self.pump()

    # Receiving

    def acked(self) -> None:
        """An Ack for this radio was heard."""
        job = self._job
        if job is not None and job.unicast and self._on_air and self._event is not None:
            self._event.cancel()
            self._owner.await_ack(None)
            self._finish(job, acked=True)

    def acknowledge(self, sender: bytes, channel: int) -> None:
        """Answer a unicast frame that has just ended."""
        self._loop.after_us(sifs_us(channel), self._send_ack, sender, channel)

    def _send_ack(self, sender: bytes, channel: int) -> None:
        if self._radio.air is not None:
            self._transmit(channel, ack(sender), "ack")

    def is_repeated(self, octets: bytes) -> bool:
        """Whether a frame with the retry bit is the one that came last from its sender."""
        sender, control = octets[10:16], octets[_SEQUENCE]
        repeated = bool(octets[1] & _RETRY) and self._last.get(sender) == control
        if sender not in self._last and len(self._last) >= _SENDERS:
            del self._last[next(iter(self._last))]
        self._last[sender] = control
        return repeated
