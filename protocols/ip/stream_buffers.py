"""What one direction of a TCP connection keeps: data on its way out, data that came in, the retransmission timeout.

RFC 9293 3.4 and 3.8, RFC 6298. Positions are offsets from the initial sequence number of the direction and never
wrap: the SYN is 0, the first octet of data 1, the FIN stands behind the last. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from protocols.ip.stream_states import StreamSettings

__all__ = ["Incoming", "Outgoing", "Timeout", "unwrapped", "wire"]

_WORD = 1 << 32


def wire(initial: int, offset: int) -> int:
    """Sequence number of an offset."""
    return (initial + offset) % _WORD


def unwrapped(number: int, initial: int, near: int) -> int:
    """The offset nearest to `near` that has this sequence number; may be negative."""
    ahead = (number - initial - near) % _WORD
    return near + (ahead if ahead < _WORD // 2 else ahead - _WORD)


class Outgoing:
    """Data given by the application, from the first octet that is not acknowledged on."""

    __slots__ = ("_data", "_room", "acked", "end", "fin", "sent")

    def __init__(self, room: int) -> None:
        self._data = bytearray()
        self._room = room
        self.acked = 0
        """everything before it is acknowledged."""
        self.sent = 0
        """everything before it was sent."""
        self.end = 1
        """behind the last octet of data."""
        self.fin = False
        """a FIN follows the data."""

    @property
    def free(self) -> int:
        """Octets that it still takes."""
        return self._room - len(self._data)

    @property
    def in_flight(self) -> int:
        """Sent and not acknowledged; SYN and FIN count as one."""
        return self.sent - self.acked

    @property
    def fin_acked(self) -> bool:
        """Whether the peer has the FIN."""
        return self.acked > self.end

    def put(self, data: bytes) -> int:
        """Take as much as there is room for; how many octets."""
        taken = min(len(data), self.free)
        self._data += data[:taken]
        self.end += taken
        return taken

    def read(self, offset: int, size: int) -> bytes:
        """At most `size` octets of data from an offset that is not acknowledged."""
        at = offset - max(self.acked, 1)
        return bytes(self._data[at : at + size])

    def acknowledge(self, offset: int) -> None:
        """Forget what stands before `offset`."""
        gone = min(offset, self.end) - max(self.acked, 1)
        if gone > 0:
            del self._data[:gone]
        self.acked = offset


class Incoming:
    """Data of the peer: what can be read, and what came before its time."""

    __slots__ = ("_ahead", "_mss", "_ready", "_room", "edge", "fin", "next")

    def __init__(self, room: int, mss: int) -> None:
        self._ready = bytearray()
        self._ahead: dict[int, bytes] = {}
        self._room = room
        self._mss = mss
        self.edge = room
        """offset up to which data are taken: what the peer was told."""
        self.next = 0
        """the offset that is awaited."""
        self.fin: int | None = None
        """offset of the peer's FIN, once it is known."""

    @property
    def readable(self) -> int:
        """Octets that wait for the application."""
        return len(self._ready)

    @property
    def opened(self) -> bool:
        """Whether there is more room to tell of, and the peer knows of less than half of it."""
        return 2 * (self.edge - self.next) <= self._room and self._step() > 0

    def told(self) -> int:
        """The edge as a segment tells it now: moved on, in steps worth telling (RFC 9293 3.8.6.2.2)."""
        self.edge += self._step()
        return self.edge

    def _step(self) -> int:
        """Octets by which the edge would move."""
        moved = self.next + self._room - len(self._ready) - self.edge
        return moved if moved >= min(self._mss, self._room // 2) else 0

    def start(self) -> None:
        """The SYN has come."""
        self.next = 1
        self.edge = 1 + self._room

    def put(self, offset: int, data: bytes) -> bool:
        """Take data at an offset, as far as they are new and inside the window; whether more can be read."""
        late = self.next - offset
        if late > 0:
            offset, data = self.next, data[late:]
        end = self.edge if self.fin is None else min(self.edge, self.fin)
        data = data[: max(0, end - offset)]
        if data and len(data) > len(self._ahead.get(offset, b"")):
            self._ahead[offset] = data
        before = self.next
        self._join()
        return self.next > before

    def _join(self) -> None:
        """Move what is in order to where it can be read."""
        while self._ahead:
            first = min(self._ahead)
            if first > self.next:
                return
            data = self._ahead.pop(first)[self.next - first :]
            self._ready += data
            self.next += len(data)

    def ends(self, offset: int) -> None:
        """A FIN stands at `offset`; one before data that came is none, and the first counts."""
        if self.fin is None and offset >= self.next:
            self.fin = offset

    def take_fin(self) -> bool:
        """Whether the FIN is next; then it is passed."""
        if self.fin is None or self.next != self.fin:
            return False
        self.next += 1
        return True

    def take(self, most: int) -> bytes:
        """Up to `most` octets for the application."""
        data = bytes(self._ready[:most])
        del self._ready[:most]
        return data


class Timeout:
    """The retransmission timeout: from measured round trips, doubled each time it fires (RFC 6298)."""

    __slots__ = ("_base_us", "_doublings", "_settings", "_smoothed_us", "_variation_us")

    def __init__(self, settings: StreamSettings) -> None:
        self._settings = settings
        self._smoothed_us: int | None = None
        self._variation_us = 0
        self._base_us = settings.first_timeout_us
        self._doublings = 0

    @property
    def us(self) -> int:
        """Microseconds until the next retransmission."""
        return min(self._base_us << self._doublings, self._settings.most_timeout_us)

    def measured(self, round_trip_us: int) -> None:
        """A segment that was sent once took this long to be acknowledged."""
        if self._smoothed_us is None:
            self._smoothed_us, self._variation_us = round_trip_us, round_trip_us // 2
        else:
            off = abs(self._smoothed_us - round_trip_us)
            self._variation_us = (3 * self._variation_us + off) // 4
            self._smoothed_us = (7 * self._smoothed_us + round_trip_us) // 8
        wanted = self._smoothed_us + max(1, 4 * self._variation_us)
        self._base_us = max(wanted, self._settings.least_timeout_us)

    def fired(self) -> None:
        """It ran out once more."""
        self._doublings = min(self._doublings + 1, 16)

    def progress(self) -> None:
        """Something new was acknowledged."""
        self._doublings = 0
