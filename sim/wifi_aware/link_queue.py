"""The queue of a link: packets wait for committed slots and go out one by one, or a null frame when it is asked for one.

Wi-Fi Aware 4.0, NDL; digest 4.8 and 5.5, phone rule IA-61 (null frames keep a data path alive). Throughput and latency
follow from the slots and from what the radio needs for a frame; nothing else slows a packet down. A packet that finds
no Ack is lost, as on any Wi-Fi: streams repeat it, datagrams do not.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, Any, NamedTuple

from protocols.wifi_aware.openings import Openings
from sim.wifi_aware.data_radio import Fate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from protocols.wifi_aware.data_link import DataLink
    from sim.clock import Event, VirtualLoop
    from sim.wifi_aware.data_radio import DataRadio

__all__ = ["LinkQueue", "LinkStatistics"]

_LATE_LIMIT = 10
"""Openings in which a frame may be crowded out before it counts as lost."""


class LinkStatistics:
    """What a link has done so far."""

    def __init__(self) -> None:
        self.sent = 0
        """packets that were acknowledged."""
        self.sent_octets = 0
        """IPv6 octets of those."""
        self.nulls = 0
        """null frames sent."""
        self.lost = 0
        """frames without an Ack."""
        self.late = 0
        """times that a frame did not get through before its opening ended."""
        self.longest_wait_us = 0
        """from the queue to the Ack."""
        self.most_waiting = 0
        """packets in the queue."""
        self.received = 0
        self.received_octets = 0
        self.received_nulls = 0
        self.refused: Counter[str] = Counter()
        """frames not taken, by `Refusal`."""
        self.dropped: Counter[str] = Counter()
        """packets not carried, by reason: `queue_full`, `no_slot`, `no_port`, `unreachable`, ..."""

    def as_plain(self) -> dict[str, Any]:
        """As JSON-like values."""
        counts = {"refused": dict(self.refused), "dropped": dict(self.dropped)}
        return {**vars(self), **counts}


class _Waiting(NamedTuple):
    packet: bytes
    tid: int
    since_us: int


class LinkQueue:
    """Packets of one link on their way to its radio."""

    def __init__(
        self,
        frames: DataLink,
        slots: Mapping[int, Iterable[int]],
        radio: DataRadio,
        loop: VirtualLoop,
        *,
        most: int,
    ) -> None:
        self.statistics = LinkStatistics()
        self._frames = frames
        self._openings = Openings(slots)
        self._radio = radio
        self._loop = loop
        self._most = most
        self._waiting: deque[_Waiting] = deque()
        self._octets: bytes | None = None  # of the frame at the head; None: not made yet
        self._is_null = False
        self._late = 0
        self._end_us = 0  # when the opening in use ends, in simulated time like the next
        self._full_us = 0  # before that nothing gets through any more
        self._busy = False
        self._closed = False
        self._wake: Event | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, packet: bytes, tid: int = 0) -> bool:
        """Queue a packet; False, and it is counted, when the queue is full or the link closed."""
        if self._closed or len(self._waiting) >= self._most:
            self.statistics.dropped["closed" if self._closed else "queue_full"] += 1
            return False
        self._waiting.append(_Waiting(packet, tid, self._loop.now_us))
        self.statistics.most_waiting = max(self.statistics.most_waiting, len(self._waiting))
        self._pump()
        return True

    def reschedule(self, slots: Mapping[int, Iterable[int]]) -> None:
        """From now on these are the slots."""
        self._openings = Openings(slots)
        self._full_us = 0
        self._pump()

    def renew(self, frames: DataLink) -> None:
        """Another key, or other terms, for frames not made yet."""
        self._frames = frames

    def close(self) -> None:
        """Forget everything; what is on the air goes on."""
        self._closed = True
        self._waiting.clear()
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None

    # Sending

    def _pump(self) -> None:
        """Hand over the frame at the head, or wait for the opening in which it fits."""
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        while not (self._busy or self._closed) and (self._waiting or self._is_null):
            octets = self._size()
            tsf_us, now_us = self._radio.tsf_us(), self._loop.now_us
            from_us = tsf_us + max(0, self._full_us - now_us)
            opening = self._openings.next(from_us, self._needed_us(octets))
            if opening is None:
                self.statistics.dropped["no_slot"] += 1
                self._finish()
            elif opening.start_us > tsf_us:
                self._wake = self._loop.at_us(now_us + opening.start_us - tsf_us, self._pump)
                return
            else:
                self._busy, self._end_us = True, now_us + opening.end_us - tsf_us
                self._radio.send_data(self._head(), opening.channel, self._end_us, self._done)

    def _size(self) -> int:
        """Octets of the frame at the head."""
        if self._octets is not None:
            return len(self._octets)
        return self._frames.overhead + (len(self._waiting[0].packet) if self._waiting else 0)

    def _needed_us(self, octets: int) -> int:
        channels = self._openings.channels
        return max((self._radio.airtime_us(octets, one) for one in channels), default=0)

    def _head(self) -> bytes:
        """The frame at the head; it is made when it is to go, so that packet numbers rise in order of sending."""
        if self._octets is None:
            if self._is_null:
                self._octets = self._frames.null()
            else:
                self._octets = self._frames.frame_of(self._waiting[0].packet, self._waiting[0].tid)
        return self._octets

    def _done(self, fate: Fate) -> None:
        self._busy = False
        if self._closed:
            return
        found = self.statistics
        if fate is Fate.LATE:
            found.late += 1
            self._late += 1
            self._full_us = self._end_us
            if self._late < _LATE_LIMIT:
                self._pump()
                return
        found.lost += fate is not Fate.ACKED
        if self._is_null:
            found.nulls += 1
        elif fate is Fate.ACKED:
            packet, _, since_us = self._waiting[0]
            found.sent += 1
            found.sent_octets += len(packet)
            found.longest_wait_us = max(found.longest_wait_us, self._loop.now_us - since_us)
        self._finish()
        self._pump()

    def _finish(self) -> None:
        """Be done with the frame at the head."""
        if self._is_null:
            self._is_null = False
        else:
            self._waiting.popleft()
        self._octets = None
        self._late = 0

    def keep_alive(self) -> None:
        """Send a null frame, unless something else waits."""
        if not self._waiting and not self._busy:
            self._is_null = True
            self._pump()
