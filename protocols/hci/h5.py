"""H5, the three-wire transport: link establishment, sliding window, repetition and integrity check on a plain UART.

Core Specification 5.4 Vol 4 Part D clauses 5 (reliable packets), 8 (link establishment), 8.7 (low power); timers as
Linux drivers/bluetooth/hci_h5.c has them (SYNC and CONFIG every 100 ms, repetition after 250 ms; digest 2.2). Rules:
* TRANSITIONS is the link establishment. A SYNC in the active state means that the peer started afresh: all that is
  on its way is dropped and said.
* Commands, events and ACL data are reliable; SCO and ISO data are not.
* Our packets carry the integrity check when both sides offer it; a check that comes is always looked at.
No clock, no chance, no IO.
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import TYPE_CHECKING, Final

from protocols.hci.framing import (
    FramingEvent,
    LinkReset,
    LinkStalled,
    LinkUp,
    Received,
    Skipped,
    is_whole,
)
from protocols.hci.h5_packets import (
    ACK,
    LARGEST_PAYLOAD,
    LINK,
    RELIABLE,
    Config,
    Message,
    WirePacket,
    message_of,
    read,
    write,
)
from protocols.hci.slip import SlipReader, slip_frame

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["TRANSITIONS", "H5Framer", "LinkState"]


class LinkState(Enum):
    """Of the link establishment."""

    UNINITIALIZED = "uninitialized"
    INITIALIZED = "initialized"
    ACTIVE = "active"


_M = Message
TRANSITIONS: Final[Mapping[tuple[LinkState, Message], tuple[Message | None, LinkState]]] = {
    (LinkState.UNINITIALIZED, _M.SYNC): (_M.SYNC_RESPONSE, LinkState.UNINITIALIZED),
    (LinkState.UNINITIALIZED, _M.SYNC_RESPONSE): (_M.CONFIG, LinkState.INITIALIZED),
    (LinkState.INITIALIZED, _M.SYNC): (_M.SYNC_RESPONSE, LinkState.INITIALIZED),
    (LinkState.INITIALIZED, _M.CONFIG): (_M.CONFIG_RESPONSE, LinkState.INITIALIZED),
    (LinkState.INITIALIZED, _M.CONFIG_RESPONSE): (None, LinkState.ACTIVE),
    (LinkState.ACTIVE, _M.SYNC): (_M.SYNC_RESPONSE, LinkState.UNINITIALIZED),
    (LinkState.ACTIVE, _M.CONFIG): (_M.CONFIG_RESPONSE, LinkState.ACTIVE),
    (LinkState.ACTIVE, _M.WAKEUP): (_M.WOKEN, LinkState.ACTIVE),
    (LinkState.ACTIVE, _M.WOKEN): (None, LinkState.ACTIVE),
    (LinkState.ACTIVE, _M.SLEEP): (None, LinkState.ACTIVE),
}
"""(state, message that came) -> (answer, next state); any other message is ignored."""

_REPEATED: Final = {LinkState.UNINITIALIZED: _M.SYNC, LinkState.INITIALIZED: _M.CONFIG}
_WITH_CONFIG: Final = frozenset((_M.CONFIG, _M.CONFIG_RESPONSE))
_ESTABLISH_US: Final = 100_000
_RESEND_US: Final = 250_000
_STALLED_AFTER: Final = 20
_NUMBERS: Final = 8
_FRAME_OCTETS: Final = 4 + LARGEST_PAYLOAD + 2
_REPORTED_OCTETS: Final = 256


class H5Framer:
    """One end of a three-wire link; `offer` is what it can, `state` how far the link is."""

    def __init__(self, offer: Config | None = None) -> None:
        self.offer = offer or Config()
        self.state = LinkState.UNINITIALIZED
        self.config = Config(1)
        self.skipped_octets = 0
        self.resends = 0
        """Frames that were sent again."""
        self._reader = SlipReader(_FRAME_OCTETS)
        self._events: deque[FramingEvent] = deque()
        self._control: list[Message] = []
        self._next_establish_us: int | None = None
        self._begin()

    def _begin(self) -> None:
        """Forget all that is on its way."""
        self._queue: deque[bytes] = deque()  # reliable, not sent
        self._loose: deque[bytes] = deque()  # unreliable, not sent
        self._unacked: deque[WirePacket] = deque()
        self._unsent = 0  # how many at the end of _unacked are to be sent (again)
        self._seq = 0
        self._expected = 0
        self._owes_ack = False
        self._resend_us: int | None = None
        self._streak = 0  # repetitions since the last acknowledgement
        self._asleep = False
        self._next_wakeup_us: int | None = None

    @property
    def ready(self) -> bool:
        """Whether the window has room for a packet sent now."""
        waiting = len(self._queue) + len(self._unacked)
        return self.state is LinkState.ACTIVE and waiting < self.config.window

    # From the host

    def send(self, packet: bytes, now: int) -> None:
        """Take an H4 packet to be sent."""
        (self._queue if packet[0] in RELIABLE else self._loose).append(packet)

    def to_send(self, now: int) -> bytes:
        """Octets for the line."""
        frames = [self._control_frame(message) for message in self._control]
        self._control.clear()
        if self.state is not LinkState.ACTIVE:
            if self._next_establish_us is None:
                self._next_establish_us = now + _ESTABLISH_US
                frames.append(self._control_frame(_REPEATED[self.state]))
            return b"".join(frames)
        if self._asleep and (self._queue or self._loose or self._unsent):
            if self._next_wakeup_us is None:
                self._next_wakeup_us = now + _ESTABLISH_US
                frames.append(self._control_frame(_M.WAKEUP))
        else:
            frames += self._data_frames(now)
        if self._owes_ack:
            frames.append(self._frame(WirePacket(kind=ACK, payload=b"")))
        return b"".join(frames)

    def _data_frames(self, now: int) -> list[bytes]:
        while self._queue and len(self._unacked) < self.config.window:
            packet = self._queue.popleft()
            self._unacked.append(
                WirePacket(kind=packet[0], payload=packet[1:], seq=self._seq, reliable=True)
            )
            self._seq = (self._seq + 1) % _NUMBERS
            self._unsent += 1
        frames: list[bytes] = []
        if self._unsent:
            first = len(self._unacked) - self._unsent
            frames += [self._frame(packet) for packet in list(self._unacked)[first:]]
            self._unsent = 0
            self._resend_us = now + _RESEND_US
        while self._loose:
            packet = self._loose.popleft()
            frames.append(self._frame(WirePacket(kind=packet[0], payload=packet[1:])))
        return frames

    def _frame(self, packet: WirePacket) -> bytes:
        self._owes_ack = False
        return slip_frame(
            write(
                WirePacket(
                    kind=packet.kind,
                    payload=packet.payload,
                    seq=packet.seq,
                    ack=self._expected,
                    reliable=packet.reliable,
                    crc=self.config.crc,
                )
            )
        )

    def _control_frame(self, message: Message) -> bytes:
        config = self.offer.octet() if message in _WITH_CONFIG else b""
        return slip_frame(write(WirePacket(kind=LINK, payload=message.value + config)))

    # From the line

    def receive(self, data: bytes, now: int) -> None:
        """Take octets of the line."""
        for raw, frame in self._reader.receive(data):
            packet = "H5 escape or length" if frame is None else read(frame)
            if isinstance(packet, str):
                self._skip(raw, now, packet)
            elif packet.kind == LINK:
                self._on_message(packet.payload, now)
            elif self.state is LinkState.ACTIVE:
                self._on_packet(packet, raw, now)

    def _on_message(self, payload: bytes, now: int) -> None:
        message = message_of(payload)
        found = None if message is None else TRANSITIONS.get((self.state, message))
        if found is None:
            return
        before = self.state
        answer, self.state = found
        if message in _WITH_CONFIG:
            self.config = self.offer.agreed(payload) or self.config
        if answer is not None:
            self._control.append(answer)
        if self.state is not before:
            self._entered(before, now)
        elif message in (_M.WAKEUP, _M.WOKEN, _M.SLEEP):
            self._asleep = message is _M.SLEEP
            self._next_wakeup_us = None

    def _entered(self, before: LinkState, now: int) -> None:
        if self.state is LinkState.ACTIVE:
            self._next_establish_us = None
            self._events.append(LinkUp(now, self.config.window, self.config.crc))
        elif before is LinkState.ACTIVE:
            dropped = len(self._queue) + len(self._unacked) + len(self._loose)
            self._begin()
            self.config = Config(1)
            self._next_establish_us = None
            self._events.append(LinkReset(now, dropped))
        else:
            self._next_establish_us = now + _ESTABLISH_US

    def _on_packet(self, packet: WirePacket, raw: bytes, now: int) -> None:
        self._on_ack(packet.ack, now)
        if packet.reliable:
            self._owes_ack = True
            if packet.seq != self._expected:
                return  # a repetition, or one before it got lost and all will be repeated
            self._expected = (self._expected + 1) % _NUMBERS
        if packet.kind == ACK:
            return
        octets = bytes((packet.kind,)) + packet.payload
        if is_whole(octets):
            self._events.append(Received(octets, now))
        else:
            self._skip(raw, now, "H5 payload is no HCI packet")

    def _on_ack(self, ack: int, now: int) -> None:
        """The peer expects number `ack`: everything before it has arrived."""
        if not self._unacked:
            return
        arrived = (ack - self._unacked[0].seq) % _NUMBERS
        if not 0 < arrived <= len(self._unacked):
            return
        for _ in range(arrived):
            self._unacked.popleft()
        self._unsent = min(self._unsent, len(self._unacked))
        self._streak = 0
        self._resend_us = now + _RESEND_US if self._unacked else None

    def _skip(self, raw: bytes, now: int, reason: str) -> None:
        self.skipped_octets += len(raw)
        self._events.append(Skipped(raw[:_REPORTED_OCTETS], now, reason))

    # Time

    def next_timer(self) -> int | None:
        """When a message or a packet is to be repeated."""
        timers = (self._next_establish_us, self._resend_us, self._next_wakeup_us)
        return min((each for each in timers if each is not None), default=None)

    def handle_timer(self, now: int) -> None:
        """Repeat what was not answered; `to_send` gives it."""
        if self._next_establish_us is not None and now >= self._next_establish_us:
            self._next_establish_us = None
        if self._next_wakeup_us is not None and now >= self._next_wakeup_us:
            self._next_wakeup_us = None
        if self._resend_us is not None and now >= self._resend_us:
            self._resend_us = now + _RESEND_US
            self._unsent = len(self._unacked)
            self.resends += self._unsent
            self._streak += 1
            if self._streak == _STALLED_AFTER:
                self._events.append(LinkStalled(now, self._streak))

    def next_event(self) -> FramingEvent | None:
        """The next event; None when there is none."""
        return self._events.popleft() if self._events else None
