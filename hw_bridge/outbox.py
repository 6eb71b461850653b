"""What waits for a slow client: a bounded queue in which only advertising reports may be dropped, and are counted.

Digest 8.3 (backpressure). No IO, no loop.
"""

from __future__ import annotations

from collections import deque

__all__ = ["Outbox"]


class Outbox:
    """Packets for a client, in order; `full` means that no more should be read from the controller."""

    def __init__(self, packets: int = 64, octets: int = 65536) -> None:
        self.most_packets = packets
        self.most_octets = octets
        self.dropped_reports = 0
        self._queue: deque[bytes] = deque()
        self._octets = 0

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def octets(self) -> int:
        """Octets that wait."""
        return self._octets

    @property
    def full(self) -> bool:
        """Whether one of the limits is reached."""
        return len(self._queue) >= self.most_packets or self._octets >= self.most_octets

    def put(self, packet: bytes, *, droppable: bool) -> None:
        """Keep a packet; when it is full, a droppable one is dropped instead."""
        if droppable and self.full:
            self.dropped_reports += 1
            return
        self._queue.append(packet)
        self._octets += len(packet)

    def first(self) -> bytes:
        """The packet that is due."""
        return self._queue[0]

    def pop(self) -> None:
        """The first one was taken."""
        self._octets -= len(self._queue.popleft())

    def clear(self) -> int:
        """Throw all away; how many that were."""
        count = len(self._queue)
        self._queue.clear()
        self._octets = 0
        return count
