"""One opening of a port: its link, framer and traffic, the single writer, and the timer of them all.

Digest 8.3. Rules of the file: the reader frames and stamps and does nothing else; packets are written only while
nothing waits in the link's buffer; there is one timer, armed for the earliest deadline and never moved back.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final, Protocol

from hw_bridge.traffic import Note
from protocols.hci.framing import LinkReset, LinkStalled, LinkUp, Received, Skipped
from protocols.hci.replies import command

if TYPE_CHECKING:
    from hw_bridge.errors import LostError
    from hw_bridge.link import Link
    from hw_bridge.traffic import Traffic
    from protocols.hci.framing import Framer, FramingEvent
    from protocols.hci.replies import Reply

__all__ = ["Channel", "Keeper"]

_BATCH: Final = 64
_SLACK_S: Final = 0.2
_WRITE_TIMEOUT_US: Final = 2_000_000
_FLOW_HINT: Final = (
    "it takes no more octets: check RTS/CTS flow control (wiring, rtscts= in the moniker) and baud"
)


class Keeper(Protocol):
    """Who has the channel."""

    def on_packet(self, packet: bytes) -> bool:
        """A packet for the host; False when reading should stop."""
        ...

    def on_skipped(self, skipped: Skipped) -> None:
        """Octets that were no packet."""
        ...

    def on_note(self, note: Note) -> None:
        """Something to act on."""
        ...

    def on_lost(self, channel: Channel, error: LostError) -> None:
        """The link is gone."""
        ...

    def on_octets(self, octets: bytes, *, sent: bool, t_us: int) -> None:
        """Octets as they went over the line."""
        ...

    def on_room(self) -> None:
        """The host may send again."""
        ...


class Channel:
    """Receiver of a link; `start` gives it the link."""

    def __init__(self, keeper: Keeper, framer: Framer, traffic: Traffic) -> None:
        self.keeper = keeper
        self.framer = framer
        self.traffic = traffic
        self.link: Link | None = None
        self.counts = traffic.counts
        self.heard = asyncio.Event()
        """Set whenever octets come."""
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_us = 0
        self._held_us: int | None = None
        self._stuck_us: int | None = None
        self._taken = self._given = 0
        self._told_stuck = False
        self._crowded = False
        self._pumping = False
        self._ended = False

    @property
    def now(self) -> int:
        """Microseconds of the loop's clock."""
        return round(self._loop.time() * 1e6)

    def start(self, link: Link) -> None:
        """Begin to use the link."""
        self.link = link
        self.pump()

    async def close(self) -> None:
        """Stop everything and give the link back."""
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
        if self.link is not None:
            await self.link.close()

    async def command(
        self, opcode: int, parameters: bytes = b"", *, attempts_us: tuple[int, ...] = ()
    ) -> Reply | None:
        """The reply to a command of the bridge's own; None when there is none in time."""
        future: asyncio.Future[Reply | None] = self._loop.create_future()

        def done(reply: Reply | None) -> None:
            if not future.done():
                future.set_result(reply)

        gate = self.traffic.gate
        attempts = attempts_us or gate.timeouts.of(opcode)
        limit_us = sum(attempts) + (gate.longest_wait_us if gate.is_starved else 0)
        self.traffic.submit_own(command(opcode, parameters), self.now, done, attempts)
        self.pump()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_us / 1e6 + _SLACK_S):
                return await future
        return None

    # Receiver

    def on_data(self, data: bytes) -> None:
        """Octets came, or one packet."""
        if self._ended:
            return
        now = self.now
        self.counts["octets received"] += len(data)
        self.keeper.on_octets(data, sent=False, t_us=now)
        self.framer.receive(data, now)
        self.heard.set()
        self._take_events(now)
        self.pump()

    def on_writable(self) -> None:
        """Everything written so far has been taken."""
        self.pump()

    def on_trouble(self, text: str) -> None:
        """Something was lost and the link goes on."""
        if not self._ended:
            self.keeper.on_note(Note("degrade", text))

    def on_lost(self, error: LostError) -> None:
        """The link is gone; what was half read or half written is counted."""
        if self._ended:
            return
        if (due := self.framer.next_timer()) is not None:
            self.framer.handle_timer(due)
            self._take_events(self.now)
        if self.link is not None and self._given > self.link.taken:
            self.counts["octets not sent when the link was lost"] += self._given - self.link.taken
        self._ended = True
        self.keeper.on_lost(self, error)

    # Packets

    def _take_events(self, now: int) -> None:
        """Handle what the framer found, until reading is to stop."""
        framer = self.framer
        while self._held_us is None and not self._ended:
            event = framer.next_event()
            if event is None:
                return
            if type(event) is Received:
                packet = self.traffic.from_controller(event.packet, now)
                if packet is not None and not self.keeper.on_packet(packet):
                    self.hold()
                if self.traffic.notes:
                    self._tell_notes()
            else:
                self._on_other(event)

    def _on_other(self, event: FramingEvent) -> None:
        if isinstance(event, Skipped):
            self.counts["octets skipped"] += len(event.octets)
            self.keeper.on_skipped(event)
        elif isinstance(event, LinkUp):
            check = "with" if event.crc else "without"
            words = f"three-wire link is up: window {event.window}, {check} integrity check"
            self.keeper.on_note(Note("note", words))
        elif isinstance(event, LinkReset):
            self.counts["packets lost in a three-wire restart"] += event.dropped
            words = f"the three-wire peer started afresh; {event.dropped} packets are lost"
            self.keeper.on_note(Note("restarted", words))
        elif isinstance(event, LinkStalled):
            words = f"the three-wire peer acknowledges nothing after {event.resends} repetitions"
            self.keeper.on_note(Note("degrade", words))

    def _tell_notes(self) -> None:
        while self.traffic.notes:
            self.keeper.on_note(self.traffic.notes.popleft())

    def replace_traffic(self, traffic: Traffic) -> None:
        """After a restart of the controller: begin with new counts of credits and connections."""
        self.traffic = traffic

    def pump_soon(self) -> None:
        """Write at the next turn of the loop: data that come together go out together."""
        if not self._pumping:
            self._pumping = True
            self._loop.call_soon(self.pump)

    def pump(self) -> None:
        """Write what may be written."""
        self._pumping = False
        link = self.link
        if link is None or self._ended:
            return
        now = self.now
        framer, exhausted = self.framer, False
        while not link.buffered:
            octets = framer.to_send(now)
            if octets:
                self._given += len(octets)
                self.counts["octets sent"] += len(octets)
                self.keeper.on_octets(octets, sent=True, t_us=now)
                link.write(octets)
                continue
            fed = 0 if exhausted else self._feed(now)
            if not fed:
                break
            exhausted = fed < _BATCH
        self._watch_writing(link, now)
        if self._crowded and self.traffic.has_room:
            self._crowded = False
            self.keeper.on_room()
        self._arm()

    def _feed(self, now: int) -> int:
        """Give the framer some packets; how many there were."""
        framer, traffic, fed = self.framer, self.traffic, 0
        while fed < _BATCH and framer.ready:
            packet = traffic.next_packet(now)
            if packet is None:
                break
            framer.send(packet, now)
            fed += 1
        return fed

    def has_room(self) -> bool:
        """Whether the host should go on sending; `on_room` follows where not."""
        self._crowded = not self.traffic.has_room
        return not self._crowded

    # Back-pressure

    def hold(self) -> None:
        """Stop reading."""
        if self._held_us is None and self.link is not None:
            self._held_us = self.now
            self.link.pause_reading()

    def release(self) -> None:
        """Read again; the time of the hold counts for no time-out."""
        if self._held_us is None or self.link is None or self._ended:
            return
        now = self.now
        self.traffic.gate.postpone(now - self._held_us)
        self._held_us = None
        self.framer.receive(b"", now)
        self._take_events(now)
        if self._held_us is None:
            self.link.resume_reading()
        self.pump()

    def _watch_writing(self, link: Link, now: int) -> None:
        """Notice when the other side takes nothing."""
        if not link.buffered:
            self._stuck_us, self._told_stuck = None, False
        elif self._stuck_us is None or link.taken != self._taken:
            self._taken = link.taken
            self._stuck_us = now + _WRITE_TIMEOUT_US
        elif now >= self._stuck_us:
            self._stuck_us = now + _WRITE_TIMEOUT_US
            if not self._told_stuck:
                self._told_stuck = True
                self.keeper.on_note(Note("degrade", _FLOW_HINT))

    # Time

    def _arm(self) -> None:
        earliest = self._stuck_us
        if self._held_us is None:
            for due in (self.framer.next_timer(), self.traffic.deadline()):
                if due is not None and (earliest is None or due < earliest):
                    earliest = due
        if earliest is None or (self._timer is not None and self._timer_us <= earliest):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_us = earliest
        self._timer = self._loop.call_at(earliest / 1e6, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        if self._ended:
            return
        now = max(self.now, self._timer_us)
        if self._held_us is None:
            due = self.framer.next_timer()
            if due is not None and now >= due:
                self.framer.handle_timer(now)
                self._take_events(now)
            due = self.traffic.deadline()
            if due is not None and now >= due:
                packet = self.traffic.expire(now)
                if packet is not None and not self.keeper.on_packet(packet):
                    self.hold()
                self._tell_notes()
        self.pump()
