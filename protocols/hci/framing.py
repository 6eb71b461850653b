"""What every HCI framer is: packets to octets of a line and back, with five verbs.

A framer takes octets in pieces of any size, gives whole H4 packets (type octet first), and never loses an octet
silently: what is no packet comes out as `Skipped`. Memory is bounded by the largest packet it accepts. `now` is in
microseconds of any clock that does not go back. No clock, no chance, no IO.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

import msgspec

__all__ = [
    "ACL",
    "COMMAND",
    "EVENT",
    "ISO",
    "SCO",
    "Framer",
    "FramingEvent",
    "LinkReset",
    "LinkStalled",
    "LinkUp",
    "PacketFramer",
    "PlainFramer",
    "Received",
    "Skipped",
]

COMMAND, ACL, SCO, EVENT, ISO = 1, 2, 3, 4, 5
"""H4 packet types (Core Specification 5.4 Vol 4 Part A clause 2)."""


class Received(msgspec.Struct, frozen=True, gc=False):
    """One whole packet."""

    packet: bytes
    """H4: type octet first."""
    t_us: int


class Skipped(msgspec.Struct, frozen=True, gc=False):
    """Octets that belong to no packet; a long run comes as several of these."""

    octets: bytes
    t_us: int
    reason: str


class LinkUp(msgspec.Struct, frozen=True, gc=False):
    """A link layer below HCI (H5) is established."""

    t_us: int
    window: int
    """Reliable packets that may be on their way unacknowledged."""
    crc: bool
    """Whether our packets carry the data integrity check."""


class LinkReset(msgspec.Struct, frozen=True, gc=False):
    """The peer of a link layer started afresh; everything on its way is lost."""

    t_us: int
    dropped: int
    """Packets that were waiting to be sent or acknowledged."""


class LinkStalled(msgspec.Struct, frozen=True, gc=False):
    """The peer of a link layer has not acknowledged a packet for long; it is still being repeated."""

    t_us: int
    resends: int


FramingEvent = Received | Skipped | LinkUp | LinkReset | LinkStalled


class Framer(Protocol):
    """Turns H4 packets into octets of one kind of line, and back."""

    @property
    def ready(self) -> bool:
        """Whether `send` takes a packet without keeping it waiting behind others."""
        ...

    def send(self, packet: bytes, now: int) -> None:
        """Take an H4 packet to be sent."""
        ...

    def to_send(self, now: int) -> bytes:
        """Octets for the line; empty when there are none."""
        ...

    def receive(self, data: bytes, now: int) -> None:
        """Take octets of the line."""
        ...

    def next_timer(self) -> int | None:
        """When `handle_timer` wants to be called, in microseconds."""
        ...

    def handle_timer(self, now: int) -> None:
        """Say that the time came."""
        ...

    def next_event(self) -> FramingEvent | None:
        """The next event; None when there is none."""
        ...


class PlainFramer:
    """What framers without acknowledgements begin with: events that wait to be taken, packets that wait to be sent."""

    def __init__(self) -> None:
        self._events: deque[FramingEvent] = deque()
        self._out: list[bytes] = []

    @property
    def ready(self) -> bool:
        """Always: nothing has to be awaited before the next packet."""
        return True

    def send(self, packet: bytes, now: int) -> None:
        """Take an H4 packet to be sent."""
        self._out.append(packet)

    def next_event(self) -> FramingEvent | None:
        """The next event; None when there is none."""
        return self._events.popleft() if self._events else None


class PacketFramer(PlainFramer):
    """For lines that keep packet borders themselves (a kernel socket, USB, a recording): passes packets on."""

    def to_send(self, now: int) -> bytes:
        """The next packet."""
        return self._out.pop(0) if self._out else b""

    def receive(self, data: bytes, now: int) -> None:
        """Take one packet."""
        if is_whole(data):
            self._events.append(Received(bytes(data), now))
        elif data:
            self._events.append(Skipped(bytes(data), now, "not one whole packet"))

    def next_timer(self) -> int | None:
        """None: nothing is awaited."""
        return None

    def handle_timer(self, now: int) -> None:
        """Nothing to do."""


# H4 type -> (octets of the header behind the type, offset in it and octets of the length field, its mask)
HEADERS = {
    COMMAND: (3, 2, 1, 0xFF),
    ACL: (4, 2, 2, 0xFFFF),
    SCO: (3, 2, 1, 0xFF),
    EVENT: (2, 1, 1, 0xFF),
    ISO: (4, 2, 2, 0x3FFF),
}


def is_whole(packet: bytes) -> bool:
    """Whether octets are one H4 packet, as long as its header says."""
    header = HEADERS.get(packet[0]) if packet else None
    if header is None:
        return False
    octets, at, size, mask = header
    length = int.from_bytes(packet[1 + at : 1 + at + size], "little") & mask
    return len(packet) > octets and len(packet) == 1 + octets + length
